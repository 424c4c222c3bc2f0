package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// conversation is a command that runs on a terminal with a person at it.
type conversation struct {
	*testing.T
	*screen
	person *os.File
	done   chan int
}

func (u *user) converse(ctx context.Context, args ...string) conversation {
	u.t.Helper()
	person, program := openTerminal(u.t)
	c := conversation{u.t, watch(person), person, make(chan int, 1)}
	go func() { c.done <- u.app(program, program, program).run(ctx, args) }()
	return c
}

// answer waits for a question, and types.
func (c conversation) answer(question, text string) {
	c.T.Helper()
	c.wait(c.T, question)
	fmt.Fprintln(c.person, text)
}

func (c conversation) wantExit(code int) {
	c.T.Helper()
	select {
	case got := <-c.done:
		if got != code {
			c.T.Errorf("exit %d, want %d: %s", got, code, c.wait(c.T, ""))
		}
	case <-time.After(20 * time.Second):
		c.T.Fatalf("it doesn't end: %s", c.wait(c.T, ""))
	}
}

func (u *user) folder(path string) {
	u.t.Helper()
	if err := os.MkdirAll(filepath.Join(u.home, path), 0o700); err != nil {
		u.t.Fatal(err)
	}
}

// newDemoUser is a user of the embedded gateway.
func newDemoUser(t *testing.T) (*demo.Gateway, *user) {
	t.Helper()
	g, err := demo.Start(demo.Options{ConsentPage: "accept"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	u := newUser(t, g.GatewayURL())
	u.env["MCPCTL_CONTROL_PLANE_URL"] = g.ControlPlaneURL()
	u.env["MCPCTL_API_KEY"] = g.Keys().User
	return g, u
}

func TestInstallAsksWhatIsMissing(t *testing.T) {
	_, u := newDemoUser(t)
	u.folder(".cursor")
	u.folder(".config/zed")

	c := u.converse(t.Context(), "install", "--command", "mcpctl")
	shown := c.wait(t, "Client: ")
	wantAll(t, shown, "   1  cursor  Cursor\r\n", "   2  zed     Zed\r\n", "Not found here: claude-desktop, claude-code, vscode")
	c.answer("Client: ", "")
	c.answer("Client: ", "7")
	c.answer("there is no number 7", "cursr")
	c.answer("did you mean cursor?", "1 2")
	c.answer("choose one", "1")
	shown = c.wait(t, "Servers, by number or name: ")
	wantAll(t, shown, "   1  notes   Notes\r\n", "   2  linear  Linear\r\n")
	c.answer("Servers, by number or name: ", "tickets, 1 notes")
	c.wait(t, "added notes")
	c.wantExit(0)
	got, _ := os.ReadFile(filepath.Join(u.home, ".cursor", "mcp.json"))
	wantAll(t, string(got), `"tickets": {`, `"notes": {`)
	if strings.Contains(string(got), "linear") {
		t.Errorf("%s", got)
	}

	// The client is said, the servers aren't.
	c = u.converse(t.Context(), "install", "zed", "--command", "mcpctl")
	c.answer("Servers, by number or name: ", "2")
	c.wait(t, "Zed: added linear")
	c.answer("linear wants your consent before its first use. Give it now, in the browser? [Y/n] ", "n")
	c.wantExit(0)
	c = u.converse(t.Context(), "install", "zedd")
	c.wait(t, "did you mean zed?")
	c.wantExit(exitUsage)
}

// TestInstallOffersConsent: the first call in the client isn't the first time that consent is asked for.
func TestInstallOffersConsent(t *testing.T) {
	g, u := newDemoUser(t)
	u.folder(".cursor")
	page := filepath.Join(u.home, "page")
	opener := filepath.Join(u.home, "bin", "xdg-open")
	u.folder("bin")
	if err := os.WriteFile(opener, []byte("#!/bin/sh\necho \"$1\" > "+page+".new && mv "+page+".new "+page+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	u.env["DISPLAY"] = ":0"
	t.Setenv("PATH", filepath.Dir(opener)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	c := u.converse(t.Context(), "install", "cursor", "notes", "linear", "--command", "mcpctl")
	c.answer("linear wants your consent before its first use. Give it now, in the browser? [Y/n] ", "")
	var address []byte
	for limit := time.Now().Add(20 * time.Second); len(address) == 0; time.Sleep(10 * time.Millisecond) {
		if address, _ = os.ReadFile(page); time.Now().After(limit) {
			t.Fatalf("no browser was opened: %s", c.wait(t, ""))
		}
	}
	resp, err := http.Get(strings.TrimSpace(string(address)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.wait(t, "linear has your consent")
	c.wantExit(0)

	// It has been given: nothing to ask. Nor without a terminal.
	c = u.converse(t.Context(), "install", "cursor", "linear", "--command", "mcpctl")
	c.wantExit(0)
	g.SetConsent(g.Keys().User, "linear", false)
	if code, _, stderr := u.run("", "install", "cursor", "linear", "--command", "mcpctl"); code != 0 || strings.Contains(stderr, "consent") {
		t.Errorf("%d, %s", code, stderr)
	}
}

func TestInstallAsksForANameThatItCantList(t *testing.T) {
	u := newUser(t, "http://127.0.0.1:1")
	c := u.converse(t.Context(), "install", "--command", "mcpctl", "--force")
	c.answer("Client: ", "cursor")
	shown := c.wait(t, "Server: ")
	wantAll(t, shown, "Your servers can't be listed: ", "mcpctl login", "Type a server's name")
	c.answer("Server: ", "https://x/sk-canary")
	c.wait(t, "no URL, no blanks")
	c.wantExit(exitUsage)

	c = u.converse(t.Context(), "install", "cursor", "--command", "mcpctl", "--force")
	c.answer("Server: ", "linear")
	c.wait(t, "Cursor: added linear")
	c.wantExit(0)
}

func TestInstallCalledOff(t *testing.T) {
	u := newUser(t, "http://127.0.0.1:1")
	ctx, interrupt := context.WithCancel(t.Context())
	c := u.converse(ctx, "install")
	c.wait(t, "Client: ")
	interrupt()
	c.wantExit(exitInterrupted)
	fmt.Fprintln(c.person) // ends the read that was left behind

	c = u.converse(t.Context(), "install")
	c.wait(t, "Client: ")
	c.person.Write([]byte{4}) // Ctrl-D
	c.wait(t, "nothing was chosen")
	c.wantExit(exitUsage)
}

// Where nobody can be asked, the error names what is missing.
func TestInstallWithoutATerminal(t *testing.T) {
	u := newUser(t, "http://127.0.0.1:1")
	_, program := openTerminal(t)
	for _, tt := range []struct {
		in   io.Reader
		args []string
		want string
	}{
		{strings.NewReader(""), []string{"install"}, "CLIENT and SERVER are missing"},
		{strings.NewReader(""), []string{"install", "cursor"}, "SERVER is missing"},
		{program, []string{"install", "--no-input"}, "CLIENT and SERVER are missing"},
		{program, []string{"install", "cursor", "--no-input"}, "SERVER is missing"},
		{program, []string{"install", "--json"}, "CLIENT and SERVER are missing"},
	} {
		var stdout, stderr bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if code := u.app(tt.in, &stdout, &stderr).run(ctx, tt.args); code != exitUsage || stdout.Len() > 0 {
			t.Errorf("%q: %d, %s", tt.args, code, stdout.String())
		}
		wantAll(t, stderr.String(), tt.want)
	}
}
