//go:build unix

package promises

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// TestT02NoKeyInArguments: no flag of any command takes a key, and what may be one is refused without being shown.
func TestT02NoKeyInArguments(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	u := newUser(t).at("http://127.0.0.1:1", "http://127.0.0.1:1/v1")
	// A file or a variable that holds one, the end of one, what it is sent in, how long it lasts, stdin.
	harmless := regexp.MustCompile(`-(file|env|profile|header|lifetime)$|^with-key$`)
	flags := 0
	for _, path := range u.commands() {
		args := strings.Fields(path)
		for line := range strings.Lines(u.must("", append(args, "--help")...) + u.must("", "--help")) {
			_, flag, ok := strings.Cut(line, "--")
			if !ok || !strings.HasPrefix(strings.TrimSpace(line), "-") {
				continue
			}
			flags++
			name, takes, _ := strings.Cut(flag, " ")
			for _, bad := range []string{"key", "token", "secret", "password", "credential"} {
				if strings.Contains(name, bad) && !strings.HasPrefix(takes, " ") && !harmless.MatchString(name) {
					t.Errorf("mcpctl %s --%s takes a secret", path, name)
				}
			}
		}
		if path == "completion" || path == "help" {
			args = append(args, "bash")
		}
		for _, wrong := range [][]string{
			append(args, key, key, key, key), append(args, "--"+key), append(args, "--json="+key), append(args, "--no-input="+key),
			append(args, "--api-key", key), append(args, "--api-key="+key), append(args, "--key="+key),
		} {
			if slices.Contains([]string{"exec", "bridge", "logs", "tools call"}, path) {
				wrong = append(wrong, "--no-such-flag") // whatever a program is called, and a server may be called anything
			}
			code, stdout, stderr := u.run(key+"\n", wrong...)
			if code == 0 {
				t.Errorf("%q: exit 0", wrong)
			}
			if found := leak([]byte(stdout+stderr), forms(key)); found != "" && !strings.Contains(strings.Join(wrong, " "), "--"+key) {
				t.Errorf("mcpctl %s shows an argument that may be a key: %s", path, found)
			}
		}
	}
	if flags < 100 {
		t.Errorf("only %d flags were seen", flags)
	}
	u.write("something", "to search", 0o600)
	search(t, u.home, forms(key))
}

// TestT03InstallWritesNoSecret: whatever client, and wherever the key comes from, what is written holds none.
func TestT03InstallWritesNoSecret(t *testing.T) {
	g := startDemo(t, demo.Options{})
	key := g.Keys().User
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	u.env["MCPCTL_API_KEY"], u.env["PORTKEY_API_KEY"] = key, key
	u.must(key+"\n", "login", "--insecure-storage", "--with-key")
	file := u.write("given.key", key, 0o600)
	var clients []struct{ ID string }
	if err := json.Unmarshal([]byte(u.must("", "clients", "ls", "--json")), &clients); err != nil || len(clients) < 3 {
		t.Fatalf("%v, %v", clients, err)
	}
	written := map[string]bool{}
	for _, c := range clients {
		for _, args := range [][]string{{"--force"}, {"--force", "--project"}, {"--force", "--key-file", file}, {"--force", "--direct"}} {
			code, _, _ := u.run("", append([]string{"install", c.ID, "notes", "--no-input"}, args...)...) // some clients lack some of them
			written[c.ID] = written[c.ID] || code == 0
		}
		if !written[c.ID] {
			t.Errorf("nothing was installed into %s, so this shows nothing of it", c.ID)
		}
	}
	if found := leak(u.said.Bytes(), forms(key)); found != "" {
		t.Errorf("the key was printed: %s", found)
	}
	search(t, u.home, forms(key), "credentials.json", "given.key")
}

// TestT04FileIsWholeOrUntouched: a login that is killed at any moment leaves a file that can be read, by its owner alone.
func TestT04FileIsWholeOrUntouched(t *testing.T) {
	u := newUser(t)
	const key = "mcpctl-canary-8f3b1d27c5"
	folder := filepath.Join(u.home, ".config", "mcpctl")
	file := filepath.Join(folder, "credentials.json")
	login := []string{"login", "--insecure-storage", "--with-key", "--skip-verify"}
	u.must(key+"\n", append(login, "--profile", "first")...)
	killed := 0
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := u.command(ctx, append(login, "--profile", fmt.Sprint("p", i))...)
		cmd.Stdin = strings.NewReader(key + "\n")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(12 * time.Millisecond))
		_ = cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		cancel()
		var contents struct{ Items map[string]any }
		data, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(data, &contents) != nil || len(contents.Items) == 0 {
			t.Fatalf("after %d: %v, %s", i, err, data)
		}
	}
	t.Logf("%d of 40 were killed before they ended", killed)
	for path, want := range map[string]fs.FileMode{folder: 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// What a killed process has left beside it is as closed as the file itself, and the next login works.
	left, _ := filepath.Glob(filepath.Join(folder, "*"))
	left2, _ := filepath.Glob(filepath.Join(folder, ".*"))
	for _, path := range append(left, left2...) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %o", path, info.Mode().Perm())
		}
	}
	u.must(key+"\n", append(login, "--profile", "last")...)
}

// TestT05OpenFilesAreRefused: a key's file that somebody else may have had a hand in is not used.
func TestT05OpenFilesAreRefused(t *testing.T) {
	g := startDemo(t, demo.Options{})
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	u.must(g.Keys().User+"\n", "login", "--insecure-storage", "--with-key")
	file := filepath.Join(u.home, ".config", "mcpctl", "credentials.json")
	refused := func(what string) {
		t.Helper()
		for _, args := range [][]string{{"status"}, {"servers", "ls"}, {"exec", "--", "true"}} {
			code, _, stderr := u.run("", args...)
			if code == 0 || !strings.Contains(stderr, "not safe to use") {
				t.Errorf("%s: %q: exit %d, %s", what, args, code, stderr)
			}
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o666} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		refused(fmt.Sprintf("mode %o", mode))
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	u.must("", "status")
	elsewhere := filepath.Join(u.home, "elsewhere.json")
	if err := os.Rename(file, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file); err != nil {
		t.Fatal(err)
	}
	refused("a symbolic link")
	if os.Getuid() == 0 {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(elsewhere, file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		refused("another owner")
	}
}

// TestT14ProjectFilesSayNothing: no file of the working folder sets where a key goes, or what is started for it.
func TestT14ProjectFilesSayNothing(t *testing.T) {
	u := newUser(t)
	ran := filepath.Join(u.home, "ran")
	settings := "current_profile: evil\nprofiles: {default: &p {gateway_url: 'https://evil.example', control_plane_url: 'https://evil.example/v1', " +
		"ca_file: evil.pem, proxy: 'http://evil.example:1', key_command: [touch, '" + ran + "']}, evil: *p}\n"
	dotenv := "MCPCTL_GATEWAY_URL=https://evil.example\nMCPCTL_CONTROL_PLANE_URL=https://evil.example\nMCPCTL_CONFIG=config.yaml\n"
	names := []string{"config.yaml", "config.yml", ".mcpctl.yaml", "mcpctl.yaml", ".mcpctl/config.yaml", "mcpctl/config.yaml", ".config/mcpctl/config.yaml",
		".mcpctl", "mcpctl.json", "config.json", "config.toml"}
	home := u.home
	for _, name := range names {
		if strings.HasPrefix(name, ".mcpctl/") || name == "mcpctl/config.yaml" {
			u.home = filepath.Join(home, "project", "deep")
		} else {
			u.home = filepath.Join(home, "project")
		}
		u.write(name, settings, 0o600)
		u.write(".env", dotenv, 0o600)
	}
	u.home = filepath.Join(home, "project", "deep")
	u.write("config.yaml", settings, 0o600)
	for _, dir := range []string{"project", "project/deep"} {
		u.home = filepath.Join(home, dir)
		u.env["XDG_CONFIG_HOME"] = "." // a relative one counts for nothing
		for _, want := range []string{"gateway_url https://mcp.portkey.ai", "control_plane_url https://api.portkey.ai/v1", "ca_file null", "proxy null", "key_command null"} {
			key, value, _ := strings.Cut(want, " ")
			if got := strings.TrimSpace(u.must("", "config", "get", key, "--jq", ".value")); got != value {
				t.Errorf("in %s: %s is %s", dir, key, got)
			}
		}
		u.run("", "status", "--gateway", "http://127.0.0.1:1", "--control-plane", "http://127.0.0.1:1/v1")
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a project's key_command was started")
	}
}

// TestT32SettingsHoldNothingOfTheEnvironment: what mcpctl writes into its settings file comes from no variable, but for the
// addresses that a login was for.
func TestT32SettingsHoldNothingOfTheEnvironment(t *testing.T) {
	g := startDemo(t, demo.Options{})
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	const canary = "canary-of-the-environment"
	for _, name := range []string{
		"MCPCTL_API_KEY", "PORTKEY_API_KEY", "MCPCTL_LOG_LEVEL", "MCPCTL_PROXY", "MCPCTL_KEY_COMMAND", "MCPCTL_CA_FILE", "MCPCTL_HEADERS", "MCPCTL_KEY",
		"GATEWAY_URL", "PROXY", "KEY_COMMAND", "CREDENTIAL", "API_KEY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "DEFAULT_API_KEY", "MCPCTL_PROFILES_DEFAULT_PROXY",
	} {
		u.env[name] = canary
	}
	u.env["NO_PROXY"] = "127.0.0.1," + canary
	for _, args := range [][]string{
		{"login", "--insecure-storage", "--with-key"}, {"config", "set", "headers.X-Team", "blue"}, {"config", "unset", "headers.X-Team"},
		{"profile", "set", "work", "--workspace", "ws"}, {"profile", "use", "work"}, {"profile", "rm", "work"}, {"config", "set", "log_level", "info"},
	} {
		u.must(g.Keys().User+"\n", args...)
		data, err := os.ReadFile(filepath.Join(u.home, ".config", "mcpctl", "config.yaml"))
		if err != nil || strings.Contains(string(data), "canary") {
			t.Errorf("%q: %v, %s", args, err, data)
		}
	}
	u.env["MCPCTL_GATEWAY_URL"], u.env["MCPCTL_WORKSPACE"] = "https://"+canary+".example", canary
	u.must("", "config", "set", "log_level", "debug")
	u.must("", "profile", "set", "other", "--control-plane", "https://x.example")
	if data, _ := os.ReadFile(filepath.Join(u.home, ".config", "mcpctl", "config.yaml")); strings.Contains(string(data), "canary") {
		t.Errorf("%s", data)
	}
}
