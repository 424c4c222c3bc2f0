package clients

import (
	"maps"
	"slices"
)

// Further returns the files beside t's own in which entries of t's client for servers, or all of mcpctl's if all is given,
// may have stayed or gone: older places, profiles, places in a file that only adopt looks at, and the file of the client
// that this one is about to move to.
func (s Store) Further(m Machine, t Target, servers []string, all bool) []Target {
	var candidates []Target
	if t.Scope == User {
		found := m.Find(t.Client)
		for _, path := range slices.Concat([]string{found.Path}, found.Others, found.Profiles) {
			if path != t.Path {
				candidates = append(candidates, Target{Client: t.Client, Scope: t.Scope, Path: path})
			}
		}
	}
	for _, r := range s.records() {
		if r.Client == t.Client.ID && r.Within != nil && t.Scope == User {
			candidates = append(candidates, r.target(t.Client))
		}
	}
	if successor, ok := s.successor(m, t); ok {
		candidates = append(candidates, successor)
	}
	return slices.DeleteFunc(candidates, func(c Target) bool { return !s.has(m, c, servers, all) })
}

// has reports whether t's file has an entry of mcpctl's for one of servers, or lacks one that mcpctl has taken out.
func (s Store) has(m Machine, t Target, servers []string, all bool) bool {
	for name, e := range s.recordOf(t).Entries {
		if e.Out && (all || slices.Contains(servers, e.Server) || slices.Contains(servers, name)) {
			return true
		}
	}
	return slices.ContainsFunc(s.status(m, t, true).Installed, func(i Installed) bool {
		return i.State != Missing && (all || slices.Contains(servers, i.Server) || slices.Contains(servers, i.Name))
	})
}

// successor is the file that t's client is about to move its servers to, as far as entries in it came from t: ones that
// the other client was given itself are not meant.
func (s Store) successor(m Machine, t Target) (Target, bool) {
	next, ok := Lookup(t.Client.Successor)
	if !ok {
		return Target{}, false
	}
	moved := Target{Client: t.Client, Scope: t.Scope, Path: m.Find(next).Path}
	if t.Scope == Project {
		moved.Path = m.ProjectFile(next, m.dir(m.dir(t.Path)))
	}
	moved.Client.Key, moved.Client.Format = next.Key, next.Format
	from, own := s.recordOf(t), s.recordOf(moved)
	moved.only = slices.DeleteFunc(slices.Collect(maps.Keys(from.Entries)), func(name string) bool {
		_, given := own.Entries[name]
		return given
	})
	return moved, len(moved.only) > 0
}

// recordOf returns the record of t's file, a zero one if there is none.
func (s Store) recordOf(t Target) record {
	file, err := t.open()
	if err != nil {
		return record{}
	}
	r, err := s.load(s.recordID(t, file))
	if err != nil {
		return record{}
	}
	return r
}
