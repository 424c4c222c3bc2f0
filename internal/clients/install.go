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
}

// Install puts entries into t's file, all of them or none, in one write. An entry that says the same already is left
// alone; one of mcpctl's that differs gets a new command and args and keeps whatever else its owner has put in; someone
// else's is refused unless force is given, and then kept to be given back.
func (s Store) Install(ctx context.Context, t Target, entries []Entry, force, dryRun bool) (Outcome, error) {
	return s.edit(ctx, t, dryRun, func(r record, before configfile.Content) (plan, error) {
		return planInstall(t, r, before, entries, force)
	})
}

func planInstall(t Target, r record, before configfile.Content, entries []Entry, force bool) (plan, error) {
	doc, err := configfile.Parse(t.Path, before.Data, t.Client.Format)
	if err != nil {
		return plan{}, err
	}
	p := plan{after: before, record: r.clone(), written: map[string]Command{}}
	_, hasKey, err := doc.Get(t.Client.Key)
	if err != nil {
		return plan{}, err
	}
	exact := len(r.Entries) == 0 || r.After == before.Hash()
	changed := false
	for _, e := range entries {
		e, action, recorded, err := set(doc, t.Client, r, e, force)
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
		p.written[e.Name] = e.Command
	}
	if !changed {
		return p, nil
	}
	p.after = configfile.Content{Data: doc.Bytes(), Exists: true}
	if len(r.Entries) == 0 {
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
func set(doc *configfile.Document, c Client, r record, e Entry, force bool) (Entry, Action, entryRecord, error) {
	path := []string{c.Key, e.Name}
	recorded := entryRecord{Server: e.Server, Previous: r.Entries[e.Name].Previous}
	raw, exists, err := doc.Get(path...)
	if err != nil {
		return e, "", recorded, err
	}
	action := Updated
	switch {
	case !exists:
		action, recorded.Previous = Added, ""
		err = doc.Set(c.Entry(e.Command), path...)
	case r.owns(e.Name, raw):
		action, err = refresh(doc, path, decode(raw), e.Command)
	case force:
		recorded.Previous = raw.Text
		err = doc.Set(c.Entry(e.Command), path...)
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

// refresh replaces what differs of command and args, and nothing else of the entry.
func refresh(doc *configfile.Document, path []string, old entry, cmd Command) (Action, error) {
	field := func(name string) []string { return append(path[:len(path):len(path)], name) }
	// Reading both makes sure that neither is there twice.
	for _, name := range []string{"command", "args"} {
		if _, _, err := doc.Get(field(name)...); err != nil {
			return "", err
		}
	}
	action := Unchanged
	if old.Command != cmd.Path {
		action = Updated
		if err := doc.Set(cmd.Path, field("command")...); err != nil {
			return "", err
		}
	}
	if !slices.Equal(old.Args, cmd.Args) {
		action = Updated
		if err := doc.Set(cmd.Args, field("args")...); err != nil {
			return "", err
		}
	}
	return action, nil
}

func (r record) clone() record {
	r.Entries = maps.Clone(r.Entries)
	r.MadeFolders = slices.Clone(r.MadeFolders)
	return r
}
