package polled

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// file is an endpoint with the file that keeps its descriptor.
type file struct {
	own *os.File
	endpoint
}

func input(f *os.File) io.ReadCloser {
	if own := open(f, os.O_RDONLY); own != nil {
		return own
	}
	return nil
}

func output(f *os.File) io.WriteCloser {
	if own := open(f, os.O_WRONLY); own != nil {
		return own
	}
	return nil
}

func open(f *os.File, mode int) *file {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	c, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	var own *os.File
	kind := info.Mode().Type()
	_ = c.Control(func(fd uintptr) {
		switch kind {
		case os.ModeNamedPipe:
			own = again(fd, mode)
		case os.ModeSocket:
			own = poll(int(fd))
		}
	})
	if own == nil {
		return nil
	}
	raw, err := own.SyscallConn()
	if err != nil {
		own.Close()
		return nil
	}
	return &file{own, endpoint{raw: raw, socket: kind == os.ModeSocket}}
}

// again opens a pipe once more: that is a way to it which nobody else has, and which may be non-blocking. It isn't to be had
// without /proc, or if the pipe belongs to another user.
func again(fd uintptr, mode int) *os.File {
	own, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), mode|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	return own
}

// poll returns a copy of a socket's descriptor that the poller knows; a socket can't be opened once more. Programs that are written
// in JavaScript start others with sockets for pipes. The poller takes only what is non-blocking when it first sees it, so the socket
// is that for this moment.
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
	file := os.NewFile(uintptr(own), "polled")
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags); err != nil {
		file.Close()
		return nil
	}
	return file
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.read(p)
	return n, f.describe(err)
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.write(p)
	return n, f.describe(err)
}

// describe makes an error what package os makes of it.
func (f *file) describe(err error) error {
	var errno unix.Errno
	if err == nil || err == io.EOF || errors.As(err, &errno) {
		return err
	}
	return os.ErrClosed // the poller knows no other end of a wait without a deadline
}

func (f *file) Close() error { return f.own.Close() }

// SyscallConn gives access to the descriptor (syscall.Conn).
func (f *file) SyscallConn() (syscall.RawConn, error) { return f.own.SyscallConn() }
