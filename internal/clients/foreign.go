package clients

import (
	"reflect"
	"slices"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Foreign is an entry that isn't mcpctl's.
type Foreign struct {
	Name string
	// Raw is its text, which Entry.Over takes.
	Raw    configfile.Raw
	Launch Launch
	// Dropped names what of it doesn't go over to an entry that starts mcpctl, beside what LaunchOf reads. No values: they may
	// be secret.
	Dropped []string
	// Kept are the members that do, as JSON by name.
	Kept map[string]string
}

// Foreign returns the entries of t's file that aren't mcpctl's. A name that is there twice is left out: nothing is ever
// written to such.
func (s Store) Foreign(t Target) ([]Foreign, error) {
	file, err := t.open()
	if err != nil {
		return nil, err
	}
	r, err := s.load(s.recordID(t, file))
	if err != nil {
		return nil, err
	}
	doc, err := read(file, t)
	if err != nil {
		return nil, err
	}
	members, times, err := t.members(doc)
	if err != nil {
		return nil, err
	}
	var foreign []Foreign
	for _, m := range members {
		raw := m.Value.(configfile.Raw)
		if r.owns(m.Name, raw) || times[m.Name] > 1 {
			continue
		}
		var entry map[string]any
		if raw.Decode(&entry) == nil {
			foreign = append(foreign, Foreign{m.Name, raw, LaunchOf(entry), dropped(entry), kept(entry)})
		}
	}
	return foreign, nil
}

// over is what replaces an entry with the members theirs: ours, with what its owner has set, to the byte. What is called one of
// names doesn't go over.
func over(ours, theirs configfile.Members, names []string) configfile.Members {
	for _, m := range theirs {
		if slices.Contains(names, m.Name) {
			continue
		}
		if i := slices.IndexFunc(ours, func(o configfile.Member) bool { return o.Name == m.Name }); i >= 0 {
			ours[i] = m
		} else {
			ours = append(ours, m)
		}
	}
	return ours
}

// replace puts ours in the place of the entry at path, with what its owner has set: that stays as it was, or nothing is changed.
func replace(doc *configfile.Document, path []string, ours configfile.Members, names []string) error {
	was, _, err := doc.Get(path...)
	if err != nil {
		return err
	}
	theirs, err := doc.Members(path...)
	if err != nil {
		return doc.Set(ours, path...) // no object: nothing is set in it
	}
	if err := doc.Set(over(ours, theirs, names), path...); err != nil {
		return err
	}
	is, _, err := doc.Get(path...)
	if err != nil {
		return err
	}
	before, after := values(was), values(is)
	for name, value := range before {
		if !slices.Contains(names, name) && !reflect.DeepEqual(value, after[name]) {
			return doc.ErrorAt(path, "write it another way, or take it out, then try again (nothing was written)",
				"%q of this entry is written in a way in which mcpctl can't keep it", name)
		}
	}
	return nil
}

// membersOf returns the members of a JSON object as they stand in it.
func membersOf(raw configfile.Raw) configfile.Members {
	doc, err := configfile.Parse("", []byte(raw.Text), raw.Format)
	if err != nil {
		return nil
	}
	members, _ := doc.Members()
	return members
}

// values returns the members of an object, nil for what is none.
func values(raw configfile.Raw) map[string]any {
	v, _ := raw.Value()
	object, _ := v.(map[string]any)
	return object
}

// dropped names what of an entry doesn't go over to one that reaches the server another way, beside what says where it is.
func dropped(entry map[string]any) []string {
	return slices.DeleteFunc(slices.Clone(further), func(name string) bool { return entry[name] == nil })
}

// kept returns what does go over.
func kept(entry map[string]any) map[string]string {
	members := map[string]string{}
	for name, value := range entry {
		if !slices.Contains(reaching, name) && !slices.Contains(further, name) {
			members[name] = encode(value)
		}
	}
	return members
}
