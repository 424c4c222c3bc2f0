package bridge

import (
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWidePipe: a pipe gets room when there is a large message for it, and only then.
func TestWidePipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	size := func() int {
		n, err := unix.FcntlInt(r.Fd(), unix.F_GETPIPE_SZ, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := size()
	out := newLineWriter(w, func(err error) { t.Error(err) })
	out.write([]byte("small"), false)
	if n := size(); n != before {
		t.Errorf("%d bytes for a small message, %d before", n, before)
	}
	large := strings.Repeat("x", 100<<10)
	got := make(chan string)
	go func() {
		data, _ := io.ReadAll(r)
		got <- string(data)
	}()
	out.write([]byte(large), false)
	atOnce := size()
	if _, err := unix.FcntlInt(r.Fd(), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		t.Logf("the system has no more room for pipes: %v", err)
	} else if atOnce != pipeSize {
		t.Errorf("%d bytes for a large message, want %d", atOnce, pipeSize)
	}
	w.Close()
	if data := <-got; data != "small\n"+large+"\n" {
		t.Errorf("%d bytes came out", len(data))
	}
}
