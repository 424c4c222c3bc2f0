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
	mode, err := inheritOwner(file, old, mode)
	if err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil { // which a change of owner may have cut
		return err
	}
	inheritAttributes(file, old)
	return nil
}

// inheritOwner gives file old's owner and group, and returns the mode that it should have then. A container's user isn't in the group
// that has the same number at home, and nobody else is: without it nothing is lost, as long as the group in its place gains nothing.
func inheritOwner(file, old *os.File, mode fs.FileMode) (fs.FileMode, error) {
	theirs, err := owner(old)
	if err != nil {
		return mode, err
	}
	ours, err := owner(file)
	if err != nil {
		return mode, err
	}
	if theirs.Uid != ours.Uid && file.Chown(int(theirs.Uid), -1) != nil {
		return mode, ErrOwner
	}
	if theirs.Gid == ours.Gid || file.Chown(-1, int(theirs.Gid)) == nil {
		return mode, nil
	}
	everybody := mode&^0o070 | mode&7<<3
	if everybody != mode && theirs.Gid != theirs.Uid {
		return mode, ErrOwner
	}
	return everybody, nil
}

func owner(file *os.File) (*syscall.Stat_t, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return info.Sys().(*syscall.Stat_t), nil
}
