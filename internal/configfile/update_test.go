package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

// underUpdate returns a file in whose place an update from old to new has just been put.
func underUpdate(t *testing.T) (f *File, old *os.File, u Update) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mcp.json")
	write(t, path, "old")
	old, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { old.Close() })
	if f, err = At(userFile(path)); err != nil {
		t.Fatal(err)
	}
	u = Update{Before: Content{[]byte("old"), true}, After: Content{[]byte("new"), true}, Backup: filepath.Join(t.TempDir(), "backup")}
	write(t, u.Backup, "old")
	write(t, path+".new", "new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return f, old, u
}

// TestWrittenOver: what an owner writes right after us either has our change in it, or gets it once more.
func TestWrittenOver(t *testing.T) {
	for _, stands := range []bool{true, false} {
		f, old, u := underUpdate(t)
		write(t, f.path, "new and more")
		asked := ""
		u, err := f.look(old, 0o600, Edit{Stands: func(c Content) bool { asked = string(c.Data); return stands }}, u)
		if asked != "new and more" || !u.Replaced || stands != (err == nil) || stands == errors.Is(err, errMoved) {
			t.Errorf("%v: asked about %q, %+v, %v", stands, asked, u.Replaced, err)
		}
		wantText(t, f.path, "new and more")
		wantText(t, u.Backup, "old")
	}
	f, old, u := underUpdate(t)
	if u, err := f.look(old, 0o600, Edit{}, u); err != nil || !u.Replaced {
		t.Errorf("nobody has written, and yet: %v", err)
	}
	wantText(t, f.path, "new")
}

// TestHalfWritten: a file that someone is about to write is read when that is done.
func TestHalfWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mcp.json")
	f, err := At(userFile(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as programs do first
		t.Fatal(err)
	}
	asked := 0
	known := func(c Content) bool {
		if asked++; asked == 1 {
			if err := os.WriteFile(path, []byte(`{"mine": 1}`), 0o600); err != nil {
				t.Error(err)
			}
		}
		return len(c.Data) > 0
	}
	u, err := f.Update(state.At(t.TempDir()), Edit{Plan: add("a"), Known: known})
	if err != nil || string(u.Before.Data) != `{"mine": 1}` {
		t.Errorf("%q, %v", u.Before.Data, err)
	}
	wantText(t, path, `{"mine": 1, "a": "x"}`)
}

func TestReadQuiet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, tc := range []struct {
		text string
		age  time.Duration
		wait bool
	}{
		{"{}", 0, true}, {"{}", time.Second, false}, {"{}", -time.Hour, false},
		{"", 0, true}, {" \n", quietBlank / 2, true}, {"", time.Second, false},
	} {
		write(t, path, tc.text)
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		wait := time.Duration(-1)
		for try := 0; try == 0 || try < 100 && wait <= 0 == tc.wait; try++ { // a machine that stands still for a moment ages the file
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-tc.age)); err != nil {
				t.Fatal(err)
			}
			var c Content
			if c, wait, err = readQuiet(file); err != nil || string(c.Data) != tc.text {
				t.Errorf("%q, %v", c.Data, err)
			}
		}
		if wait > 0 != tc.wait {
			t.Errorf("%q of %v: wait %v", tc.text, tc.age, wait)
		}
	}
}

// TestNeededBackup: the copy from which a file is put back isn't one of those that go with the time.
func TestNeededBackup(t *testing.T) {
	dir, path := state.At(t.TempDir()), filepath.Join(t.TempDir(), "mcp.json")
	write(t, path, "{}")
	var first string
	for i := range 7 {
		f, err := At(userFile(path))
		if err != nil {
			t.Fatal(err)
		}
		u, err := f.Update(dir, Edit{Plan: add(string(rune('a' + i))), Keep: []string{first}})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = u.Backup
		}
	}
	wantText(t, first, "{}")
	if all, _ := filepath.Glob(dir.Path("backups/*/*")); len(all) != keptBackups+1 {
		t.Errorf("%d backups", len(all))
	}
}
