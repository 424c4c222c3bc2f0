package clients

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// State is how an installed entry fares. The words are part of the command line's promise.
type State string

// The states of an entry.
const (
	// OK is an entry as mcpctl left it.
	OK State = "ok"
	// Altered is one that has been changed since.
	Altered State = "changed"
	// Missing is one that has been taken out since, as some clients do when they write their file back.
	Missing State = "missing"
	// Broken is one whose program isn't there, or whose file can't be read.
	Broken State = "broken"
)

// Installed is one of mcpctl's entries in a client's file.
type Installed struct {
	Server string `json:"server"`
	Name   string `json:"name"`
	State  State  `json:"state"`
	// Launch is what the entry says now; zero if it is missing or can't be read.
	Launch Launch `json:"-"`
	// Recorded says that it is what mcpctl has written here itself, and doesn't just look like that.
	Recorded bool `json:"-"`
}

// Status is one file of one client.
type Status struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Detected   bool        `json:"detected"`
	ConfigPath string      `json:"config_path"`
	Scope      Scope       `json:"scope"`
	Installed  []Installed `json:"installed"`
	// Problem is why the file can't be read, nil if it can.
	Problem error `json:"-"`
}

// List looks at every client's files; see Places.
func (s Store) List(m Machine, project string) []Status {
	var list []Status
	for _, p := range s.Places(m, project) {
		if status := s.Look(m, p); p.Within == nil || len(status.Installed) > 0 {
			list = append(list, status)
		}
	}
	return list
}

// Place is a file of a client, and whether that client is found here.
type Place struct {
	Target
	Detected bool
}

// Places returns every client's files: the user's own, there or not, the one in the folder project if there is one, and any
// other that mcpctl has a record of.
func (s Store) Places(m Machine, project string) []Place {
	records := s.records()
	var places []Place
	for _, c := range All() {
		found := m.Find(c)
		targets := []Target{{Client: c, Scope: User, Path: found.Path}}
		for _, p := range found.Others {
			targets = append(targets, Target{Client: c, Scope: User, Path: p})
		}
		listed := func(path string) bool {
			return slices.ContainsFunc(places, func(p Place) bool { return p.Path == path })
		}
		// In the home folder, a project's file may be the user's own.
		own := func(path string) bool {
			return slices.ContainsFunc(targets, func(t Target) bool { return sameFile(t.Path, path) })
		}
		// Some clients share a file: it is listed with those that are here, and with one in any case.
		if p := m.ProjectFile(c, project); p != "" && m.exists(p) && !own(p) && (found.Detected || !listed(p)) {
			targets = append(targets, Target{Client: c, Scope: Project, Path: p})
		}
		for _, r := range records {
			same := func(t Target) bool { return samePath(t.Path, r.Path) && slices.Equal(t.Within, r.Within) }
			if r.Client == c.ID && !slices.ContainsFunc(targets, same) {
				targets = append(targets, r.target(c))
			}
		}
		for _, t := range targets {
			places = append(places, Place{t, found.Detected})
		}
	}
	return places
}

// Look looks at one file.
func (s Store) Look(m Machine, p Place) Status { return s.status(m, p.Target, p.Detected) }

func (s Store) records() []record {
	entries, _ := os.ReadDir(s.dir.Path("installs"))
	var records []record
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		if r, err := s.load(id); err == nil {
			records = append(records, r)
		}
	}
	return records
}

func (r record) target(c Client) Target {
	return Target{Client: c, Scope: r.Scope, Path: r.Path, Within: r.Within}
}

// sameFile reports whether two paths lead to one file, which is there.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

// samePath compares a path with one that has its links resolved.
func samePath(path, resolved string) bool {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		path = r
	}
	return path == resolved
}

func (s Store) status(m Machine, t Target, detected bool) Status {
	st := Status{ID: t.Client.ID, Name: t.Client.Name, Detected: detected, ConfigPath: t.Path, Scope: t.Scope, Installed: []Installed{}}
	var r record
	file, err := t.open()
	if err == nil {
		r, err = s.load(s.recordID(t, file))
	}
	var doc *configfile.Document
	if err == nil {
		doc, err = read(file, t)
	}
	var found []Change
	if err == nil {
		found, err = installed(doc, t, r)
	}
	if err != nil {
		st.Problem = err
		for _, name := range slices.Sorted(maps.Keys(r.Entries)) {
			st.Installed = append(st.Installed, Installed{Server: r.Entries[name].Server, Name: name, State: Broken})
		}
		return st
	}
	for _, f := range found {
		if r.Entries[f.Name].Out {
			delete(r.Entries, f.Name)
			continue
		}
		i := Installed{Server: f.Server, Name: f.Name, State: Missing}
		if f.Action == Removed {
			raw, _, _ := doc.Get(t.at(f.Name)...)
			i.State, i.Launch = m.state(r, f.Name, raw), decode(raw)
			i.Recorded = r.Entries[f.Name].Hash == hashEntry(raw)
		}
		st.Installed = append(st.Installed, i)
		delete(r.Entries, f.Name)
	}
	if t.only != nil {
		return st
	}
	// What remains has been replaced by someone else's entry of the same name.
	for _, name := range slices.Sorted(maps.Keys(r.Entries)) {
		if r.Entries[name].Out {
			continue
		}
		st.Installed = append(st.Installed, Installed{Server: r.Entries[name].Server, Name: name, State: Altered})
	}
	return st
}

func read(file *configfile.File, t Target) (*configfile.Document, error) {
	c, err := file.Read()
	if err != nil {
		return nil, err
	}
	return configfile.Parse(t.Path, c.Data, t.Client.Format)
}

func (m Machine) state(r record, name string, raw configfile.Raw) State {
	e := decode(raw)
	recorded, ok := r.Entries[name]
	switch {
	case e.Command != "" && !m.starts(e.Command):
		return Broken
	case ok && recorded.Hash != hashEntry(raw):
		return Altered
	}
	return OK
}

// starts reports whether there is a program command: a path, or a name on PATH.
func (m Machine) starts(command string) bool {
	if strings.ContainsAny(command, m.separators()) {
		return m.exists(command)
	}
	return m.onPath(command)
}

// HasDeadKey returns the path of the file beside t's in which someone has put servers under a name that the client
// doesn't read, "" if there is none.
func (t Target) HasDeadKey() string {
	if t.Client.DeadFile == "" {
		return ""
	}
	path := filepath.Join(filepath.Dir(t.Path), t.Client.DeadFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	// A file that can't be read is none of our business here.
	if doc, err := configfile.Parse(path, data, configfile.JSONC); err == nil {
		if _, there, _ := doc.Get(t.Client.DeadKey); there && !doc.Empty(t.Client.DeadKey) {
			return path
		}
	}
	return ""
}
