package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// keysPage is where keys are made.
const keysPage = "https://app.portkey.ai/api-keys"

const (
	// promptLimit is how long a person gets to unlock the keyring at login.
	promptLimit = 60 * time.Second
	// promptNotice is when that person is told what is being waited for.
	promptNotice = time.Second
)

// typedLimit is what a terminal holds of a line, in bytes: the rest is lost in silence (termios(3), canonical mode).
const typedLimit = 4095

// readKey reads the key to log in with: from --key-file, from a line of stdin, or from a person, who doesn't see it.
func (a *app) readKey(ctx context.Context, fromStdin bool) (secret.Secret, error) {
	var text, where string
	var err error
	fd, terminal := a.terminal()
	switch {
	case a.flags.keyFile != "":
		return credential.ReadFile(ctx, a.flags.keyFile)
	case terminal:
		where = "as typed"
		a.prompt("Make a key at %s and paste it here; it isn't shown\n", keysPage)
		ask := func() { a.prompt("API key: ") }
		ask()
		text, err = readHidden(ctx, fd, ask)
		a.prompt("\n")
		if err == nil && len(text) >= typedLimit {
			return secret.Secret{}, problem.New("put it into a file: mcpctl login --key-file FILE, or mcpctl login --with-key < FILE",
				"the key is longer than a terminal takes in, and was cut off")
		}
	case fromStdin:
		where = "on stdin"
		text, err = wait(ctx, func() (string, error) { return readLine(a.in) })
	default:
		return secret.Secret{}, usage("pipe it in: mcpctl login --with-key < FILE", "there is no terminal to ask for the key on")
	}
	if err != nil {
		return secret.Secret{}, err
	}
	return credential.Parse(text, where)
}

// terminal returns the terminal to ask on, if there is one and asking is allowed.
func (a *app) terminal() (fd int, ok bool) {
	f, isFile := a.in.(*os.File)
	if !isFile || a.flags.noInput {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// prompt writes a question, which --quiet doesn't silence.
func (a *app) prompt(format string, args ...any) { fmt.Fprint(a.err, words(format, args...)) }

func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, credential.MaxKey+64)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}

// readHidden reads a line without echo, and calls ask where the question has to be put once more. It leaves the terminal as it
// was.
func readHidden(ctx context.Context, fd int, ask func()) (string, error) {
	show, err := keepHidden(fd, ask)
	if err != nil {
		return "", err
	}
	defer show()
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	text, err := wait(ctx, func() (string, error) {
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, before)
	}
	if errors.Is(err, io.EOF) {
		err = problem.New("run mcpctl login again", "no key was typed")
	}
	return text, err
}

// wait returns what f returns, or ctx's error: a read from a terminal or pipe can't be called off.
func wait(ctx context.Context, f func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	fault.Go(func() {
		text, err := f()
		done <- result{text, err}
	}, func(err error) { done <- result{"", err} })
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// patiently calls f, which asks the keyring. A person at a terminal gets a minute to answer the keyring's own prompt, and
// is told after a second that it waits.
func (a *app) patiently(ctx context.Context, f func(context.Context) error) error {
	_, terminal := a.terminal()
	if !terminal && (a.flags.noInput || !render.IsTerminal(a.err)) {
		return f(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, promptLimit)
	defer cancel()
	done := make(chan error, 1)
	fault.Go(func() { done <- f(ctx) }, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-time.After(promptNotice):
		a.talk("Waiting for your keyring\n")
		return <-done
	}
}

// unreached is why neither side of a gateway was reached, in one line.
func unreached(v gateway.Verification) string {
	var reasons []string
	for _, r := range []gateway.Reach{v.Gateway, v.ControlPlane} {
		if r.Err != nil {
			reasons = append(reasons, r.Err.Error())
		}
	}
	return strings.Join(slices.Compact(reasons), "; ")
}

// permissions says in words what a key may do; "" if nothing is known.
func permissions(v gateway.Verification) string {
	var may []string
	if v.CanList == gateway.Yes {
		may = append(may, "list servers")
	}
	if v.CanInvoke == gateway.Yes {
		may = append(may, "call tools")
	}
	return strings.Join(may, ", ")
}

// workspaceText is "NAME (slug)", or the one of the two that is known.
func workspaceText(v gateway.Verification) string {
	name, slug := render.Clean(v.WorkspaceName), render.Clean(v.Workspace)
	switch {
	case name == "" || name == slug:
		return slug
	case slug == "":
		return name
	}
	return name + " (" + slug + ")"
}

// warnOfPermissions says what a key can't do, and what that means.
func (a *app) warnOfPermissions(v gateway.Verification) {
	if v.CanInvoke == gateway.No {
		a.talk("warning: the key is valid, but lacks the scope mcp.invoke, so it can't call tools\n"+
			"  tick MCP Invoke for it at %s; an organisation key can't have it: use a workspace key\n", keysPage)
	}
	if v.CanList == gateway.No {
		a.talk("warning: the key is valid, but lacks the scope mcp_servers.list\n" +
			"  install and bridge still work with a server's name from the dashboard's MCP page\n")
	}
}
