package atomicfile

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// inheritAttributes copies what old has of extended attributes, as far as this user may: labels that the system gives by itself
// stay the system's.
func inheritAttributes(file, old *os.File) {
	from, to := int(old.Fd()), int(file.Fd())
	for _, name := range bytes.Split(attribute(func(room []byte) (int, error) { return unix.Flistxattr(from, room) }), []byte{0}) {
		if len(name) == 0 {
			continue
		}
		value := attribute(func(room []byte) (int, error) { return unix.Fgetxattr(from, string(name), room) })
		if value != nil {
			_ = unix.Fsetxattr(to, string(name), value, 0)
		}
	}
}

// attribute calls get, which tells how much room it wants if it has none, and returns nil where it fails.
func attribute(get func(room []byte) (int, error)) []byte {
	n, err := get(nil)
	if err != nil {
		return nil
	}
	room := make([]byte, n)
	if n, err = get(room); err != nil {
		return nil
	}
	return room[:n]
}
