//go:build !windows

package configfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mcpctl/mcpctl/internal/state"
)

// ownedBy is a file of some user.
type ownedBy struct {
	fs.FileInfo
	uid uint32
}

func (o ownedBy) Sys() any { return &syscall.Stat_t{Uid: o.uid} }

func TestSudo(t *testing.T) {
	tests := []struct {
		euid    int
		sudoUID string
		owner   uint32
		want    bool
	}{
		{0, "1000", 1000, true},
		{0, "1000", 0, false},    // sudo -i: root's own home
		{0, "", 1000, false},     // a container's root in a mounted folder
		{1000, "1000", 0, false}, // sudo -u USER
	}
	for _, tt := range tests {
		if got := madeRootBySudo(tt.euid, tt.sudoUID, ownedBy{uid: tt.owner}); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	// A file that doesn't exist yet belongs to whom its folder belongs.
	folder := t.TempDir()
	f, err := At(userFile(filepath.Join(folder, "a", "b", "mcp.json")))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUDO_UID", "1000")
	if unlock, err := f.Lock(t.Context(), state.At(t.TempDir())); err != nil {
		t.Error("refused where the folder is ours:", err)
	} else {
		unlock()
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(folder, 1000, 1000); err != nil {
			t.Fatal(err)
		}
		_, err := f.Lock(t.Context(), state.At(t.TempDir()))
		wantError(t, err, "belongs to another user than root")
	}
	if nearest(f.Path()).Name() != filepath.Base(folder) {
		t.Errorf("nearest is %s", nearest(f.Path()).Name())
	}
}
