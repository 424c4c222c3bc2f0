package promises

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asksConsent is a gateway each of whose servers answers a call with what answer makes of the request's id.
func asksConsent(t *testing.T, answer func(id json.RawMessage, own string) (status int, body any)) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct{ ID json.RawMessage }
		data, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || json.Unmarshal(data, &m) != nil || m.ID == nil {
			http.NotFound(w, r)
			return
		}
		status, body := answer(m.ID, "http://"+r.Host)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(s.Close)
	return s
}

// shapeA is how a gateway says that a page must be visited first.
func shapeA(id json.RawMessage, page string) (int, any) {
	return http.StatusUnauthorized, map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{
		"code": -32000, "message": "Authorization required", "data": map[string]any{"type": "oauth_required", "authorizationUrl": page}}}
}

// hostilePages are addresses that programs like this one were led to open, and their kin: script and file schemes, options, and what
// a shell, a terminal, an attribute or a browser takes for something else (CVE-2025-6514, CVE-2025-10619, CVE-2025-58444,
// CVE-2026-44429). OWN stands for the gateway, whose pages may be opened.
func hostilePages() []string {
	return []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "file://host/share",
		"smb://host/share", "\\\\host\\share", "ms-msdt:/id", "search-ms:query=x", "vscode://x/y", "mailto:a@b.example", "ftp://h.example/", "ssh://-oProxyCommand=x/",
		"view-source:https://h.example/", "--help", "-https://h.example/", "/etc/passwd", "//h.example/", "h.example", "https:", "https://", "https:///x", "https:h.example",
		"http://h.example/", "http://192.168.0.1/", "http://127.0.0.1.h.example/", "http://localhost.h.example/", "https://user:pw@h.example/", "https://user@h.example/",
		"OWN/`id`", "OWN/\"onmouseover=x", "OWN/<script>", "OWN/a|calc", "OWN/\\..\\calc", "OWN/{a}", "OWN/a b", "OWN/a\nb", "OWN/a\r\nX: y", "OWN/\x1b[2J", "OWN/\u202e", "OWN/é",
		"OWN/#x", "https://h$(id).example/", "https://h;id/", "https://h&calc/", "OWN/" + strings.Repeat("a", 4100), "https://h.example/\x00",
	}
}

// TestT16HostilePagesOfAGateway: none of them is opened or shown.
func TestT16HostilePagesOfAGateway(t *testing.T) {
	if n := len(hostilePages()); n < 40 {
		t.Errorf("only %d pages", n)
	}
	for i, page := range hostilePages() {
		g := asksConsent(t, func(id json.RawMessage, own string) (int, any) {
			return shapeA(id, strings.Replace(page, "OWN", own, 1))
		})
		u := newUser(t).at(g.URL, g.URL+"/v1")
		u.env["MCPCTL_API_KEY"] = "mcpctl-canary-8f3b1d27c5"
		code, stdout, stderr := u.run(call, "bridge", "notes", "--consent-timeout", "200ms")
		if code != 0 || !strings.Contains(stdout, `"id":1`) {
			t.Errorf("%q: exit %d, %s", page, code, stdout)
		}
		shown := strings.Replace(page, "OWN", g.URL, 1)
		if strings.Contains(stderr, shown) || strings.Contains(stderr, "needs your consent") {
			t.Errorf("%q is shown: %s", page, stderr)
		}
		if i%4 == 0 { // the same way, at another command
			if code, _, stderr := u.run("", "connect", "notes", "--timeout", "200ms"); code != 1 || strings.Contains(stderr, shown) {
				t.Errorf("connect: %q: exit %d: %s", page, code, stderr)
			}
		}
		if exists(filepath.Join(u.home, "opened")) {
			t.Errorf("%q was opened", page)
		}
	}
}

// TestT17NoShell: the page goes to the opener as one argument, with no program in between, and what means something to a shell
// is encoded. TestT18 is the opener's environment.
func TestT17NoShell(t *testing.T) {
	g := asksConsent(t, func(id json.RawMessage, own string) (int, any) {
		return shapeA(id, own+"/oauth/x?a=$(touch+pwned)&b='c'%26d;e")
	})
	u := newUser(t).at(g.URL, g.URL+"/v1")
	u.env["MCPCTL_API_KEY"] = "mcpctl-canary-8f3b1d27c5"
	opened := filepath.Join(u.home, "opened")
	u.write("bin/xdg-open", "#!/bin/sh\necho \"$# $1 $(cat /proc/$PPID/comm)\" >'"+opened+"'\n", 0o755)
	u.run(call, "bridge", "notes", "--consent-timeout", "300ms")
	want := "1 " + g.URL + "/oauth/x?a=%24%28touch+pwned%29&b=%27c%27%26d;e " + filepath.Base(built.Path(t)) + "\n"
	if got := awaitFile(t, opened); got != want {
		t.Errorf("the opener got %q, want %q", got, want)
	}
	if exists(filepath.Join(u.home, "pwned")) {
		t.Error("a command in the address was run")
	}
}

// TestT18BrowserKnowsNoKey: a browser runs for weeks, and everything that it starts has its environment.
func TestT18BrowserKnowsNoKey(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	g := asksConsent(t, func(id json.RawMessage, own string) (int, any) { return shapeA(id, own+"/oauth/x") })
	for _, args := range [][]string{{"bridge", "notes", "--consent-timeout", "300ms"}, {"connect", "notes", "--timeout", "300ms"}} {
		u := newUser(t).at(g.URL, g.URL+"/v1")
		u.env["MCPCTL_API_KEY"], u.env["PORTKEY_API_KEY"] = key, key
		u.run(call, args...)
		got := awaitFile(t, filepath.Join(u.home, "opened"))
		if !strings.Contains(got, "HOME="+u.home) || leak([]byte(got), forms(key)) != "" {
			t.Errorf("%s: the browser's environment:\n%s", args[0], got)
		}
	}
}

// TestT19PagesOfAResult: what a tool says is the client's business, and so is what a server behind the gateway asks for.
func TestT19PagesOfAResult(t *testing.T) {
	for name, answer := range map[string]func(id json.RawMessage, page string) (int, any){
		"a result": func(id json.RawMessage, page string) (int, any) {
			return 200, map[string]any{"jsonrpc": "2.0", "id": id, "result": map[string]any{"isError": true,
				"content": []any{map[string]any{"type": "text", "text": "Authorization required, open " + page}}}}
		},
		"an error of the upstream's": func(id json.RawMessage, page string) (int, any) {
			return 200, map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": -32603,
				"message": "Tool execution failed: authorize at " + page, "data": map[string]any{"authorizationUrl": page}}}
		},
		"elicitation": func(id json.RawMessage, page string) (int, any) {
			return 200, map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": -32042, "message": "visit a page",
				"data": map[string]any{"elicitations": []any{map[string]any{"mode": "url", "elicitationId": "e", "url": page, "message": "x"}}}}}
		},
	} {
		g := asksConsent(t, func(id json.RawMessage, own string) (int, any) { return answer(id, own+"/oauth/x") })
		u := newUser(t).at(g.URL, g.URL+"/v1")
		u.env["MCPCTL_API_KEY"] = "mcpctl-canary-8f3b1d27c5"
		if code, stdout, _ := u.run(call, "bridge", "notes", "--consent-timeout", "300ms"); code != 0 || !strings.Contains(stdout, "/oauth/x") {
			t.Errorf("%s doesn't reach the client: exit %d, %s", name, code, stdout)
		}
		if exists(filepath.Join(u.home, "opened")) {
			t.Errorf("%s: the page was opened", name)
		}
	}
	// A page of somebody else's, that leads back to nowhere of the gateway's, is shown and not opened.
	g := asksConsent(t, func(id json.RawMessage, own string) (int, any) {
		return shapeA(id, fmt.Sprintf("https://phisher.example/authorize?redirect_uri=%s.phisher.example%%2Foauth%%2Fupstream-callback", own))
	})
	u := newUser(t).at(g.URL, g.URL+"/v1")
	u.env["MCPCTL_API_KEY"] = "mcpctl-canary-8f3b1d27c5"
	if _, _, stderr := u.run(call, "bridge", "notes", "--consent-timeout", "300ms"); !strings.Contains(stderr, "consent at phisher.example") {
		t.Errorf("its host isn't named: %s", stderr)
	}
	if exists(filepath.Join(u.home, "opened")) {
		t.Error("a page of somebody else's was opened")
	}
}

// awaitFile returns what another process writes into a file.
func awaitFile(t *testing.T, path string) string {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(data), "\n") {
			return string(data)
		}
	}
	t.Fatalf("%s: not in 20 s", path)
	return ""
}
