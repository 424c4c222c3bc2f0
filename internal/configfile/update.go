package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/mcpctl/mcpctl/internal/atomicfile"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
)

// Edit is what is to become of a file. The caller holds the lock, but the owner doesn't know of it: whenever it writes at the
// same time, Plan is asked again.
type Edit struct {
	// Plan makes of what the file holds what it shall hold; the zero Content deletes the file. It must do nothing but compute.
	Plan func(Content) (Content, error)
	// Ready is called before what Plan made is written; its error stops that. It may be nil.
	Ready func(Update) error
	// Stands reports whether what the last plan did is in a content that its owner has written since, with it or over it. nil
	// means that it never is.
	Stands func(Content) bool
	// Known reports whether a content is one that was left whole, so that it can't be half of what its owner is writing. nil
	// means that nobody knows.
	Known func(Content) bool
	// Keep are the paths of backups that stay, however old they are.
	Keep []string
}

// Update is what a File.Update did.
type Update struct {
	Before, After Content
	// Backup is the path of a copy of Before, "" if nothing changed or there was no file.
	Backup string
	// Folders are the folders that were made, outermost first.
	Folders []string
	// Replaced reports that After was in the file's place, whatever has come of it since: also if there is an error.
	Replaced bool
}

// Changed reports whether the file was to be written.
func (u Update) Changed() bool { return !u.Before.equal(u.After) }

// errMoved is an owner's write between our reading and our writing.
var errMoved = errors.New("the file changed meanwhile")

// tries is how often a file is planned anew before its owner is asked to leave it alone.
const tries = 3

// Update replaces what the file holds by what e plans. What its owner writes at the same time isn't lost: neither what comes
// before the replacement, nor what is written over it right after, nor what goes into the old file, to which an owner that
// writes in place still has a handle.
func (f *File) Update(dir state.Dir, e Edit) (u Update, err error) {
	replaced := false
	for range tries {
		u, err = f.try(dir, e)
		replaced = replaced || u.Replaced
		if u.Replaced = replaced; !errors.Is(err, errMoved) {
			return u, err
		}
	}
	what := "nothing was written"
	if u.Replaced && u.Backup != "" {
		what = "as it was: " + u.Backup
	}
	return u, problem.New("close that program, then try again", "%s: another program keeps writing it (%s)", f.path, what)
}

func (f *File) try(dir state.Dir, e Edit) (u Update, err error) {
	old, before, err := f.settled(e.Known)
	if err != nil {
		return u, err
	}
	defer old.Close()
	after, err := e.Plan(before)
	if err != nil {
		return u, err
	}
	u = Update{Before: before, After: after}
	if !u.Changed() {
		return u, nil
	}
	mode, err := f.writable()
	if err != nil {
		return u, err
	}
	if before.Exists {
		if u.Backup, err = f.backUp(dir, before.Data, e.Keep); err != nil {
			return u, err
		}
	}
	atomicfile.Sweep(f.path) // the lock says that no other mcpctl is writing
	if u.Folders, err = makeFolders(filepath.Dir(f.path), f.place.FolderMode); err == nil && e.Ready != nil {
		err = e.Ready(u)
	}
	if err == nil {
		err = f.replace(old, before, after, mode)
	}
	if err != nil {
		os.Remove(u.Backup)
		RemoveFolders(u.Folders)
		return u, explain(err)
	}
	return f.look(old, mode, e, u)
}

// look finds out what has become of an update that is in its place.
func (f *File) look(old *os.File, mode fs.FileMode, e Edit, u Update) (Update, error) {
	if late, err := lateWrite(old, u.Before); err != nil || late.Exists {
		// Its owner has the old file open and believes that it is the one. It gets its text back, and then the change.
		if err == nil {
			err = f.replace(old, u.After, late, mode)
		}
		if u.Replaced = err != nil; !u.Replaced {
			os.Remove(u.Backup)
		}
		return u, errors.Join(errMoved, err)
	}
	u.Replaced = true
	// The bytes that plan made are known to parse: if they are what the disk holds, so does the file.
	same, err := f.holds(u.After)
	if err == nil && same {
		return u, nil
	}
	now, content, err := f.settled(e.Known)
	if err != nil {
		return u, problem.With(err, "see what became of it; as it was: "+u.Backup)
	}
	now.Close()
	if content.equal(u.After) || e.Stands != nil && e.Stands(content) {
		return u, nil
	}
	return u, errMoved
}

// replace writes after, or deletes the file, provided that it still holds before. A file of its own takes after old, which may
// be nil.
func (f *File) replace(old *os.File, before, after Content, mode fs.FileMode) error {
	unchanged := func() error {
		if same, err := f.holds(before); err != nil || !same {
			return errors.Join(errMoved, err)
		}
		return nil
	}
	if after.Exists {
		return atomicfile.Replace(f.path, old, after.Data, mode, unchanged)
	}
	if err := unchanged(); err != nil {
		return err
	}
	return os.Remove(f.path)
}

const (
	// quiet is how long nobody must have written a file that is to be read as a whole, and quietBlank the same of one without
	// anything in it: programs that write in place make it empty first.
	quiet, quietBlank = 50 * time.Millisecond, 300 * time.Millisecond
	// quietLimit is the most that is waited for that.
	quietLimit = 2 * time.Second
)

// settled opens the file and reads it, once its owner seems to be done with writing. There is no file where the content
// doesn't exist; the file stays open but where that would be in the way of its replacement.
func (f *File) settled(known func(Content) bool) (*os.File, Content, error) {
	fail := func(err error) (*os.File, Content, error) {
		return nil, Content{}, problem.New("see its permissions: ls -l "+f.path, "%w", err)
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		file, err := os.Open(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, Content{}, nil
		}
		if err != nil {
			return fail(err)
		}
		c, wait, err := readQuiet(file)
		if err != nil {
			file.Close()
			return fail(err)
		}
		if wait > 0 && time.Since(start) < quietLimit && (known == nil || !known(c)) {
			file.Close()
			continue
		}
		if runtime.GOOS == "windows" { // which lets nobody replace an open file, us as little as an owner who writes
			file.Close()
			file = nil
		}
		return file, c, nil
	}
}

// readQuiet reads a file from its start, and returns how long it is too early to say that it isn't being written.
func readQuiet(file *os.File) (Content, time.Duration, error) {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<62))
	if err != nil {
		return Content{}, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return Content{}, 0, err
	}
	need, since := quiet, time.Since(info.ModTime())
	if len(bytes.TrimSpace(data)) == 0 {
		need = quietBlank
	}
	if since < 0 { // by another clock, as on a network's disk
		need = since
	}
	return Content{data, true}, need - since, nil
}

// lateWrite returns what the owner of old, a file that was replaced, has written to it since it held before; nothing if it
// hasn't.
func lateWrite(old *os.File, before Content) (Content, error) {
	if old == nil {
		return Content{}, nil
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, wait, err := readQuiet(old)
		if err != nil || c.equal(before) {
			return Content{}, err
		}
		if wait <= 0 || time.Since(start) > quietLimit {
			return c, nil
		}
	}
}

// holds reports whether the file holds c.
func (f *File) holds(c Content) (bool, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return !c.Exists, nil
	}
	if err != nil {
		return false, problem.New("see its permissions: ls -l "+f.path, "%w", err)
	}
	defer file.Close()
	rest, piece := c.Data, make([]byte, 64<<10)
	for {
		n, err := file.Read(piece)
		if !bytes.HasPrefix(rest, piece[:n]) {
			return false, nil
		}
		rest = rest[n:]
		switch {
		case err == io.EOF:
			return c.Exists && len(rest) == 0, nil
		case err != nil:
			return false, problem.New("try again", "%w", err)
		}
	}
}

// writable returns the mode to write the file with. A file without the owner's write bit could be replaced all the
// same, since that is the folder's business, but the bit says that someone doesn't want it to change.
func (f *File) writable() (fs.FileMode, error) {
	mode := f.place.FileMode
	if info, err := os.Stat(f.path); err == nil {
		if info.Mode().Perm()&0o200 == 0 {
			return 0, problem.New("chmod u+w "+f.path, "%s: read-only", f.path)
		}
		mode = info.Mode().Perm()
		if !mayWrite(f.path) {
			return 0, problem.New("let someone do it who may: ls -l "+f.path, "%s: you may not write it", f.path)
		}
	}
	folder := filepath.Dir(f.path)
	if info, err := os.Stat(folder); err == nil && folderReadOnly(info) {
		return 0, problem.New("chmod u+w "+folder, "%s: its folder is read-only", f.path)
	}
	return mode, nil
}

// explain adds what helps to an error of writing.
func explain(err error) error {
	switch why := whyNot(err); {
	case errors.Is(err, errMoved), problem.NextStep(err) != "":
		return err
	case why != "":
		return problem.With(err, why)
	case errors.Is(err, atomicfile.ErrOwner):
		return problem.With(err, "let its owner do it, as a member of its group: ls -l on the file says which that is")
	case errors.Is(err, fs.ErrPermission):
		return problem.With(err, "see the permissions of the file and its folder")
	}
	return problem.With(err, "remove the cause, then try again (nothing was written)")
}

// keptBackups is how many copies of one file are kept, beside those that are needed.
const keptBackups = 5

// backUp copies data into the state folder and returns where. Not beside the file: project folders get committed, and
// the file may hold keys of other servers.
func (f *File) backUp(dir state.Dir, data []byte, keep []string) (string, error) {
	folder, err := dir.Make("backups/" + f.ID())
	if err != nil {
		return "", err
	}
	// The time comes first and has a fixed width, so that names sort by age.
	name := time.Now().UTC().Format("20060102T150405.000000000Z") + "-" + filepath.Base(f.path)
	backup := filepath.Join(folder, name)
	if err := atomicfile.Write(backup, data, 0o600, nil); err != nil {
		return "", fmt.Errorf("back up %s: %w", f.path, err)
	}
	old, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	for _, e := range old[:max(0, len(old)-keptBackups)] {
		if path := filepath.Join(folder, e.Name()); !slices.Contains(keep, path) {
			os.Remove(path)
		}
	}
	return backup, nil
}
