package configfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/testuser"
)

// TestOthersFile: that a folder lets someone replace a file isn't a leave to write it.
func TestOthersFile(t *testing.T) {
	if os.Geteuid() != 0 {
		return // nobody else can make a file of someone else
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "mcp.json")
	write(t, path, "{}")
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	dir := state.At(filepath.Join(folder, "state"))
	var err error
	testuser.Run(1000, func() { _, _, err = update(dir, userFile(path), add("a")) })
	wantError(t, err, path+": you may not write it")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	testuser.Run(1000, func() { _, _, err = update(dir, userFile(path), add("a")) })
	wantError(t, err, "another owner or group")
	wantText(t, path, "{}")
}
