package polled

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOutput: all of it arrives, although the writes are far more than the other end takes at once, and small ones follow.
func TestOutput(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r, w := end(t)
			before := blocking(t, w)
			out := Output(w)
			if out == nil {
				t.Fatal("it isn't polled")
			}
			if after := blocking(t, w); !before || !after {
				t.Errorf("blocking: before %v, after %v", before, after)
			}
			large := []byte(strings.Repeat("all of it, and in order\n", 100_000))
			small := large[:24*1000]
			go func() {
				for _, p := range [][]byte{large, small, nil, small[:24]} {
					if n, err := out.Write(p); n != len(p) || err != nil {
						t.Errorf("%d of %d bytes, %v", n, len(p), err)
					}
				}
				if err := out.Close(); err != nil {
					t.Error(err)
				}
				if _, err := w.Stat(); err != nil {
					t.Errorf("the file that was written: %v", err)
				}
				w.Close()
			}()
			got, err := io.ReadAll(r)
			if want := bytes.Join([][]byte{large, small, small[:24]}, nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
			}
		})
	}
}

// TestNobodyReads: a write to an end that is gone fails, and doesn't end the process; one that waits ends when its end is closed.
func TestNobodyReads(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, piece + 1} {
				r, w := end(t)
				out := Output(w)
				r.Close()
				if n, err := out.Write(make([]byte, size)); n != 0 || !errors.Is(err, unix.EPIPE) {
					t.Errorf("%d of %d bytes, %v", n, size, err)
				}
			}
			for _, size := range []int{1000, 16 << 20} {
				_, w := end(t)
				out := Output(w)
				ended := make(chan error)
				go func() {
					var err error
					for err == nil { // until nothing more fits in
						_, err = out.Write(make([]byte, size))
					}
					ended <- err
				}()
				awaitPoller(t, "waitWrite")
				out.Close()
				if err := <-ended; !errors.Is(err, os.ErrClosed) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// TestPieces: a long message goes out in pieces, of which one is noticed now and then.
func TestPieces(t *testing.T) {
	r, w := ends["pipe"](t)
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4*piece); err != nil {
		t.Fatal(err)
	}
	out := Output(w).(*file)
	write := func(size, want int) {
		t.Helper()
		if n, err := out.Write(make([]byte, size)); n != size || err != nil {
			t.Fatalf("%d of %d bytes, %v", n, size, err)
		}
		if out.pieces != want {
			t.Errorf("%d pieces went unnoticed, want %d", out.pieces, want)
		}
	}
	write(2*piece, 2)
	write(piece, 3)
	write(1, 0)
	out.pieces = few - 1
	write(piece/2, 0)
	out.pieces = few - 1
	if _, err := io.ReadFull(r, make([]byte, 3*piece+piece/2+1)); err != nil {
		t.Fatal(err)
	}
	write(piece, few)
	go func() { _, _ = io.Copy(io.Discard, r) }()
	write(piece, 0)
	write(4*piece+1, 0)
	w.Close()
	out.Close()
}

// TestNobodyReadsAnyMore: a named pipe without a reader can't be opened once more, and nobody waits until it can.
func TestNobodyReadsAnyMore(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	if Output(w) != nil {
		t.Error("it is polled")
	}
}
