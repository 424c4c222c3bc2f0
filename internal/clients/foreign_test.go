package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
)

const theirs = `{
  "mcpServers": {
    "linear": { "url": "https://mcp.example/linear/mcp", "headers": { "K": "secret" }, "disabled": true, "alwaysAllow": ["x"], "timeout": 5, "other": {} },
    "notes": { "command": "mcpctl", "args": ["bridge", "notes"] },
    "twice": { "url": "https://mcp.example/a/mcp" },
    "twice": { "url": "https://mcp.example/a/mcp" },
    "text": "none"
  }
}`

func (d desk) foreign(name string) Foreign {
	d.Helper()
	list, err := d.store.Foreign(d.target)
	if err != nil {
		d.Fatal(err)
	}
	for _, f := range list {
		if f.Name == name {
			return f
		}
	}
	d.Fatalf("no %s among %+v", name, list)
	return Foreign{}
}

func TestForeign(t *testing.T) {
	d := newDesk(t, "cursor", theirs)
	list, err := d.store.Foreign(d.target)
	if err != nil || len(list) != 1 || list[0].Name != "linear" || list[0].Launch.URL != "https://mcp.example/linear/mcp" || list[0].Launch.Headers["K"] != "secret" {
		t.Errorf("%+v, %v", list, err)
	}
}

// What its owner has set goes over to the entry that takes its place, and comes back with the old one.
func TestReplace(t *testing.T) {
	d := newDesk(t, "cursor", theirs)
	e := serve("linear")
	e.Over = d.foreign("linear").Raw
	d.install(false, e)
	for _, want := range []string{`"disabled": true`, `"alwaysAllow": ["x"]`, `"timeout": 5`, `"command": "/bin/mcpctl"`} {
		if !strings.Contains(d.text(), want) {
			t.Errorf("no %s in %s", want, d.text())
		}
	}
	for _, no := range []string{"secret", "linear/mcp", "other"} {
		if strings.Contains(d.text(), no) {
			t.Errorf("%s in %s", no, d.text())
		}
	}
	d.edit(`"text"`, `"word"`) // so that it isn't the backup that gives the entry back
	d.uninstall("linear removed", "linear")
	if want := strings.Replace(theirs, `"text"`, `"word"`, 1); d.text() != want {
		t.Errorf("%s, want %s", d.text(), want)
	}
}

// An entry that has changed since it was looked at is neither replaced nor taken out.
func TestReplaceOnlyWhatWasSeen(t *testing.T) {
	for _, out := range []bool{false, true} {
		d := newDesk(t, "cursor", theirs)
		e := serve("linear")
		e.Over, e.Out = d.foreign("linear").Raw, out
		d.edit("secret", "changed")
		before := d.text()
		_, err := d.store.Install(t.Context(), d.target, []Entry{e}, false, false)
		if refused := err != nil; refused == out || err != nil && strings.Contains(err.Error(), "changed") {
			t.Errorf("out %v: %v", out, err)
		}
		if d.text() != before {
			t.Errorf("out %v: %s", out, d.text())
		}
	}
}

// What is taken out of a place of its own doesn't count as installed there, and uninstall puts it back.
func TestTakeOut(t *testing.T) {
	const text = `{"a": 1, "mcp.servers": {"linear": {"url": "https://mcp.example/linear/mcp"}, "b": {}}}`
	d := newDesk(t, "vscode", text)
	d.target.Within = []string{"mcp.servers"}
	e := serve("linear")
	e.Over, e.Out = d.foreign("linear").Raw, true
	d.install(false, e)
	if want := `{"a": 1, "mcp.servers": { "b": {}}}`; d.text() != want {
		t.Errorf("%s, want %s", d.text(), want)
	}
	m := On(host.Host{OS: "linux", Home: t.TempDir()})
	if st := d.store.status(m, d.target, true); len(st.Installed) > 0 {
		t.Errorf("%+v", st)
	}
	usual := Target{Client: d.target.Client, Scope: User, Path: filepath.Join(t.TempDir(), "mcp.json")}
	further := d.store.Further(m, usual, []string{"linear"}, false)
	if len(further) != 1 || further[0].Path != d.target.Path || len(d.store.Further(m, usual, []string{"x"}, false)) != 0 {
		t.Errorf("%+v", further)
	}
	d.edit(`1`, `2`)
	d.uninstall("linear removed", "linear")
	if want := `{"a": 2, "mcp.servers": { "b": {}, "linear": {"url": "https://mcp.example/linear/mcp"}}}`; d.text() != want {
		t.Errorf("%s, want %s", d.text(), want)
	}
}

// Two places in one file are one write, and each has a record of its own.
func TestTwoPlacesInOneFile(t *testing.T) {
	const text = `{"mcpServers": {"linear": {"url": "https://a"}}, "projects": {"/p": {"mcpServers": {"linear": {"url": "https://b"}}}, "/q": {}, "/r": 1}}`
	d := newDesk(t, "claude-code", text)
	lists := d.target.perFolder()
	if len(lists) != 1 || lists[0].Folder() != filepath.FromSlash("/p") || lists[0].Instead != nil {
		t.Fatalf("%+v", lists)
	}
	inner := d
	inner.target = lists[0].Target
	var parts []Part
	for _, d := range []desk{d, inner} {
		e := serve("linear")
		e.Over = d.foreign("linear").Raw
		parts = append(parts, Part{d.target, []Entry{e}})
	}
	out, err := d.store.InstallParts(t.Context(), parts)
	if err != nil || len(out.Changes) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if backup, err := os.ReadFile(out.Backup); err != nil || string(backup) != text {
		t.Errorf("the backup is %s, %v", backup, err)
	}
	if strings.Contains(d.text(), "url") {
		t.Error(d.text())
	}
	d.uninstall("linear removed")
	if strings.Contains(d.text(), "https://b") || !strings.Contains(d.text(), "https://a") {
		t.Error(d.text())
	}
	inner.uninstall("linear removed")
	if d.text() != text {
		t.Error(d.text())
	}
}
