package atomicfile

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// create makes a file without a name, which the kernel takes away if this process dies. Not every file system can.
func create(path string) (*temporary, error) {
	fd, err := unix.Open(filepath.Dir(path), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return named(path)
	}
	return &temporary{os.NewFile(uintptr(fd), path), ""}, nil
}

// finish gives the file a name, from which it is then renamed: a link can't take another's place.
func (t *temporary) finish() error {
	defer t.Close()
	if t.name != "" {
		return nil
	}
	name := filepath.Join(filepath.Dir(t.File.Name()), prefix(t.File.Name())+rand.Text()+".tmp")
	if err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", t.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW); err != nil {
		return errNoName
	}
	t.name = name
	return nil
}
