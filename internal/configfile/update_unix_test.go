//go:build !windows

package configfile

import (
	"errors"
	"os"
	"testing"
)

// TestWrittenInPlace: an owner that has the old file open writes where nobody looks any more. That isn't
// lost. (On Windows nobody can replace a file that its owner has open.)
func TestWrittenInPlace(t *testing.T) {
	f, old, u := underUpdate(t)
	if err := errors.Join(old.Truncate(0), os.Chmod(f.path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if _, err := old.WriteAt([]byte("the owner's"), 0); err != nil {
		t.Fatal(err)
	}
	u, err := f.look(old, 0o640, Edit{Stands: func(Content) bool { return true }}, u)
	if !errors.Is(err, errMoved) || u.Replaced {
		t.Errorf("%+v, %v", u, err)
	}
	wantText(t, f.path, "the owner's")
	if _, err := os.Stat(u.Backup); !os.IsNotExist(err) {
		t.Errorf("the backup of an attempt stays: %v", err)
	}
	// A file that was deleted comes back.
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	u.After = Content{}
	if _, err := f.look(old, 0o640, Edit{}, u); !errors.Is(err, errMoved) {
		t.Error(err)
	}
	wantText(t, f.path, "the owner's")
}
