package configfile

import (
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// What an error shows as the text to write by hand has nothing in it that is the owner's: that may be a secret.
func TestRefusalShowsNoRaw(t *testing.T) {
	table := Raw{"[s.linear]\nkey = \"sk-1\"\n", TOML}
	for name, tt := range map[string]struct {
		format Format
		text   string
		value  any
		shows  string
	}{
		"a whole table":    {TOML, "s = {}\n", table, ""},
		"a member":         {TOML, "s = {}\n", Members{{"command", "mcpctl"}, {"key", Raw{"'sk-1'", TOML}}}, "command = 'mcpctl'\nkey = '…'"},
		"a table in it":    {TOML, "s = {}\n", Members{{"command", "mcpctl"}, {"linear", table}}, "command = 'mcpctl'\nlinear = '…'"},
		"a whole mapping":  {YAML, "s: {a: 1}\n", Raw{"key: sk-1", YAML}, ""},
		"a mapping's part": {YAML, "s: {a: 1}\n", Members{{"cmd", "mcpctl"}, {"key", Raw{"sk-1", YAML}}}, "cmd: mcpctl\n    key: '…'"},
	} {
		err := parseAs(t, "f", tt.text, tt.format).Set(tt.value, "s", "linear")
		if err == nil {
			t.Errorf("%s: not refused", name)
			continue
		}
		next := problem.NextStep(err)
		if strings.Contains(err.Error()+next, "sk-1") || !strings.Contains(next, tt.shows) || tt.shows == "" && next != fixFirst {
			t.Errorf("%s: %v\n%s", name, err, next)
		}
	}
}
