//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// windows is a Windows, as far as Wine is one, of a person who has nothing in it but mcpctl.
type windows struct {
	*testing.T
	env []string
	// home is the folder that Windows calls C:\users\NAME, in Linux' notation.
	home string
	// profile is the same folder in Windows' notation.
	profile string
}

const (
	wineProgram = "/usr/lib/wine/wine64"
	wineServer  = "/usr/lib/wine/wineserver64"
)

// newWindows makes a prefix with the Windows build of mcpctl as C:\mcpctl\mcpctl.exe. When the test ends, so do all programs in
// it.
func newWindows(t *testing.T, g *demo.Gateway) windows {
	t.Helper()
	need(t, wineProgram, "wine64")
	const compiler = "x86_64-w64-mingw32-gcc-win32"
	need(t, compiler, "gcc-mingw-w64-x86-64-win32")
	folder := t.TempDir()
	prefix := filepath.Join(folder, "prefix")
	w := windows{T: t, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "USER=someone", "LOGNAME=someone",
		"WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=winemenubuilder.exe=", // which would start a desktop's menu
		"MCPCTL_GATEWAY_URL=" + g.GatewayURL(), "MCPCTL_CONTROL_PLANE_URL=" + g.ControlPlaneURL(),
	}}
	t.Cleanup(func() {
		for _, flag := range []string{"-k", "-w"} { // end them all, wait for that
			w.host(time.Minute, wineServer, flag)
		}
	})
	w.host(2*time.Minute, wineProgram, "wineboot", "-i")
	c := filepath.Join(prefix, "drive_c")
	w.host(time.Minute, compiler, "-shared", "-o", filepath.Join(c, "windows", "system32", "bcryptprimitives.dll"), "testdata/bcryptprimitives.c", "-ladvapi32")

	build := exec.Command("go", "build", "-o", filepath.Join(c, "mcpctl", "mcpctl.exe"), "github.com/mcpctl/mcpctl/cmd/mcpctl")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	homes, _ := filepath.Glob(filepath.Join(c, "users", "*", "AppData", "Roaming"))
	if len(homes) != 1 {
		t.Fatalf("homes: %q", homes)
	}
	w.home = filepath.Dir(filepath.Dir(homes[0]))
	w.profile = `C:\users\` + filepath.Base(w.home)
	return w
}

// host runs a program of this system, which has to succeed, although Wine's own don't all say so.
func (w windows) host(limit time.Duration, program string, args ...string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	// Wine's background programs keep the pipes of whoever started the first of them.
	cmd.Env, cmd.WaitDelay = w.env, time.Second
	if out, err := cmd.CombinedOutput(); err != nil && !errors.Is(err, exec.ErrWaitDelay) && !strings.HasSuffix(program, "wineserver64") {
		w.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
}

// mcpctl runs the Windows build.
func (w windows) mcpctl(stdin string, args ...string) (code int, stdout, stderr string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, wineProgram, append([]string{`C:\mcpctl\mcpctl.exe`}, args...)...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Dir, cmd.WaitDelay = w.env, w.home, time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil || cmd.ProcessState == nil {
		w.Fatalf("mcpctl %q: %v\n%s", args, err, errs.String())
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(out.String(), "\r", ""), errs.String()
}

// does runs mcpctl, which has to succeed, and returns what it printed.
func (w windows) does(stdin string, args ...string) string {
	w.Helper()
	code, stdout, stderr := w.mcpctl(stdin, args...)
	if code != 0 {
		w.Fatalf("mcpctl %q: exit %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

func (w windows) path(name string) string { return filepath.Join(w.home, filepath.FromSlash(name)) }

func (w windows) write(name, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
}

// wantFile checks what a file holds; "" means that there is none.
func (w windows) wantFile(name, text string) {
	w.Helper()
	got, err := os.ReadFile(w.path(name))
	if string(got) != text || (text == "") != os.IsNotExist(err) {
		w.Errorf("%s holds %q (%v), want %q", name, got, err, text)
	}
}

// TestWindows: the Windows build in Windows' own places.
func TestWindows(t *testing.T) {
	g := start(t, demo.Options{})
	w := newWindows(t, g)
	t.Run("journey", func(t *testing.T) { w.T = t; w.journey(g.Keys().User) })
	t.Run("trust", func(t *testing.T) { w.T = t; w.trust(g) })
	t.Run("Claude Desktop", func(t *testing.T) { w.T = t; w.claudeDesktop() })
}

// journey: the key in the Credential Manager, files below AppData, a bridge that answers, and everything away again.
func (w windows) journey(key string) {
	w.does(key+"\n", "login", "--with-key")
	if got := w.does("", "status", "--jq", `"\(.credential.kind) \(.credential.source)"`); !strings.Contains(got, "Credential Manager") {
		w.Errorf("the key is in %s", got)
	}
	if got := w.does("", "config", "path"); got != w.profile+`\AppData\Roaming\mcpctl\config.yaml`+"\n" {
		w.Errorf("settings: %s", got)
	}
	if got := w.does("", "servers", "ls", "--jq", ".[].slug"); !strings.Contains(got, "notes\n") {
		w.Errorf("servers: %s", got)
	}

	const vscode, cursor = "AppData/Roaming/Code/User/mcp.json", ".cursor/mcp.json"
	const mine = "{\r\n\t// mine\r\n\t\"servers\": {\r\n\t\t\"gh\": {\"command\": \"C:\\\\gh.exe\"},\r\n\t},\r\n}\r\n"
	w.write(vscode, mine)
	w.write(".cursor/x", "")
	if got := w.does("", "install", "all", "notes", "linear", "--jq", `.[] | "\(.client) \(.action) \(.path)"`); got !=
		"cursor added "+w.profile+`\.cursor\mcp.json`+"\ncursor added "+w.profile+`\.cursor\mcp.json`+"\n"+
			"vscode added "+w.profile+`\AppData\Roaming\Code\User\mcp.json`+"\nvscode added "+w.profile+`\AppData\Roaming\Code\User\mcp.json`+"\n" {
		w.Errorf("install: %s", got)
	}
	const entry = "\t\t\"notes\": {\r\n\t\t\t\"type\": \"stdio\",\r\n\t\t\t\"command\": \"C:\\\\mcpctl\\\\mcpctl.exe\",\r\n"
	if got, _ := os.ReadFile(w.path(vscode)); !strings.Contains(string(got), entry) {
		w.Errorf("%s", got)
	}
	got := w.does("", "clients", "ls", "--jq", `.[] | select(.detected) | "\(.id) \(.installed | map(.state) | join(","))"`)
	if got != "cursor ok,ok\nvscode ok,ok\n" {
		w.Errorf("clients: %s", got)
	}

	answer := w.does(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`+"\n"+
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"+`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`+"\n", "bridge", "notes", "--no-browser")
	if !strings.Contains(answer, `"search_notes"`) || strings.Count(answer, "\n") != 2 {
		w.Errorf("the bridge: %s", answer)
	}

	w.does("", "uninstall", "all", "--all")
	w.wantFile(vscode, mine)
	w.wantFile(cursor, "")
	w.does("", "logout")
	if code, _, stderr := w.mcpctl("", "status"); code != 4 || !strings.Contains(stderr, "mcpctl login") {
		w.Errorf("after logout: exit %d, %s", code, stderr)
	}
	w.wantNowhere(key)
}

// claudeDesktop: three kinds of package, each with a place of its own.
func (w windows) claudeDesktop() {
	const (
		roaming = "AppData/Roaming/Claude/claude_desktop_config.json"
		msix    = "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json"
		newest  = "AppData/Local/Claude-Data/claude-3/claude_desktop_config.json"
		mine    = `{"theme":"dark"}`
	)
	if code, _, stderr := w.mcpctl("", "install", "claude-desktop", "notes"); code != 1 || !strings.Contains(stderr, "start Claude Desktop once") {
		w.Errorf("without Claude: exit %d, %s", code, stderr)
	}
	w.write(roaming, mine)
	w.write(msix, mine)
	code, _, stderr := w.mcpctl("", "install", "claude-desktop", "notes")
	if code != 0 || !strings.Contains(stderr, `AppData\Local\Packages\Claude_pzs8sxrjxfjjc\LocalCache\Roaming\Claude\claude_desktop_config.json is the newest release's`) {
		w.Errorf("exit %d, %s", code, stderr)
	}
	w.wantFile(roaming, mine)
	w.write(newest, mine)
	var results []struct{ Path, Action string }
	if err := json.Unmarshal([]byte(w.does("", "install", "claude-desktop", "notes", "--all-locations", "--json")), &results); err != nil {
		w.Fatal(err)
	}
	if len(results) != 3 || !strings.Contains(results[0].Path, "Claude-Data") || results[0].Action != "added" || results[1].Action != "unchanged" || results[2].Action != "added" {
		w.Errorf("%+v", results)
	}
	if strings.Contains(stderr, "is running") {
		w.Errorf("Claude isn't running: %s", stderr)
	}
	w.claudeRuns()
	if _, _, stderr := w.mcpctl("", "install", "claude-desktop", "linear", "--dry-run"); !strings.Contains(stderr, "Claude Desktop is running") {
		w.Errorf("Claude is running: %s", stderr)
	}
	w.does("", "uninstall", "claude-desktop", "notes")
	for _, name := range []string{roaming, msix, newest} {
		w.wantFile(name, mine)
	}
}

// claudeRuns lets a program run from the folder of the older installer until the test ends.
func (w windows) claudeRuns() {
	w.Helper()
	program, err := os.ReadFile(filepath.Join(w.home, "..", "..", "mcpctl", "mcpctl.exe"))
	if err != nil {
		w.Fatal(err)
	}
	w.write("AppData/Local/AnthropicClaude/app-1/claude.exe", string(program))
	cmd := exec.Command(wineProgram, w.profile+`\AppData\Local\AnthropicClaude\app-1\claude.exe`, "demo", "serve", "--json")
	cmd.Env, cmd.Dir = w.env, w.home
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		w.Fatal(err)
	}
}

// wantNowhere looks for a key in the files of the prefix but for the registry, where Wine's Credential Manager keeps it.
func (w windows) wantNowhere(key string) {
	w.Helper()
	err := filepath.WalkDir(w.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(key)) {
			w.Errorf("the key stands in %s", path)
		}
		return err
	})
	if err != nil {
		w.Error(err)
	}
}
