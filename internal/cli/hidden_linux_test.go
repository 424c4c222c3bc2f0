package cli

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKeyStaysHiddenAfterAStop: a shell that lets mcpctl go on gives it a terminal that shows what is typed.
func TestKeyStaysHiddenAfterAStop(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	var asked atomic.Int32
	read := make(chan string)
	go func() {
		text, err := readHidden(t.Context(), int(terminal.Fd()), func() { asked.Add(1) })
		if err != nil {
			t.Error(err)
		}
		read <- text
	}()
	until := func(what string, done func() bool) {
		t.Helper()
		for start := time.Now(); !done(); time.Sleep(time.Millisecond) {
			if time.Since(start) > 10*time.Second {
				t.Fatal(what)
			}
		}
	}
	until("the key would be shown", func() bool { return !echoes(t, terminal) })
	mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Lflag |= unix.ECHO // as a shell does
	if err := unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(os.Getpid(), unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until("the key would be shown after fg", func() bool { return asked.Load() == 1 && !echoes(t, terminal) })
	if _, err := keyboard.WriteString("the-key\n"); err != nil {
		t.Fatal(err)
	}
	if text := <-read; text != "the-key" {
		t.Errorf("read %q", text)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal isn't as it was")
	}
}
