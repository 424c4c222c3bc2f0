// Package state is the folder in which mcpctl remembers what it did: records and the locks that guard them.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/mcpctl/mcpctl/internal/atomicfile"
)

// Dir is the state folder. Folders in it are 0700, files 0600.
type Dir struct{ path string }

// At returns the state folder at path, which is made when something is first written to it.
func At(path string) Dir { return Dir{path} }

// Path returns the path of name, slash-separated, inside the folder.
func (d Dir) Path(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }

// Make makes the folder name inside the state folder, and returns its path.
func (d Dir) Make(name string) (string, error) {
	p := d.Path(name)
	if err := os.MkdirAll(p, 0o700); err != nil {
		return "", fmt.Errorf("make the state folder: %w", err)
	}
	return p, nil
}

// Read decodes the JSON file name into v, and reports whether there was one.
func (d Dir) Read(name string, v any) (bool, error) {
	data, err := os.ReadFile(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s: %w", d.Path(name), err)
	}
	return true, nil
}

// Write replaces the JSON file name by v, whole or not at all.
func (d Dir) Write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if _, err := d.Make(filepath.ToSlash(filepath.Dir(filepath.FromSlash(name)))); err != nil {
		return err
	}
	return atomicfile.Write(d.Path(name), append(data, '\n'), 0o600, nil)
}

// Lock takes the lock called name, waiting for it until ctx ends. The operating system frees it when the process
// dies, however it dies. The lock file stays: deleting it would let two processes hold "the same" lock.
func (d Dir) Lock(ctx context.Context, name string) (unlock func(), err error) {
	l, err := d.lockFile(name)
	if err != nil {
		return nil, err
	}
	ok, err := l.TryLockContext(ctx, 20*time.Millisecond)
	if err != nil || !ok {
		return nil, fmt.Errorf("wait for the lock %s: %w", l.Path(), err)
	}
	return func() { _ = l.Unlock() }, nil
}

// TryLock takes the lock called name if it is free, and reports whether it was.
func (d Dir) TryLock(name string) (unlock func(), ok bool, err error) {
	l, err := d.lockFile(name)
	if err != nil {
		return nil, false, err
	}
	ok, err = l.TryLock()
	if err != nil || !ok {
		return nil, false, err
	}
	return func() { _ = l.Unlock() }, true, nil
}

func (d Dir) lockFile(name string) (*flock.Flock, error) {
	if _, err := d.Make("locks"); err != nil {
		return nil, err
	}
	return flock.New(d.Path("locks/"+name+".lock"), flock.SetPermissions(0o600)), nil
}

// List returns the names of the files in a folder of the state folder that fit a pattern (see path.Match), in order. What can't
// be read has none.
func (d Dir) List(folder, pattern string) []string {
	entries, err := os.ReadDir(d.Path(folder)) // sorted
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if fits, _ := path.Match(pattern, e.Name()); fits && e.Type().IsRegular() {
			names = append(names, folder+"/"+e.Name())
		}
	}
	return names
}
