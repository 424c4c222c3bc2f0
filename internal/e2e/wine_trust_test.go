//go:build e2e && linux

package e2e

import (
	"strings"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// trust: what differs on Windows about keys. The Credential Manager takes 2,560 bytes, and no more; exec runs beside its program,
// since no process can take another's place; profiles have an item each.
func (w windows) trust(g *demo.Gateway) {
	key := g.Keys().User
	long := strings.Repeat("k", 2600)
	code, _, stderr := w.mcpctl(long+"\n", "login", "--with-key", "--skip-verify")
	if code != 1 || !strings.Contains(stderr, "takes keys up to about 2,300 bytes") || !strings.Contains(stderr, "--insecure-storage") || strings.Contains(stderr, "kkkk") {
		w.Errorf("a key that is too long: exit %d, %s", code, stderr)
	}
	w.does(strings.Repeat("k", 2300)+"\n", "login", "--with-key", "--skip-verify", "--profile", "long")
	w.does(key+"\n", "login", "--with-key")
	if got := w.does("", "profile", "ls", "--jq", `map(.name) | join(" ")`); got != "default long\n" {
		w.Errorf("profiles: %s", got)
	}
	if got := w.does("", "exec", "notes", "--", "cmd", "/c", "echo %PORTKEY_API_KEY% %MCP_SERVER_URL%"); got != "[redacted] "+g.GatewayURL()+"/notes/mcp\n" {
		w.Errorf("exec: %s", got)
	}
	if got := w.does("", "exec", "--no-masking", "--", "cmd", "/c", "echo %PORTKEY_API_KEY%"); got != key+"\n" {
		w.Error("exec doesn't hand over the key")
	}
	if code, _, stderr := w.mcpctl("", "exec", "--", "cmd", "/c", "exit 7"); code != 7 || stderr != "" {
		w.Errorf("exit code: %d, %s", code, stderr)
	}
	if code, _, stderr := w.mcpctl("", "exec", "--", "no-such-program"); code != 127 || !strings.Contains(stderr, "there is no program") {
		w.Errorf("no such program: exit %d, %s", code, stderr)
	}
	w.does("", "profile", "rm", "long")
	w.does("", "logout", "--all")
	for _, profile := range []string{"default", "long"} {
		if code, _, _ := w.mcpctl("", "status", "--profile", profile); code == 0 {
			w.Errorf("profile %s still has its key", profile)
		}
	}
	w.wantNowhere(key)
	w.wantNowhere("kkkkkkkkkkkkkkkk")
}
