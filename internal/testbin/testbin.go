// Package testbin builds mcpctl for tests that drive the program itself.
package testbin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	if out, err := exec.Command("go", "build", "-o", path, "github.com/mcpctl/mcpctl/cmd/mcpctl").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}
