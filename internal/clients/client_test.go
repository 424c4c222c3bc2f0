package clients

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
)

// fake returns a machine of any OS that has the given files and, implied by them, folders.
func fake(h host.Host, paths ...string) Machine {
	m := Machine{Host: h}
	seps := m.separators()
	m.exists = func(p string) bool {
		return slices.ContainsFunc(paths, func(have string) bool {
			rest, ok := strings.CutPrefix(have, p)
			return ok && (rest == "" || strings.ContainsAny(rest[:1], seps))
		})
	}
	m.list = func(folder string) []string {
		names := map[string]bool{}
		for _, p := range paths {
			if rest, ok := strings.CutPrefix(p, m.Join(folder, "x")[:len(folder)+1]); ok {
				name, _, _ := strings.Cut(strings.ReplaceAll(rest, `\`, "/"), "/")
				names[name] = true
			}
		}
		return slices.Collect(maps.Keys(names))
	}
	m.executables = func() []string { return nil }
	return m
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestFind(t *testing.T) {
	linux := host.Host{OS: "linux", Home: "/home/u", Env: env("PATH", "/bin:/usr/bin")}
	xdg := host.Host{OS: "linux", Home: "/home/u", Env: env("XDG_CONFIG_HOME", "/cfg")}
	mac := host.Host{OS: "darwin", Home: "/Users/u", Env: env("XDG_CONFIG_HOME", "/cfg")}
	win := host.Host{OS: "windows", Home: `C:\Users\u`, AppData: `C:\Users\u\AppData\Roaming`, LocalAppData: `C:\Users\u\AppData\Local`,
		Env: env("PATH", `C:\bin;C:\Cursor`)}
	const (
		support = "/Users/u/Library/Application Support"
		roaming = `C:\Users\u\AppData\Roaming`
		msix    = `C:\Users\u\AppData\Local\Packages\Claude_pzs8sxrjxfjjc\LocalCache\Roaming\Claude\claude_desktop_config.json`
		newest  = `C:\Users\u\AppData\Local\Claude-Data\claude-3\claude_desktop_config.json`
	)
	tests := []struct {
		client   string
		host     host.Host
		there    []string
		path     string
		detected bool
		others   []string
	}{
		{"claude-desktop", linux, nil, "/home/u/.config/Claude/claude_desktop_config.json", false, nil},
		{"claude-desktop", linux, []string{"/home/u/.config/Claude/x"}, "/home/u/.config/Claude/claude_desktop_config.json", true, nil},
		{"claude-desktop", linux, []string{"/usr/bin/claude-desktop"}, "/home/u/.config/Claude/claude_desktop_config.json", true, nil},
		{"claude-desktop", linux, []string{"/usr/bin/claude"}, "/home/u/.config/Claude/claude_desktop_config.json", false, nil},
		{"claude-desktop", xdg, []string{"/cfg/Claude/x"}, "/cfg/Claude/claude_desktop_config.json", true, nil},
		{"claude-desktop", mac, []string{"/Applications/Claude.app/x"}, support + "/Claude/claude_desktop_config.json", true, nil},
		{"claude-desktop", win, nil, roaming + `\Claude\claude_desktop_config.json`, false, nil},
		{"claude-desktop", win, []string{roaming + `\Claude\x`}, roaming + `\Claude\claude_desktop_config.json`, true, nil},
		{"claude-desktop", win, []string{msix}, msix, true, nil},
		// Windows shows the package what lies in Roaming until the package has the file itself.
		{"claude-desktop", win, []string{msix + ".bak", roaming + `\Claude\claude_desktop_config.json`},
			roaming + `\Claude\claude_desktop_config.json`, true, nil},
		{"claude-desktop", win, []string{roaming + `\Claude\claude_desktop_config.json`, msix, newest}, newest, true,
			[]string{msix, roaming + `\Claude\claude_desktop_config.json`}},
		{"claude-desktop", win, []string{newest, strings.Replace(newest, "claude-3", "claude-2", 1)}, newest, true,
			[]string{strings.Replace(newest, "claude-3", "claude-2", 1)}},
		{"cursor", linux, nil, "/home/u/.cursor/mcp.json", false, nil},
		{"cursor", xdg, []string{"/home/u/.cursor/x"}, "/home/u/.cursor/mcp.json", true, nil},
		{"cursor", mac, []string{"/Applications/Cursor.app"}, "/Users/u/.cursor/mcp.json", true, nil},
		{"cursor", win, []string{roaming + `\Cursor\x`}, `C:\Users\u\.cursor\mcp.json`, true, nil},
		{"cursor", win, []string{`C:\Cursor\cursor.cmd`}, `C:\Users\u\.cursor\mcp.json`, true, nil},
		{"vscode", linux, []string{"/bin/code"}, "/home/u/.config/Code/User/mcp.json", true, nil},
		{"vscode", linux, []string{"/home/u/.vscode-server/data/User/x"}, "/home/u/.vscode-server/data/User/mcp.json", true, nil},
		{"vscode", xdg, []string{"/cfg/Code/User/mcp.json"}, "/cfg/Code/User/mcp.json", true, nil},
		{"vscode", mac, []string{support + "/Code/User/settings.json"}, support + "/Code/User/mcp.json", true, nil},
		{"vscode", win, []string{roaming + `\Code\User\settings.json`}, roaming + `\Code\User\mcp.json`, true, nil},
		{"vscode", win, []string{`C:\bin\code.cmd`}, roaming + `\Code\User\mcp.json`, true, nil},
	}
	for _, tt := range tests {
		c, _ := Lookup(tt.client)
		got := fake(tt.host, tt.there...).Find(c)
		if got.Path != tt.path || got.Detected != tt.detected || !slices.Equal(got.Others, tt.others) {
			t.Errorf("%s on %s with %q:\n%+v\nwant %s, detected %v, others %q", tt.client, tt.host.OS, tt.there, got, tt.path, tt.detected, tt.others)
		}
	}
}

func TestRunning(t *testing.T) {
	tests := map[string]bool{
		"/Applications/Claude.app/Contents/MacOS/Claude":                                true,
		"/usr/lib/claude-desktop/node_modules/electron/dist/electron":                   true,
		`C:\Users\u\AppData\Local\AnthropicClaude\app-1.2\claude.exe`:                   true,
		`C:\Program Files\WindowsApps\Claude_1.2.3.0_x64__pzs8sxrjxfjjc\app\Claude.exe`: true,
		`C:\Users\u\.local\bin\claude.exe`:                                              false,
		"/home/u/.local/bin/claude":                                                     false,
		"/home/u/.local/share/claude/versions/2.1.0":                                    false,
		"/usr/bin/claude-desktop":                                                       false, // a script's name: not what runs
		"/Applications/Cursor.app/Contents/MacOS/Cursor":                                false,
	}
	c, _ := Lookup("claude-desktop")
	for exe, want := range tests {
		m := fake(host.Host{OS: "linux"})
		m.executables = func() []string { return []string{"/sbin/init", exe} }
		if m.Running(c) != want {
			t.Errorf("%s: %v", exe, !want)
		}
	}
}

func TestNearest(t *testing.T) {
	ids := []string{"claude-desktop", "cursor", "vscode"}
	tests := map[string]string{
		"claude": "claude-desktop", "Claude Desktop": "claude-desktop", "claude-dekstop": "claude-desktop", "curser": "cursor",
		"code": "vscode", "vs-code": "vscode", "VSCode": "vscode", "emacs": "", "x": "", "": "",
	}
	for word, want := range tests {
		if got := strings.Join(Nearest(word, ids), " "); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestFindSelf(t *testing.T) {
	dir := t.TempDir()
	name := "mcpctl"
	h := host.Host{OS: "linux"}
	if filepath.Separator == '\\' {
		name, h.OS = name+".exe", "windows"
	}
	file := func(elem ...string) string {
		p := filepath.Join(append([]string{dir}, elem...)...)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, p, []byte(p))
		return p
	}
	cellar := file("Cellar", "1.2.3", name)
	other := file("other", name)
	goRun := file("go-build123", "b001", "exe", name)
	link := filepath.Join(dir, "bin", name)
	if err := os.MkdirAll(filepath.Join(dir, "bin", "folder", name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(cellar, link); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{"relative", filepath.Join(dir, "none"), filepath.Join(dir, "bin", "folder"), filepath.Dir(other), filepath.Dir(link)},
		string(filepath.ListSeparator))
	h.Env = env("PATH", path)

	// The link is taken, not what it leads to.
	if s := FindSelf(h, cellar); s.Path != link || s.Other != other || s.Vanishing || !s.Temporary {
		t.Errorf("installed: %+v", s)
	}
	if s := FindSelf(h, goRun); s.Path != goRun || s.Other != other || !s.Vanishing {
		t.Errorf("go run: %+v", s)
	}
	if s := FindSelf(host.Host{OS: h.OS}, cellar); s.Path != cellar || s.Other != "" {
		t.Errorf("not on PATH: %+v", s)
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	t.Setenv("TMP", filepath.Join(dir, "tmp"))
	if s := FindSelf(h, cellar); s.Temporary {
		t.Errorf("not temporary: %+v", s)
	}
}

func TestOurs(t *testing.T) {
	tests := []struct {
		raw    string
		ours   bool
		server string
		kind   string
	}{
		{`{"command": "/usr/bin/mcpctl", "args": ["bridge", "linear"]}`, true, "linear", ""},
		{`{"command": "C:\\x\\MCPCTL.EXE", "args": ["bridge", "linear", "--profile", "p"], "env": {"A": "b"}}`, true, "linear", ""},
		{`{"command": "mcpctl", /* x */ "args": ["bridge", "--no-browser", "linear"],}`, true, "", ""},
		{`{"command": "mcpctl", "args": ["version"]}`, false, "", "an entry that starts mcpctl"},
		{`{"command": "mcpctl"}`, false, "", "an entry that starts mcpctl"},
		{`{"command": "/x/mcpctl-dev", "args": ["bridge", "linear"]}`, false, "linear", "an entry that starts mcpctl-dev"},
		{`{"command": "KEY=sk-1 npx"}`, false, "", "an entry of another kind"},
		{`{"url": "https://sk-1.example.com"}`, false, "", "an entry for a remote server"},
		{`"mcpctl bridge linear"`, false, "", "an entry of another kind"},
		{`null`, false, "", "an entry of another kind"},
		{`{"type": "local", "command": ["/bin/mcpctl", "bridge", "linear"]}`, true, "linear", ""},
		{`{"cmd": "mcpctl", "args": ["bridge", "linear"]}`, true, "linear", ""},
		{`{"command": ["mcpctl", 1]}`, false, "", "an entry of another kind"},
		{`{"command": []}`, false, "", "an entry of another kind"},
		{`{"command": "mcpctl", "args": "bridge"}`, false, "", "an entry that starts mcpctl"},
		{`{"serverUrl": "https://sk-1.example.com"}`, false, "", "an entry for a remote server"},
	}
	for _, tt := range tests {
		e := decode(configRaw(tt.raw))
		if e.ours() != tt.ours || e.server() != tt.server || tt.kind != "" && e.kind() != tt.kind {
			t.Errorf("%s: ours %v, server %q, kind %q", tt.raw, e.ours(), e.server(), e.kind())
		}
	}
}
