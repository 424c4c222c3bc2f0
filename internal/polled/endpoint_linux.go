package polled

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// few is how many reads, or writes of whole pieces, may follow each other that needn't wait, before one that the runtime notices.
	few = 8
	// piece is the most that is written at once, in bytes: a pipe is closed to its reader meanwhile.
	piece = 128 << 10
)

// endpoint is a descriptor whose reads and writes don't block: because it is non-blocking, or because each of them says so.
type endpoint struct {
	raw    syscall.RawConn
	socket bool // and not known to be non-blocking
	reads  int  // since one had to wait or was noticed; under raw's lock for reads
	pieces int  // written since one had to wait or was noticed; under its lock for writes
}

func (e *endpoint) read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	failed := e.raw.Read(func(fd uintptr) (done bool) {
		n, err = e.receive(int(fd), p)
		if err == unix.EAGAIN {
			e.reads = 0
			return false
		}
		if e.reads++; e.reads > few {
			e.reads = 0
		}
		return true
	})
	switch {
	case failed != nil:
		return 0, failed
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// write writes all of p, and nothing of another write comes in between.
func (e *endpoint) write(p []byte) (n int, err error) {
	failed := e.raw.Write(func(fd uintptr) (done bool) {
		for err = nil; n < len(p) && err == nil; {
			var some int
			some, err = e.send(int(fd), p[n:min(len(p), n+piece)])
			n += some
			if e.pieces++; some < piece || e.pieces > few {
				e.pieces = 0
			}
		}
		return err != unix.EAGAIN
	})
	switch {
	case failed != nil:
		return n, failed
	case err != nil:
		return n, os.NewSyscallError("write", err)
	}
	return n, nil
}

func (e *endpoint) receive(fd int, p []byte) (n int, err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		switch quiet := !raceDetector && e.reads < few; {
		case quiet && e.socket:
			n, err = call(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
		case quiet:
			n, err = call(unix.SYS_READ, fd, p, 0)
		case e.socket:
			n, _, err = syscall.Recvfrom(fd, p, unix.MSG_DONTWAIT)
		default:
			n, err = syscall.Read(fd, p)
		}
	}
	return max(n, 0), err
}

func (e *endpoint) send(fd int, p []byte) (n int, err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		switch quiet := !raceDetector && e.pieces < few; {
		case quiet && e.socket:
			n, err = call(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		case quiet:
			n, err = call(unix.SYS_WRITE, fd, p, 0)
		case e.socket:
			n, err = syscall.SendmsgN(fd, p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		default:
			n, err = syscall.Write(fd, p)
		}
	}
	return max(n, 0), err
}

// call makes a system call that doesn't block, behind the runtime's back. p isn't empty.
func call(number uintptr, fd int, p []byte, flags uintptr) (int, error) {
	n, _, errno := syscall.RawSyscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// connection is a net.Conn that reads and writes by its endpoint.
type connection struct {
	net.Conn
	endpoint
}

func conn(c net.Conn) net.Conn {
	s, ok := c.(syscall.Conn)
	if !ok {
		return c
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return c
	}
	return &connection{c, endpoint{raw: raw}}
}

func (c *connection) Read(p []byte) (int, error) {
	n, err := c.read(p)
	return n, c.describe("read", err)
}

func (c *connection) Write(p []byte) (int, error) {
	n, err := c.write(p)
	return n, c.describe("write", err)
}

// describe makes an error what package net makes of it.
func (c *connection) describe(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var inner *net.OpError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &net.OpError{Op: op, Net: c.RemoteAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
