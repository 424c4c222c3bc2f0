//go:build !windows

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// inherit makes file one like old, with the given mode.
func inherit(file, old *os.File, mode fs.FileMode) error {
	if old == nil {
		return file.Chmod(mode)
	}
	if err := inheritOwner(file, old, mode); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil { // which a change of owner may have cut
		return err
	}
	inheritAttributes(file, old)
	return nil
}

func inheritOwner(file, old *os.File, mode fs.FileMode) error {
	theirs, err := owner(old)
	if err != nil {
		return err
	}
	ours, err := owner(file)
	if err != nil {
		return err
	}
	if theirs.Uid != ours.Uid && file.Chown(int(theirs.Uid), -1) != nil {
		return ErrOwner
	}
	// A group that may do what everybody may do makes no difference.
	if theirs.Gid != ours.Gid && file.Chown(-1, int(theirs.Gid)) != nil && mode>>3&7 != mode&7 {
		return ErrOwner
	}
	return nil
}

func owner(file *os.File) (*syscall.Stat_t, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return info.Sys().(*syscall.Stat_t), nil
}
