//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// TestTools: the reference server's tools, of every kind of content, from the command line.
func TestTools(t *testing.T) {
	upstream := everything(t)
	g := start(t, demo.Options{})
	env, dir := environment(t, g), t.TempDir()
	tools := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"tools"}, args...)...)
		cmd.Env, cmd.Dir = env, dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := tools("ls", upstream, "--jq", ".[].name"); err != nil || !strings.Contains(out, "echo\n") || strings.Count(out, "\n") < 10 {
		t.Errorf("%v, %s", err, out)
	}
	for _, c := range []struct {
		args string // of tools call, after the server
		want string
	}{
		{"echo message=grüße", "Echo: grüße"},
		{"get-sum a=40 b=2.5", "42.5"},
		{"get-structured-content location=Chicago", `"temperature"`},
		{"get-resource-links count=2", "demo://resource/"},
		{"get-resource-reference resourceType=Text resourceId=1", "demo://resource/"},
		{"get-resource-reference resourceType=Blob resourceId=1", "saved as "},
		{"get-tiny-image", "saved as get-tiny-image.png"},
		{"get-annotated-message messageType=error includeImage=false", "Error"},
		{"trigger-long-running-operation duration=1 steps=2", "completed"},
	} {
		out, err := tools(append([]string{"call", upstream}, strings.Fields(c.args)...)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
	}
	image, err := os.ReadFile(filepath.Join(dir, "get-tiny-image.png"))
	if err != nil || !bytes.HasPrefix(image, []byte("\x89PNG")) {
		t.Errorf("%v, %.20q", err, image)
	}
	for args, want := range map[string]string{
		"get-sum a=x b=1":                         "a wants number",
		"get-sum a=1":                             "missing: b",
		"get-annotated-message messageType=eror":  "did you mean error",
		"echo mesage=x":                           "did you mean message",
		"get-structured-content location=Nowhere": "one of New York, Chicago",
	} {
		out, err := tools(append([]string{"call", upstream}, strings.Fields(args)...)...)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}
