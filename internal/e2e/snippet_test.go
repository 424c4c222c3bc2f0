//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// printed returns the snippet in a language.
func printed(t *testing.T, env []string, language string) string {
	t.Helper()
	cmd := exec.Command(binary(t), "snippet", "notes", "--lang", language)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// underExec runs a program in dir with the key in its environment alone, and checks that it printed the tools of notes.
func underExec(t *testing.T, env []string, dir string, program ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"exec", "notes", "--"}, program...)...)
	cmd.Env, cmd.Dir = env, dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "add_note") || !strings.Contains(string(out), "search_notes") {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSnippets runs each snippet as it is printed, for a gateway of either header.
func TestSnippets(t *testing.T) {
	for _, header := range []string{"x-portkey-api-key", "authorization"} {
		t.Run(header, func(t *testing.T) {
			g := start(t, demo.Options{KeyHeader: header})
			settings := filepath.Join(t.TempDir(), "config.yaml")
			write(t, settings, "profiles: {default: {key_header: "+header+"}}\n")
			env := environment(t, g, "MCPCTL_CONFIG="+settings)
			t.Run("python", func(t *testing.T) { runPython(t, env) })
			t.Run("typescript", func(t *testing.T) { runTypeScript(t, env) })
			t.Run("go", func(t *testing.T) { runGo(t, env) })
			t.Run("curl", func(t *testing.T) {
				need(t, "curl", "curl")
				path := filepath.Join(t.TempDir(), "agent.sh")
				write(t, path, printed(t, env, "curl"))
				underExec(t, env, "", "sh", path)
			})
		})
	}
}

// The Python snippet is the same for both major versions of the SDK.
func runPython(t *testing.T, env []string) {
	path := filepath.Join(t.TempDir(), "agent.py")
	write(t, path, printed(t, env, "python"))
	for _, major := range []string{"1", "2"} {
		python, err := filepath.Abs("../../testdata/e2e/.venv/" + major + "/bin/python")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(python); err != nil {
			t.Fatal("the Python packages of testdata/e2e are missing: run .ci/setup")
		}
		underExec(t, env, "", python, path)
	}
}

// The TypeScript snippet has no types in it that Node would have to strip. It is for version 2 of the SDK, and says which lines
// are others for version 1.
func runTypeScript(t *testing.T, env []string) {
	need(t, "node", "nodejs")
	modules, err := filepath.Abs("../../testdata/e2e/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	code := printed(t, env, "typescript")
	write(t, filepath.Join(dir, "two.mjs"), code)
	underExec(t, env, dir, "node", "two.mjs")

	lines := strings.Split(code, "\n")
	lines[1] = "" // the import of version 2
	one := strings.ReplaceAll(strings.Join(lines, "\n"), "// import ", "import ")
	if strings.Count(one, "\nimport ") != 2 || !strings.Contains(one, "modelcontextprotocol/sdk/") {
		t.Fatal(one)
	}
	write(t, filepath.Join(dir, "one.mjs"), one)
	underExec(t, env, dir, "node", "one.mjs")
}

// The Go snippet is built with the mcp-go that this module has, from the module cache.
func runGo(t *testing.T, env []string) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), printed(t, env, "go"))
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), strings.Replace(string(data), "module github.com/mcpctl/mcpctl", "module example.com/agent", 1))
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := strings.Fields(string(cache))
	agent := filepath.Join(dir, "agent")
	build := exec.Command("go", "build", "-o", agent, ".")
	build.Dir = dir
	build.Env = append(env, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOMODCACHE="+folders[0], "GOCACHE="+folders[1], "GOTOOLCHAIN=local", "GOROOT="+runtime.GOROOT())
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	underExec(t, env, "", agent)
}
