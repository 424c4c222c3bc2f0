package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoName: a file that gets no name is gone, and the target as it was.
func TestNoName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := func(string) (*temporary, error) {
		fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return named(path)
		}
		return &temporary{os.NewFile(uintptr(fd), filepath.Join(dir, "no", "f")), ""}, nil
	}
	err := write(nowhere, path, nil, []byte("new"), 0o600, nil)
	if data, readErr := os.ReadFile(path); readErr != nil || string(data) == "old" != errors.Is(err, errNoName) {
		t.Errorf("%v, then %q, %v", err, data, readErr)
	}
	alone(t, dir)
}
