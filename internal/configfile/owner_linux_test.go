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
	folder := testuser.Folder(t)
	path := filepath.Join(folder, "mcp.json")
	write(t, path, "{}")
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
