package polled

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// connected returns the two ends of a connection, the first by Conn.
func connected(t *testing.T) (polled net.Conn, other *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	polled = Conn(c)
	if _, ok := polled.(*connection); !ok {
		t.Fatal("nothing is to be gained")
	}
	t.Cleanup(func() { polled.Close(); s.Close() })
	return polled, s.(*net.TCPConn)
}

// TestConn: what is written by several at once comes back, each write whole.
func TestConn(t *testing.T) {
	c, other := connected(t)
	go func() {
		_, _ = io.Copy(other, other)
		_ = other.CloseWrite()
	}()
	const size, writers = 1 << 20, 4
	var all sync.WaitGroup
	for k := range writers {
		all.Go(func() {
			if n, err := c.Write(bytes.Repeat([]byte{byte('a' + k)}, size)); n != size || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	got := make([]byte, size*writers)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	for k := range writers {
		if part := got[k*size : (k+1)*size]; !bytes.Equal(part, bytes.Repeat(part[:1], size)) {
			t.Errorf("another write lies in the one at %d", k)
		}
	}
	all.Wait()
	other.Close()
	if n, err := c.Read(got); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
}

// TestConnErrors: they are those of package net.
func TestConnErrors(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		c, _ := connected(t)
		if err := c.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(make([]byte, 8))
		wantError(t, c, err, "read", os.ErrDeadlineExceeded)
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("no timeout: %v", err)
		}
		_, err = c.Write(make([]byte, 16<<20))
		wantError(t, c, err, "write", os.ErrDeadlineExceeded)
	})
	t.Run("closed", func(t *testing.T) {
		c, other := connected(t)
		ended := make(chan error)
		go func() {
			p := make([]byte, 8)
			_, _ = c.Read(p)
			_, err := c.Read(p)
			ended <- err
		}()
		if _, err := other.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		c.Close()
		wantError(t, c, <-ended, "read", net.ErrClosed)
		_, err := c.Write([]byte("x"))
		wantError(t, c, err, "write", net.ErrClosed)
	})
	t.Run("reset", func(t *testing.T) {
		c, other := connected(t)
		if err := other.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		other.Close()
		_, err := c.Read(make([]byte, 8))
		wantError(t, c, err, "read", unix.ECONNRESET)
		_, err = c.Write([]byte("x"))
		wantError(t, c, err, "write", unix.EPIPE)
	})
}

func wantError(t *testing.T, c net.Conn, err error, op string, want error) {
	t.Helper()
	var e *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &e) || e.Op != op || e.Net != "tcp" || e.Addr == nil || e.Addr.String() != c.RemoteAddr().String() {
		t.Fatalf("got %v, want %v", err, want)
	}
	if _, twice := e.Err.(*net.OpError); twice {
		t.Errorf("it says so twice: %v", err)
	}
}

// TestOtherConn: what has no descriptor stays as it is.
func TestOtherConn(t *testing.T) {
	c, s := net.Pipe()
	defer s.Close()
	if Conn(c) != c {
		t.Error("it is another one")
	}
}
