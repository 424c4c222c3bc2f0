package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// TestDeletedFileStaysDeleted: what was in a file that its owner has deleted doesn't come back with an uninstall.
func TestDeletedFileStaysDeleted(t *testing.T) {
	for _, owners := range []string{"", "{\n  \"x\": 1,"} { // what its owner makes of the start of the new file
		d := newDesk(t, "cursor", `{"mcpServers":{"gone":{"env":{"K":"sk-deleted"}},"b":{"command":"theirs"}}}`)
		d.install(false, serve("a"))
		write(t, d.target.Path, []byte(`{"mcpServers":{"b":{"command":"theirs"}}}`)) // as its owner replaces it
		d.install(true, serve("b"))
		for _, again := range []Entry{serve("a"), serve("b")} {
			if err := os.Remove(d.target.Path); err != nil {
				t.Fatal(err)
			}
			d.install(false, again)
		}
		want := ""
		if owners != "" {
			d.edit("{", owners)
			want = "{\n  \"x\": 1\n}\n"
		}
		if _, err := d.store.Uninstall(t.Context(), d.target, nil, true, false); err != nil {
			t.Fatal(err)
		}
		d.want(want)
		d.wantNoRecord()
	}
}

// TestExactAfterMany: however often mcpctl has written a file, the copy from which it is put back is still there.
func TestExactAfterMany(t *testing.T) {
	const before = `{ }`
	d := newDesk(t, "cursor", before)
	for i := range 9 {
		d.install(false, serve(fmt.Sprint("s", i)))
	}
	if _, err := d.store.Uninstall(t.Context(), d.target, nil, true, false); err != nil {
		t.Fatal(err)
	}
	d.want(before)
}

// TestReplacedEntryOutlastsItsReplacement: a client that drops our entry doesn't drop what we had replaced.
func TestReplacedEntryOutlastsItsReplacement(t *testing.T) {
	const before = `{"mcpServers":{"linear":{"command":"mine"}}}`
	d := newDesk(t, "cursor", before)
	d.install(true, serve("linear"))
	write(t, d.target.Path, []byte(`{"mcpServers":{}}`))
	d.install(false, serve("linear"))
	d.uninstall("linear removed", "linear")
	d.want(before)
}

// TestClientsThatShareAFile: each has its own list in it, and takes out what it was given.
func TestClientsThatShareAFile(t *testing.T) {
	cursor := newDesk(t, "cursor", "{\n}\n")
	vscode := cursor
	vscode.target.Client, _ = Lookup("vscode")
	for _, first := range []desk{cursor, vscode} {
		cursor.install(false, serve("linear"))
		vscode.install(false, serve("linear"))
		first.uninstall("linear removed", "linear")
		if text := cursor.text(); strings.Count(text, "linear") != 2 { // name and argument
			t.Errorf("after one uninstall:\n%s", text)
		}
		for _, rest := range []desk{cursor, vscode} {
			if _, err := rest.store.Uninstall(t.Context(), rest.target, nil, true, false); err != nil {
				t.Fatal(err)
			}
		}
		cursor.want("{\n}\n")
		cursor.wantNoRecord()
	}
}

// TestTakenBeforeACrash: what is remembered before the file is replaced leads to the entry, should that be all.
func TestTakenBeforeACrash(t *testing.T) {
	const before = `{"projects":{"/work/p":{"mcpServers":{"notes":{"type":"http","url":"https://x"}}}}}`
	d := newDesk(t, "claude-code", before)
	d.target.Within = []string{"projects", "/work/p", "mcpServers"}
	e := serve("notes")
	e.Over = d.foreign("notes").Raw
	file, err := d.target.open()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{target: d.target, old: record{Entries: map[string]entryRecord{}}}
	content := configfile.Content{Data: []byte(before), Exists: true}
	if j.plan, err = planInstall(d.target, j.old, content, []Entry{e}, false); err != nil {
		t.Fatal(err)
	}
	update := configfile.Update{Before: content, After: j.plan.after, Backup: filepath.Join(t.TempDir(), "backup")}
	write(t, update.Backup, content.Data)
	if err := d.store.saveTaken(file, []*job{j}, update); err != nil {
		t.Fatal(err)
	}
	write(t, d.target.Path, update.After.Data)
	r := d.store.records()
	if len(r) != 1 || r[0].Client != "claude-code" || r[0].Path != file.Path() || len(r[0].Within) != 3 {
		t.Fatalf("%+v", r)
	}
	d.uninstall("notes removed", "notes")
	d.want(before)
}

// TestStand: an owner's text has what was done to the entries, or it hasn't.
func TestStand(t *testing.T) {
	d := newDesk(t, "cursor", "")
	const before = `{"mcpServers":{"a":{"command":"theirs"},"b":{"command":"b"}}}`
	p, err := planInstall(d.target, record{Entries: map[string]entryRecord{}}, configfile.Content{Data: []byte(before), Exists: true}, []Entry{serve("a")}, true)
	if err != nil {
		t.Fatal(err)
	}
	jobs := []*job{{target: d.target, plan: p}}
	made := string(p.after.Data)
	for _, tc := range []struct {
		now  string
		want bool
	}{
		{made, true},
		{strings.Replace(made, `{"command":"b"}`, `{"command":"c"},"z":{}`, 1), true},
		{before, false},
		{`{}`, false},
		{strings.Replace(made, "bridge", "Bridge", 1), false},
		{made[:len(made)-2], false},
		{"", false},
	} {
		if got := stand(jobs, configfile.Content{Data: []byte(tc.now), Exists: true}); got != tc.want {
			t.Errorf("%v for %s", got, tc.now)
		}
	}
}
