// Package polled moves bytes through pipes, sockets and connections at the least cost for Go's scheduler.
//
// A read of an os.Stdin occupies a thread, and each time it goes on, and waits again, the runtime has to take the processor from it
// and find it another one. So here a descriptor is one that the runtime's poller waits for, as it does for the network.
//
// And each system call wakes the runtime's monitor, if the process was idle before: a thread that then wakes every 20 µs, to take
// the processor from calls that block. None of these do, so they are made without the runtime's notice (syscall.RawSyscall). Where
// many follow each other without a pause, one now and then isn't: in a busy process the monitor has to be awake, to see that nobody
// keeps the processor for itself.
//
// All of this is for Linux. Elsewhere nothing is to be had, and whoever asks does as well without.
package polled

import (
	"io"
	"net"
	"os"
)

// Input returns a reader of what comes from r, which can be closed meanwhile; r stays open. It returns nil if that can't be had: r
// has to be a file, and that a pipe or a socket.
//
// What others see of r doesn't change. In particular it isn't made non-blocking, which would be so for each process that has it, and
// a shell script that reads on after this one would fail.
func Input(r io.Reader) io.ReadCloser {
	if f, ok := r.(*os.File); ok {
		return input(f)
	}
	return nil
}

// Output returns a writer to w; w stays open. It returns nil under the same conditions as Input, and changes as little.
func Output(w io.Writer) io.WriteCloser {
	if f, ok := w.(*os.File); ok {
		return output(f)
	}
	return nil
}

// Conn returns a connection that is c, or c itself if nothing is to be gained.
func Conn(c net.Conn) net.Conn { return conn(c) }
