//go:build !windows

package configfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// whyNot says what keeps a file from being replaced, "" if err doesn't tell.
func whyNot(err error) string {
	if errors.Is(err, syscall.EBUSY) {
		// As containers make of single files.
		return "edit the file where it is mounted from: here it is a mount point, and can't be replaced"
	}
	return ""
}

// mayWrite reports whether this user may write the file itself. To replace it, the folder's permission would do.
func mayWrite(path string) bool {
	return !errors.Is(unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS), syscall.EACCES)
}

// folderReadOnly reports whether a folder's owner may not write in it. Root may all the same, and shouldn't.
func folderReadOnly(info fs.FileInfo) bool { return info.Mode().Perm()&0o200 == 0 }

func underSudo(info fs.FileInfo) bool {
	return madeRootBySudo(os.Geteuid(), os.Getenv("SUDO_UID"), info)
}

// madeRootBySudo reports whether sudo made the process root while what info describes belongs to someone else: a file
// that root writes there is one that its owner can't read any more.
func madeRootBySudo(euid int, sudoUID string, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && euid == 0 && sudoUID != "" && stat.Uid != 0
}
