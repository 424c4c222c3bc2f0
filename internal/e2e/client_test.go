//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// node runs a script of testdata/e2e and decodes the JSON that it prints into v.
func node(t *testing.T, env []string, v any, script string, args ...string) {
	t.Helper()
	if _, err := os.Stat("../../testdata/e2e/node_modules"); err != nil {
		t.Fatal("the npm packages of testdata/e2e are missing: run .ci/setup")
	}
	need(t, "node", "nodejs")
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Dir = "../../testdata/e2e"
	cmd.Env = env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, stdout.String(), stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), v); err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, stdout.String(), stderr.String())
	}
}

// environment is what an AI client may start its servers with: nearly nothing.
func environment(t *testing.T, g *demo.Gateway, more ...string) []string {
	home := t.TempDir()
	return append([]string{
		"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + home + "/no-bus",
		"MCPCTL_GATEWAY_URL=" + g.GatewayURL(), "MCPCTL_CONTROL_PLANE_URL=" + g.ControlPlaneURL(), "MCPCTL_API_KEY=" + g.Keys().User,
	}, more...)
}

// everything starts the reference server and returns its URL.
func everything(t *testing.T) string {
	t.Helper()
	need(t, "node", "nodejs")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command("node", "node_modules/@modelcontextprotocol/server-everything/dist/index.js", "streamableHttp")
	cmd.Dir = "../../testdata/e2e"
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address := "http://127.0.0.1:" + strconv.Itoa(port) + "/mcp"
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(address); err == nil {
			resp.Body.Close()
			return address
		}
		if time.Now().After(limit) {
			t.Fatalf("server-everything doesn't start:\n%s", log.String())
		}
	}
}

type everythingAnswers struct {
	Server   struct{ Name string }
	Tools    []string
	Echo     struct{ Content []struct{ Text string } }
	Sum      struct{ Content []struct{ Text string } }
	Long     struct{ Content []struct{ Text string } }
	Progress []float64
	Image    []string
	Prompts  int
	Sampled  *struct{ Content []struct{ Text string } }
	Refused  string
	Many     int
	PID      int
	Stderr   string
	Closed   int // ms
}

// TestTypeScriptClient: the SDK's client on the bridge, the demo gateway behind it, the reference server behind that; and the
// same without a gateway, where sampling and sessions come into play.
func TestTypeScriptClient(t *testing.T) {
	upstream := everything(t)
	g := start(t, demo.Options{Upstreams: map[string]string{"everything": upstream}})
	for name, target := range map[string]string{"gateway": "everything", "direct": upstream} {
		t.Run(name, func(t *testing.T) {
			var got everythingAnswers
			node(t, environment(t, g), &got, "everything.mjs", binary(t), target)
			if !slices.Contains(got.Tools, "echo") || got.Many != 40 || got.Prompts == 0 {
				t.Errorf("%+v", got)
			}
			if want := "grüße 😀   \"quoted\""; !strings.Contains(got.Echo.Content[0].Text, want) {
				t.Errorf("echo: %q", got.Echo)
			}
			if !strings.Contains(got.Sum.Content[0].Text, "42") || !slices.Contains(got.Image, "image") || got.Refused == "" {
				t.Errorf("%+v", got)
			}
			if len(got.Progress) < 3 || !slices.IsSorted(got.Progress) {
				t.Errorf("progress: %v", got.Progress)
			}
			if name == "direct" && (got.Sampled == nil || !strings.Contains(got.Sampled.Content[0].Text, "sampled: 1")) {
				t.Errorf("sampling: %+v", got.Sampled)
			}
			if got.Stderr != "" || got.Closed > 1500 {
				t.Errorf("stderr %q, closed after %d ms", got.Stderr, got.Closed)
			}
			gone(t, got.PID)
		})
	}
}

// gone checks that a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// TestConsentByClick: the opener starts a real browser, the user clicks, and the request that waited gets its answer. The
// gateway may ask at the first request of all, or at a call if the consent was revoked in between.
func TestConsentByClick(t *testing.T) {
	need(t, "chromium", "chromium")
	for _, when := range []string{"initialize", "call"} {
		t.Run(when, func(t *testing.T) { consentByClick(t, when) })
	}
}

func consentByClick(t *testing.T, when string) {
	g := start(t, demo.Options{})
	g.SetConsent(g.Keys().User, "linear", when == "call")
	bin, profile := t.TempDir(), browserProfile(t)
	opener := "#!/bin/sh\necho noise on stdout\nexec chromium --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run" +
		" --disable-background-networking --disable-component-update --disable-sync --remote-debugging-port=0" +
		" --user-data-dir=" + profile + ` "$1"` + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(opener), 0o755); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tools    []string
		Answer   struct{ Content []struct{ Text string } }
		Page     struct{ Asked, URL, Then string }
		Progress []string
		Stderr   string
	}
	env := slices.DeleteFunc(environment(t, g, "DISPLAY=:99"), func(s string) bool { return strings.HasPrefix(s, "PATH=") })
	env = append(env, "PATH="+bin+":"+os.Getenv("PATH"))
	if shot := os.Getenv("SCREENSHOT"); shot != "" {
		env = append(env, "SCREENSHOT="+shot)
	}
	node(t, env, &got, "consent.mjs", binary(t), "linear", profile, when)
	if len(got.Answer.Content) == 0 || !strings.Contains(got.Answer.Content[0].Text, "Printer on fire") {
		t.Errorf("answer: %+v", got.Answer)
	}
	if !strings.Contains(got.Page.URL, g.GatewayURL()) || !g.Consented(g.Keys().User, "linear") {
		t.Errorf("page: %+v", got.Page)
	}
	if !strings.HasPrefix(got.Stderr, "mcpctl: linear needs your consent at ") || strings.Contains(got.Stderr, "noise") {
		t.Errorf("stderr: %q", got.Stderr)
	}
	if when == "call" && (len(got.Progress) == 0 || !strings.Contains(got.Progress[0], "Waiting for you to allow access at 127.0.0.1")) {
		t.Errorf("progress: %q", got.Progress)
	}
	if !slices.Contains(got.Tools, "search_issues") {
		t.Errorf("tools: %q", got.Tools)
	}
	if n := g.AuthorizationURLs(); n != 1 {
		t.Errorf("%d authorizations were begun, want 1", n)
	}
}

// browserProfile returns a folder for a browser, which is gone, with all its processes, at the end of the test.
func browserProfile(t *testing.T) string {
	dir, err := os.MkdirTemp("", "mcpctl-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for limit := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			left := processesWith(dir)
			err := os.RemoveAll(dir)
			if len(left) == 0 && err == nil {
				return
			}
			if time.Now().After(limit) {
				t.Fatalf("the browser is still there: %q, %v", left, err)
			}
		}
	})
	return dir
}

// processesWith returns the processes that have text in their arguments.
func processesWith(text string) (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if data, _ := os.ReadFile(f); bytes.Contains(data, []byte(text)) {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

func start(t *testing.T, o demo.Options) *demo.Gateway {
	t.Helper()
	g, err := demo.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}
