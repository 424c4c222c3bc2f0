package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

// TestSchemas: what --json prints is what the schemas in the documentation say, command by command, in this order.
func TestSchemas(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the home is made for sh")
	}
	program, err := testbin.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(program)) })
	r := newReader(t, program)
	r.run(t, "login", "mcpctl login")
	for _, step := range []struct{ schema, command string }{
		{"version", "version"},
		{"status", "status"},
		{"profile-ls", "profile ls"},
		{"config-ls", "config ls"},
		{"config-get", "config get gateway_url"},
		{"servers-ls", "servers ls"},
		{"install", "install cursor notes linear --dry-run"},
		{"install", "install cursor notes linear"},
		{"clients-ls", "clients ls"},
		{"servers-show", "servers show notes"},
		{"servers-show", "servers show linear"},
		{"tools-ls", "tools ls notes"},
		{"tools-call", "tools call notes list_notes"},
		{"logs", "logs"},
		{"doctor", "doctor cursor"},
		{"uninstall", "uninstall cursor notes vault"},
		{"adopt", "adopt --dry-run"},
	} {
		t.Run(step.command, func(t *testing.T) {
			schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "schema", step.schema+".json"))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, append(strings.Fields(step.command), "--json")...)
			cmd.Dir, cmd.Env = r.dir, r.env
			out, err := cmd.Output()
			if err != nil && len(out) == 0 {
				t.Fatal(err)
			}
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if list, ok := document.([]any); ok && len(list) == 0 && step.schema != "adopt" && step.schema != "logs" {
				t.Error("the list is empty, so this shows nothing")
			}
			if err := schema.Validate(document); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
