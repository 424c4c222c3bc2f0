//go:build e2e

// Package e2e drives the built program against real surroundings: keyrings, AI clients, terminals.
package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

// built is the program.
var built testbin.Shared

// binary returns the path of the built program.
func binary(t *testing.T) string {
	t.Helper()
	return built.Path(t)
}

func TestMain(m *testing.M) {
	code := m.Run()
	built.Remove()
	os.Exit(code)
}

// need fails the test if a program is missing that a Debian package provides.
func need(t *testing.T, program, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: apt-get install -y --no-install-recommends %s", program, debianPackage)
	}
}
