package configfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
)

func userFile(path string) Place { return Place{Path: path, FileMode: 0o600, FolderMode: 0o700} }

// add is a plan that adds a member to the root.
func add(name string) func(Content) (Content, error) {
	return func(before Content) (Content, error) {
		d, err := Parse("f.json", before.Data, JSONC)
		if err != nil {
			return Content{}, err
		}
		err = d.Set("x", name)
		return Content{d.Bytes(), true}, err
	}
}

func update(dir state.Dir, p Place, plan func(Content) (Content, error)) (*File, Update, error) {
	f, err := At(p)
	if err != nil {
		return nil, Update{}, err
	}
	u, err := f.Update(dir, Edit{Plan: plan})
	return f, u, err
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// Nobody is writing it any more.
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

func wantText(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s: %q, %v, want %q", path, got, err, want)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || problem.NextStep(err) == "" {
		t.Errorf("error %v with next step %q, want %q", err, problem.NextStep(err), want)
	}
}

func wantNames(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %v (%v), want %v", folder, got, err, want)
	}
}

func TestUpdateFollowsLinks(t *testing.T) {
	dir, folder := state.At(t.TempDir()), t.TempDir()
	real := filepath.Join(folder, "dotfiles", "real.json")
	if err := os.Mkdir(filepath.Dir(real), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, real, "{}\n")
	// A chain: mcp.json, relative, to b.json, absolute, to the file.
	link, b := filepath.Join(folder, "mcp.json"), filepath.Join(folder, "b.json")
	if err := errors.Join(os.Symlink(real, b), os.Symlink("b.json", link)); err != nil {
		t.Fatal(err)
	}
	_, u, err := update(dir, userFile(link), add("a"))
	if err != nil || !u.Changed() {
		t.Fatal(u, err)
	}
	wantText(t, real, "{\n  \"a\": \"x\"\n}\n")
	if target, err := os.Readlink(link); err != nil || target != "b.json" {
		t.Errorf("the link is %q, %v", target, err)
	}
	wantNames(t, folder, "b.json", "dotfiles", "mcp.json")
	wantNames(t, filepath.Dir(real), "real.json")

	// A folder that is a link, for a file that doesn't exist yet.
	if err := os.Symlink("dotfiles", filepath.Join(folder, "linked")); err != nil {
		t.Fatal(err)
	}
	f, _, err := update(dir, userFile(filepath.Join(folder, "linked", "new.json")), add("a"))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, "dotfiles", "new.json"); f.Path() != want {
		t.Errorf("%s, want %s", f.Path(), want)
	}
}

func TestAtRefuses(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	err := errors.Join(
		os.Symlink("nowhere", in("dangling")),
		os.Symlink("loop-b", in("loop-a")), os.Symlink("loop-a", in("loop-b")),
		os.Mkdir(in("folder"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{"dangling", "a link that leads nowhere"},
		{"dangling/mcp.json", "a link that leads nowhere"},
		{"loop-a", "a link that leads nowhere"},
		{"folder", "not a regular file"},
	}
	for _, tt := range tests {
		_, err := At(userFile(in(tt.path)))
		wantError(t, err, tt.want)
	}
	p := userFile(in("absent/mcp.json"))
	p.NoFolder = problem.New("start it", "not installed")
	if _, err = At(p); err != p.NoFolder {
		t.Errorf("no folder: %v", err)
	}
}

func TestUpdateModes(t *testing.T) {
	dir, folder := state.At(t.TempDir()), t.TempDir()
	old := filepath.Join(folder, "old.json")
	write(t, old, "{}")
	if err := os.Chmod(old, 0o640); err != nil {
		t.Fatal(err)
	}
	user := filepath.Join(folder, "user", "deep", "mcp.json")
	project := Place{Path: filepath.Join(folder, "project", "mcp.json"), FileMode: 0o644, FolderMode: 0o755}
	for _, p := range []Place{userFile(old), userFile(user), project} {
		if _, _, err := update(dir, p, add("a")); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]fs.FileMode{
		old: 0o640, user: 0o600, filepath.Dir(user): 0o700, filepath.Join(folder, "user"): 0o700,
		project.Path: 0o644, filepath.Dir(project.Path): 0o755,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

func TestUpdateRefusesReadOnly(t *testing.T) {
	dir, folder := state.At(t.TempDir()), t.TempDir()
	path := filepath.Join(folder, "mcp.json")
	write(t, path, "{}")
	chmod := func(path string, mode fs.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(path, 0o444)
	_, _, err := update(dir, userFile(path), add("a"))
	wantError(t, err, path+": read-only")
	chmod(path, 0o644)
	chmod(folder, 0o555)
	_, _, err = update(dir, userFile(path), add("a"))
	wantError(t, err, path+": its folder is read-only")
	_, _, err = update(dir, userFile(filepath.Join(folder, "new.json")), add("a"))
	wantError(t, err, "its folder is read-only")
	chmod(folder, 0o755)
	wantText(t, path, "{}")
	wantNames(t, folder, "mcp.json")
	if backups, _ := filepath.Glob(dir.Path("backups/*/*")); len(backups) > 0 {
		t.Errorf("left %v", backups)
	}
}

func TestUpdateMeetsAnotherWriter(t *testing.T) {
	dir, path := state.At(t.TempDir()), filepath.Join(t.TempDir(), "mcp.json")
	write(t, path, "{}")
	plans := 0
	owner := func(times int) func(Content) (Content, error) {
		plans = 0
		return func(before Content) (Content, error) {
			plans++
			if plans <= times {
				// The owner writes after we have read and before we write.
				write(t, path, fmt.Sprintf("{\"owner\": %d}", plans))
			}
			return add("a")(before)
		}
	}
	if _, u, err := update(dir, userFile(path), owner(2)); err != nil || plans != 3 || string(u.Before.Data) != `{"owner": 2}` {
		t.Fatalf("%d plans, %q, %v", plans, u.Before.Data, err)
	}
	wantText(t, path, `{"owner": 2, "a": "x"}`)
	write(t, path, "{}")
	_, _, err := update(dir, userFile(path), owner(3))
	wantError(t, err, "another program keeps writing it")
	wantText(t, path, `{"owner": 3}`)
	if backups, _ := filepath.Glob(dir.Path("backups/*/*")); len(backups) != 1 {
		t.Errorf("backups of attempts stay: %v", backups)
	}
	wantNames(t, filepath.Dir(path), "mcp.json")
}

func TestParallelUpdates(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(t.TempDir(), "sub", "mcp.json")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			dir := state.At(root)
			f, err := At(userFile(path))
			if err != nil {
				errs[i] = err
				return
			}
			unlock, err := f.Lock(t.Context(), dir)
			if err != nil {
				errs[i] = err
				return
			}
			defer unlock()
			_, errs[i] = f.Update(dir, Edit{Plan: add(fmt.Sprint("s", i))})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	members, err := parse(t, string(data)).Members()
	if err != nil || len(members) != 8 {
		t.Errorf("%v, %v", members, err)
	}
}

func TestBackups(t *testing.T) {
	dir, path := state.At(t.TempDir()), filepath.Join(t.TempDir(), "mcp.json")
	const first = "\ufeff{ // mine\r\n}"
	write(t, path, first)
	var backups []string
	for i := range 7 {
		_, u, err := update(dir, userFile(path), add(fmt.Sprint("n", i)))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			wantText(t, u.Backup, first)
			if info, err := os.Stat(u.Backup); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("backup: %v, %v", info.Mode(), err)
			}
		}
		backups = append(backups, filepath.Base(u.Backup))
	}
	f, err := At(userFile(path))
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir.Path("backups/"+f.ID()), backups[2:]...)

	if _, u, err := update(dir, userFile(path), func(c Content) (Content, error) { return c, nil }); err != nil || u.Changed() || u.Backup != "" {
		t.Errorf("no change: %+v, %v", u, err)
	}
	if _, _, err := update(dir, userFile(path), func(Content) (Content, error) { return Content{}, nil }); err != nil {
		t.Fatal(err)
	}
	wantNames(t, filepath.Dir(path))
}

func TestReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "f.json")
	f, err := At(userFile(path))
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	dir := state.At(t.TempDir())
	if _, err := f.Update(dir, Edit{Plan: add("a"), Ready: func(Update) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("not stopped: %v", err)
	}
	wantNames(t, filepath.Dir(filepath.Dir(path)))
	calls := 0
	ready := func(Update) error {
		calls++
		if _, err := os.Stat(path); calls == 1 && err == nil {
			t.Error("ready was called too late")
		}
		return nil
	}
	for range 2 { // there is nothing to be ready for if nothing changes
		if _, err := f.Update(dir, Edit{Plan: func(Content) (Content, error) { return Content{[]byte("{}"), true}, nil }, Ready: ready}); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Errorf("ready was called %d times", calls)
	}
}

// TestLitterOfACrash: an update takes away what a killed one has left, and nothing else.
func TestLitterOfACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.json")
	sum := sha256.Sum256([]byte("f.json"))
	write(t, filepath.Join(filepath.Dir(path), fmt.Sprintf(".mcpctl-%x-abc.tmp", sum[:4])), "half")
	write(t, filepath.Join(filepath.Dir(path), ".mcpctl-00000000-abc.tmp"), "another's")
	if _, _, err := update(state.At(t.TempDir()), userFile(path), add("a")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, filepath.Dir(path), ".mcpctl-00000000-abc.tmp", "f.json")
}

func TestHolds(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 10<<10)
	for name, tc := range map[string]struct {
		is   string
		want Content
		same bool
	}{
		"the same":      {large, Content{[]byte(large), true}, true},
		"another byte":  {large[:99999] + "x" + large[100000:], Content{[]byte(large), true}, false},
		"shorter":       {large[:100000], Content{[]byte(large), true}, false},
		"longer":        {large + "x", Content{[]byte(large), true}, false},
		"empty":         {"", Content{nil, true}, true},
		"none expected": {"", Content{}, false},
	} {
		path := filepath.Join(t.TempDir(), "f")
		f, err := At(Place{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if none, err := f.holds(Content{}); !none || err != nil {
			t.Errorf("a file that isn't there: %v, %v", none, err)
		}
		if some, err := f.holds(Content{nil, true}); some || err != nil {
			t.Errorf("a file that should be there: %v, %v", some, err)
		}
		if err := os.WriteFile(path, []byte(tc.is), 0o600); err != nil {
			t.Fatal(err)
		}
		if same, err := f.holds(tc.want); same != tc.same || err != nil {
			t.Errorf("%s: %v, %v", name, same, err)
		}
	}
}
