package clients

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Uninstall takes mcpctl's entries for servers out of t's file, or all of mcpctl's if all is given, and gives back what
// they had replaced. A server that has none is Absent; one whose name is someone else's entry is an error. A file that
// is as mcpctl left it is put back as it was; one that mcpctl made and that holds nothing else is deleted.
func (s Store) Uninstall(ctx context.Context, t Target, servers []string, all, dryRun bool) (Outcome, error) {
	return s.edit(ctx, t, dryRun, func(r record, before configfile.Content) (plan, error) {
		return s.planUninstall(t, r, before, servers, all)
	})
}

func (s Store) planUninstall(t Target, r record, before configfile.Content, servers []string, all bool) (plan, error) {
	p := plan{after: before, record: r.clone()}
	doc, err := configfile.Parse(t.Path, before.Data, t.Client.Format)
	if err != nil {
		return plan{}, err
	}
	if p.changes, err = toRemove(doc, t, r, servers, all); err != nil {
		return plan{}, err
	}
	exact, changed := r.left(before), false
	for _, c := range p.changes {
		e, recorded := p.record.Entries[c.Name]
		delete(p.record.Entries, c.Name)
		if c.Action == Absent {
			continue
		}
		changed = true
		exact = exact && recorded
		if e.Previous != "" {
			err = doc.Set(configfile.Raw{Text: e.Previous, Format: t.Client.Format}, t.at(c.Name)...)
		} else {
			_, err = doc.Remove(t.at(c.Name)...)
		}
		if err != nil {
			return plan{}, err
		}
	}
	if !changed {
		return p, nil
	}
	if err := p.tidy(doc, t); err != nil {
		return plan{}, err
	}
	p.record.After = ""
	if exact {
		p.record.After = p.after.Hash()
		if original, ok := r.original(); ok && len(p.record.Entries) == 0 {
			p.after = original
		}
	}
	return p, nil
}

// tidy sets what is left of the file, less the emptied rest of what mcpctl had made.
func (p *plan) tidy(doc *configfile.Document, t Target) error {
	if p.record.MadeKey && doc.Empty(t.at()...) {
		if _, err := doc.Remove(t.at()...); err != nil {
			return err
		}
	}
	p.after = configfile.Content{Data: doc.Bytes(), Exists: true}
	if !p.record.MadeFile {
		return nil
	}
	for _, m := range t.Client.NewFile {
		if raw, ok, err := doc.Get(m.Name); err != nil {
			return err
		} else if ok && raw.Canonical() == canonical(m.Value) {
			if _, err := doc.Remove(m.Name); err != nil {
				return err
			}
		}
	}
	if doc.Empty() {
		p.after = configfile.Content{}
	}
	return nil
}

// original returns the file as it was before mcpctl's first change, if that is still known.
func (r record) original() (configfile.Content, bool) {
	if r.Before == "" {
		return configfile.Content{}, true
	}
	data, err := os.ReadFile(r.Backup)
	c := configfile.Content{Data: data, Exists: true}
	return c, err == nil && c.Hash() == r.Before
}

// toRemove finds the entries that servers mean: those that bridge the server, whatever their name, else the one that has
// it as its name.
func toRemove(doc *configfile.Document, t Target, r record, servers []string, all bool) ([]Change, error) {
	found, err := installed(doc, t, r)
	if err != nil {
		return nil, err
	}
	if all {
		return found, nil
	}
	var changes []Change
	var foreign []error
	for _, server := range servers {
		matches := slices.DeleteFunc(slices.Clone(found), func(f Change) bool { return f.Server != server })
		if len(matches) == 0 {
			matches = slices.DeleteFunc(slices.Clone(found), func(f Change) bool { return f.Name != server })
		}
		path := t.at(server)
		if raw, there, err := doc.Get(path...); err != nil {
			return nil, err
		} else if there && len(matches) == 0 && t.only == nil {
			foreign = append(foreign, doc.ErrorAt(path, "take it out by hand if you don't need it (nothing was written)",
				"%q isn't mcpctl's: %s", server, decode(raw).kind()))
		}
		if len(matches) == 0 {
			matches = []Change{{server, server, Absent}}
		}
		for _, m := range matches {
			if !slices.Contains(changes, m) {
				changes = append(changes, m)
			}
		}
	}
	if len(foreign) > 0 {
		return nil, problem.With(errors.Join(foreign...), problem.NextStep(foreign[0]))
	}
	return changes, nil
}

// members returns the entries in doc, and how often each name stands there.
func (t Target) members(doc *configfile.Document) (configfile.Members, map[string]int, error) {
	members, err := doc.Members(t.at()...)
	times := map[string]int{}
	for _, m := range members {
		times[m.Name]++
	}
	return members, times, err
}

// installed lists mcpctl's entries in doc in the file's order, as removals, then those of the record that are gone from
// it, as absent, unless it was mcpctl that took them out.
func installed(doc *configfile.Document, t Target, r record) ([]Change, error) {
	members, times, err := t.members(doc)
	if err != nil {
		return nil, err
	}
	var found []Change
	for _, m := range members {
		raw := m.Value.(configfile.Raw)
		_, recorded := r.Entries[m.Name]
		switch {
		case t.only != nil && !slices.Contains(t.only, m.Name):
			continue
		case times[m.Name] > 1 && recorded:
			_, _, err := doc.Get(t.at(m.Name)...) // says where
			return nil, err
		case times[m.Name] > 1 || !r.owns(m.Name, raw):
			// A name that is there twice is none of ours: install refuses such.
			continue
		}
		server := r.Entries[m.Name].Server
		if s := decode(raw); s.ours() && s.server() != "" {
			server = s.server()
		}
		found = append(found, Change{server, m.Name, Removed})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Entries)) {
		if times[name] == 0 && t.only == nil {
			action := Absent
			if r.Entries[name].Out {
				action = Removed
			}
			found = append(found, Change{r.Entries[name].Server, name, action})
		}
	}
	return found, nil
}
