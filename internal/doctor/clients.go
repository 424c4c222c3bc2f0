package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// clients returns the checks of the clients that are here: of each file, of each entry of mcpctl's in it, and of what
// starts when the client starts that.
func (c *chain) clients() []Check {
	var list []Check
	for _, p := range c.Places {
		status := c.Status(p)
		if !p.Detected && len(status.Installed) == 0 && status.Problem == nil {
			continue
		}
		f := file{c, p, status}
		list = append(list, Check{Name: "client", Subject: f.subject(""), Run: f.check})
		for _, i := range status.Installed {
			subject := f.subject("/" + i.Name)
			list = append(list,
				Check{Name: "entry", Subject: subject, Run: func(context.Context) []Result { return []Result{f.entry(i)} }},
				Check{Name: "start", Subject: subject, Online: true, Run: func(ctx context.Context) []Result { return []Result{f.start(ctx, i)} }})
		}
	}
	if len(list) == 0 && c.Client != "" {
		list = append(list, Check{Name: "client", Subject: c.Client, Run: func(context.Context) []Result {
			return []Result{finding(Warning, "see where it is looked for: mcpctl clients ls", "it isn't found here, and has no entry of mcpctl's")}
		}})
	}
	return list
}

// file is a client's file with what is in it.
type file struct {
	*chain
	place  clients.Place
	status clients.Status
}

// subject is the client's id with rest, and where that is if it isn't the client's usual file.
func (f file) subject(rest string) string {
	id := f.place.Client.ID
	same := func(p clients.Place) bool { return p.Client.ID == id }
	switch first := f.Places[slices.IndexFunc(f.Places, same)]; {
	case first.Path == f.place.Path:
		return id + rest
	case f.place.Path == clients.On(f.Host).ProjectFile(f.place.Client, f.Project):
		return id + rest + " (project)"
	}
	return id + rest + " (" + f.place.Path + ")"
}

func (f file) check(context.Context) []Result {
	if f.status.Problem != nil {
		return []Result{failure(f.status.Problem)}
	}
	t, machine := f.place.Target, clients.On(f.Host)
	var found []Result
	if others := machine.Find(t.Client).Others; t.Scope == clients.User && len(others) > 0 && !slices.Contains(others, t.Path) {
		found = append(found, finding(Warning, "look which of them "+t.Client.Name+" reads; --config-path chooses one",
			"%s is used, but there are other files too: %s", t.Path, strings.Join(others, ", ")))
	}
	for _, t := range f.withProject() {
		if dead := t.HasDeadKey(); dead != "" {
			found = append(found, finding(Warning, "move what is in it to "+t.Path+", or run: mcpctl adopt "+t.Client.ID,
				"%s has %q, which %s doesn't read", dead, t.Client.DeadKey, t.Client.Name))
		}
	}
	if len(f.status.Installed) > 0 && machine.Running(t.Client) {
		found = append(found, finding(Warning, "after a change, quit "+t.Client.Name+" completely and start it again",
			"%s is running, and writes %s back from memory: what was installed since it started may be lost", t.Client.Name, t.Path))
	}
	if len(found) == 0 {
		n := len(f.status.Installed)
		found = append(found, finding(OK, "", "%s, %d of mcpctl's entries", t.Path, n))
	}
	return found
}

// withProject returns the file, and with the client's usual one also that of the project if it isn't there.
func (f file) withProject() []clients.Target {
	t := f.place.Target
	path := clients.On(f.Host).ProjectFile(t.Client, f.Project)
	if t.Scope == clients.Project || path == "" || f.subject("") != t.Client.ID ||
		slices.ContainsFunc(f.Places, func(p clients.Place) bool { return p.Path == path }) {
		return []clients.Target{t}
	}
	return []clients.Target{t, {Client: t.Client, Scope: clients.Project, Path: path}}
}

// again is the command line that installs an entry once more.
func (f file) again(i clients.Installed) string {
	again := fmt.Sprintf("mcpctl install %s %s", f.place.Client.ID, i.Server)
	if f.place.Scope == clients.Project {
		again += " --project"
	}
	if i.Name != i.Server {
		again += " --as " + i.Name
	}
	return again
}

func (f file) entry(i clients.Installed) Result {
	t, again := f.place.Target, f.again(i)
	switch {
	case f.status.Problem != nil:
		return finding(Skipped, "", "its file can't be read")
	case i.State == clients.Missing && len(t.Client.Process) > 0:
		return finding(Failed, "quit "+t.Client.Name+" completely, then run: "+again,
			"no longer in %s: %s has taken it out, as it does when it writes its file back from memory", t.Path, t.Client.Name)
	case i.State == clients.Missing:
		return finding(Failed, "run: "+again, "no longer in %s: something has taken it out", t.Path)
	case i.State == clients.Broken:
		return finding(Failed, "run: "+again, "there is no program %s: mcpctl was moved or removed", i.Launch.Command)
	case i.Launch.Off:
		return finding(Warning, "switch it on in "+t.Client.Name, "switched off in %s", t.Path)
	case i.State == clients.Altered:
		return finding(Warning, "leave it if that was you, else run: "+again, "changed since it was installed")
	case !i.Recorded:
		return finding(OK, "", "in %s; mcpctl has no record of installing it here", t.Path)
	case i.Launch.Command == "" && i.Launch.URL != "":
		return finding(OK, "", "in %s, as installed; %s connects to the gateway by itself", t.Path, t.Client.Name)
	}
	return finding(OK, "", "in %s, as installed", t.Path)
}

// start starts an entry as its client would, and lists its tools.
func (f file) start(ctx context.Context, i clients.Installed) Result {
	switch {
	case f.status.Problem != nil, i.State == clients.Missing, i.State == clients.Broken, i.Launch.Command == "" && i.Launch.URL == "":
		return finding(Skipped, "", "there is nothing to start")
	case i.Launch.Off:
		return finding(Skipped, "", "%s doesn't start what is switched off", f.place.Client.Name)
	case i.Launch.Command == "":
		return finding(Skipped, "", "%s starts no program for it", f.place.Client.Name)
	}
	cmd, err := f.command(i.Launch)
	if err != nil {
		return failure(err)
	}
	if refused, ok := f.refuse(i, cmd.Path); ok {
		return refused
	}
	s, err := start(cmd)
	if err != nil {
		return finding(Failed, "run: mcpctl install "+f.place.Client.ID+" "+i.Server, "it can't be started: %s", err)
	}
	tools, err := s.handshake(ctx, f.Version)
	ended := s.end(ctx)
	if err != nil {
		return explainStart(i, err, ended, s.stderr.String())
	}
	return finding(OK, "", "%s %s: %d tools", tools.name, tools.version, tools.tools)
}

// command is what the client would run.
func (f file) command(l clients.Launch) (*exec.Cmd, error) {
	env := environmentOf(f.Host.OS, f.place.Client.ID).with(l.Pass).list(f.Host, f.Environ, l.Env)
	path, err := findProgram(l.Command, env)
	if err != nil {
		return nil, err
	}
	args := l.Args
	if len(args) > 0 && args[0] == "bridge" {
		// Nobody asked for a tab, and a check doesn't wait for a person.
		args = append(slices.Clone(args), "--no-browser", "--consent-timeout", "1s")
	} else {
		env = slices.DeleteFunc(env, func(v string) bool {
			return strings.HasPrefix(v, "MCPCTL_API_KEY=") || strings.HasPrefix(v, "PORTKEY_API_KEY=")
		})
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = l.Command
	cmd.Env = env
	cmd.Dir = f.Host.Home
	if f.place.Scope == clients.Project {
		cmd.Dir = f.Project
	}
	return cmd, nil
}

// findProgram looks a bare name up on the PATH that the client passes on.
func findProgram(command string, env []string) (string, error) {
	if strings.ContainsAny(command, `/\`) {
		return command, nil
	}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if !strings.EqualFold(name, "PATH") {
			continue
		}
		for _, folder := range filepath.SplitList(value) {
			if path, err := exec.LookPath(filepath.Join(folder, command)); err == nil && filepath.IsAbs(path) {
				return path, nil
			}
		}
	}
	return "", problem.New("put it on the PATH of the system, or install it with its whole path (--command)",
		"there is no %s on the PATH that this client passes on", command)
}

// byHand doesn't repeat the arguments: their owner may have put a secret among them.
const byHand = "run by hand what the entry starts, to see why"

// explainStart says why an entry has no tools.
func explainStart(i clients.Installed, err, ended error, stderr string) Result {
	var answered *rpcError
	switch {
	case errors.As(err, &answered) && answered.Data.Reason == "consent_required":
		return finding(Warning, "run: mcpctl connect "+i.Server+"; or call one of its tools in the client, and allow access in the browser",
			"the server wants your consent first")
	case errors.As(err, &answered):
		next := answered.Data.NextStep
		text := strings.TrimPrefix(answered.Message, "mcpctl: ")
		if next != "" {
			text = strings.TrimSuffix(text, ". "+strings.ToUpper(next[:1])+next[1:])
		}
		if answered.Data.Reason != "" {
			text += " (" + answered.Data.Reason + ")"
		}
		return finding(Failed, next, "%s", oneLine(text))
	case errors.Is(err, context.DeadlineExceeded):
		return finding(Failed, byHand, "it was started, and didn't answer in time")
	case errors.Is(err, errEnded):
		if what, next, ok := ownWords(stderr); ok {
			return finding(Failed, next, "it ended before it answered: %s", what)
		}
		how := "without an error"
		if ended != nil {
			how = ended.Error()
		}
		return finding(Failed, byHand, "it ended before it answered (%s)", how)
	}
	return finding(Failed, byHand, "%s", oneLine(err.Error()))
}

// ownWords reads what mcpctl says on stderr when it can't go on: an error and its next step. What other programs say isn't
// shown: it may be anything.
func ownWords(stderr string) (what, next string, ok bool) {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for n, line := range lines {
		if what, ok = strings.CutPrefix(line, "mcpctl: "); !ok {
			continue
		}
		for _, l := range lines[n+1:] {
			if l = strings.TrimPrefix(l, "  "); next == "" {
				next = l
			}
		}
		return what, next, true
	}
	return "", "", false
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return text
}
