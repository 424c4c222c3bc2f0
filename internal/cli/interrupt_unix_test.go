//go:build unix

package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// silentInput never delivers anything. It tells when somebody waits for it.
type silentInput struct{ asked chan struct{} }

func (s silentInput) Read([]byte) (int, error) {
	s.asked <- struct{}{}
	select {}
}

// wantInterrupt wants a command that is interrupted to end.
func wantInterrupt(t *testing.T, a *app, when <-chan struct{}, args ...string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan int, 1)
	go func() { done <- a.run(ctx, args) }()
	select {
	case <-when:
	case code := <-done:
		t.Fatalf("%q: exit %d before it waits", args, code)
	case <-time.After(20 * time.Second):
		t.Fatalf("%q doesn't wait", args)
	}
	interrupt()
	select {
	case code := <-done:
		if code != exitInterrupted {
			t.Errorf("%q: exit %d", args, code)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q goes on", args)
	}
}

// TestInterruptedAtStdin: a read that can't be called off doesn't keep a command from ending.
func TestInterruptedAtStdin(t *testing.T) {
	server := newSlowServer(t)
	for _, word := range []string{"--args=-", "text=@-", "list:=@-"} {
		in := silentInput{make(chan struct{})}
		var errs bytes.Buffer
		wantInterrupt(t, newUser(t, server.URL).app(in, io.Discard, &errs), in.asked, "tools", "call", server.URL, "sleep", word)
		if errs.Len() > 0 {
			t.Errorf("%s: %s", word, errs.String())
		}
	}
}

// TestInterruptedAtAPipe: so does a named pipe that nobody writes to.
func TestInterruptedAtAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	server := newSlowServer(t)
	at := make(chan struct{})
	close(at) // whether it waits already can't be seen from here, and makes no difference
	for _, args := range [][]string{
		{"status", "--key-file", pipe}, {"login", "--key-file", pipe}, {"servers", "ls", "--key-file", pipe},
		{"login", "--oauth", server.URL, "--client-id", "a", "--client-secret-file", pipe},
	} {
		wantInterrupt(t, newUser(t, "https://gateway.example").app(bytes.NewReader(nil), io.Discard, io.Discard), at, args...)
	}
}
