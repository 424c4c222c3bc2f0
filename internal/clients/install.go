package clients

import (
	"context"
	"maps"
	"slices"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Entry is an entry to be: a server, the name that the client knows it by, and how to start its bridge.
type Entry struct {
	Server, Name string
	Command      Command
	// Over is someone else's entry of the name, which may be replaced as long as it is still there as it was; zero for
	// none. What its owner has set beside how to reach the server stays.
	Over configfile.Raw
	// From is someone else's entry that this one comes from, in a place that its client doesn't read; zero for none. What its
	// owner has set goes over.
	From configfile.Raw
	// Out says that Over is to be taken out, not replaced, as one that its client doesn't read.
	Out bool
	// Remote is set for an entry without a bridge, of a client that speaks to the server by itself. Client.CheckDirect
	// says whether it can.
	Remote *Remote
	// lost names what an entry of mcpctl's had that this one can't have.
	lost []string
}

// Install puts entries into t's file, all of them or none, in one write. An entry that says the same already is left
// alone; one of mcpctl's that differs gets a new command and args and keeps whatever else its owner has put in; someone
// else's is refused unless force is given, and then kept to be given back.
func (s Store) Install(ctx context.Context, t Target, entries []Entry, force, dryRun bool) (Outcome, error) {
	return s.edit(ctx, t, dryRun, func(r record, before configfile.Content) (plan, error) {
		return planInstall(t, r, before, entries, force)
	})
}

// Part is what is to become of the entries of one place in a file.
type Part struct {
	Target
	Entries []Entry
}

// InstallParts is Install for several places in one file, in one write.
func (s Store) InstallParts(ctx context.Context, parts []Part) (Outcome, error) {
	file, err := parts[0].open()
	if err != nil {
		return Outcome{}, err
	}
	var jobs []*job
	for _, p := range parts {
		jobs = append(jobs, &job{target: p.Target, planned: func(r record, before configfile.Content) (plan, error) {
			return planInstall(p.Target, r, before, p.Entries, false)
		}})
	}
	return s.apply(ctx, file, jobs)
}

func planInstall(t Target, r record, before configfile.Content, entries []Entry, force bool) (plan, error) {
	doc, err := configfile.Parse(t.Path, before.Data, t.Client.Format)
	if err != nil {
		return plan{}, err
	}
	if r.gone(before) {
		r = r.renewed()
	}
	p := plan{after: before, record: r.clone(), written: map[string]Entry{}}
	if doc.Empty() {
		for _, m := range t.Client.NewFile {
			if err := doc.Set(m.Value, m.Name); err != nil {
				return plan{}, err
			}
		}
	}
	_, hasKey, err := doc.Get(t.at()...)
	if err != nil {
		return plan{}, err
	}
	exact := len(r.Entries) == 0 || !before.Exists || r.left(before)
	changed := false
	for _, e := range entries {
		e, action, recorded, err := set(doc, t, r, e, force)
		if err != nil {
			return plan{}, err
		}
		_, known := r.Entries[e.Name]
		if action == Updated && !known && recorded.Previous == "" {
			// An entry of ours that no record knows is part of what Before describes.
			exact = false
		}
		if action != Unchanged || known {
			p.record.Entries[e.Name] = recorded
		}
		changed = changed || action != Unchanged
		p.changes = append(p.changes, Change{e.Server, e.Name, action})
		p.written[e.Name] = e
		for _, what := range e.lost {
			p.lost = append(p.lost, e.Name+": "+what)
		}
	}
	if !changed {
		return p, nil
	}
	p.after = configfile.Content{Data: doc.Bytes(), Exists: true}
	if len(r.Entries) == 0 || !before.Exists {
		p.record.Before = before.Hash()
	}
	p.record.After = ""
	if exact {
		p.record.After = p.after.Hash()
	}
	p.record.MadeFile = p.record.MadeFile || !before.Exists
	p.record.MadeKey = p.record.MadeKey || !hasKey
	return p, nil
}

// set puts one entry into doc and returns what the record is to say of it.
func set(doc *configfile.Document, t Target, r record, e Entry, force bool) (Entry, Action, entryRecord, error) {
	c, path := t.Client, t.at(e.Name)
	recorded := entryRecord{Server: e.Server, Previous: r.Entries[e.Name].Previous}
	if e.Remote != nil {
		recorded.URL = e.Remote.URL
	}
	raw, exists, err := doc.Get(path...)
	if err != nil {
		return e, "", recorded, err
	}
	action := Updated
	switch {
	case e.Out:
		return takeOut(doc, path, e, raw)
	case !exists:
		action = Added
		err = doc.Set(over(c.Members(e), membersOf(e.From), slices.Concat(reaching, further)), path...)
	case raw.Canonical() == canonical(c.Members(e)):
		action = Unchanged
	case r.owns(e.Name, raw):
		if action, err = refresh(doc, path, raw, r.Entries[e.Name], c, e); err == nil && action == Updated {
			e.lost = lost(doc, path, raw)
		}
	case e.Over.Text != "" && e.Over == raw:
		recorded.Previous = raw.Text
		err = replace(doc, path, c.Members(e), slices.Concat(reaching, further))
	case force:
		recorded.Previous = raw.Text
		err = doc.Set(c.Members(e), path...)
	default:
		err = doc.ErrorAt(path, "give mcpctl's another name with --as NAME, or replace this one with --force; uninstall gives it back",
			"%q is there already, and isn't mcpctl's: %s", e.Name, decode(raw).kind())
	}
	if err != nil {
		return e, "", recorded, err
	}
	now, _, err := doc.Get(path...)
	recorded.Hash = hashEntry(now)
	return e, action, recorded, err
}

func takeOut(doc *configfile.Document, path []string, e Entry, raw configfile.Raw) (Entry, Action, entryRecord, error) {
	if e.Over.Text == "" || e.Over != raw {
		return e, Unchanged, entryRecord{}, nil
	}
	_, err := doc.Remove(path...)
	return e, Removed, entryRecord{Server: e.Server, Previous: raw.Text, Out: true}, err
}

// refresh replaces what differs of how to reach the server, and nothing else of the entry. One of another shape gives its place to
// ours with what its owner has set, and so does one that nobody has touched since old, which is zero if mcpctl has no record of it.
func refresh(doc *configfile.Document, path []string, raw configfile.Raw, old entryRecord, c Client, e Entry) (Action, error) {
	action := Unchanged
	var values map[string]any
	if raw.Decode(&values) != nil || e.Remote != nil && old.Hash == hashEntry(raw) {
		return Updated, c.rewrite(doc, path, old, e)
	}
	for i, m := range c.reach(e) {
		field := append(path[:len(path):len(path)], m.Name)
		// Reading each makes sure that none is there twice.
		now, there, err := doc.Get(field...)
		if err != nil {
			return "", err
		}
		switch {
		case there && now.Canonical() == canonical(m.Value):
			continue
		case !there && i == 0, there && kind(values[m.Name]) != kind(m.Value):
			return Updated, c.rewrite(doc, path, old, e)
		}
		action = Updated
		if err := doc.Set(m.Value, field...); err != nil {
			return "", err
		}
	}
	return action, nil
}

// rewrite replaces an entry of mcpctl's by one of another shape. What mcpctl itself had written beside how to reach the server goes
// with that shape.
func (c Client) rewrite(doc *configfile.Document, path []string, old entryRecord, e Entry) error {
	names := reaching
	if e.Remote == nil || old.URL == "" {
		names = slices.Concat(reaching, further)
	}
	defaults := slices.Concat(c.Shape.First, c.Shape.Last)
	if c.Direct != nil {
		defaults = slices.Concat(defaults, c.Direct.First, c.Direct.Last)
	}
	for _, m := range defaults {
		now, there, err := doc.Get(append(path[:len(path):len(path)], m.Name)...)
		if err == nil && there && now.Canonical() == canonical(m.Value) {
			names = append(names[:len(names):len(names)], m.Name)
		}
	}
	return replace(doc, path, c.Members(e), names)
}

// canonical is Raw.Canonical of what is to be written.
func canonical(value any) string {
	return configfile.Raw{Text: encode(value), Format: configfile.JSON}.Canonical()
}

// lost names what was in the entry at path when it was raw, and isn't there any more: variables as env.NAME.
func lost(doc *configfile.Document, path []string, raw configfile.Raw) []string {
	now, _, err := doc.Get(path...)
	if err != nil {
		return nil
	}
	all := func(raw configfile.Raw) []string {
		names, e := dropped(values(raw)), decode(raw)
		for _, name := range slices.Sorted(maps.Keys(e.Env)) {
			names = append(names, "env."+name)
		}
		return append(names, ownOptions(e.Args)...)
	}
	kept := all(now)
	return slices.DeleteFunc(all(raw), func(name string) bool { return slices.Contains(kept, name) })
}

func kind(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case []any, []string:
		return "array"
	case map[string]any, configfile.Members:
		return "object"
	}
	return ""
}

// left reports whether c is what mcpctl left.
func (r record) left(c configfile.Content) bool { return r.After != "" && r.After == c.Hash() }

// renewed is r for a file that its owner has deleted, and that is made anew: what was in the old one doesn't come back.
func (r record) renewed() record {
	r = r.clone()
	for name, e := range r.Entries {
		e.Previous, e.Out = "", false
		r.Entries[name] = e
	}
	r.Before, r.After, r.Backup, r.MadeFile, r.MadeKey = "", "", "", true, true
	return r
}

func (r record) clone() record {
	r.Entries = maps.Clone(r.Entries)
	r.MadeFolders = slices.Clone(r.MadeFolders)
	return r
}
