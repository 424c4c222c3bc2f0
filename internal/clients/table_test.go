package clients

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
)

// TestPlaces shows where each client's file of the user is on each system when nothing is there, and its files in projects.
func TestPlaces(t *testing.T) {
	hosts := []host.Host{
		{OS: "linux", Home: "/home/u"},
		{OS: "darwin", Home: "/Users/u"},
		{OS: "windows", Home: `C:\Users\u`, AppData: `C:\Users\u\AppData\Roaming`, LocalAppData: `C:\Users\u\AppData\Local`},
	}
	const table = `
		claude-desktop
			~/.config/Claude/claude_desktop_config.json
			~/Library/Application Support/Claude/claude_desktop_config.json
			%APPDATA%\Claude\claude_desktop_config.json
		claude-code .mcp.json
			~/.claude.json
			~/.claude.json
			~\.claude.json
		cursor .cursor/mcp.json
			~/.cursor/mcp.json
			~/.cursor/mcp.json
			~\.cursor\mcp.json
		vscode .vscode/mcp.json
			~/.config/Code/User/mcp.json
			~/Library/Application Support/Code/User/mcp.json
			%APPDATA%\Code\User\mcp.json
		vscode-insiders .vscode/mcp.json
			~/.config/Code - Insiders/User/mcp.json
			~/Library/Application Support/Code - Insiders/User/mcp.json
			%APPDATA%\Code - Insiders\User\mcp.json
		vscodium .vscode/mcp.json
			~/.config/VSCodium/User/mcp.json
			~/Library/Application Support/VSCodium/User/mcp.json
			%APPDATA%\VSCodium\User\mcp.json
		codex .codex/config.toml
			~/.codex/config.toml
			~/.codex/config.toml
			~\.codex\config.toml
		copilot-cli .mcp.json .github/mcp.json
			~/.copilot/mcp-config.json
			~/.copilot/mcp-config.json
			~\.copilot\mcp-config.json
		gemini-cli .gemini/settings.json
			~/.gemini/settings.json
			~/.gemini/settings.json
			~\.gemini\settings.json
		antigravity .agents/mcp_config.json
			~/.gemini/config/mcp_config.json
			~/.gemini/config/mcp_config.json
			~\.gemini\config\mcp_config.json
		windsurf .devin/mcp_config.json
			~/.config/devin/mcp_config.json
			~/.config/devin/mcp_config.json
			%APPDATA%\devin\mcp_config.json
		zed .zed/settings.json
			~/.config/zed/settings.json
			~/.config/zed/settings.json
			%APPDATA%\Zed\settings.json
		cline
			~/.cline/data/settings/cline_mcp_settings.json
			~/.cline/data/settings/cline_mcp_settings.json
			~\.cline\data\settings\cline_mcp_settings.json
		opencode opencode.json opencode.jsonc
			~/.config/opencode/opencode.json
			~/.config/opencode/opencode.json
			~\.config\opencode\opencode.json
		goose
			~/.config/goose/config.yaml
			~/.config/goose/config.yaml
			%APPDATA%\Block\goose\config\config.yaml
		lm-studio
			~/.lmstudio/mcp.json
			~/.lmstudio/mcp.json
			~\.lmstudio\mcp.json
		jetbrains-copilot
			~/.config/github-copilot/intellij/mcp.json
			~/.config/github-copilot/intellij/mcp.json
			%LOCALAPPDATA%\github-copilot\intellij\mcp.json
		kiro .kiro/settings/mcp.json
			~/.kiro/settings/mcp.json
			~/.kiro/settings/mcp.json
			~\.kiro\settings\mcp.json
`
	var b strings.Builder
	b.WriteString("\n")
	for _, c := range All() {
		b.WriteString("\t\t" + strings.Join(append([]string{c.ID}, c.ProjectFiles...), " ") + "\n")
		for _, h := range hosts {
			found := fake(h).Find(c)
			path := found.Path
			if h.OS == "windows" {
				path = strings.NewReplacer(h.AppData, "%APPDATA%", h.LocalAppData, "%LOCALAPPDATA%").Replace(path)
			}
			b.WriteString("\t\t\t" + strings.Replace(path, h.Home, "~", 1) + "\n")
			if found.Detected || len(found.Others)+len(found.Profiles) > 0 {
				t.Errorf("%s on an empty machine: %+v", c.ID, found)
			}
		}
	}
	if b.String() != table {
		t.Errorf("got %s", b.String())
	}
}

// TestRows holds every row to what all of them must be.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] || c.ID != strings.ToLower(c.ID) || c.Name == "" || c.Key == "" || c.AfterInstall == "" {
			t.Errorf("%s: %+v", c.ID, c)
		}
		seen[c.ID] = true
		if c.Verified != "" && !regexp.MustCompile(`^20\d\d-[01]\d-[0-3]\d$`).MatchString(c.Verified) {
			t.Errorf("%s: verified %q", c.ID, c.Verified)
		}
		if (c.Direct == nil) == (c.NotDirect == "") || c.Direct != nil && (c.Direct.URL == "" || len(c.Direct.Headers) == 0) {
			t.Errorf("%s: %+v, %q", c.ID, c.Direct, c.NotDirect)
		}
		if c.Successor != "" {
			if s, ok := Lookup(c.Successor); !ok || len(s.ProjectFiles) == 0 {
				t.Errorf("%s: successor %q", c.ID, c.Successor)
			}
		}
		for _, m := range c.Members(linear()) {
			if slices.Contains([]string{"trust", "autoApprove", "alwaysAllow"}, m.Name) {
				t.Errorf("%s answers for its user: %s", c.ID, m.Name)
			}
		}
	}
}

func TestFindFurther(t *testing.T) {
	linux := func(pairs ...string) host.Host { return host.Host{OS: "linux", Home: "/home/u", Env: env(pairs...)} }
	win := host.Host{OS: "windows", Home: `C:\Users\u`, AppData: `C:\Users\u\AppData\Roaming`, Env: env("CLINE_DIR", `D:\cline`)}
	tests := []struct {
		what     string
		client   string
		host     host.Host
		there    []string
		path     string
		detected bool
		others   []string
	}{
		{"a home is no sign", "claude-code", linux(), []string{"/home/u/x"}, "/home/u/.claude.json", false, nil},
		{"a folder of its own is", "claude-code", linux(), []string{"/home/u/.claude/x"}, "/home/u/.claude.json", true, nil},
		{"so is the file", "claude-code", linux(), []string{"/home/u/.claude.json"}, "/home/u/.claude.json", true, nil},
		{"so is the program", "claude-code", linux("PATH", "/bin"), []string{"/bin/claude"}, "/home/u/.claude.json", true, nil},
		{"a variable wins, and hides the rest", "claude-code", linux("CLAUDE_CONFIG_DIR", "/work"), []string{"/work/x", "/home/u/.claude.json"},
			"/work/.claude.json", true, nil},
		{"an empty variable is none", "claude-code", linux("CLAUDE_CONFIG_DIR", ""), nil, "/home/u/.claude.json", false, nil},
		{"another's folder is no sign", "gemini-cli", linux(), []string{"/home/u/.gemini/config/x"}, "/home/u/.gemini/settings.json", false, nil},
		{"old folder", "antigravity", linux(), []string{"/home/u/.gemini/antigravity/mcp_config.json"}, "/home/u/.gemini/antigravity/mcp_config.json", true, nil},
		{"new folder, old file", "antigravity", linux(), []string{"/home/u/.gemini/config/x", "/home/u/.gemini/antigravity/mcp_config.json"},
			"/home/u/.gemini/config/mcp_config.json", true, []string{"/home/u/.gemini/antigravity/mcp_config.json"}},
		{"both files", "windsurf", linux(), []string{"/home/u/.config/devin/mcp_config.json", "/home/u/.codeium/windsurf/mcp_config.json"},
			"/home/u/.config/devin/mcp_config.json", true, []string{"/home/u/.codeium/windsurf/mcp_config.json"}},
		{"the extension of VS Code", "cline", linux(), []string{"/home/u/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/x"},
			"/home/u/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", true, nil},
		{"the strongest of three variables", "cline", linux("CLINE_DIR", "/c", "CLINE_DATA_DIR", "/d", "CLINE_MCP_SETTINGS_PATH", "/e/x.json"), nil, "/e/x.json", false, nil},
		{"the second", "cline", linux("CLINE_DIR", "/c", "CLINE_DATA_DIR", "/d"), nil, "/d/settings/cline_mcp_settings.json", false, nil},
		{"a variable on Windows", "cline", win, []string{`D:\cline\data\settings\x`}, `D:\cline\data\settings\cline_mcp_settings.json`, true, nil},
		{"the file that is there", "opencode", linux(), []string{"/home/u/.config/opencode/opencode.jsonc"}, "/home/u/.config/opencode/opencode.jsonc", true, nil},
		{"a flatpak", "zed", linux("FLATPAK_XDG_CONFIG_HOME", "/cfg"), []string{"/home/u/.config/zed/settings.json"}, "/cfg/zed/settings.json", false, nil},
		{"no program", "jetbrains-copilot", linux("PATH", "/bin"), []string{"/bin/x"}, "/home/u/.config/github-copilot/intellij/mcp.json", false, nil},
	}
	for _, tt := range tests {
		c, _ := Lookup(tt.client)
		got := fake(tt.host, tt.there...).Find(c)
		if got.Path != tt.path || got.Detected != tt.detected || !slices.Equal(got.Others, tt.others) {
			t.Errorf("%s, %s: %+v", tt.client, tt.what, got)
		}
	}
}

func TestFindProfilesAndProjects(t *testing.T) {
	h := host.Host{OS: "linux", Home: "/home/u"}
	vscode, _ := Lookup("vscode")
	user := "/home/u/.config/Code/User/"
	got := fake(h, user+"mcp.json", user+"profiles/1a/settings.json", user+"profiles/2b/mcp.json").Find(vscode).Profiles
	if want := []string{user + "profiles/2b/mcp.json", user + "profiles/1a/mcp.json"}; !slices.Equal(got, want) {
		t.Errorf("profiles: %q", got)
	}
	copilot, _ := Lookup("copilot-cli")
	for there, want := range map[string]string{
		"/p/x": "/p/.mcp.json", "/p/.github/mcp.json": "/p/.github/mcp.json", "/p/.mcp.json": "/p/.mcp.json",
	} {
		if got := fake(h, there).ProjectFile(copilot, "/p"); got != want {
			t.Errorf("with %s: %s", there, got)
		}
	}
	lmStudio, _ := Lookup("lm-studio")
	if got := fake(h).ProjectFile(lmStudio, "/p"); got != "" {
		t.Errorf("LM Studio has %s", got)
	}
}
