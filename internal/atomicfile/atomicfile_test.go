package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, mode := range []os.FileMode{0o600, 0o644, 0o664} {
		if err := Write(path, []byte(mode.String()), mode, nil); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(data) != mode.String() || runtime.GOOS != "windows" && info.Mode().Perm() != mode {
			t.Errorf("%s: %q %v", mode, data, info.Mode())
		}
	}
	alone(t, dir)
}

// TestWriteStopped: when the check fails, the old file is there and nothing else.
func TestWriteStopped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := Write(path, []byte("new"), 0o600, func() error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("%q", data)
	}
	alone(t, dir)
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "no", "f"), nil, 0o600, nil); err == nil || strings.Contains(err.Error(), ".tmp") {
		t.Error(err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder, []byte("x"), 0o600, nil); err == nil {
		t.Error("a folder was replaced")
	}
	alone(t, dir)
}

// alone checks that no temporary file is left.
func alone(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
