package stdin

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func polled(f *os.File) io.ReadCloser {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	switch info.Mode().Type() {
	case os.ModeNamedPipe:
		return pipe(f)
	case os.ModeSocket:
		return newSocket(f)
	}
	return nil
}

// pipe opens the pipe in f once more: that is a way to it which nobody else has, and which may be non-blocking. It isn't to be
// had without /proc, or if the pipe belongs to another user.
func pipe(f *os.File) io.ReadCloser {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	var own *os.File
	_ = conn.Control(func(fd uintptr) {
		own, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDONLY|unix.O_NONBLOCK, 0)
	})
	if err != nil || own == nil {
		return nil
	}
	return own
}

// socket reads a socket, which can't be opened once more, but whose every read may be told not to block. Programs that are
// written in JavaScript start others with sockets for pipes.
type socket struct {
	*os.File
	conn syscall.RawConn
}

func newSocket(f *os.File) io.ReadCloser {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{}
	_ = conn.Control(func(fd uintptr) { s.File = poll(int(fd)) })
	if s.File == nil {
		return nil
	}
	if s.conn, err = s.SyscallConn(); err != nil {
		s.Close()
		return nil
	}
	return s
}

// poll returns a copy of a descriptor that the poller knows. It takes only what is non-blocking when it first sees it, so the
// socket is that for this moment.
func poll(fd int) *os.File {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if err := unix.SetNonblock(own, true); err != nil {
		_ = unix.Close(own)
		return nil
	}
	file := os.NewFile(uintptr(own), "stdin")
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags); err != nil {
		file.Close()
		return nil
	}
	return file
}

func (s *socket) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	closed := s.conn.Read(func(fd uintptr) (done bool) {
		for err = unix.EINTR; err == unix.EINTR; {
			n, _, err = unix.Recvfrom(int(fd), p, unix.MSG_DONTWAIT)
		}
		return err != unix.EAGAIN
	})
	switch {
	case closed != nil:
		return 0, os.ErrClosed
	case err != nil:
		return 0, os.NewSyscallError("recv", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
