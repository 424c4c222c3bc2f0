package polled

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ends are what programs start others with: a pipe, as most do, and a pair of sockets, as Node.js does.
var ends = map[string]func(t *testing.T) (r, w *os.File){
	"pipe": func(t *testing.T) (r, w *os.File) {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil { // os.Pipe's are non-blocking
			t.Fatal(err)
		}
		return files(t, fds)
	},
	"socket": func(t *testing.T) (r, w *os.File) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return files(t, fds)
	},
}

func files(t *testing.T, fds [2]int) (r, w *os.File) {
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestInput(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r, w := end(t)
			before := blocking(t, r)
			in := Input(r)
			if in == nil {
				t.Fatal("it isn't polled")
			}
			if after := blocking(t, r); !before || !after {
				t.Errorf("blocking: before %v, after %v", before, after)
			}
			sent := []byte(strings.Repeat("all of it, and in order\n", 50000))
			go func() {
				_, _ = w.Write(sent)
				w.Close()
			}()
			got, err := io.ReadAll(in)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			if _, err := r.Stat(); err != nil {
				t.Errorf("the file that was read: %v", err)
			}
		})
	}
}

// TestClose: a read that waits ends.
func TestClose(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r, w := end(t)
			in := Input(r)
			if _, err := w.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			first := make(chan struct{})
			ended := make(chan error)
			go func() {
				p := make([]byte, 8)
				_, _ = in.Read(p)
				close(first)
				_, err := in.Read(p)
				ended <- err
			}()
			<-first
			in.Close()
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestMonitorIsWanted: of reads that needn't wait one now and then is noticed, and they wait all the same when nothing is there.
func TestMonitorIsWanted(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r, w := end(t)
			in := Input(r).(*file)
			if _, err := w.Write(make([]byte, 2*few)); err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 1)
			for k := range 2 * few {
				if unnoticed := in.reads < few; unnoticed != (k != few) {
					t.Errorf("read %d: unnoticed %v", k+1, unnoticed)
				}
				if _, err := in.Read(p); err != nil {
					t.Fatal(err)
				}
			}
			read := make(chan error)
			go func() {
				_, err := in.Read(p)
				read <- err
			}()
			awaitPoller(t, "waitRead")
			if _, err := w.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			if err := <-read; err != nil || in.reads != 1 {
				t.Errorf("%v; %d reads since it had to wait", err, in.reads)
			}
		})
	}
}

// awaitPoller waits until a goroutine waits for the poller, and not in a system call; how is waitRead or waitWrite.
func awaitPoller(t *testing.T, how string) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		stack := make([]byte, 64<<10)
		if bytes.Contains(stack[:runtime.Stack(stack, true)], []byte(how)) {
			return
		}
		if time.Now().After(until) {
			t.Fatal("nobody waits for the poller")
		}
	}
}

// TestNotPolled: what can't be waited for is left to whoever reads it.
func TestNotPolled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, os.DevNull} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if Input(f) != nil {
			t.Errorf("%s is polled", name)
		}
		f.Close()
		if Input(f) != nil {
			t.Errorf("%s, closed, is polled", name)
		}
	}
}

// TestReset: a socket's other end may go away with data unread.
func TestReset(t *testing.T) {
	r, w := ends["socket"](t)
	in := Input(r)
	if _, err := r.WriteString("nobody reads this"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := in.Read(make([]byte, 8)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%v", err)
	}
}

func blocking(t *testing.T, f *os.File) bool {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var flags int
	if err := conn.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) }); err != nil {
		t.Fatal(err)
	}
	return flags&unix.O_NONBLOCK == 0
}
