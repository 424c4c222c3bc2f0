//go:build !windows

package credential

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// open opens the file at path for reading. It doesn't follow a symbolic link, and doesn't wait for a writer of a pipe. Looking
// at the name first would not do: between the two, another process may replace the file, as each one that stores a key does.
func open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	// The systems disagree on the error for a link.
	if info, lstatErr := os.Lstat(path); lstatErr == nil && !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	return nil, err
}

// exposure says why another user may have had a hand in a file or folder: a foreign owner, or a permission of forbidden.
func exposure(info fs.FileInfo, forbidden fs.FileMode) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("it belongs to another user (uid %d)", stat.Uid)
	}
	if info.Mode().Perm()&forbidden != 0 {
		return fmt.Sprintf("its mode is %#o, which lets other users in", info.Mode().Perm())
	}
	return ""
}
