package main_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/testbin"
)

// pages are the pages whose commands users type. Those of SECURITY.md want a release: internal/e2e runs them.
func pages(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..")
	list, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(list, filepath.Join(root, "README.md"))
}

// fence finds a block of code with the language after its opening fence.
var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// TestDocs runs the blocks of the documentation that are marked as sh, page by page from top to bottom, in a home of the
// page's own. What can't run everywhere, such as another system's package manager, is marked as console.
//
// The places in it stand for what the test has: https://mcp.example.com for the embedded gateway, and
// https://portkey.example.com/v1 for its control plane.
func TestDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pages are written for sh")
	}
	program, err := testbin.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(program)) })
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			reader := newReader(t, program)
			for _, block := range fence.FindAllStringSubmatchIndex(string(text), -1) {
				language, code := string(text[block[2]:block[3]]), string(text[block[4]:block[5]])
				line := 1 + strings.Count(string(text[:block[4]]), "\n")
				if language == "sh" {
					reader.run(t, fmt.Sprintf("%s:%d", filepath.Base(page), line), code)
				}
			}
		})
	}
}

// visitVariable makes this test's program a browser, which visits the page in it and ends.
const visitVariable = "MCPCTL_TEST_VISIT"

func TestMain(m *testing.M) {
	page := os.Getenv(visitVariable)
	if page == "" {
		os.Exit(m.Run())
	}
	resp, err := http.Get(page)
	if err != nil || resp.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, resp, err)
		os.Exit(1)
	}
}

// reader is someone who does what a page says.
type reader struct {
	dir     string
	env     []string
	gateway *demo.Gateway
}

// preamble lets a reader log in who has no keyring and no terminal: the key comes from a file, and goes into one. And it has
// mcpctl lose patience before the test does, which could only kill the shell.
const preamble = `set -eu
mcpctl() {
  case " $* " in
    *" --with-key "*|*" --key-file "*|*" --oauth "*) command mcpctl "$@" ;;
    " tools "*|" connect "*) command mcpctl "$@" --timeout 45s ;;
    " login "*) command mcpctl "$@" --with-key --insecure-storage <key.txt ;;
    *) command mcpctl "$@" ;;
  esac
}
`

func newReader(t *testing.T, program string) *reader {
	g, err := demo.Start(demo.Options{ConsentPage: "accept"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	for _, folder := range []string{".cursor", ".codex", ".config/Claude", ".config/Code/User", "Library/Application Support/Claude", "Library/Application Support/Code/User"} {
		if err := os.MkdirAll(filepath.Join(home, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "key.txt"), g.Keys().User, 0o600)
	ca := httptest.NewTLSServer(nil)
	ca.Close()
	write(t, filepath.Join(dir, "company.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw})), 0o644)
	write(t, filepath.Join(dir, "browser"), fmt.Sprintf("#!/bin/sh\n%s=\"$1\" exec %q\n", visitVariable, os.Args[0]), 0o700)
	return &reader{dir, []string{
		"HOME=" + home, "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "TMPDIR=" + dir, "NO_COLOR=1",
		"BROWSER=" + filepath.Join(dir, "browser"), "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(dir, "no-bus"),
		"MCPCTL_GATEWAY_URL=" + g.GatewayURL(), "MCPCTL_CONTROL_PLANE_URL=" + g.ControlPlaneURL(),
	}, g}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func (r *reader) run(t *testing.T, where, code string) {
	t.Helper()
	code = strings.NewReplacer("https://portkey.example.com/v1", r.gateway.ControlPlaneURL(),
		"https://mcp.example.com", r.gateway.GatewayURL()).Replace(code)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", preamble+code)
	cmd.Dir, cmd.Env, cmd.WaitDelay = r.dir, r.env, time.Second // what the shell has started may outlive it
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", where, err, code, out)
	}
}
