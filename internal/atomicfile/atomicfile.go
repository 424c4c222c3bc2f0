// Package atomicfile replaces a file whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces the file at path, or makes it, with data and the permission bits of mode, whatever the umask.
// A reader, or a crash at any moment, finds the old file or the new one. The folder must exist; path is not
// followed if it is a symbolic link, it is replaced: resolve it first. If check is not nil it runs right
// before the replacement, and its error stops it.
//
// The temporary file lies beside the target, since a rename is atomic only within one file system.
func Write(path string, data []byte, mode fs.FileMode, check func() error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".mcpctl-*.tmp") // O_EXCL, 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Chmod(mode.Perm())
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = tmp.Close()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	if check != nil {
		if err = check(); err != nil {
			return err
		}
	}
	if err = rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("replace %s: %w", path, cause(err))
	}
	syncDir(dir)
	return nil
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
