package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/state"
)

func configRaw(s string) configfile.Raw { return configfile.Raw{Text: s} }

// desk is a client's file with a store.
type desk struct {
	*testing.T
	store  Store
	dir    state.Dir
	target Target
}

func newDesk(t *testing.T, client, text string) desk {
	t.Helper()
	c, _ := Lookup(client)
	d := desk{T: t, dir: state.At(t.TempDir()), target: Target{Client: c, Scope: User, Path: filepath.Join(t.TempDir(), "mcp.json")}}
	d.store = NewStore(d.dir)
	if text != "" {
		write(t, d.target.Path, []byte(text))
	}
	return d
}

func serve(server string) Entry {
	return Entry{Server: server, Name: server, Command: Command{Path: "/bin/mcpctl", Args: []string{"bridge", server}}}
}

func (d desk) install(force bool, entries ...Entry) {
	d.Helper()
	if _, err := d.store.Install(d.Context(), d.target, entries, force, false); err != nil {
		d.Fatal(err)
	}
}

func (d desk) uninstall(want string, servers ...string) {
	d.Helper()
	out, err := d.store.Uninstall(d.Context(), d.target, servers, len(servers) == 0, false)
	if err != nil {
		d.Fatal(err)
	}
	var got []string
	for _, c := range out.Changes {
		got = append(got, c.Name+" "+string(c.Action))
	}
	if strings.Join(got, ", ") != want {
		d.Errorf("uninstall: %v, want %s", got, want)
	}
}

// edit is the owner's edit of the file.
func (d desk) edit(old, new string) {
	d.Helper()
	text := d.text()
	if !strings.Contains(text, old) {
		d.Fatalf("no %q in %s", old, text)
	}
	write(d.T, d.target.Path, []byte(strings.Replace(text, old, new, 1)))
}

func (d desk) text() string {
	data, _ := readFile(d.T, d.target.Path)
	return string(data)
}

func (d desk) want(text string) {
	d.Helper()
	if d.text() != text {
		d.Errorf("the file holds\n%s\nwant\n%s", d.text(), text)
	}
}

func (d desk) wantNoRecord() {
	d.Helper()
	if r := d.store.records(); len(r) > 0 {
		d.Errorf("records stay: %+v", r)
	}
}

func TestUninstallOneByOneIsExact(t *testing.T) {
	const before = "{ \"x\": 1 ,\n\n \"mcpServers\" : { } }"
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "a", "b"}} {
		d := newDesk(t, "cursor", before)
		d.install(false, serve("a"), serve("b"))
		d.install(false, serve("c"))
		for _, s := range order {
			d.uninstall(s+" removed", s)
		}
		d.want(before)
		d.wantNoRecord()
	}
}

func TestUninstallRemovesWhatItMade(t *testing.T) {
	d := newDesk(t, "cursor", "")
	d.target.Path = filepath.Join(filepath.Dir(d.target.Path), "a", "b", "mcp.json")
	d.install(false, serve("linear"))
	d.uninstall("linear removed", "linear")
	if exists(filepath.Dir(filepath.Dir(d.target.Path))) {
		t.Error("the folders are still there")
	}
	d.wantNoRecord()

	// The owner has put something in meanwhile: only what is ours goes, and the servers' member with it.
	d = newDesk(t, "cursor", "")
	d.install(false, serve("linear"))
	d.edit("{", "{\n  \"mine\": true,")
	d.uninstall("linear removed")
	d.want("{\n  \"mine\": true\n}\n")

	// The client has written the file back in its own style: nothing of the owner's is left in it.
	d = newDesk(t, "vscode", "")
	d.install(false, serve("linear"))
	d.edit(d.text(), "{\t\"servers\": {\t\"linear\": {\"command\": \"/bin/mcpctl\", \"args\": [\"bridge\", \"linear\"], \"type\": \"stdio\"}\t}\t}")
	d.uninstall("linear removed", "linear")
	if exists(d.target.Path) {
		t.Errorf("the file is still there: %s", d.text())
	}
}

// A new file gets what the client would put into it by itself: alone, it keeps no file.
func TestNewFile(t *testing.T) {
	for _, tt := range []struct{ old, new, left string }{
		{`"enabled": true`, `"enabled": false`, ""},
		{`"enabled": true`, "\"enabled\": true,\n      \"environment\": {}", ""},
		{"{\n  ", "{\n  // mine\n  ", "{\n  // mine\n  \"$schema\": \"https://opencode.ai/config.json\"\n}\n"},
		{`opencode.ai/config.json"`, `opencode.ai/config.json",` + "\n  \"theme\": \"dark\"", "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  \"theme\": \"dark\"\n}\n"},
		{"opencode.ai", "example.com", "{\n  \"$schema\": \"https://example.com/config.json\"\n}\n"},
	} {
		d := newDesk(t, "opencode", "")
		d.install(false, serve("linear"))
		d.edit(tt.old, tt.new)
		d.uninstall("linear removed", "linear")
		if d.want(tt.left); tt.left == "" && exists(d.target.Path) {
			t.Error("an empty file is left")
		}
		d.wantNoRecord()
	}
}

// Two clients read one file: it is remembered for the one that it was written for first.
func TestSharedFile(t *testing.T) {
	d := newDesk(t, "claude-code", "")
	d.target.Scope = Project
	d.install(false, serve("linear"))
	d.target.Client, _ = Lookup("copilot-cli")
	d.install(false, serve("linear"), serve("github"))
	if r := d.store.records(); len(r) != 1 || r[0].Client != "claude-code" || len(r[0].Entries) != 2 {
		t.Errorf("%+v", r)
	}
	d.uninstall("linear removed, github removed")
	d.wantNoRecord()
	if exists(d.target.Path) {
		t.Error("the file is still there")
	}
}

func TestForceGivesBack(t *testing.T) {
	const before = "{\n  \"mcpServers\": {\n    \"linear\": { \"url\": \"https://x\", \"n\": 1e3 }\n  }\n}\n"
	d := newDesk(t, "cursor", before)
	d.install(true, serve("linear"))
	moved := serve("linear")
	moved.Command.Path = "/opt/mcpctl"
	d.install(true, moved)
	d.edit("{\n", "{ // mine\n") // no longer as we left it
	d.uninstall("linear removed", "linear")
	d.want(strings.Replace(before, "{\n", "{ // mine\n", 1))
	d.wantNoRecord()

	info, err := os.Stat(d.dir.Path("installs"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("records' folder: %v, %v", info.Mode(), err)
	}
}

func TestUninstallFinds(t *testing.T) {
	d := newDesk(t, "cursor", "")
	as := serve("github")
	as.Name = "gh"
	wrapped := serve("notion")
	wrapped.Command = Command{Path: "/opt/wrapper", Args: []string{"x"}}
	d.install(false, serve("linear"), as, wrapped)
	d.edit("{\n    \"linear\"", "{\n    \"mine\": {\"command\": \"mine\"},\n    \"linear\"")
	d.uninstall("nosuch absent", "nosuch")
	d.uninstall("gh removed", "github") // by its server
	d.install(false, as)
	d.uninstall("gh removed", "gh") // by its name
	d.uninstall("notion removed", "notion")
	_, err := d.store.Uninstall(t.Context(), d.target, []string{"linear", "mine"}, false, false)
	if err == nil || !strings.Contains(err.Error(), `"mine" isn't mcpctl's: an entry that starts mine`) {
		t.Errorf("a foreign entry: %v", err)
	}
	if !strings.Contains(d.text(), `"linear"`) {
		t.Error("a refused uninstall took something out")
	}
	d.uninstall("linear removed")
	d.want("{\n  \"mcpServers\": {\n    \"mine\": {\"command\": \"mine\"}\n  }\n}\n")
	if err := os.Remove(d.target.Path); err != nil {
		t.Fatal(err)
	}
	d.uninstall("linear absent", "linear")
	d.wantNoRecord()
}

func TestUnrecordedEntryIsNotGivenBack(t *testing.T) {
	// Ours by its look, from a lost record: an update and an uninstall must not bring the old form back.
	d := newDesk(t, "cursor", `{"mcpServers":{"linear":{"command":"/old/mcpctl","args":["bridge","linear"]}}}`)
	d.install(false, serve("linear"), serve("github"))
	d.uninstall("github removed", "github")
	d.uninstall("linear removed", "linear")
	d.want(`{"mcpServers":{}}`)

	d = newDesk(t, "cursor", `{"mcpServers":{"linear":{"command":"/bin/mcpctl","args":["bridge","linear"]}}}`)
	d.install(false, serve("linear"), serve("github"))
	d.uninstall("linear removed, github removed", "linear", "github")
	d.want(`{"mcpServers":{}}`)
}

func TestPrunedBackup(t *testing.T) {
	d := newDesk(t, "cursor", `{"mcpServers": { }}`)
	for _, spoil := range []func(string) error{os.Remove, func(path string) error { return os.WriteFile(path, []byte("{}"), 0o600) }} {
		out, err := d.store.Install(t.Context(), d.target, []Entry{serve("linear")}, false, false)
		if err != nil || spoil(out.Backup) != nil {
			t.Fatal(err)
		}
		d.uninstall("linear removed", "linear")
		d.want(`{"mcpServers": { }}`)
	}
}

func TestList(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	bin := filepath.Join(home, "mcpctl")
	write(t, bin, nil)
	m := On(host.Host{OS: "linux", Home: home})
	store := NewStore(state.At(filepath.Join(home, "state")))
	entry := func(name string) Entry {
		return Entry{Server: "s-" + name, Name: name, Command: Command{Path: bin, Args: []string{"bridge", "s-" + name}}}
	}
	cursor, _ := Lookup("cursor")
	vscode, _ := Lookup("vscode")
	user := Target{Client: cursor, Scope: User, Path: m.Find(cursor).Path}
	inProject := Target{Client: vscode, Scope: Project, Path: filepath.Join(project, ".vscode", "mcp.json")}
	elsewhere := Target{Client: vscode, Scope: User, Path: filepath.Join(home, "x", "mcp.json")}
	d := desk{T: t, store: store, target: user}
	gone := entry("gone")
	gone.Command.Path = filepath.Join(home, "nosuch", "mcpctl")
	d.install(false, entry("ok"), entry("altered"), entry("missing"), entry("replaced"), gone)
	d.edit(`["bridge", "s-altered"]`, `["bridge", "s-altered"], "disabled": true`)
	d.edit(`"missing"`, `"renamed"`)
	i := strings.Index(d.text(), `"replaced"`)
	write(t, user.Path, []byte(d.text()[:i]+strings.Replace(d.text()[i:], bin, "/bin/sh", 1)))
	d.target = inProject
	d.install(false, entry("p"))
	d.target = elsewhere
	d.install(false, entry("e"))
	write(t, elsewhere.Path, []byte("{"))

	// At home, the project's file is the user's own.
	if n := len(slices.DeleteFunc(store.List(m, home), func(s Status) bool { return s.ConfigPath != user.Path })); n != 1 {
		t.Errorf("at home, %s is listed %d times", user.Path, n)
	}
	list := store.List(m, project)
	var got []string
	for _, s := range list {
		if !s.Detected && len(s.Installed) == 0 && s.ID != "claude-desktop" && s.ID != "vscode" {
			continue
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.NewReplacer(home, "HOME", project, "PROJECT").Replace(string(text)))
	}
	want := []string{
		`{"id":"claude-desktop","name":"Claude Desktop","detected":false,"config_path":"HOME/.config/Claude/claude_desktop_config.json","scope":"user","installed":[]}`,
		`{"id":"cursor","name":"Cursor","detected":true,"config_path":"HOME/.cursor/mcp.json","scope":"user","installed":[` +
			`{"server":"s-ok","name":"ok","state":"ok"},{"server":"s-altered","name":"altered","state":"changed"},` +
			`{"server":"s-missing","name":"renamed","state":"ok"},{"server":"s-gone","name":"gone","state":"broken"},` +
			`{"server":"s-missing","name":"missing","state":"missing"},{"server":"s-replaced","name":"replaced","state":"changed"}]}`,
		`{"id":"vscode","name":"VS Code","detected":false,"config_path":"HOME/.config/Code/User/mcp.json","scope":"user","installed":[]}`,
		`{"id":"vscode","name":"VS Code","detected":false,"config_path":"PROJECT/.vscode/mcp.json","scope":"project","installed":[{"server":"s-p","name":"p","state":"ok"}]}`,
		`{"id":"vscode","name":"VS Code","detected":false,"config_path":"HOME/x/mcp.json","scope":"user","installed":[{"server":"s-e","name":"e","state":"broken"}]}`,
	}
	if len(list) != len(All())+2 {
		t.Errorf("%d files of %d clients", len(list), len(All()))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	last := list[slices.IndexFunc(list, func(s Status) bool { return s.ConfigPath == elsewhere.Path })]
	if last.Problem == nil || !strings.Contains(last.Problem.Error(), "mcp.json:1:2: the file ends too early") {
		t.Errorf("problem: %v", last.Problem)
	}
}

func TestDiffShowsNoSecret(t *testing.T) {
	d := newDesk(t, "vscode", `{
  // token sk-comment
  "servers": {
    "gh": { "command": "npx sk-command", "headers": { "Authorization": "Bearer sk-header" } },
    "linear": { "command": "sk-foreign", "url": "https://x/?key=sk-url", "env": { "KEY": "sk-env" } },
    "mine": { "command": "/old/mcpctl", "args": ["bridge", "mine", "--header", "X: sk-arg"], "env": { "K": "sk-own" } }
  }
}
`)
	before := d.text()
	out, err := d.store.Install(t.Context(), d.target, []Entry{serve("linear"), serve("mine")}, true, true)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.Diff, "sk-") {
		t.Errorf("a secret is in the diff:\n%s", out.Diff)
	}
	for _, line := range []string{
		`     "gh": { "command": "…", "headers": { "Authorization": "…" } },`,
		`-    "linear": { "command": "…", "url": "…", "env": { "KEY": "…" } },`,
		`+      "command": "/bin/mcpctl",`,
		`+      "args": ["bridge", "linear"]`,
		`-    "mine": { "command": "/old/mcpctl", "args": ["bridge", "mine", "…", "…"], "env": { "K": "…" } }`,
		`+    "mine": { "command": "/bin/mcpctl", "args": ["bridge", "mine"], "env": { "K": "…" } }`,
	} {
		if !strings.Contains(out.Diff, line+"\n") {
			t.Errorf("no line %q in\n%s", line, out.Diff)
		}
	}
	if out.Changes[0].Action != WouldUpdate || d.text() != before || exists(d.dir.Path("")) && len(d.store.records()) > 0 {
		t.Errorf("the dry run did something: %+v", out)
	}
	d.install(true, serve("linear"))
	out, err = d.store.Uninstall(t.Context(), d.target, nil, true, true)
	if err != nil || strings.Contains(out.Diff, "sk-") || out.Changes[0].Action != WouldRemove {
		t.Errorf("%v, %+v\n%s", err, out.Changes, out.Diff)
	}
}

func TestNamesThatAreWords(t *testing.T) {
	d := newDesk(t, "cursor", `{"mcpServers":{}}`)
	for _, name := range []string{"true", "123", "null", "__proto__", "constructor"} {
		d.install(false, serve(name))
	}
	for _, name := range []string{"__proto__", "null", "123", "constructor", "true"} {
		d.uninstall(name+" removed", name)
	}
	d.want(`{"mcpServers":{}}`)
}

func TestManyEntries(t *testing.T) {
	var b strings.Builder
	b.WriteString("{\n  \"mcpServers\": {")
	for i := range 2000 {
		fmt.Fprintf(&b, "\n    \"server-%d\": { \"command\": \"npx\", \"args\": [\"-y\", \"server-%d\"] },", i, i)
	}
	b.WriteString("\n  },\n}\n")
	d := newDesk(t, "cursor", b.String())
	d.install(false, serve("a"), serve("b"))
	if err := os.RemoveAll(d.dir.Path("installs")); err != nil {
		t.Fatal(err)
	}
	d.uninstall("b removed, a removed", "b", "a")
	d.want(b.String())
}

func TestParallelInstalls(t *testing.T) {
	d := newDesk(t, "cursor", "{\n  \"mine\": 1\n}\n")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := d.store.Install(t.Context(), d.target, []Entry{serve(fmt.Sprint("s", i))}, false, false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r := d.store.records()
	if len(r) != 1 || len(r[0].Entries) != 8 {
		t.Fatalf("records: %+v", r)
	}
	if out, err := d.store.Uninstall(t.Context(), d.target, nil, true, false); err != nil || len(out.Changes) != 8 {
		t.Errorf("%+v, %v", out, err)
	}
	d.want("{\n  \"mine\": 1\n}\n")
}

// TestForceWithoutARecord: what can't be remembered isn't taken.
func TestForceWithoutARecord(t *testing.T) {
	const before = `{"mcpServers":{"linear":{"url":"https://x"}}}`
	d := newDesk(t, "cursor", before)
	if err := os.MkdirAll(d.dir.Path(""), 0o700); err != nil {
		t.Fatal(err)
	}
	// Nothing can be read there, and no folder be made.
	if err := os.Symlink(filepath.Join(t.TempDir(), "no", "where"), d.dir.Path("installs")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.Install(t.Context(), d.target, []Entry{serve("linear")}, true, false); err == nil {
		t.Error("installed without a record")
	}
	d.want(before)
}

// TestUninstallKeepsWhatItsOwnerPutIn does in TOML and YAML what TestUninstallRemovesWhatItMade does in JSON.
func TestUninstallKeepsWhatItsOwnerPutIn(t *testing.T) {
	tests := []struct{ client, old, new, left string }{
		{"codex", "[mcp_servers.linear]", "model = 'x' # mine\n[mcp_servers.linear]\n# not now\nenabled = false", "model = 'x' # mine\n"},
		{"codex", "tool_timeout_sec", "env.A = 'x'\ntool_timeout_sec", ""},
		{"goose", "extensions:", "GOOSE_MODEL: x # mine\nextensions:", "GOOSE_MODEL: x # mine\n"},
		{"goose", "    timeout", "    # long\n    envs: {A: b}\n    timeout", ""},
		{"goose", "  linear:", "  # none\n  linear:", "extensions: {}\n  # none\n"},
	}
	for _, tt := range tests {
		d := newDesk(t, tt.client, "")
		d.install(false, serve("linear"))
		d.edit(tt.old, tt.new)
		moved := serve("linear")
		moved.Command.Path = "/opt/mcpctl"
		d.install(false, moved)
		if !strings.Contains(d.text(), tt.new[:len(tt.new)-len(tt.old)]) || !strings.Contains(d.text(), "/opt/mcpctl") {
			t.Errorf("updated:\n%s", d.text())
		}
		d.uninstall("linear removed", "linear")
		d.want(tt.left)
		if tt.left == "" && exists(d.target.Path) {
			t.Error("the file is still there")
		}
		d.wantNoRecord()
	}
}
