package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/adopt"
	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/render"
)

type adoptOptions struct {
	client      string
	dryRun, yes bool
	keyProfiles []string
	insecure    bool
	command     string
	outputOptions
}

// adoptResult is what adopt --json prints of each entry.
type adoptResult struct {
	Client string     `json:"client"`
	Name   string     `json:"name"`
	Server string     `json:"server"`
	Found  adopt.Kind `json:"found"`
	Action string     `json:"action"` // adopted, would-adopt, skipped
	Path   string     `json:"path"`
	// Diff is the masked diff of the whole file, with --dry-run.
	Diff string `json:"diff,omitempty"`
}

func newAdoptCommand(a *app) *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt [CLIENT]",
		Short: "Take over entries that reach the gateway another way",
		Long: `Find the entries in AI clients' files, yours and those of this folder, that reach the gateway without
mcpctl: written by hand with a URL and the key in a header, through mcp-remote or supergateway, or by
Portkey's own command line. Show what would change, and if you agree, move the key into the keyring and
replace each entry by mcpctl's. "mcpctl uninstall" gives the old entry back, to the byte.

The key is verified first, as login does, and never shown. Where several keys turn up, you are asked which
profile each belongs to; --key-profile answers that beforehand, naming a key by its last four characters.
A profile that has a key keeps it.`,
		Example: `  mcpctl adopt --dry-run      # show what would change, write nothing
  mcpctl adopt cursor
  mcpctl adopt --yes --key-profile 1a2b=work`,
		Args: atMostOneClient,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.client = args[0]
			}
			return runAdopt(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, write nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "don't ask for your agreement")
	f.StringArrayVar(&o.keyProfiles, "key-profile", nil, "the profile that a key belongs to: `END=PROFILE`, END being its last four characters")
	f.BoolVar(&o.insecure, "insecure-storage", false, "keep keys in a plain-text file that only you can read, not in the keyring")
	f.StringVar(&o.command, "command", "", "`program` that the client starts instead of this mcpctl")
	o.outputOptions.add(cmd)
	return cmd
}

// atMostOneClient wants no argument, or a client.
func atMostOneClient(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("try: "+cmd.UseLine(), "%s takes one client at most", commandName(cmd))
	}
	return nil
}

func runAdopt(ctx context.Context, a *app, o adoptOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	found, unread, err := a.findAdoptions(s, o)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		if unread == nil {
			a.talk("no entry reaches %s without mcpctl\n", s.GatewayURL)
		}
		return a.endAdopt(o, nil, unread)
	}
	keys, err := a.ownersOfKeys(ctx, s, found, o)
	if err != nil {
		return err
	}
	if err := a.makeEntries(s, found, o); err != nil {
		return err
	}
	a.explainAdoption(s, found, keys)
	if o.dryRun {
		return a.previewAdoption(ctx, o, found, unread)
	}
	if err := a.agree(ctx, o, found); err != nil {
		return err
	}
	refused := a.keepFound(ctx, keys, o)
	results, err := a.writeAdoptions(ctx, found, keys)
	for _, e := range []error{err, refused, unread} {
		if e != nil {
			return a.endAdopt(o, results, e)
		}
	}
	return a.endAdopt(o, results, nil)
}

// adoption is an entry that can be taken over.
type adoption struct {
	target clients.Target
	entry  clients.Foreign
	found  adopt.Found
	// key is the one that stands in the entry, nil if none does.
	key *foundKey
	// ours is what is to be there.
	ours clients.Entry
}

func (d adoption) String() string { return d.target.Client.Name + ": " + render.Clean(d.entry.Name) }

// findAdoptions looks through the files of one client, or of all. A file that can't be read is reported and doesn't hide the
// others; unread is then the command's error.
func (a *app) findAdoptions(s config.Settings, o adoptOptions) (found []*adoption, unread, err error) {
	if _, ok := clients.Lookup(o.client); !ok && o.client != "" {
		return nil, nil, unknownClient(o.client)
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	store := clients.NewStore(a.state())
	seen := map[string]bool{} // some clients share a file
	for _, p := range store.Places(clients.On(a.host), folder) {
		if o.client != "" && p.Client.ID != o.client || seen[p.Path] {
			continue
		}
		seen[p.Path] = true
		entries, err := store.Foreign(p.Target)
		if err != nil {
			a.report(err)
			unread = errSilent
		}
		for _, e := range entries {
			if f, ok := adopt.Recognise(s.GatewayURL, e.Name, e.Launch); ok {
				a.redact.Hide(f.Key)
				found = append(found, &adoption{target: p.Target, entry: e, found: f})
			}
		}
	}
	return found, unread, nil
}

// makeEntries makes what is to be written.
func (a *app) makeEntries(s config.Settings, found []*adoption, o adoptOptions) error {
	args := map[string][]string{}
	programs := map[clients.Scope]string{}
	for _, d := range found {
		p := s
		if d.key != nil {
			p = d.key.profile
		}
		given, ok := args[p.Profile]
		if !ok {
			var err error
			if given, err = a.givenArgs(p); err != nil {
				return err
			}
			args[p.Profile] = given
		}
		scope := d.target.Scope
		if programs[scope] == "" {
			program, err := a.program(installOptions{
				editOptions: editOptions{project: scope == clients.Project, dryRun: o.dryRun}, command: o.command,
			})
			if err != nil {
				return err
			}
			programs[scope] = program
		}
		d.ours = clients.Entry{
			Server: d.found.Server, Name: d.entry.Name, Over: d.entry.Raw,
			Command: clients.Command{Path: programs[scope], Args: append([]string{"bridge", d.found.Server}, given...)},
		}
	}
	return nil
}

// explainAdoption says what was found, and what becomes of the keys.
func (a *app) explainAdoption(s config.Settings, found []*adoption, keys []*foundKey) {
	for _, d := range found {
		what := "no key in it"
		switch {
		case d.key != nil:
			what = "the key " + d.key.value.Hint()
		case d.found.Reference != "":
			what = "its key stands elsewhere (" + render.Clean(d.found.Reference) + ") and isn't moved"
		}
		a.talk("%s in %s reaches %s by %s, %s\n", d, d.target.Path, d.found.Server, foundText(d.found.Kind), what)
		if len(d.found.Headers) > 0 {
			a.talk("  warning: it sends further headers, which mcpctl takes from its settings (servers.%s.headers): %s\n",
				d.found.Server, render.Clean(strings.Join(d.found.Headers, ", ")))
		}
		if d.key != nil && d.target.Scope == clients.Project {
			a.talk("  warning: this file belongs to a project; if others have it, they have the key: make a new one at %s\n", keysPage)
		}
	}
	for _, k := range keys {
		a.talk("%s\n", k.fate())
	}
	needy := func(d *adoption) bool { return d.key == nil }
	if kept, _ := a.keptKey(context.Background(), s); kept.IsZero() && slices.ContainsFunc(found, needy) {
		if !slices.ContainsFunc(keys, func(k *foundKey) bool { return k.keep && k.profile.Profile == s.Profile }) {
			a.talk("warning: profile %s has no key, which those entries will need: run mcpctl login\n", s.Profile)
		}
	}
}

func foundText(k adopt.Kind) string {
	switch k {
	case adopt.URL:
		return "its own URL and headers"
	case adopt.Portkey:
		return "what Portkey's command line wrote"
	}
	return string(k)
}

// byTarget groups adoptions into one write per file, in their order.
func byTarget(found []*adoption) [][]*adoption {
	var groups [][]*adoption
	for _, d := range found {
		i := slices.IndexFunc(groups, func(g []*adoption) bool { return g[0].target.Path == d.target.Path })
		if i < 0 {
			groups = append(groups, []*adoption{d})
		} else {
			groups[i] = append(groups[i], d)
		}
	}
	return groups
}

func entriesOf(group []*adoption) []clients.Entry {
	var entries []clients.Entry
	for _, d := range group {
		entries = append(entries, d.ours)
	}
	return entries
}

func (d adoption) result(action, diff string) adoptResult {
	return adoptResult{d.target.Client.ID, d.entry.Name, d.found.Server, d.found.Kind, action, d.target.Path, diff}
}

// previewAdoption shows the changes: on stdout, where they are what was asked for.
func (a *app) previewAdoption(ctx context.Context, o adoptOptions, found []*adoption, unread error) error {
	store := clients.NewStore(a.state())
	results := []adoptResult{}
	for _, group := range byTarget(found) {
		outcome, err := store.Install(ctx, group[0].target, entriesOf(group), false, true)
		if err != nil {
			return err
		}
		for _, d := range group {
			results = append(results, d.result("would-adopt", outcome.Diff))
		}
		if !o.json {
			fmt.Fprint(a.out, outcome.Diff)
		}
	}
	a.talk("nothing was written\n")
	if !o.json {
		return unread
	}
	return a.endAdopt(o, results, unread)
}

// agree asks for the user's agreement, unless that was given.
func (a *app) agree(ctx context.Context, o adoptOptions, found []*adoption) error {
	if o.yes {
		return nil
	}
	if _, ok := a.terminal(); !ok {
		return usage("say --yes, or --dry-run to see the changes", "there is no terminal to ask on whether to change these files")
	}
	store := clients.NewStore(a.state())
	for _, group := range byTarget(found) {
		outcome, err := store.Install(ctx, group[0].target, entriesOf(group), false, true)
		if err != nil {
			return err
		}
		a.prompt("%s", outcome.Diff)
	}
	answer, err := a.ask(ctx, fmt.Sprintf("Replace %s? [y/N] ", count(len(found), "entry", "entries")))
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(answer)) {
		a.talk("nothing was written\n")
		return errSilent
	}
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ask reads a line from the terminal, without the blanks around it.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	a.prompt("%s", question)
	answer, err := wait(ctx, func() (string, error) { return readLine(a.in) })
	return strings.TrimSpace(answer), err
}

// writeAdoptions replaces the entries whose key is kept, file by file.
func (a *app) writeAdoptions(ctx context.Context, found []*adoption, keys []*foundKey) (results []adoptResult, failed error) {
	store := clients.NewStore(a.state())
	results = []adoptResult{}
	for _, group := range byTarget(found) {
		t := group[0].target
		usable := slices.DeleteFunc(slices.Clone(group), func(d *adoption) bool { return d.key != nil && d.key.refused })
		var outcome clients.Outcome
		var err error
		if len(usable) > 0 {
			a.warnIfRunning(t)
			outcome, err = store.Install(ctx, t, entriesOf(usable), false, false)
		}
		if err != nil {
			a.report(err)
			failed = errSilent
		}
		for _, d := range group {
			action := "adopted"
			if err != nil || !slices.Contains(usable, d) {
				action = "skipped"
			}
			results = append(results, d.result(action, ""))
		}
		if outcome.Backup == "" {
			continue
		}
		holds := ""
		if slices.ContainsFunc(usable, func(d *adoption) bool { return d.key != nil }) {
			holds = "; like mcpctl's record of the old entries it holds the key, readable by you alone: make a new key at " + keysPage + " and log in with it to be rid of this one"
		}
		a.talk("%s: backup: %s%s\n", t.Client.Name, outcome.Backup, holds)
		if next := (editOptions{}).nextStep(t, clients.Added); next != "" {
			a.talk("%s: next: %s\n", t.Client.Name, next)
		}
	}
	return results, failed
}

// endAdopt prints the results.
func (a *app) endAdopt(o adoptOptions, results []adoptResult, err error) error {
	if o.json {
		if results == nil {
			results = []adoptResult{}
		}
		if err := render.JSON(a.out, results, o.jq); err != nil {
			return err
		}
		return err
	}
	for _, r := range results {
		text := fmt.Sprintf("%s: adopted %s in %s\n", clientName(r.Client), render.Clean(r.Name), r.Path)
		if r.Action != "adopted" {
			text = fmt.Sprintf("%s: left %s in %s as it was\n", clientName(r.Client), render.Clean(r.Name), r.Path)
		}
		fmt.Fprint(a.out, text)
	}
	return err
}

func clientName(id string) string {
	c, _ := clients.Lookup(id)
	return c.Name
}
