package cli

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDiffsOnATerminal: names in a project's file, which its owner is to judge by, do nothing to the terminal. Elsewhere a diff has
// the file's bytes.
func TestDiffsOnATerminal(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	t.Chdir(t.TempDir())
	const odd = "e\u009b31mv\u202eil"
	if err := os.Mkdir(".vscode", 0o700); err != nil {
		t.Fatal(err)
	}
	file := `{"servers": {"` + odd + `": {"type": "http", "url": "https://gateway.example/notes/mcp", "headers": {"x-portkey-api-key": "` + goodKey + `"}}}}`
	if err := os.WriteFile(".vscode/mcp.json", []byte(file+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"install", "vscode", "linear", "--project", "--dry-run", "--force", "--command", "mcpctl"},
		{"adopt", "vscode", "--dry-run", "--command", "mcpctl"},
	} {
		c := u.converse(t.Context(), args...)
		c.wantExit(0)
		shown := c.wait(t, "Nothing was written")
		if bad := harmful(strings.ReplaceAll(shown, "\r\n", "\n")); bad != "" || !strings.Contains(shown, "e�31mv�il") {
			t.Errorf("%q: %q in %q", args, bad, shown)
		}
		var out bytes.Buffer
		if code := u.app(nil, &out, &bytes.Buffer{}).run(t.Context(), args); code != 0 || !strings.Contains(out.String(), odd) {
			t.Errorf("%q: exit %d, %q", args, code, out.String())
		}
	}
}

// TestFollowedRecordsOnATerminal: one to a line there too.
func TestFollowedRecordsOnATerminal(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	logged(t, u, "", func(_ *app, log *slog.Logger) { log.Info("hello", "a", "b"); log.Info("last") })
	for jq, want := range map[string]string{"": `(?m)^\{"time":.*"hello".*\}\r$`, "{message, server}": `(?m)^\{"message":"hello","server":"linear"\}\r$`} {
		ctx, interrupt := context.WithCancel(t.Context())
		args := []string{"logs", "-f", "--json"}
		if jq != "" {
			args = append(args, "--jq", jq)
		}
		c := u.converse(ctx, args...)
		if shown := c.wait(t, `"last"`); !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("%q: %q", jq, shown)
		}
		interrupt()
		c.wantExit(exitInterrupted)
	}
}
