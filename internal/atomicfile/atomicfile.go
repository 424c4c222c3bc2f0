// Package atomicfile replaces a file whole or not at all.
package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write replaces the file at path, or makes it, with data and the permission bits of mode, whatever the umask.
// A reader, or a crash at any moment, finds the old file or the new one. The folder must exist; path is not
// followed if it is a symbolic link, it is replaced: resolve it first. If check is not nil it runs right
// before the replacement, and its error stops it.
//
// The temporary file lies beside the target, since a rename is atomic only within one file system. A crash may leave it
// there: Sweep removes it. Where the system can, it has no name until it is complete, so that nearly no crash does.
func Write(path string, data []byte, mode fs.FileMode, check func() error) error {
	return Replace(path, nil, data, mode, check)
}

// Replace is Write for a file of which old, open for reading, is what is at path now: the new file has its owner, its group
// and, on Linux, its extended attributes, access control lists among them. What can't be had is ErrOwner. nil for old is any.
func Replace(path string, old *os.File, data []byte, mode fs.FileMode, check func() error) error {
	err := write(create, path, old, data, mode, check)
	if errors.Is(err, errNoName) {
		return write(named, path, old, data, mode, check)
	}
	return err
}

// ErrOwner is a file that would not be any more whose it is.
var ErrOwner = errors.New("replaced, it would have another owner or group")

// errNoName is a system that makes files without a name and then has none for them, as one without /proc.
var errNoName = errors.New("no name for the temporary file")

func write(create func(string) (*temporary, error), path string, old *os.File, data []byte, mode fs.FileMode, check func() error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			tmp.discard()
		}
	}()
	if _, err = tmp.Write(data); err == nil {
		err = inherit(tmp.File, old, mode.Perm())
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	if check != nil {
		if err = check(); err != nil {
			return err
		}
	}
	if err = tmp.finish(); err == nil {
		err = rename(tmp.name, path)
	}
	if err != nil {
		return fmt.Errorf("replace %s: %w", path, cause(err))
	}
	syncDir(dir)
	return nil
}

// temporary is a file that is yet to take another's place.
type temporary struct {
	*os.File
	// name is "" as long as the file has none.
	name string
}

// named makes a temporary file that has a name from the start.
func named(path string) (*temporary, error) {
	f, err := os.CreateTemp(filepath.Dir(path), prefix(path)+"*.tmp") // O_EXCL, 0600
	if err != nil {
		return nil, err
	}
	return &temporary{f, f.Name()}, nil
}

func (t *temporary) discard() {
	t.Close()
	if t.name != "" {
		os.Remove(t.name)
	}
}

// prefix is how the names of the temporary files for path start.
func prefix(path string) string {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return ".mcpctl-" + hex.EncodeToString(sum[:4]) + "-"
}

// Sweep removes what crashes have left of Writes to path. The caller makes sure that none is under way.
func Sweep(path string) {
	dir := filepath.Dir(path)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix(path)) && strings.HasSuffix(e.Name(), ".tmp") {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// cause strips the name of the temporary file, which means nothing to a reader, from an error.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}
