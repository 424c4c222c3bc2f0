//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// headless writes an opener into a folder, which starts a real browser with a profile of its own, and returns the environment in
// which it is found.
func headless(t *testing.T, bin, profile string) []string {
	need(t, "chromium", "chromium")
	opener := "#!/bin/sh\necho noise on stdout\nexec chromium --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run" +
		" --disable-background-networking --disable-component-update --disable-sync --remote-debugging-port=0" +
		" --user-data-dir=" + profile + ` "$1"` + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(opener), 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DISPLAY=:99"}
}

const greet = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"greet","arguments":{}}}
`

// guarded starts oidc-server.mjs and returns the URL of its MCP server.
func guarded(t *testing.T) string {
	t.Helper()
	need(t, "node", "nodejs")
	cmd := exec.Command("node", "oidc-server.mjs")
	cmd.Dir = "../../testdata/e2e"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "http") {
			go func() {
				for lines.Scan() {
				}
			}()
			return line
		}
	}
	t.Fatalf("the server doesn't start: %s", stderr.String())
	return ""
}

type counts struct{ Code, Refresh, Refused, Calls int }

func ask(t *testing.T, server, path string) (c counts) {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(server, "/mcp") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOAuthForeignServer: a bridge to a server outside any gateway logs its user in by itself, through a real browser, at an
// authorization server that nobody here wrote; the tokens lie in a real keyring; five bridges renew them as one; and the end of
// the login is told.
func TestOAuthForeignServer(t *testing.T) {
	server := guarded(t)
	s := newSession(t, "unlocked")
	bin, profile := t.TempDir(), browserProfile(t)
	env := headless(t, bin, profile)
	var page struct{ Then string }
	var wg sync.WaitGroup
	wg.Go(func() {
		node(t, append(os.Environ(), "SCREENSHOT="+os.Getenv("SCREENSHOT")), &page, "oidc-login.mjs", profile)
	})
	stay := func(args ...string) (stdout, stderr string) {
		cmd := exec.Command(binary(t), args...)
		cmd.Env = s.environment(env)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		defer timer.Stop()
		_, _ = in.Write([]byte(greet))
		var lines strings.Builder
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines.WriteString(scan.Text() + "\n")
			if strings.Contains(scan.Text(), `"id":2`) {
				in.Close()
			}
		}
		_ = cmd.Wait()
		return lines.String(), errs.String()
	}
	stdout, stderr := stay("bridge", server)
	wg.Wait()
	if !strings.Contains(stdout, "Hello alice") || !strings.Contains(page.Then, "Back to mcpctl") || strings.Contains(stdout, "noise") {
		t.Fatalf("%s%s%+v", stdout, stderr, page)
	}
	if c := ask(t, server, "/counts"); c.Code != 1 || c.Refresh != 0 {
		t.Errorf("%+v", c)
	}

	// Its token has expired at the server, whatever the clock here says: five bridges at once.
	ask(t, server, "/expire")
	var five sync.WaitGroup
	for range 5 {
		five.Go(func() {
			if stdout, stderr := stay("bridge", server); !strings.Contains(stdout, "Hello alice") {
				t.Errorf("%s%s", stdout, stderr)
			}
		})
	}
	five.Wait()
	if c := ask(t, server, "/counts"); c.Refresh != 1 || c.Refused != 0 || c.Code != 1 {
		t.Errorf("five bridges: %+v", c)
	}
	if code, stdout, _ := s.run(20*time.Second, nil, "", "status", "--jq", ".sign_ins[0].source"); code != 4 || !strings.Contains(stdout, "Secret Service") {
		t.Errorf("status: %d %s", code, stdout)
	}

	// Nothing of it lies in a file.
	_ = filepath.WalkDir(s.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.Contains(path, "mcpctl") {
			return nil
		}
		if data, _ := os.ReadFile(path); bytes.Contains(data, []byte("_token\"")) {
			t.Errorf("%s: %s", path, data)
		}
		return nil
	})

	// The login ends at the server.
	ask(t, server, "/revoke")
	code, stdout, stderr := s.run(30*time.Second, nil, greet, "bridge", server, "--no-browser", "--consent-timeout", "2s")
	if code != 0 || !strings.Contains(stdout, "needs your consent") || strings.Contains(stdout, "Hello") {
		t.Errorf("revoked: %d %s%s", code, stdout, stderr)
	}
	if c := ask(t, server, "/counts"); c.Refresh != 1 || c.Refused != 1 {
		t.Errorf("revoked: %+v", c)
	}
	if code, _, stderr := s.run(20*time.Second, nil, "", "logout", "--all"); code != 0 || !strings.Contains(stderr, "Removed the login to "+server) {
		t.Errorf("logout: %d %s", code, stderr)
	}
}

// TestOAuthByClick: the gateway's own pages, one for the program and one for the server behind the gateway, each with a click.
func TestOAuthByClick(t *testing.T) {
	g := start(t, demo.Options{UnclosedQuote: true, AnswerIssuer: "right"})
	bin, profile := t.TempDir(), browserProfile(t)
	env := append(environment(t, g), headless(t, bin, profile)...)
	var page struct {
		Asked []string
		Then  string
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		node(t, append(os.Environ(), "SCREENSHOT="+os.Getenv("SCREENSHOT")), &page, "oauth-click.mjs", profile)
	})
	stdout, all, err := output(t, env, binary(t), "login", "--oauth", "linear", "--insecure-storage")
	wg.Wait()
	if err != nil || stdout != "" || !strings.Contains(all, "Logged in to linear") {
		t.Fatalf("%v: %s", err, all)
	}
	if len(page.Asked) != 2 || !strings.Contains(page.Asked[0], "Let mcpctl use Linear?") || !strings.Contains(page.Asked[1], "Allow access to Linear?") ||
		!strings.Contains(page.Then, "Back to mcpctl") {
		t.Errorf("%+v", page)
	}
	if !g.Consented(g.Keys().User, "linear") {
		t.Error("no consent")
	}
}

// TestConformanceAuth: the client scenarios about authorization, with the bridge as the client that follows it.
func TestConformanceAuth(t *testing.T) {
	g := start(t, demo.Options{})
	for _, scenario := range []string{
		"metadata-default", "metadata-var1", "metadata-var2", "metadata-var3", "basic-cimd", "scope-from-www-authenticate",
		"scope-from-scopes-supported", "scope-omitted-when-undefined", "scope-step-up", "scope-retry-limit", "token-endpoint-auth-basic",
		"token-endpoint-auth-post", "token-endpoint-auth-none", "pre-registration", "2025-03-26-oauth-metadata-backcompat",
		"2025-03-26-oauth-endpoint-fallback", "resource-mismatch", "offline-access-scope", "offline-access-not-supported",
	} {
		t.Run(scenario, func(t *testing.T) {
			bin := t.TempDir()
			visit := "#!/bin/sh\nexec node -e 'fetch(process.argv[1])' \"$1\"\n" // the suite's pages ask nobody
			if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(visit), 0o755); err != nil {
				t.Fatal(err)
			}
			env := append(environment(t, g), "PATH="+bin+":"+os.Getenv("PATH"), "DISPLAY=:99", "MCPCTL_UNDER_TEST="+binary(t))
			settings := filepath.Join(strings.TrimPrefix(env[0], "HOME="), ".config", "mcpctl", "config.yaml")
			if err := os.MkdirAll(filepath.Dir(settings), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(settings, []byte("profiles:\n  default:\n    credential: file\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, all, err := output(t, env, "node", "suite.mjs", "client", "--command", "node suite-client.mjs", "--scenario", "auth/"+scenario)
			if m := passed.FindStringSubmatch(all); m == nil || m[2] != "0" || err != nil {
				t.Errorf("%v\n%s", err, all)
			}
		})
	}
}
