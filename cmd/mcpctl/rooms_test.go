package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

const module = "github.com/mcpctl/mcpctl/"

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Doc,Imports"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// TestRooms holds the code against the layout in ARCHITECTURE.md.
func TestRooms(t *testing.T) {
	// Who may import what, by the end of the importer's path.
	only := map[string][]string{
		"github.com/spf13/cobra":        {"cli", "internal/manpages"},
		"github.com/spf13/viper":        {"config"},
		"github.com/zalando/go-keyring": {"credential"},
		"github.com/pkg/browser":        {"consent"},
		module + "internal/cli":         {"cmd/mcpctl", "internal/manpages"},
		"golang.org/x/oauth2":           {"oauth"},
		// Each would write a file anew in its own style.
		"github.com/tailscale/hujson":              {"configfile"},
		"github.com/pelletier/go-toml/v2":          {"configfile"},
		"github.com/pelletier/go-toml/v2/unstable": {"configfile"},
		module + "internal/config":                 {"cli"},
		module + "internal/demo":                   {"cli"},
	}
	page, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Count(string(page), "\n| `")
	for _, p := range goList(t, "-tags=e2e,clients", module+"...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		if strings.Contains(string(page), "\n| `"+name+"` | ") {
			listed--
		} else if !strings.HasPrefix(name, "internal/demo/") {
			t.Errorf("%s isn't in ARCHITECTURE.md", name)
		}
		if p.Doc == "" && name != "internal/e2e" {
			t.Errorf("%s has no sentence that says what it is for", name)
		}
		for _, imported := range p.Imports {
			if allowed, ruled := only[imported]; ruled && !slices.ContainsFunc(allowed, func(a string) bool { return strings.HasSuffix(name, a) }) {
				t.Errorf("%s imports %s", name, imported)
			}
			if strings.HasPrefix(name, "internal/demo") && strings.HasPrefix(imported, module) && !strings.HasPrefix(imported, module+"internal/demo") {
				t.Errorf("%s imports %s, whose mistakes it would share", name, imported)
			}
		}
	}
	if listed != 0 {
		t.Errorf("ARCHITECTURE.md lists %d packages that don't exist", listed)
	}
}

// TestStartUp: these packages do so much at their initialization that each bridge would pay for them.
func TestStartUp(t *testing.T) {
	slow := []string{
		"github.com/mark3labs/mcp-go/server", "github.com/mark3labs/mcp-go/client", "github.com/santhosh-tekuri/jsonschema",
		"github.com/charmbracelet", "github.com/muesli/termenv", "charm.land", "github.com/spf13/cobra/doc",
		"github.com/modelcontextprotocol/go-sdk",
		// These have no place in a program for users.
		"testing", "net/http/httptest", "net/http/pprof", "expvar", "net/rpc", "plugin", "go/parser", "image", "database/sql",
		"github.com/rogpeppe", module + "internal/testbin", module + "internal/manpages",
	}
	for _, p := range goList(t, "-deps", ".") {
		for _, s := range slow {
			if p.ImportPath == s || strings.HasPrefix(p.ImportPath, s+"/") {
				t.Errorf("the program links %s", p.ImportPath)
			}
		}
	}
}

// initLine fits what the runtime says of a package's initialization under GODEBUG=inittrace=1.
var initLine = regexp.MustCompile(`(?m)^init (\S+) @.* clock, (\d+) bytes, (\d+) allocs$`)

// TestInitialization: every start of the program pays for what packages set up before main. The memory that they take for it
// tells how much that is, and is the same on a slow machine.
func TestInitialization(t *testing.T) {
	const most, mostOfOne = 1 << 20, 256 << 10 // bytes; it was 600 KiB when this was written
	program, err := testbin.Build()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(program))
	cmd := exec.Command(program, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1", "HOME="+t.TempDir())
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	total, lines := 0, initLine.FindAllStringSubmatch(trace.String(), -1)
	for _, l := range lines {
		n, _ := strconv.Atoi(l[2])
		if total += n; n > mostOfOne {
			t.Errorf("%s takes %d bytes to initialize", l[1], n)
		}
	}
	if total > most || len(lines) < 20 {
		t.Errorf("%d packages take %d bytes to initialize", len(lines), total)
	}
}
