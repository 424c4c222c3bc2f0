package doctor

import (
	"slices"
	"testing"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/host"
)

// TestEnvironment shows what clients that differ make of one environment.
func TestEnvironment(t *testing.T) {
	environ := []string{"HOME=/home/u", "DISPLAY=:0", "LANG=C", "API_TOKEN=x"}
	entry := clients.LaunchOf(map[string]any{"command": "mcpctl", "env": map[string]any{"TEAM": "blue"}, "env_vars": []any{"DISPLAY", "XAUTHORITY"}})
	for client, want := range map[string][]string{
		"codex":       {"DISPLAY=:0", "HOME=/home/u", "LANG=C", "TEAM=blue"},
		"cursor":      {"DISPLAY=:0", "HOME=/home/u", "TEAM=blue"},
		"gemini-cli":  {"DISPLAY=:0", "HOME=/home/u", "LANG=C", "TEAM=blue"},
		"claude-code": {"API_TOKEN=x", "DISPLAY=:0", "HOME=/home/u", "LANG=C", "TEAM=blue"},
	} {
		got := environmentOf("linux", client).with(entry.Pass).list(host.Host{OS: "linux"}, environ, entry.Env)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", client, got)
		}
	}
}
