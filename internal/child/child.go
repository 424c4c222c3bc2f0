// Package child runs a program in mcpctl's place: no shell, its exit code, its signals.
package child

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Options say what to run.
type Options struct {
	// Args are the program, which is looked for in PATH if it has no slash, and its arguments.
	Args []string
	// Env is the whole environment of the program, as in os.Environ. Of two values of one variable the later counts.
	Env []string
	// Stdout and Stderr take what the program writes; nil gives it those of this process. stdin is always this process's.
	Stdout, Stderr io.Writer
}

// The exit codes of a program that didn't run, as env and the shells have them.
const (
	NotStarted = 126
	NotFound   = 127
)

// Run runs a program and returns its exit code: 128 and the signal's number if a signal ended it. Where the operating system
// can replace a process by another, and the program's output need not be looked at, Run doesn't return: no process stays
// between the program and whoever started this one.
//
// An error says why the program didn't run; the code is then NotStarted or NotFound.
func Run(o Options) (code int, err error) {
	o.Env = lastOfEach(o.Env)
	path, err := exec.LookPath(o.Args[0])
	switch {
	case errors.Is(err, exec.ErrDot):
		return NotStarted, problem.New("write ./"+o.Args[0]+" if you mean it", "%s was found in this folder alone, and isn't run from there by its bare name", o.Args[0])
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return NotFound, problem.New("check the name, and the variable PATH", "there is no program %s", o.Args[0])
	case err != nil:
		return NotStarted, problem.With(err, "check that the program may be run")
	}
	if o.Stdout == nil && o.Stderr == nil {
		if err := replace(path, o.Args, o.Env); !errors.Is(err, errors.ErrUnsupported) {
			return NotStarted, problem.With(err, "check that the program is one for this machine")
		}
	}
	return run(path, o)
}

// lastOfEach leaves out what a later value replaces: a program may read the first.
func lastOfEach(env []string) []string {
	seen := map[string]bool{}
	var list []string
	for _, entry := range slices.Backward(env) {
		name, _, _ := strings.Cut(entry, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if name != "" && seen[name] {
			continue
		}
		seen[name] = true
		list = append(list, entry)
	}
	slices.Reverse(list)
	return list
}

// lastWords is how long a program's output is still waited for once it has ended, beside the time that its reader takes: a process
// that it leaves behind, as a server does that goes into the background, may hold the output for days.
const lastWords = time.Second

// run runs a program beside this process, and passes on the signals that this one gets.
func run(path string, o Options) (int, error) {
	cmd := exec.Cmd{Path: path, Args: o.Args, Env: o.Env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	var outputs []*output
	for _, stream := range []struct {
		to   io.Writer
		file *io.Writer
	}{{o.Stdout, &cmd.Stdout}, {o.Stderr, &cmd.Stderr}} {
		if stream.to == nil {
			continue
		}
		out, err := newOutput(stream.to)
		if err != nil {
			return NotStarted, problem.With(err, "close other programs, or raise the limit of open files: ulimit -n")
		}
		defer out.read.Close()
		defer out.write.Close()
		outputs, *stream.file = append(outputs, out), out.write
	}
	signals := make(chan os.Signal, 16)
	for _, s := range passed() {
		if !signal.Ignored(s) { // as under nohup: the program inherits that
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return NotStarted, problem.With(err, "check that the program is one for this machine")
	}
	for _, out := range outputs {
		out.write.Close()
		fault.Go(out.copy, func(error) {}) // the program then finds its pipe closed
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				pass(cmd.Process, s)
			case <-done:
				return
			}
		}
	}()
	_ = cmd.Wait()       // its outcome is in ProcessState; a reader that went away is no failure of the program
	signal.Stop(signals) // they are this process's again
	close(done)
	finish(outputs)
	return exitCode(cmd.ProcessState), nil
}
