package demo_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImports: the stand-in must share no code with what it is there to try out, and must not slow down the start of every
// mcpctl process, as mcp-go's server and client do (their JSON Schema library compiles its metaschemas at start).
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		ours := strings.HasPrefix(path, "github.com/mcpctl/mcpctl/") && !strings.HasPrefix(path, "github.com/mcpctl/mcpctl/internal/demo")
		heavy := strings.HasPrefix(path, "github.com/mark3labs/mcp-go/") && path != "github.com/mark3labs/mcp-go/mcp"
		if ours || heavy {
			t.Errorf("imports %s", path)
		}
	}
}
