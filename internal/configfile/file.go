package configfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

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
