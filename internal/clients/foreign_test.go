package clients

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
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
	for _, want := range []string{`"disabled": true`, `"alwaysAllow": ["x"]`, `"timeout": 5`, `"other": {}`, `"command": "/bin/mcpctl"`} {
		if !strings.Contains(d.text(), want) {
			t.Errorf("no %s in %s", want, d.text())
		}
	}
	for _, no := range []string{"secret", "linear/mcp"} {
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

// What a client lets a server do is kept in every format, to the byte; how the old entry reached the server isn't, and what else goes
// with that is named.
func TestReplaceKeepsWhatIsTheOwners(t *testing.T) {
	for _, tt := range []struct {
		client, before, after string
		dropped               []string
	}{
		{"cursor", `{
  "mcpServers": {
    "linear": {
      "command": "npx", "args": ["mcp-remote", "https://x"], "env": {"K": "secret", "HTTPS_PROXY": "secret"}, "cwd": "/x",
      "timeout": 12.50, "limits": {
        "tools": [ 1e3, null ] // mine
      },
      "disabled": true
    }
  }
}`, `{
  "mcpServers": {
    "linear": {
      "command": "/bin/mcpctl",
      "args": ["bridge", "linear"],
      "timeout": 12.50,
      "limits": {
        "tools": [ 1e3, null ] // mine
      },
      "disabled": true
    }
  }
}`, []string{"cwd"}},
		{"codex", `[mcp_servers.linear]
url = "https://x"
http_headers = { "K" = "secret" }
oauth_resource = "secret"
tool_timeout_sec = 30.5
default_tools_approval_mode = "prompt" # mine
required = true
[mcp_servers.linear.tools.delete_note] # never
approval_mode = "prompt"

[mcp_servers.linear.tools."b.c"]
approval_mode = 'approve'

[mcp_servers.other]
command = "x"
`, `[mcp_servers.linear]
command = '/bin/mcpctl'
args = ["bridge", "linear"]
tool_timeout_sec = 30.5
env_vars = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "BROWSER", "SSH_CONNECTION", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"]
default_tools_approval_mode = "prompt"
required = true

[mcp_servers.linear.tools.delete_note] # never
approval_mode = "prompt"

[mcp_servers.linear.tools."b.c"]
approval_mode = 'approve'

[mcp_servers.other]
command = "x"
`, []string{"oauth_resource"}},
		{"codex", `[mcp_servers]
linear = { url = "https://x", tool_timeout_sec = 30.5, tools = { a = { approval_mode = "prompt" } } }
`, `[mcp_servers]
linear = { command = '/bin/mcpctl', args = ["bridge", "linear"], tool_timeout_sec = 30.5, env_vars = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "BROWSER", "SSH_CONNECTION", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"], tools = { a = { approval_mode = "prompt" } } }
`, nil},
		{"goose", `extensions:
  linear:
    type: streamable_http
    name: Linear of ours
    uri: https://x
    headers: {K: secret}
    env_keys: [K]
    available_tools:
    - list # never delete
    - 'get'
    description: |
      of
        ours
    limits:
        a: {b: 1.50}
    timeout: 0x10
    bundled: null
  other:
    cmd: x
`, `extensions:
  linear:
    name: Linear of ours
    type: stdio
    cmd: /bin/mcpctl
    args: [bridge, linear]
    enabled: true
    timeout: 0x10
    available_tools:
      - list # never delete
      - 'get'
    description: |
      of
        ours
    limits:
      a: {b: 1.50}
    bundled: null
  other:
    cmd: x
`, []string{"env_keys"}},
	} {
		for _, newline := range []string{"\n", "\r\n"} {
			t.Run(tt.client, func(t *testing.T) {
				lines := strings.NewReplacer("\n", newline)
				d := newDesk(t, tt.client, lines.Replace(tt.before))
				e, f := serve("linear"), d.foreign("linear")
				e.Over = f.Raw
				d.install(false, e)
				d.want(lines.Replace(tt.after))
				if !slices.Equal(f.Dropped, tt.dropped) {
					t.Errorf("dropped: %q, want %q", f.Dropped, tt.dropped)
				}
				d.uninstall("linear removed", "linear")
				d.want(lines.Replace(tt.before))
			})
		}
	}
}

// What can't be kept as it means is refused: a table that is written in two ways, an alias of what goes.
func TestReplaceKeepsOrRefuses(t *testing.T) {
	for client, text := range map[string]string{
		"codex": "[mcp_servers.linear]\nurl = \"https://x\"\ntools.a.approval_mode = \"prompt\"\n[mcp_servers.linear.tools.b]\napproval_mode = \"prompt\"\n",
		"goose": "extensions:\n  linear:\n    uri: &a https://x\n    description: *a\n",
	} {
		d := newDesk(t, client, text)
		e := serve("linear")
		e.Over = d.foreign("linear").Raw
		if _, err := d.store.Install(t.Context(), d.target, []Entry{e}, false, false); err == nil || problem.NextStep(err) == "" {
			t.Errorf("%s: %v: %s", client, err, d.text())
		}
		d.want(text)
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
