// Package stdin reads what a program's starter sends it, without a thread that waits for it.
package stdin

import (
	"io"
	"os"
)

// Polled returns a reader of what comes from f, which waits where Go waits for the network, and can be closed meanwhile; f stays
// open. It returns nil if that can't be had: f has to be a pipe or a socket, on Linux.
//
// A read of an os.Stdin occupies a thread, and each time it goes on, and waits again, the runtime has to take the processor from it
// and find it another one: a third of a small message's costs.
//
// What others see of f doesn't change. In particular it isn't made non-blocking, which would be so for each process that has it, and
// a shell script that reads on after this one would fail.
func Polled(f *os.File) io.ReadCloser { return polled(f) }
