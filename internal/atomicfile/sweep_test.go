package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "a[1].json"), filepath.Join(dir, "b.json")
	for _, p := range []string{path, path, other} {
		tmp, err := named(p)
		if err != nil {
			t.Fatal(err)
		}
		tmp.Close()
	}
	if err := Write(path, []byte("x"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	Sweep(path)
	left, err := filepath.Glob(filepath.Join(dir, prefix(other)+"*.tmp"))
	if err != nil || len(left) != 1 {
		t.Errorf("another file's are gone: %v, %v", left, err)
	}
	os.Remove(left[0])
	alone(t, dir)
}

// TestNamed writes as on a system where every file has a name.
func TestNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := write(named, path, nil, []byte("x"), 0o640, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
	alone(t, filepath.Dir(path))
}
