//go:build e2e

// Package e2e drives the built program against real surroundings: keyrings, AI clients, terminals.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

// build builds the program once for all tests, into a folder that TestMain removes.
var build = sync.OnceValues(testbin.Build)

// binary returns the path of the built program.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal("build mcpctl: ", err)
	}
	return path
}

func TestMain(m *testing.M) {
	path, _ := build() // every test here needs it, and reports its error
	code := m.Run()
	if path != "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// need fails the test if a program is missing that a Debian package provides.
func need(t *testing.T, program, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: apt-get install -y --no-install-recommends %s", program, debianPackage)
	}
}
