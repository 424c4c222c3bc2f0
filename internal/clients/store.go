package clients

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/state"
)

// Scope says whose file it is.
type Scope string

// The scopes: the user's own file, or one that lies in a project and is shared with it.
const (
	User    Scope = "user"
	Project Scope = "project"
)

// Target is one file of one client.
type Target struct {
	Client Client
	Scope  Scope
	Path   string
	// NoFolder is the error where the file's folder doesn't exist; nil means that it may be made.
	NoFolder error
	// Within is where in the file the servers are, if not under the client's Key.
	Within []string
	// only names the entries that are meant; nil means all.
	only []string
}

func (t Target) open() (*configfile.File, error) {
	p := configfile.Place{Path: t.Path, FileMode: 0o600, FolderMode: 0o700, NoFolder: t.NoFolder}
	if t.Scope == Project {
		p.FileMode, p.FolderMode = 0o644, 0o755
	}
	return configfile.At(p)
}

// at returns the path of names below what holds the servers.
func (t Target) at(names ...string) []string {
	if t.Within == nil {
		return append([]string{t.Client.Key}, names...)
	}
	return append(slices.Clone(t.Within), names...)
}

// Action is what happened, or would, to an entry. The words are part of the command line's promise.
type Action string

// The actions of install and uninstall.
const (
	Added       Action = "added"
	Updated     Action = "updated"
	Unchanged   Action = "unchanged"
	WouldAdd    Action = "would-add"
	WouldUpdate Action = "would-update"
	Removed     Action = "removed"
	WouldRemove Action = "would-remove"
	Absent      Action = "absent"
)

// Change is what happened to one entry.
type Change struct {
	Server, Name string
	Action       Action
}

// Outcome is what an install or uninstall did to one file.
type Outcome struct {
	// Path is the file, links resolved.
	Path    string
	Changes []Change
	// Backup is a copy of the file as it was, "" if it wasn't written or is new.
	Backup string
	// Diff is the unified diff of a dry run, strings that aren't mcpctl's masked.
	Diff string
	// Lost names what stood in mcpctl's entries, and couldn't stay in what replaces them, as "linear: env.NAME".
	Lost []string
	// Deleted reports that the file was mcpctl's and is gone.
	Deleted bool
}

// Store installs entries and remembers what it did.
type Store struct{ dir state.Dir }

// NewStore returns the store in the state folder dir.
func NewStore(dir state.Dir) Store { return Store{dir} }

// record is what mcpctl did to one file. It lies in a 0600 file, since an entry that was replaced may hold a key.
type record struct {
	Client string `json:"client"`
	Scope  Scope  `json:"scope"`
	Path   string `json:"path"`
	// Within is the target's.
	Within []string `json:"within,omitempty"`
	// Before is the file's hash before mcpctl's first change, and Backup its copy; After is the hash since its last one.
	// As long as the file still has that, and mcpctl touched only what it has recorded, taking the last entry out means to
	// put the file back byte by byte. "" for After means that this isn't so any more.
	Before string `json:"before"`
	After  string `json:"after"`
	Backup string `json:"backup"`
	// What mcpctl made: the file, the member that holds the servers, folders, outermost first.
	MadeFile    bool                   `json:"made_file"`
	MadeKey     bool                   `json:"made_key"`
	MadeFolders []string               `json:"made_folders"`
	Entries     map[string]entryRecord `json:"entries"`
}

// entryRecord is one entry as mcpctl left it.
type entryRecord struct {
	Server string `json:"server"`
	Hash   string `json:"hash"`
	// URL is the address in an entry without a bridge.
	URL string `json:"url,omitempty"`
	// Previous is the text of the foreign entry that was replaced, or taken out if Out is set.
	Previous string `json:"previous,omitempty"`
	Out      bool   `json:"out,omitempty"`
}

func hashEntry(raw configfile.Raw) string {
	sum := sha256.Sum256([]byte(raw.Canonical()))
	return hex.EncodeToString(sum[:])
}

// owns reports whether mcpctl put the entry called name there, by its record or by its look. One without a bridge looks
// like anyone's, so that it takes a record of its address.
func (r record) owns(name string, raw configfile.Raw) bool {
	recorded, ok := r.Entries[name]
	if !ok && !raw.Mentions("mcpctl") {
		return false
	}
	e := decode(raw)
	return ok && (recorded.Hash == hashEntry(raw) || e.Command == "" && e.URL != "" && e.URL == recorded.URL) || e.ours()
}

// recordID names the record of what mcpctl did to t, whose file is file. The first client's record has the file's name; so do
// those of others that keep their servers in the same place.
func (s Store) recordID(t Target, file *configfile.File) string {
	if t.Within != nil {
		return partID(file, t.Within)
	}
	own := partID(file, []string{t.Client.Key})
	if found, _ := s.dir.Read(recordName(own), &record{}); found {
		return own
	}
	var first record
	if found, _ := s.dir.Read(recordName(file.ID()), &first); !found {
		return file.ID()
	}
	if c, known := Lookup(first.Client); known && c.Key != t.Client.Key {
		return own
	}
	return file.ID()
}

// partID names a record of a place within a file.
func partID(file *configfile.File, within []string) string {
	sum := sha256.Sum256([]byte(strings.Join(within, "\x00")))
	return file.ID() + "-" + hex.EncodeToString(sum[:8])
}

func recordName(id string) string { return "installs/" + id + ".json" }

func (s Store) load(id string) (record, error) {
	var r record
	if _, err := s.dir.Read(recordName(id), &r); err != nil {
		return r, err
	}
	if r.Entries == nil {
		r.Entries = map[string]entryRecord{}
	}
	return r, nil
}

// save writes the record; one without entries has nothing to say and is deleted.
func (s Store) save(id string, r record) error {
	if len(r.Entries) > 0 {
		return s.dir.Write(recordName(id), r)
	}
	if err := os.Remove(s.dir.Path(recordName(id))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// plan is what is to become of a file: computed from its content and the record, touching neither.
type plan struct {
	after   configfile.Content
	record  record
	changes []Change
	// written names the entries that mcpctl writes, which may be shown.
	written map[string]Entry
	// lost is the outcome's.
	lost []string
}

type planner func(record, configfile.Content) (plan, error)

// edit runs a planner against t's file: for a dry run only to tell what it would do.
func (s Store) edit(ctx context.Context, t Target, dryRun bool, planned planner) (Outcome, error) {
	file, err := t.open()
	if err != nil {
		return Outcome{}, err
	}
	if dryRun {
		return s.preview(t, file, planned)
	}
	return s.apply(ctx, file, []*job{{target: t, planned: planned}})
}

// job is what is to be done to one place of a file.
type job struct {
	target  Target
	planned planner
	old     record
	plan    plan
}

// apply does all jobs, one after the other, in one write.
func (s Store) apply(ctx context.Context, file *configfile.File, jobs []*job) (Outcome, error) {
	unlock, err := file.Lock(ctx, s.dir)
	if err != nil {
		return Outcome{}, err
	}
	defer unlock()
	for _, j := range jobs {
		if j.old, err = s.load(s.recordID(j.target, file)); err != nil {
			return Outcome{}, err
		}
	}
	update, err := file.Update(s.dir, configfile.Edit{
		Plan: func(content configfile.Content) (configfile.Content, error) {
			for _, j := range jobs {
				if j.plan, err = j.planned(j.old, content); err != nil {
					return content, err
				}
				content = j.plan.after
			}
			return content, nil
		},
		Ready:  func(u configfile.Update) error { return s.saveTaken(file, jobs, u) },
		Stands: func(now configfile.Content) bool { return stand(jobs, now) },
		Known: func(c configfile.Content) bool {
			return slices.ContainsFunc(jobs, func(j *job) bool { return j.old.After != "" && j.old.After == c.Hash() })
		},
		Keep: s.backups(file),
	})
	if err != nil && !update.Replaced {
		return Outcome{}, errors.Join(err, s.forgetTaken(file, jobs))
	}
	out := Outcome{Path: file.Path(), Backup: update.Backup, Deleted: update.Changed() && !update.After.Exists}
	errs := []error{err}
	for _, j := range jobs {
		out.Changes, out.Lost = append(out.Changes, j.plan.changes...), append(out.Lost, j.plan.lost...)
		errs = append(errs, s.save(s.recordID(j.target, file), j.record(file, update)))
		if out.Deleted {
			configfile.RemoveFolders(j.old.MadeFolders)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Outcome{}, err
	}
	return out, nil
}

// stand reports whether now, which isn't what jobs have made of the file, has all the same what they did to the entries.
func stand(jobs []*job, now configfile.Content) bool {
	for _, j := range jobs {
		t := j.target
		made, err := configfile.Parse(t.Path, j.plan.after.Data, t.Client.Format)
		if err != nil {
			return false
		}
		found, err := configfile.Parse(t.Path, now.Data, t.Client.Format)
		if err != nil {
			return false
		}
		for _, c := range j.plan.changes {
			want, wanted, err := made.Get(t.at(c.Name)...)
			got, there, gotErr := found.Get(t.at(c.Name)...)
			if err != nil || gotErr != nil || wanted != there || want.Canonical() != got.Canonical() {
				return false
			}
		}
	}
	return true
}

// backups are the copies of file that records name.
func (s Store) backups(file *configfile.File) []string {
	var paths []string
	for _, name := range s.dir.List("installs", file.ID()+"*.json") {
		var r record
		if found, _ := s.dir.Read(name, &r); found && r.Backup != "" {
			paths = append(paths, r.Backup)
		}
	}
	return paths
}

// record is what is to be remembered after update.
func (j *job) record(file *configfile.File, update configfile.Update) record {
	r := j.plan.record
	if !update.Changed() {
		return r
	}
	if r.Client == "" { // a file may be shared: it stays with the client that it was written for first
		t := j.target
		r.Client, r.Scope, r.Path, r.Within = t.Client.ID, t.Scope, file.Path(), t.Within
	}
	r.MadeFolders = append(r.MadeFolders, update.Folders...)
	if len(j.old.Entries) == 0 || j.old.gone(update.Before) {
		r.Backup = update.Backup
	}
	return r
}

// gone reports whether the file that r is about has been deleted, before became what it is.
func (r record) gone(before configfile.Content) bool { return len(r.Entries) > 0 && !before.Exists }

// saveTaken remembers what is taken from its owner before it is gone from the file.
func (s Store) saveTaken(file *configfile.File, jobs []*job, update configfile.Update) error {
	for _, j := range jobs {
		if !j.plan.record.takes(j.old) {
			continue
		}
		if err := s.save(s.recordID(j.target, file), j.record(file, update)); err != nil {
			return err
		}
	}
	return nil
}

// forgetTaken undoes saveTaken where nothing was taken after all.
func (s Store) forgetTaken(file *configfile.File, jobs []*job) error {
	var errs []error
	for _, j := range jobs {
		if j.plan.record.takes(j.old) {
			errs = append(errs, s.save(s.recordID(j.target, file), j.old))
		}
	}
	return errors.Join(errs...)
}

// takes reports whether r keeps something of its owner's that old doesn't.
func (r record) takes(old record) bool {
	for name, e := range r.Entries {
		if e.Previous != "" && e.Previous != old.Entries[name].Previous {
			return true
		}
	}
	return false
}

func (s Store) preview(t Target, file *configfile.File, planned planner) (Outcome, error) {
	r, err := s.load(s.recordID(t, file))
	if err != nil {
		return Outcome{}, err
	}
	before, err := file.Read()
	if err != nil {
		return Outcome{}, err
	}
	p, err := planned(r, before)
	if err != nil {
		return Outcome{}, err
	}
	would := map[Action]Action{Added: WouldAdd, Updated: WouldUpdate, Removed: WouldRemove}
	for i, c := range p.changes {
		if w, ok := would[c.Action]; ok {
			p.changes[i].Action = w
		}
	}
	diff, err := maskedDiff(t, r, before, p)
	return Outcome{Path: file.Path(), Changes: p.changes, Diff: diff, Lost: p.lost}, err
}
