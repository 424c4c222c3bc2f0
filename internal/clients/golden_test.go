package clients

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

const goldenFolder = "../../testdata/clients"

// TestGolden installs and uninstalls the server linear in each testdata/clients/CLIENT/CASE:
//
//	before   the client's file; none means that there is none
//	options  "force" is install --force
//	after    the file after install
//	removed  the file after an uninstall that knows nothing of the install; none means that it is deleted
//	error    instead of the two: what install says; the file stays as it is
//
// The names end in .json, .toml, .yaml, and .txt for the error. An uninstall that has the record of the install must give
// before back. MCPCTL_UPDATE_GOLDEN=1 writes what is
// got: read the difference before you believe it.
func TestGolden(t *testing.T) {
	folders, err := filepath.Glob(goldenFolder + "/*/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no cases", err)
	}
	for _, folder := range folders {
		client := filepath.Base(filepath.Dir(folder))
		c, ok := Lookup(client)
		if !ok {
			t.Fatalf("%s: no such client", folder)
		}
		t.Run(client+"/"+filepath.Base(folder), func(t *testing.T) { testGolden(t, c, golden{t, folder}) })
	}
	for _, c := range All() {
		if cases, _ := filepath.Glob(filepath.Join(goldenFolder, c.ID, "*")); len(cases) == 0 {
			t.Errorf("%s has no case in %s", c.ID, goldenFolder)
		}
	}
}

func testGolden(t *testing.T, c Client, g golden) {
	ext := "." + strings.ToLower(c.Format.String())
	before, existed := g.read("before" + ext)
	options, _ := g.read("options")
	force := strings.TrimSpace(string(options)) == "force"
	path := filepath.Join(t.TempDir(), "mcp"+ext)
	if existed {
		write(t, path, before)
	}
	target := Target{Client: c, Scope: User, Path: path}
	dir := t.TempDir()
	store := NewStore(state.At(filepath.Join(dir, "state")))
	install := func(dryRun bool) (Outcome, error) {
		return store.Install(t.Context(), target, []Entry{linear()}, force, dryRun)
	}

	if _, err := install(true); err == nil && exists(dir+"/state") {
		t.Error("a dry run made the state folder")
	}
	g.wantFile(path, before, existed, "after a dry run")

	out, err := install(false)
	if err != nil {
		g.want("error.txt", []byte(strings.ReplaceAll(err.Error(), path, "FILE")+"\n"), true)
		g.wantFile(path, before, existed, "after a refusal")
		if backups, _ := filepath.Glob(dir + "/state/backups/*/*"); len(backups) > 0 {
			t.Errorf("a refusal left %v", backups)
		}
		return
	}
	after, _ := readFile(t, path)
	g.want("after"+ext, after, true)
	if out.Backup != "" {
		g.wantFile(out.Backup, before, true, "in the backup")
	}
	wantIdempotent(t, path, install)

	// As mcpctl left it: exact.
	hadOurs := out.Changes[0].Action == Unchanged || out.Changes[0].Action == Updated && !force
	if !hadOurs {
		uninstall(t, store, target)
		g.wantFile(path, before, existed, "after install and uninstall")
		age(t, path)
		if _, err := install(false); err != nil {
			t.Fatal(err)
		}
	}
	// As another machine would find it: minimal.
	age(t, path)
	uninstall(t, NewStore(state.At(t.TempDir())), target)
	removed, there := readFile(t, path)
	g.want("removed"+ext, removed, there)
}

func linear() Entry {
	return Entry{Server: "linear", Name: "linear",
		Command: Command{Path: "/usr/local/bin/mcpctl", Args: []string{"bridge", "linear"}}}
}

func wantIdempotent(t *testing.T, path string, install func(bool) (Outcome, error)) {
	t.Helper()
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := install(false)
	if err != nil {
		t.Fatal(err)
	}
	if out.Changes[0].Action != Unchanged || out.Backup != "" {
		t.Errorf("second install: %+v", out)
	}
	now, err := os.Stat(path)
	// A replaced file is another file, even within the same tick of the clock.
	if err != nil || !os.SameFile(old, now) || !old.ModTime().Equal(now.ModTime()) {
		t.Errorf("second install wrote the file (%v)", err)
	}
}

func uninstall(t *testing.T, s Store, target Target) {
	t.Helper()
	out, err := s.Uninstall(t.Context(), target, []string{"linear"}, false, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changes) != 1 || out.Changes[0].Action != Removed {
		t.Errorf("uninstall: %+v", out.Changes)
	}
}

// golden is the folder of a case.
type golden struct {
	*testing.T
	folder string
}

func (g golden) read(name string) ([]byte, bool) {
	g.Helper()
	return readFile(g.T, filepath.Join(g.folder, name))
}

func (g golden) want(name string, got []byte, exists bool) {
	g.Helper()
	path := filepath.Join(g.folder, name)
	if os.Getenv("MCPCTL_UPDATE_GOLDEN") != "" && exists {
		write(g.T, path, got)
	}
	want, ok := g.read(name)
	if ok != exists || !bytes.Equal(got, want) {
		g.Errorf("%s (there: %v), got (there: %v):\n%s\nwant:\n%s", path, ok, exists, got, want)
	}
}

func (g golden) wantFile(path string, want []byte, exists bool, when string) {
	g.Helper()
	if got, ok := readFile(g.T, path); ok != exists || !bytes.Equal(got, want) {
		g.Errorf("%s (there: %v):\n%q\nwant (there: %v):\n%q", when, ok, got, exists, want)
	}
}

func readFile(t *testing.T, path string) ([]byte, bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return data, err == nil
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	age(t, path)
}

// age has nobody write the file any more.
func age(t testing.TB, path string) {
	t.Helper()
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
