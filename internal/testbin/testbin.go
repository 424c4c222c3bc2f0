// Package testbin builds mcpctl for tests that drive the program itself.
package testbin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Build builds the program as it is built for users, into a new folder, and returns the path of the file. The caller
// removes the folder.
func Build() (string, error) {
	dir, err := os.MkdirTemp("", "mcpctl-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mcpctl")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", "build", "-o", path, "github.com/mcpctl/mcpctl/cmd/mcpctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	} else {
		err = lookAtSource()
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	return path, nil
}

// lookAtSource lists the folders that the program is built from. The go command remembers what a test has looked at, and takes an old
// result for a new one as long as that is the same; of what a build within the test reads it knows nothing.
func lookAtSource() error {
	root, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(root, "go.mod")); statErr == nil {
			break
		}
		if filepath.Dir(root) == root {
			err = errors.New("there is no go.mod here or above")
		}
		root = filepath.Dir(root)
	}
	for _, dir := range []string{"cmd", "internal"} {
		if err == nil {
			err = filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		}
	}
	return err
}

// Shared is the program, built once for all tests of a package. The zero value is ready.
type Shared struct {
	once sync.Once
	path string
	err  error
}

// Path returns the path of the file, which the first call builds: during a test, not before (see lookAtSource).
func (s *Shared) Path(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.path, s.err = Build() })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.path
}

// Remove removes it. It is for after the last test.
func (s *Shared) Remove() {
	if s.path != "" {
		os.RemoveAll(filepath.Dir(s.path))
	}
}
