package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/adopt"
	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

// adoption is an entry that can be taken over.
type adoption struct {
	target clients.Target
	// instead is the file that the client reads in place of the target's, nil if it reads that.
	instead *clients.Target
	entry   clients.Foreign
	found   adopt.Found
	// key is the one that stands in the entry, nil if none does.
	key *foundKey
	// ours is what is to be there.
	ours clients.Entry
	// blocked says that it can't be written, done that it was.
	blocked, done bool
}

func (d adoption) String() string {
	text := d.target.Client.Name + ": " + render.Clean(d.entry.Name)
	if folder := d.target.Folder(); folder != "" {
		text += " (for " + render.Clean(folder) + ")"
	}
	return text
}

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
	store, machine := clients.NewStore(a.state()), clients.On(a.host)
	var places []clients.Hidden
	for _, p := range store.Places(machine, folder) {
		if p.Within == nil {
			places = append(places, clients.Hidden{Target: p.Target})
		}
	}
	for _, c := range clients.All() {
		places = append(places, store.Hidden(machine, c, folder)...)
	}
	seen := map[string]bool{} // some clients share a file
	for _, p := range places {
		id := strings.Join(append([]string{p.Path}, p.Within...), "\x00")
		if o.client != "" && p.Client.ID != o.client || seen[id] {
			continue
		}
		seen[id] = true
		entries, err := store.Foreign(p.Target)
		if err != nil {
			a.report(err)
			unread = errSilent
		}
		for _, e := range entries {
			if f, ok := adopt.Recognise(s.GatewayURL, p.Client, e.Name, e.Launch); ok {
				a.redact.Hide(f.Key)
				found = append(found, &adoption{target: p.Target, instead: p.Instead, entry: e, found: f})
			}
		}
	}
	for _, d := range found {
		if err := a.nameTaken(store, d, found); err != nil {
			a.report(err)
			d.blocked, unread = true, errSilent
		}
	}
	return found, unread, nil
}

// nameTaken is the error of an entry that has to move to another file, where its name is that of something else.
func (a *app) nameTaken(store clients.Store, d *adoption, found []*adoption) error {
	if d.instead == nil {
		return nil
	}
	there, err := store.Foreign(*d.instead)
	if err != nil {
		return nil // said already
	}
	taken := slices.ContainsFunc(there, func(f clients.Foreign) bool { return f.Name == d.entry.Name })
	adopted := slices.ContainsFunc(found, func(o *adoption) bool {
		return o.instead == nil && o.target.Path == d.instead.Path && o.entry.Name == d.entry.Name
	})
	if !taken || adopted {
		return nil
	}
	return problem.New("rename one of the two, then adopt again", "%s in %s can't move to %s: another entry has its name there",
		d, d.target.Path, d.instead.Path)
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

// adoptEdit is one write: what becomes of the entries of one place.
type adoptEdit struct {
	target  clients.Target
	entries []clients.Entry
	// here are the adoptions whose entry stands here.
	here []*adoption
	// first has to succeed before this one; nil if nothing has.
	first  *adoptEdit
	failed bool
}

// editsOf makes one write per place, but for what is blocked. What a client doesn't read is written to where it does, and then
// taken out.
func editsOf(found []*adoption) []*adoptEdit {
	found = slices.DeleteFunc(slices.Clone(found), func(d *adoption) bool { return d.blocked })
	var edits []*adoptEdit
	at := func(t clients.Target) *adoptEdit {
		i := slices.IndexFunc(edits, func(e *adoptEdit) bool {
			return e.target.Path == t.Path && slices.Equal(e.target.Within, t.Within)
		})
		if i < 0 {
			i = len(edits)
			edits = append(edits, &adoptEdit{target: t})
		}
		return edits[i]
	}
	for _, d := range found {
		if d.instead == nil {
			e := at(d.target)
			e.entries, e.here = append(e.entries, d.ours), append(e.here, d)
		}
	}
	for _, d := range found {
		if d.instead == nil {
			continue
		}
		live, dead := at(*d.instead), at(d.target)
		entry := d.ours
		entry.Over, entry.From = configfile.Raw{}, entry.Over
		if !slices.ContainsFunc(live.entries, func(e clients.Entry) bool { return e.Name == entry.Name }) {
			live.entries = append(live.entries, entry)
		}
		entry.From, entry.Over, entry.Out = configfile.Raw{}, d.entry.Raw, true
		dead.entries, dead.here, dead.first = append(dead.entries, entry), append(dead.here, d), live
	}
	return edits
}
