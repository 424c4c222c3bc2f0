package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mcpctl/mcpctl/internal/atomicfile"
	"github.com/mcpctl/mcpctl/internal/state"
)

// File keeps keys as plain text in a file that only its owner can read. It is for machines without a keyring, and is
// used only where a person asked for it. There is no passphrase: nobody could type one for a bridge, and a key beside its
// lock would be theatre.
type File struct {
	path  string
	locks state.Dir
}

// NewFile returns the store in the file at path. Processes that change it take a lock in the state folder.
func NewFile(path string, locks state.Dir) *File { return &File{path, locks} }

// contents is what the file holds.
type contents struct {
	Warning string            `json:"_"`
	Items   map[string]record `json:"items"`
}

// Place implements Store.
func (f *File) Place(string) string { return f.path + " (plain text)" }

// Get implements Store.
func (f *File) Get(_ context.Context, name string) (Item, error) {
	c, err := f.read()
	if err != nil {
		return Item{}, err
	}
	r, ok := c.Items[name]
	if !ok {
		return Item{}, f.notFound()
	}
	item, ok := r.item()
	if !ok {
		return Item{}, NewError(Corrupt, "run mcpctl login --insecure-storage, which replaces it", "%s: the item %s isn't what mcpctl wrote", f.path, name)
	}
	return item, nil
}

// Set implements Store.
func (f *File) Set(ctx context.Context, name string, item Item) error {
	return f.change(ctx, func(c *contents) error {
		c.Items[name] = newRecord(item)
		return nil
	})
}

// Delete implements Store. With its last item the file goes too.
func (f *File) Delete(ctx context.Context, name string) error {
	if _, err := os.Lstat(f.path); errors.Is(err, fs.ErrNotExist) { // no lock file for nothing
		return f.notFound()
	}
	return f.change(ctx, func(c *contents) error {
		if _, ok := c.Items[name]; !ok {
			return f.notFound()
		}
		delete(c.Items, name)
		return nil
	})
}

func (f *File) notFound() error {
	return NewError(NotFound, "run: mcpctl login --insecure-storage", "%s holds no such key", f.path)
}

func (f *File) change(ctx context.Context, edit func(*contents) error) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Limit)
		defer cancel()
	}
	unlock, err := f.locks.Lock(ctx, "credentials")
	if err != nil && ctx.Err() == nil {
		return NewError(Failed, "see the permissions of the state folder, which holds the lock of that file", "%s: %w", f.path, err)
	}
	if err != nil {
		return NewError(Timeout, "wait for the other mcpctl to end, and try again", "%s: %w", f.path, err)
	}
	defer unlock()
	c, err := f.read()
	if err != nil {
		return err
	}
	if err := edit(&c); err != nil {
		return err
	}
	if len(c.Items) == 0 {
		return os.Remove(f.path)
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return NewError(Failed, "make the folder, or name another settings file with --config", "%w", err)
	}
	if err := checkFolder(dir); err != nil {
		return err
	}
	c.Warning = "API keys in plain text, by mcpctl login --insecure-storage"
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(f.path, append(data, '\n'), 0o600, nil)
}

// errIrregular is a name for something that mcpctl hasn't put there.
var errIrregular = errors.New("it isn't a regular file but perhaps a symbolic link, which may lead anywhere")

// read returns what the file holds, nothing if there is none. It refuses a file that another user may have written, or
// can read.
func (f *File) read() (contents, error) {
	c := contents{Items: map[string]record{}}
	file, err := open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if errors.Is(err, errIrregular) {
		return c, f.refuse(err.Error())
	}
	if err != nil {
		return c, NewError(Failed, "check who may read it", "%w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return c, NewError(Failed, "check who may read it", "%w", err)
	}
	if !info.Mode().IsRegular() {
		return c, f.refuse(errIrregular.Error())
	}
	if why := exposure(info, 0o077); why != "" {
		return c, f.refuse(why)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return c, NewError(Failed, "check who may read it", "%w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Items == nil {
		return c, NewError(Corrupt, "delete it and run mcpctl login again", "%s isn't what mcpctl wrote", f.path)
	}
	return c, nil
}

func (f *File) refuse(why string) error {
	return NewError(Denied, fmt.Sprintf("if you trust it: chmod 600 %q; else delete it, revoke its keys and run mcpctl login again", f.path),
		"%s is not safe to use: %s", f.path, why)
}

// checkFolder refuses a folder in which another user could replace the file.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return NewError(Failed, "check the path", "%w", err)
	}
	if why := exposure(info, 0o022); why != "" {
		return NewError(Denied, fmt.Sprintf("chmod 700 %q, or name another settings file with --config", dir),
			"the folder %s is not safe for keys: %s", dir, why)
	}
	return nil
}
