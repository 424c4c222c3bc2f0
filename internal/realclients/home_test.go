//go:build clients && linux

package realclients

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/testbin"
)

// modules is where .ci/setup-clients puts the clients.
const modules = "../../testdata/clients-npm/node_modules"

// built is the program.
var built testbin.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	built.Remove()
	os.Exit(code)
}

// home is a home folder of its own, whose user is logged in to a gateway of their own.
type home struct {
	t       *testing.T
	dir     string
	mcpctl  string
	gateway *demo.Gateway
	env     []string
}

// newHome makes a home with nothing in it but mcpctl's settings. The key is in a file: what a client starts may not find
// its way to a keyring, and this machine may have none.
func newHome(t *testing.T) *home {
	t.Helper()
	mcpctl := built.Path(t)
	bin, err := filepath.Abs(filepath.Join(modules, ".bin"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := demo.Start(demo.Options{ConsentPage: "accept"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	h := &home{t: t, dir: newFolder(t, mcpctl), mcpctl: mcpctl, gateway: g}
	for _, folder := range []string{"bin", "tmp", "work", "run"} {
		if err := os.Mkdir(h.path(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.write("bin/xdg-open", "#!/bin/sh\necho noise on stdout\necho \"$1\" >>'"+h.path("opened")+"'\n")
	if err := os.Chmod(h.path("bin/xdg-open"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.env = []string{
		"HOME=" + h.dir, "TMPDIR=" + h.path("tmp"), "XDG_RUNTIME_DIR=" + h.path("run"),
		"XDG_CONFIG_HOME=" + h.path(".config"), "XDG_STATE_HOME=" + h.path(".local/state"),
		"XDG_DATA_HOME=" + h.path(".local/share"), "XDG_CACHE_HOME=" + h.path(".cache"),
		"PATH=" + strings.Join([]string{h.path("bin"), filepath.Dir(mcpctl), bin, os.Getenv("PATH")}, ":"), "LANG=C.UTF-8", "DISPLAY=:99",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + h.path("no-bus"),
		// Nothing leaves this machine: the proxy is dead.
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost",
		"DISABLE_TELEMETRY=1", "DISABLE_AUTOUPDATER=1", "DISABLE_ERROR_REPORTING=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
		"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1",
		"COPILOT_OFFLINE=true", "COPILOT_AUTO_UPDATE=false",
		// In a folder that its user hasn't called trusted, Gemini CLI starts no server, not even the user's own.
		"GEMINI_CLI_TRUST_WORKSPACE=true",
	}
	if _, errs, err := h.run(nil, g.Keys().User, mcpctl, "login", "--with-key", "--insecure-storage",
		"--gateway", g.GatewayURL(), "--control-plane", g.ControlPlaneURL()); err != nil {
		t.Fatalf("login: %v\n%s", err, errs)
	}
	return h
}

// newFolder is t.TempDir, but for what clients do to it until they have all ended. At the end of the test it ends those that
// were left behind; the bridges then have to end by themselves.
func newFolder(t *testing.T, mcpctl string) string {
	dir, err := os.MkdirTemp("", "mcpctl-clients-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for limit := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			bridges, others := processesOf(dir, mcpctl)
			for _, pid := range others {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			err := os.RemoveAll(dir)
			if len(bridges)+len(others) == 0 && err == nil {
				return
			}
			if time.Now().After(limit) {
				for _, pid := range bridges {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				t.Fatalf("bridges that don't end: %v; clients: %v; %v", bridges, others, err)
			}
		}
	})
	return dir
}

// processesOf returns the processes of mcpctl, and the others that have a folder in their environment or arguments.
func processesOf(folder, mcpctl string) (bridges, others []int) {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range paths {
		pid, _ := strconv.Atoi(filepath.Base(p))
		args, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		environ, _ := os.ReadFile(filepath.Join(p, "environ")) // of a bridge root alone can read it
		switch here := bytes.Contains(environ, []byte(folder)) || bytes.Contains(args, []byte(folder)); {
		case bytes.HasPrefix(args, []byte(mcpctl)), here && bytes.HasPrefix(args, []byte("mcpctl\x00")):
			bridges = append(bridges, pid)
		case here:
			others = append(others, pid)
		}
	}
	return bridges, others
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) write(name, content string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// read returns a file's content, "" if there is none.
func (h *home) read(name string) string {
	h.t.Helper()
	data, err := os.ReadFile(h.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	return string(data)
}

// run runs a program in the home's folder "work", for two minutes at most. The errors of most clients are in what they print.
func (h *home) run(env []string, stdin, program string, args ...string) (stdout, stderr string, err error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = h.path("work"), append(h.env[:len(h.env):len(h.env)], env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, 5*time.Second
	start := time.Now()
	err = cmd.Run()
	h.t.Logf("%s %.100q: %v, %v", filepath.Base(program), args, err, time.Since(start).Round(10*time.Millisecond))
	return out.String(), errs.String(), err
}

// own runs mcpctl, which must succeed.
func (h *home) own(args ...string) string {
	h.t.Helper()
	out, errs, err := h.run(nil, "", h.mcpctl, args...)
	if err != nil {
		h.t.Fatalf("mcpctl %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// program returns the path of a client's program; the test fails if it isn't installed.
func program(t *testing.T, name, npmPackage string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(modules, ".bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing, npm package %s: run .ci/setup-clients", name, npmPackage)
	}
	return path
}

// plain takes out what colours a terminal.
func plain(text string) string {
	return regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]").ReplaceAllString(text, "")
}
