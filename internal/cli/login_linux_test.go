package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal: the person's, and the program's.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close(); person.Close() })
	return person, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// screen is what a person sees; it tells when a text appears.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func watch(r io.Reader) *screen {
	s := &screen{more: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := r.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *screen) wait(t *testing.T, text string) string {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		shown := s.text.String()
		s.mu.Unlock()
		if strings.Contains(shown, text) {
			return shown
		}
		select {
		case <-s.more:
		case <-limit:
			t.Fatalf("%q doesn't appear in %q", text, shown)
		}
	}
}

func TestLoginOnATerminal(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	u.ring.delay = promptNotice + 200*time.Millisecond // a person unlocks the keyring meanwhile
	person, program := openTerminal(t)
	s := watch(person)
	a := u.app(program, program, program)
	done := make(chan int, 1)
	go func() { done <- a.run(context.Background(), []string{"login"}) }()
	s.wait(t, keysPage)
	s.wait(t, "API key: ")
	for echoes(t, program) { // the question comes before the echo goes
		time.Sleep(time.Millisecond)
	}
	fmt.Fprintln(person, goodKey)
	shown := s.wait(t, "It is kept in")
	if code := <-done; code != 0 || u.keys() != goodKey {
		t.Errorf("exit %d, keys %q", code, u.keys())
	}
	wantAll(t, shown, "Waiting for your keyring", "Acme")
	if strings.Contains(shown, "canary") || !echoes(t, program) {
		t.Errorf("the key was shown, or the terminal stays without echo: %q", shown)
	}
}

func TestLoginInterruptedAtThePrompt(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	person, program := openTerminal(t)
	s := watch(person)
	ctx, interrupt := context.WithCancel(context.Background())
	a := u.app(program, program, program)
	done := make(chan int, 1)
	go func() { done <- a.run(ctx, []string{"login"}) }()
	s.wait(t, "API key: ")
	for echoes(t, program) {
		time.Sleep(time.Millisecond)
	}
	interrupt()
	if code := <-done; code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	if !echoes(t, program) {
		t.Error("the terminal stays without echo")
	}
	fmt.Fprintln(person) // ends the read that was left behind
}

// TestLoginWithALongKeyOnATerminal: the terminal takes in the beginning of a long line alone.
func TestLoginWithALongKeyOnATerminal(t *testing.T) {
	for _, length := range []int{typedLimit - 1, typedLimit, typedLimit + 1000} {
		u := newUser(t, "https://gateway.example")
		person, program := openTerminal(t)
		s := watch(person)
		done := make(chan int, 1)
		go func() { done <- u.app(program, program, program).run(t.Context(), []string{"login", "--skip-verify"}) }()
		s.wait(t, "API key: ")
		for echoes(t, program) {
			time.Sleep(time.Millisecond)
		}
		key := strings.Repeat("k", length)
		fmt.Fprintln(person, key)
		if length < typedLimit {
			if code := <-done; code != 0 || u.keys() != key {
				t.Errorf("%d bytes: exit %d, %d bytes kept", length, code, len(u.keys()))
			}
			continue
		}
		shown := s.wait(t, "--with-key < FILE")
		if code := <-done; code != exitFailed || u.keys() != "" || strings.Contains(shown, "kkk") {
			t.Errorf("%d bytes: exit %d, %d bytes kept, %q", length, code, len(u.keys()), shown)
		}
	}
}

func TestNoInputNeverAsks(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	_, program := openTerminal(t)
	var stderr bytes.Buffer
	if code := u.app(program, io.Discard, &stderr).run(context.Background(), []string{"login", "--no-input"}); code != exitUsage {
		t.Errorf("exit %d", code)
	}
	wantAll(t, stderr.String(), "--with-key")
}
