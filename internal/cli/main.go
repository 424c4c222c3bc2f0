// Package cli is the command line: flags in, one call down, words out.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/harden"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// The exit codes, a promise to scripts: see mcpctl help exit-codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotLoggedIn = 4
	exitInterrupted = 130
)

// app carries what commands share and what a test may replace.
type app struct {
	in       io.Reader
	out, err io.Writer
	host     host.Host
	flags    globalFlags
	// keyring takes the place of the OS keyring in a test; nil is the real one.
	keyring credential.Store
	// redact knows every key that was read, and blanks it in err.
	redact *secret.Redactor
	// restore takes back what was forbidden to this process and isn't to be to a program in its place; it may be nil.
	restore func()
	// helpFailed is why help was not written: cobra's function for it returns nothing.
	helpFailed error
	// atEnd is what has to be brought to its end before the process may go, each within a limit of its own.
	atEnd []func()
}

// exitError carries an exit code other than 1 up to Main. Its text may be empty: then nothing more is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage is the error of a command that was called wrongly. next may be empty.
func usage(next, format string, args ...any) error {
	return &exitError{exitUsage, problem.New(next, format, args...)}
}

// notLoggedIn is the error of a command that needs a key that isn't there or was refused.
func notLoggedIn(err error) error { return &exitError{exitNotLoggedIn, err} }

// errSilent ends a command with exit code 1 when it has already said everything.
var errSilent = errors.New("")

// Main runs mcpctl with the process's arguments, and returns its exit code.
func Main() int {
	restore := harden.Process()
	h, err := host.Current()
	h = h.Seal("MCPCTL_API_KEY", "PORTKEY_API_KEY")
	redact := &secret.Redactor{}
	stderr := redact.Writer(os.Stderr)
	defer flush(stderr)
	log.SetOutput(stderr) // under GODEBUG=http2debug=2 the standard library logs every header
	a := &app{in: os.Stdin, out: os.Stdout, err: stderr, host: h, redact: redact, restore: restore}
	if err != nil {
		return a.report(err)
	}
	// SIGINT and SIGTERM cancel the context once; a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return a.run(ctx, os.Args[1:])
}

// flush writes out the end of what was said. Whoever started the process may not be reading: a full pipe must not keep it
// from ending.
func flush(stderr *secret.RedactingWriter) {
	done := make(chan struct{})
	go func() {
		stderr.Flush()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeTime):
	}
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRootCommand(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := execute(ctx, root)
	if err == nil {
		err = a.helpFailed
	}
	for _, finish := range a.atEnd {
		finish()
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return a.report(err)
}

// execute runs a command. A panic becomes an error, which doesn't quote what it was about.
func execute(ctx context.Context, root *cobra.Command) (err error) {
	defer fault.Catch(func(f error) { err = f })
	return root.ExecuteContext(ctx)
}

// report prints err and its next step on stderr, and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprint(a.err, words("mcpctl: %s\n", text))
	}
	if next := problem.NextStep(err); next != "" {
		fmt.Fprint(a.err, words("  %s\n", strings.ReplaceAll(next, "\n", "\n  ")))
	}
	return code
}

// exactArgs is cobra.ExactArgs with words that name what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usage("try: "+cmd.UseLine(), "%s: %s is missing", commandName(cmd), names[len(args)])
		}
		if len(args) > len(names) {
			// What is too much isn't shown: it may be a key.
			return usage("try: "+cmd.UseLine(), "%s takes %s, not %d", commandName(cmd), arguments(len(names)), len(args))
		}
		return nil
	}
}

func arguments(n int) string {
	switch n {
	case 0:
		return "no arguments"
	case 1:
		return "one argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// commandName is the command without the program, which begins every error already.
func commandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}
