package cli

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

// editOptions are what install and uninstall have in common.
type editOptions struct {
	client     string
	servers    []string
	project    bool
	configPath string
	dryRun     bool
	// furtherStep is to be done beside what the client wants to be done.
	furtherStep string
	outputOptions
}

func (o *editOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.project, "project", false, "the client's file in this folder instead of your own")
	f.StringVar(&o.configPath, "config-path", "", "the client's `file`, where it isn't in its usual place")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, write nothing")
	o.outputOptions.add(cmd)
}

// clientAndServers wants a client and at least min servers.
func clientAndServers(min int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && min > 0:
			return usage("try: "+cmd.UseLine(), "%s: CLIENT and SERVER are missing", commandName(cmd))
		case len(args) == 0:
			return usage("try: "+cmd.UseLine(), "%s: CLIENT is missing", commandName(cmd))
		case len(args) < 1+min:
			return usage("try: "+cmd.UseLine(), "%s: SERVER is missing", commandName(cmd))
		}
		return nil
	}
}

// targets are the files that an edit is about. Without force, one of a client that isn't found here and has no folder
// either is refused.
func (a *app) targets(o editOptions, force bool) ([]clients.Target, error) {
	if o.project && o.configPath != "" {
		return nil, usage("leave one of them out", "--project and --config-path both say which file")
	}
	machine := clients.On(a.host)
	if o.client == "all" {
		return a.allTargets(machine, o)
	}
	c, ok := clients.Lookup(o.client)
	if !ok {
		return nil, unknownClient(o.client)
	}
	t := clients.Target{Client: c, Scope: clients.User, Path: o.configPath}
	found := machine.Find(c)
	switch {
	case o.project && len(c.ProjectFiles) == 0:
		return nil, usage("leave out --project: the entry is then for all your projects", "%s has no file in projects", c.Name)
	case o.project:
		return []clients.Target{projectTarget(machine, c)}, nil
	case o.configPath == "":
		t.Path = found.Path
	}
	if !found.Detected && !force {
		t.NoFolder = problem.New(fmt.Sprintf("start %s once; or say --force to write the file anyway, or --config-path where it is", c.Name),
			"%s isn't found here: there is no folder %s", c.Name, filepath.Dir(t.Path))
	}
	return []clients.Target{t}, nil
}

func projectTarget(m clients.Machine, c clients.Client) clients.Target {
	return clients.Target{Client: c, Scope: clients.Project, Path: m.ProjectFile(c, "")}
}

func (a *app) allTargets(machine clients.Machine, o editOptions) ([]clients.Target, error) {
	if o.configPath != "" {
		return nil, usage("name the client", "--config-path is one file, all is every client")
	}
	var targets []clients.Target
	for _, c := range clients.All() {
		found := machine.Find(c)
		switch {
		case !found.Detected:
		case !o.project:
			targets = append(targets, clients.Target{Client: c, Scope: clients.User, Path: found.Path})
		case len(c.ProjectFiles) > 0:
			targets = append(targets, projectTarget(machine, c))
		}
	}
	if len(targets) == 0 {
		return nil, problem.New("see where it looks: mcpctl clients ls", "no AI client is found here")
	}
	return targets, nil
}

func unknownClient(id string) error {
	ids := clientIDs()
	next := nearest(id, ids, "choose one of: "+strings.Join(ids, ", "))
	if len(id) > maxShown {
		return usage(next, "mcpctl knows no such client")
	}
	return usage(next, "mcpctl knows no client %q", id)
}

func clientIDs() []string {
	var ids []string
	for _, c := range clients.All() {
		ids = append(ids, c.ID)
	}
	return ids
}

// allLocations adds the client's other files to targets that are its usual one.
func (a *app) allLocations(targets []clients.Target) []clients.Target {
	var all []clients.Target
	for _, t := range targets {
		all = append(all, t)
		for _, path := range clients.On(a.host).Find(t.Client).Others {
			all = append(all, clients.Target{Client: t.Client, Scope: t.Scope, Path: path})
		}
	}
	return all
}

// warnIfRunning warns of a client that will write its file back from memory.
func (a *app) warnIfRunning(t clients.Target) {
	if t.Scope == clients.User && clients.On(a.host).Running(t.Client) {
		a.talk("warning: %s is running and writes its file back from memory: quit it first, or this change may be lost\n", t.Client.Name)
	}
}

// warnOfOtherFiles says which files with servers in them are not the one that the client reads.
func (a *app) warnOfOtherFiles(t clients.Target) {
	found := clients.On(a.host).Find(t.Client)
	if t.Path == found.Path && len(found.Others) > 0 {
		a.talk("warning: %s has other files too (%s); %s is the newest release's. --config-path chooses one, --all-locations means all\n",
			t.Client.Name, strings.Join(found.Others, ", "), found.Path)
	}
	if t.Path == found.Path && len(found.Profiles) > 0 {
		a.talk("note: %s has further profiles, each with a file of its own (%s); this one is the default profile's\n",
			t.Client.Name, strings.Join(found.Profiles, ", "))
	}
	if path := t.HasDeadKey(); path != "" {
		a.talk("warning: %s has %q, which %s doesn't read: move what is in it to %s\n", path, t.Client.DeadKey, t.Client.Name, t.Path)
	}
}

// editResult is what install --json and uninstall --json print of each entry.
type editResult struct {
	Client   string         `json:"client"`
	Server   string         `json:"server"`
	Name     string         `json:"name"`
	Path     string         `json:"path"`
	Action   clients.Action `json:"action"`
	Backup   string         `json:"backup"`
	NextStep string         `json:"next_step"`
	// Diff is the masked diff of the whole file, with --dry-run.
	Diff string `json:"diff,omitempty"`
}

// edit does one file after the other and reports. An error in one of several files doesn't keep the others from being
// done.
func (a *app) edit(o editOptions, targets []clients.Target, do func(clients.Target) (clients.Outcome, error)) error {
	// A tree of a large file is garbage when the process ends, in a moment, and not much sooner: looking for it takes longer than that.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	results := []editResult{}
	var failed error
	for _, t := range targets {
		outcome, err := do(t)
		if err != nil && len(targets) == 1 {
			return err
		}
		if err != nil {
			a.report(err)
			failed = errSilent
			continue
		}
		switch {
		case o.json:
			results = append(results, o.results(t, outcome)...)
		case o.dryRun:
			if err := a.print(outcome.Diff); err != nil {
				return err
			}
			a.talkOfUntouched(t, outcome)
		default:
			a.printOutcome(o, t, outcome)
		}
	}
	if o.json {
		if err := render.JSON(a.out, results, o.jq); err != nil {
			return err
		}
	} else if o.dryRun {
		a.talk("Nothing was written\n")
	}
	return failed
}

func (o editOptions) results(t clients.Target, outcome clients.Outcome) []editResult {
	var results []editResult
	for _, c := range outcome.Changes {
		r := editResult{Client: t.Client.ID, Server: c.Server, Name: c.Name, Path: outcome.Path, Action: c.Action}
		if !untouched(c) {
			r.Backup, r.NextStep, r.Diff = outcome.Backup, o.nextStep(t, c.Action), outcome.Diff
		}
		results = append(results, r)
	}
	return results
}

func nextStep(t clients.Target, action clients.Action) string {
	if action == clients.Removed || action == clients.WouldRemove {
		return t.Client.AfterUninstall
	}
	return t.Client.AfterInstall
}

// nextStep is what is to be done after an edit: what the client wants, and what these options do.
func (o editOptions) nextStep(t clients.Target, action clients.Action) string {
	return strings.Trim(nextStep(t, action)+"; "+o.furtherStep, "; ")
}

// sentence tells of one change, for people.
func sentence(t clients.Target, outcome clients.Outcome, c clients.Change) string {
	format := map[clients.Action]string{
		clients.Added:     "%s: added %s to %s\n",
		clients.Updated:   "%s: updated %s in %s\n",
		clients.Unchanged: "%s: %s is already installed in %s\n",
		clients.Removed:   "%s: removed %s from %s\n",
		clients.Absent:    "%s: %s isn't installed in %s\n",
	}[c.Action]
	return fmt.Sprintf(format, t.Client.Name, render.Clean(c.Name), outcome.Path)
}

func untouched(c clients.Change) bool {
	return c.Action == clients.Unchanged || c.Action == clients.Absent
}

func (a *app) talkOfUntouched(t clients.Target, outcome clients.Outcome) {
	for _, c := range outcome.Changes {
		if untouched(c) {
			a.talk("%s", sentence(t, outcome, c))
		}
	}
}

func (a *app) printOutcome(o editOptions, t clients.Target, outcome clients.Outcome) {
	next := ""
	for _, c := range outcome.Changes {
		fmt.Fprint(a.out, sentence(t, outcome, c))
		if !untouched(c) {
			next = o.nextStep(t, c.Action)
		}
	}
	if outcome.Deleted {
		fmt.Fprintln(a.out, "  the file held nothing else and is deleted")
	}
	if outcome.Backup != "" {
		fmt.Fprintf(a.out, "  backup: %s\n", outcome.Backup)
	}
	if next != "" {
		fmt.Fprintf(a.out, "  next: %s\n", next)
	}
}
