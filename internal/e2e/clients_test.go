//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// output runs a program in testdata/e2e for a minute at most, and returns what it printed on stdout, and on both.
func output(t *testing.T, env []string, program string, args ...string) (stdout, all string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = "../../testdata/e2e", env, 5*time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), out.String() + errs.String(), err
}

// TestPythonClients: both major versions of the Python SDK on the bridge. Version 2 asks for revision 2026-07-28 first.
func TestPythonClients(t *testing.T) {
	upstream := everything(t)
	g := start(t, demo.Options{})
	for _, major := range []string{"1", "2"} {
		t.Run(major, func(t *testing.T) {
			python, err := filepath.Abs("../../testdata/e2e/.venv/" + major + "/bin/python")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(python); err != nil {
				t.Fatal("the Python packages of testdata/e2e are missing: run .ci/setup")
			}
			stdout, all, err := output(t, environment(t, g), python, "python"+major+".py", binary(t), upstream)
			if err != nil {
				t.Fatalf("%v\n%s", err, all)
			}
			var got struct {
				Revision, Echo, Sampled, Refused string
				Tools, Sums                      []string
				Progress                         []float64
				Prompts, Resources               int
			}
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatalf("%v\n%s", err, all)
			}
			if !slices.Contains(got.Tools, "echo") || !strings.Contains(got.Echo, `grüße 😀 "quoted"`) || len(got.Sums) != 40 ||
				!strings.Contains(got.Sums[39], "40") || !strings.Contains(got.Sampled, "sampled: 1") || got.Refused == "" ||
				len(got.Progress) < 3 || !slices.IsSorted(got.Progress) || got.Prompts == 0 || got.Resources == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestInspector: the inspector's command line on the bridge.
func TestInspector(t *testing.T) {
	g := start(t, demo.Options{})
	cli := func(args ...string) string {
		stdout, all, err := output(t, environment(t, g), "node",
			append([]string{"node_modules/@modelcontextprotocol/inspector-cli/build/index.js", binary(t), "bridge", "notes"}, args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, all)
		}
		return stdout
	}
	if got := cli("--method", "tools/list"); !strings.Contains(got, `"search_notes"`) {
		t.Error(got)
	}
	if got := cli("--method", "tools/call", "--tool-name", "search_notes", "--tool-arg", "query=release"); !strings.Contains(got, "Release checklist") {
		t.Error(got)
	}
}

// TestDifferential: some forty operations of the same client have the same outcome on HTTP and on the bridge.
func TestDifferential(t *testing.T) {
	upstream := everything(t)
	g := start(t, demo.Options{})
	var got []struct{ Name, Direct, Bridged string }
	node(t, environment(t, g), &got, "differential.mjs", binary(t), upstream)
	if len(got) < 40 {
		t.Errorf("only %d operations", len(got))
	}
	failed := 0
	for _, o := range got {
		if o.Direct != o.Bridged {
			t.Errorf("%s\ndirect  %.2000s\nbridged %.2000s", o.Name, o.Direct, o.Bridged)
		}
		if strings.HasPrefix(o.Direct, `{"error"`) {
			failed++
		}
	}
	if failed > len(got)/3 {
		t.Errorf("%d of %d operations fail without the bridge: they show little", failed, len(got))
	}
}
