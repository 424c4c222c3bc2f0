package configfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcpctl/mcpctl/internal/atomicfile"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
)

// Content is what a path holds: bytes, or nothing at all. The zero Content is a file that doesn't exist.
type Content struct {
	Data   []byte
	Exists bool
}

// Hash returns the SHA-256 of the bytes in hexadecimal, "" for a file that doesn't exist.
func (c Content) Hash() string {
	if !c.Exists {
		return ""
	}
	sum := sha256.Sum256(c.Data)
	return hex.EncodeToString(sum[:])
}

func (c Content) equal(o Content) bool {
	return c.Exists == o.Exists && string(c.Data) == string(o.Data)
}

// Place is a path with what has to be known to make something there.
type Place struct {
	// Path may be, or lead through, symbolic links.
	Path string
	// FileMode and FolderMode are the permission bits of a new file and of new folders.
	FileMode, FolderMode fs.FileMode
	// NoFolder is the error where the file's folder doesn't exist; nil means that it may be made.
	NoFolder error
}

// File is a file to be edited, links resolved.
type File struct {
	place Place
	path  string
}

// At looks at a place. A link that leads nowhere or in circles is refused: to follow it would be to guess where the
// owner wants the file, to replace it would cut the owner's file off.
func At(p Place) (*File, error) {
	resolved, err := resolve(p.Path)
	if err != nil {
		return nil, err
	}
	f := &File{place: p, path: resolved}
	info, err := os.Stat(resolved)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(resolved)); err != nil && p.NoFolder != nil {
			return nil, p.NoFolder
		}
		return f, nil
	case err != nil:
		return nil, problem.New("", "%w", err)
	case !info.Mode().IsRegular():
		return nil, problem.New("name a file with --config-path", "%s: not a regular file", resolved)
	}
	return f, nil
}

// Path returns the file's path, links resolved.
func (f *File) Path() string { return f.path }

// ID returns a name for the file, fit for names in the state folder.
func (f *File) ID() string {
	sum := sha256.Sum256([]byte(f.path))
	return hex.EncodeToString(sum[:8])
}

// Read returns what the file holds.
func (f *File) Read() (Content, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Content{}, nil
	}
	if err != nil {
		return Content{}, problem.New("see its permissions: ls -l "+f.path, "%w", err)
	}
	return Content{data, true}, nil
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

// Lock keeps other mcpctl processes away from the file. The lock lies in the state folder: it would be litter beside the
// file, and the owner knows nothing of it anyway.
//
// It refuses to go on under sudo where the file belongs, or would belong, to someone else.
func (f *File) Lock(ctx context.Context, dir state.Dir) (unlock func(), err error) {
	if underSudo(nearest(f.path)) {
		return nil, problem.New("run the same command without sudo", "%s: belongs to another user than root", f.path)
	}
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	unlock, err = dir.Lock(limited, "file-"+f.ID())
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, problem.New("wait for it to end, then try again", "%s: another mcpctl is at it for 30 seconds already", f.path)
	}
	return unlock, err
}

// Update is what a File.Update did.
type Update struct {
	Before, After Content
	// Backup is the path of a copy of Before, "" if nothing changed or there was no file.
	Backup string
	// Folders are the folders that were made, outermost first.
	Folders []string
}

// Changed reports whether the file was written.
func (u Update) Changed() bool { return !u.Before.equal(u.After) }

// errMoved is an owner's write between our reading and our writing.
var errMoved = errors.New("the file changed meanwhile")

// Update replaces what the file holds by what plan makes of it; a plan that returns the zero Content deletes the file. The
// caller holds the lock, but the owner doesn't know of it: if the file changes before ours is in place, plan is asked
// again, three times in all. plan must do nothing but compute. ready is called before what plan made is written; its error
// stops that.
func (f *File) Update(dir state.Dir, plan func(Content) (Content, error), ready func() error) (Update, error) {
	for range 3 {
		u, err := f.try(dir, plan, ready)
		if !errors.Is(err, errMoved) {
			return u, err
		}
	}
	return Update{}, problem.New("close that program, then try again", "%s: another program keeps writing it", f.path)
}

func (f *File) try(dir state.Dir, plan func(Content) (Content, error), ready func() error) (u Update, err error) {
	before, err := f.Read()
	if err != nil {
		return u, err
	}
	after, err := plan(before)
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
		if u.Backup, err = f.backUp(dir, before.Data); err != nil {
			return u, err
		}
	}
	atomicfile.Sweep(f.path) // the lock says that no other mcpctl is writing
	if u.Folders, err = makeFolders(filepath.Dir(f.path), f.place.FolderMode); err == nil {
		err = ready()
	}
	if err == nil {
		err = f.replace(before, after, mode)
	}
	if err != nil {
		os.Remove(u.Backup)
		RemoveFolders(u.Folders)
		return u, explain(err)
	}
	// The bytes that plan made are known to parse: if they are what the disk holds, so does the file.
	if same, err := f.holds(after); err != nil || !same {
		return u, problem.New("close that program, then try again", "%s: another program has written it right after mcpctl", f.path)
	}
	return u, nil
}

// replace writes after, or deletes the file, provided that it still holds before.
func (f *File) replace(before, after Content, mode fs.FileMode) error {
	unchanged := func() error {
		if same, err := f.holds(before); err != nil || !same {
			return errors.Join(errMoved, err)
		}
		return nil
	}
	if after.Exists {
		return atomicfile.Write(f.path, after.Data, mode, unchanged)
	}
	if err := unchanged(); err != nil {
		return err
	}
	return os.Remove(f.path)
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
	case errors.Is(err, fs.ErrPermission):
		return problem.With(err, "see the permissions of the file and its folder")
	}
	return problem.With(err, "remove the cause, then try again (nothing was written)")
}

// resolve follows the links in path. What doesn't exist yet is kept as it is.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil {
		return resolved, nil
	}
	if _, lstatErr := os.Lstat(path); lstatErr == nil {
		return "", problem.New("repair or remove the link", "%s: a link that leads nowhere: %w", path, err)
	} else if !errors.Is(lstatErr, fs.ErrNotExist) {
		return "", problem.New("see the permissions of its folders", "%w", lstatErr)
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path, nil
	}
	if parent, err = resolve(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}

// nearest describes path, or the innermost folder on the way to it that exists.
func nearest(path string) fs.FileInfo {
	for {
		info, err := os.Stat(path)
		if err == nil || path == filepath.Dir(path) {
			return info
		}
		path = filepath.Dir(path)
	}
}

// makeFolders makes dir and what it lies in, and returns what it made.
func makeFolders(dir string, mode fs.FileMode) (made []string, err error) {
	var missing []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		missing = append(missing, d)
	}
	slices.Reverse(missing)
	for _, d := range missing {
		if err := os.Mkdir(d, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, problem.New("see the permissions of the folder that it would lie in", "%w", err)
		}
		made = append(made, d)
	}
	return made, nil
}

// RemoveFolders removes those of folders, listed outermost first, that are empty.
func RemoveFolders(folders []string) {
	for _, d := range slices.Backward(folders) {
		// That it isn't empty is what this error says, nearly always.
		_ = os.Remove(d)
	}
}

// keptBackups is how many copies of one file are kept.
const keptBackups = 5

// backUp copies data into the state folder and returns where. Not beside the file: project folders get committed, and
// the file may hold keys of other servers.
func (f *File) backUp(dir state.Dir, data []byte) (string, error) {
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
		os.Remove(filepath.Join(folder, e.Name()))
	}
	return backup, nil
}
