//go:build e2e && linux

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHeaderFromKeyring: the settings name an item of the keyring, and its value goes out in the header, and is shown nowhere.
func TestHeaderFromKeyring(t *testing.T) {
	const value = "header-secret-canary"
	s := newSession(t, "unlocked")
	store := exec.Command("secret-tool", "store", "--label=team", "service", "mcpctl", "username", "team")
	store.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(s.folder, "home"), "DBUS_SESSION_BUS_ADDRESS=" + s.bus}
	store.Stdin = strings.NewReader(value)
	if out, err := store.CombinedOutput(); err != nil {
		t.Fatalf("secret-tool: %v\n%s", err, out)
	}
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("X-Team")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	}))
	defer server.Close()
	settings := filepath.Join(s.folder, "home", "settings.yaml")
	text := "profiles:\n  default:\n    gateway_url: " + server.URL + "\n    servers:\n      any:\n        headers:\n          X-Team: keyring:team\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"MCPCTL_GATEWAY_URL=", "MCPCTL_CONTROL_PLANE_URL=", "MCPCTL_API_KEY=" + s.gateway.Keys().User, "MCPCTL_CONFIG=" + settings}
	code, stdout, stderr := s.run(5*time.Second, env, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n", "bridge", "any", "--log-level", "debug")
	if code != 0 || !strings.Contains(stdout, `"result"`) {
		t.Fatalf("exit %d, %s", code, stdout)
	}
	if h := <-got; h != value {
		t.Errorf("the header is %q", h)
	}
	if strings.Contains(stdout+stderr, value) {
		t.Error("the value is shown")
	}
}
