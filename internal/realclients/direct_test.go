//go:build clients && linux

package realclients

import (
	"regexp"
	"strings"
	"testing"
)

// TestDirect: clients that speak to the gateway by themselves, with the key that they find in a variable; the file holds the
// variable's name. Without a variable, those that can say so ask their user to log in.
func TestDirect(t *testing.T) {
	tests := []struct {
		client, program, npmPackage, file string
		list                              func(*home, string) string
		connected, wantsLogin             string
	}{
		{"claude-code", "claude", "@anthropic-ai/claude-code", ".claude.json", told("mcp", "list"),
			`notes: http\S+ \(HTTP\) - ✔ Connected`, `linear: http\S+ \(HTTP\) - ! Needs authentication`},
		{"codex", "codex", "@openai/codex", ".codex/config.toml", appServer, `"name":"notes".*"search_notes"`, `"name":"linear"`},
		{"gemini-cli", "gemini", "@google/gemini-cli", ".gemini/settings.json", told("mcp", "list"),
			`✓ notes: http\S+ \(http\) - Connected`, `✗ linear: http`},
		{"opencode", "opencode", "opencode-ai", ".config/opencode/opencode.json", told("mcp", "list"),
			`✓ notes connected`, `⚠ linear needs authentication`},
		{"copilot-cli", "copilot", "@github/copilot", ".copilot/mcp-config.json", offeredByCopilot, `"notes-search_notes"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.client, func(t *testing.T) {
			h := newHome(t)
			h.env = append(h.env, "TEAM_KEY="+h.gateway.Keys().User)
			h.own("install", tt.client, "notes", "--direct", "--key-env", "TEAM_KEY", "--force")
			if tt.wantsLogin != "" {
				h.own("install", tt.client, "linear", "--direct")
			}
			installed := h.read(tt.file)
			told := tt.list(h, program(t, tt.program, tt.npmPackage))
			if !regexp.MustCompile(tt.connected).MatchString(told) || !regexp.MustCompile(tt.wantsLogin).MatchString(told) {
				t.Errorf("it doesn't tell of the servers:\n%s\nthe file is\n%s", told, installed)
			}
			if strings.Contains(installed, h.gateway.Keys().User) || !strings.Contains(installed, "TEAM_KEY") {
				t.Errorf("the file is\n%s", installed)
			}
			h.own("uninstall", tt.client, "--all")
		})
	}
}
