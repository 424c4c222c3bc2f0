package bridge

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipeSize is the room that a pipe gets for large messages, in bytes: that of several pieces (package polled), so that the client
// reads one while the next is written. Linux gives a pipe 64 KiB by itself, and lets a user have 64 MiB in all of them together
// before it becomes mean (pipe(7)): hence not more.
const pipeSize = 512 << 10

// widen gives w more room if it is a pipe: a large message then takes fewer turns between the bridge and the client. If that can't
// be had, nothing is lost.
func widen(w io.Writer) {
	f, ok := w.(syscall.Conn)
	if !ok {
		return
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		if size, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err == nil && size < pipeSize {
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
		}
	})
}
