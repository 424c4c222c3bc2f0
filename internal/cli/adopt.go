package cli

import (
	"context"
	"fmt"
	"maps"
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
replace each entry by mcpctl's. What the entry says of other things than how to reach the server, such as
which tools may be called, stays. "mcpctl uninstall" gives the old entry back, to the byte.

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
	if _, err := o.answers(); err != nil {
		return err
	}
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
			a.talk("No entry reaches %s without mcpctl\n", s.GatewayURL)
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
	a.explainAdoption(ctx, s, found, keys)
	if o.dryRun {
		return a.previewAdoption(ctx, o, found, unread)
	}
	if err := a.agree(ctx, o, found); err != nil {
		return err
	}
	refused := a.keepFound(ctx, found, keys, o)
	results, err := a.writeAdoptions(ctx, found)
	for _, e := range []error{err, refused, unread} {
		if e != nil {
			return a.endAdopt(o, results, e)
		}
	}
	return a.endAdopt(o, results, nil)
}

// explainAdoption says what was found, and what becomes of the keys.
func (a *app) explainAdoption(ctx context.Context, s config.Settings, found []*adoption, keys []*foundKey) {
	for _, d := range found {
		what := "no key in it"
		switch {
		case d.key != nil:
			what = "the key " + d.key.value.Hint()
		case d.found.Reference != "":
			what = "its key stands elsewhere (" + render.Clean(d.found.Reference) + ") and isn't moved"
		}
		a.talk("%s in %s reaches %s by %s, %s\n", d, d.target.Path, d.found.Server, foundText(d.found.Kind), what)
		if d.instead != nil {
			a.talk("  %s doesn't read %q there: the entry moves to %s\n", d.target.Client.Name, d.target.Within[0], d.instead.Path)
		}
		if len(d.found.Headers) > 0 {
			a.talk("  warning: it sends further headers, which mcpctl takes from its settings (servers.%s.headers): %s\n",
				d.found.Server, render.Clean(strings.Join(d.found.Headers, ", ")))
		}
		if gone := d.gone(); len(gone) > 0 {
			a.talk("  warning: this goes with the old entry (mcpctl takes a proxy and certificates from its settings): %s\n", render.Clean(strings.Join(gone, ", ")))
		}
		for _, name := range slices.Sorted(maps.Keys(d.entry.Kept)) {
			if text := d.entry.Kept[name]; a.redact.Text(text) != text {
				a.talk("  warning: %q stays, and has a key in it too: take it out yourself\n", name)
			}
		}
		if d.key != nil && d.target.Scope == clients.Project {
			a.talk("  warning: this file belongs to a project; if others have it, they have the key: make a new one at %s\n", keysPage)
		}
	}
	for _, k := range keys {
		a.talk("%s\n", k.fate())
	}
	needy := func(d *adoption) bool { return d.key == nil }
	if kept, _ := a.keptKey(ctx, s); kept.IsZero() && slices.ContainsFunc(found, needy) {
		if !slices.ContainsFunc(keys, func(k *foundKey) bool { return k.keep && k.profile.Profile == s.Profile }) {
			a.talk("warning: profile %s has no key, which those entries will need: run mcpctl login\n", s.Profile)
		}
	}
}

// gone names what of the old entry the new one goes without, beside what reaches the server.
func (d adoption) gone() []string {
	names := slices.Clone(d.entry.Dropped)
	for _, v := range d.found.Variables {
		if !slices.Contains(d.target.Client.Shape.Pass(), v) {
			names = append(names, "the variable "+v)
		}
	}
	for _, o := range d.found.Options {
		names = append(names, "the option "+o)
	}
	return names
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

func (d adoption) result(action, diff string) adoptResult {
	return adoptResult{d.target.Client.ID, d.entry.Name, d.found.Server, d.found.Kind, action, d.target.Path, diff}
}

// previewAdoption shows the changes: on stdout, where they are what was asked for.
func (a *app) previewAdoption(ctx context.Context, o adoptOptions, found []*adoption, unread error) error {
	diffs, all, failed := a.adoptionDiffs(ctx, found)
	if failed == nil {
		failed = unread
	}
	a.talk("Nothing was written\n")
	if !o.json {
		if err := a.print(all); err != nil {
			return err
		}
		return failed
	}
	var results []adoptResult
	for _, d := range found {
		action := "would-adopt"
		if d.blocked {
			action = "skipped"
		}
		results = append(results, d.result(action, diffs[d]))
	}
	return a.endAdopt(o, results, failed)
}

// adoptionDiffs returns the masked diffs of the places that adoptions stand in, and all diffs one after the other. What can't
// be changed is reported, and left alone from then on.
func (a *app) adoptionDiffs(ctx context.Context, found []*adoption) (of map[*adoption]string, all string, failed error) {
	store := clients.NewStore(a.state())
	of = map[*adoption]string{}
	for _, e := range editsOf(found) {
		outcome, err := store.Install(ctx, e.target, e.entries, false, true)
		if err != nil {
			a.report(err)
			failed = errSilent
		}
		e.failed = err != nil || e.first != nil && e.first.failed
		for _, d := range e.here {
			of[d], d.blocked = outcome.Diff, e.failed
		}
		if !e.failed {
			all += outcome.Diff
		}
	}
	return of, all, failed
}

// agree asks for the user's agreement, unless that was given.
func (a *app) agree(ctx context.Context, o adoptOptions, found []*adoption) error {
	if o.yes {
		return nil
	}
	if _, ok := a.terminal(); !ok {
		return usage("say --yes, or --dry-run to see the changes", "there is no terminal to ask on whether to change these files")
	}
	_, diffs, _ := a.adoptionDiffs(ctx, found)
	n := 0
	for _, d := range found {
		if !d.blocked {
			n++
		}
	}
	if n == 0 {
		return errSilent
	}
	a.prompt("%s", diffs)
	answer, err := a.ask(ctx, fmt.Sprintf("Replace %s? [y/N] ", count(n, "entry", "entries")))
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(answer)) {
		a.talk("Nothing was written\n")
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
func (a *app) writeAdoptions(ctx context.Context, found []*adoption) (results []adoptResult, failed error) {
	store := clients.NewStore(a.state())
	usable := slices.DeleteFunc(slices.Clone(found), func(d *adoption) bool { return d.blocked || d.key != nil && d.key.refused })
	for _, file := range byFile(editsOf(usable)) {
		if err := a.writeFile(ctx, store, file); err != nil {
			a.report(err)
			failed = errSilent
		}
	}
	if slices.ContainsFunc(found, func(d *adoption) bool { return d.done && d.key != nil }) {
		a.talk("A backup is a copy to the byte: it holds the key, readable by you alone, and so do mcpctl's records of the old entries. "+
			"To be rid of the key, make another at %s, log in with that, and delete this one there\n", keysPage)
	}
	for _, d := range found {
		action := "adopted"
		if !d.done {
			action = "skipped"
		}
		results = append(results, d.result(action, ""))
	}
	return results, failed
}

// byFile groups edits that can be one write: those of one file. What another has to go before comes after all those.
func byFile(edits []*adoptEdit) [][]*adoptEdit {
	var files [][]*adoptEdit
	for _, e := range edits {
		i := slices.IndexFunc(files, func(f []*adoptEdit) bool { return f[0].first == e.first && f[0].target.Path == e.target.Path })
		if i < 0 {
			files = append(files, []*adoptEdit{e})
		} else {
			files[i] = append(files[i], e)
		}
	}
	return files
}

func (a *app) writeFile(ctx context.Context, store clients.Store, edits []*adoptEdit) error {
	e := edits[0]
	if e.first != nil && e.first.failed {
		return nil // said already
	}
	if e.first == nil {
		a.warnIfRunning(e.target)
	}
	var parts []clients.Part
	for _, e := range edits {
		parts = append(parts, clients.Part{Target: e.target, Entries: e.entries})
	}
	outcome, err := store.InstallParts(ctx, parts)
	for _, e := range edits {
		e.failed = err != nil
		for _, d := range e.here {
			d.done = err == nil
		}
	}
	if err == nil {
		a.reportAdoption(e, outcome)
	}
	return err
}

func (a *app) reportAdoption(e *adoptEdit, outcome clients.Outcome) {
	name := e.target.Client.Name
	if outcome.Backup != "" {
		a.talk("%s: backup: %s\n", name, outcome.Backup)
	}
	if next := nextStep(e.target, clients.Added); next != "" && e.first == nil {
		a.talk("%s: next: %s\n", name, next)
	}
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
