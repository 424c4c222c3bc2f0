package promises

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources parses every file of the program, tests aside, and calls f with its path and tree.
func sources(t *testing.T, f func(path string, file *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	seen := 0
	for _, folder := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, path)
			f(filepath.ToSlash(rel), file)
			seen++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// wantCounts compares how often something stands in each file with what is known to be all right there.
func wantCounts(t *testing.T, got, want map[string]int, what string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if got[path] != want[path] {
			t.Errorf("%s: %d %s, %d of which are known", path, got[path], what, want[path])
		}
	}
	for path := range want {
		if got[path] == 0 {
			t.Errorf("%s: no %s any more: take it off the list", path, what)
		}
	}
}

// TestT09OneClient: every request of the program goes through package web, whose rules are those of redirects, certificates,
// proxies and plain http. net/http's own client has none of them.
func TestT09OneClient(t *testing.T) {
	want := map[string]int{
		"internal/web/web.go":     2, // the client and its transport
		"internal/demo/server.go": 1, // the embedded gateway's way to its upstreams
		"internal/cli/tour.go":    1, // the user of the tour, who clicks on the embedded gateway's page
	}
	forbidden := []string{"DefaultClient", "DefaultTransport", "Get", "Post", "PostForm", "Head", "Client", "Transport"}
	got := map[string]int{}
	sources(t, func(path string, file *ast.File) {
		pointers := map[ast.Node]bool{} // *http.Client as a type is no client
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StarExpr:
				pointers[n.X] = true
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" && slices.Contains(forbidden, n.Sel.Name) && !pointers[n] {
					got[path]++
				}
			}
			return true
		})
	})
	wantCounts(t, got, want, "clients of net/http")
}

// TestT29EveryGoroutine: a panic in a goroutine that nobody guards ends the program, and prints what it is about.
func TestT29EveryGoroutine(t *testing.T) {
	want := map[string]int{
		"internal/fault/fault.go":   1, // the guard itself
		"internal/bridge/bridge.go": 3, // what they call is guarded, or is a wait
		"internal/bridge/queue.go":  1, // what it calls is guarded
		// Loops over channels, timers and pipes, which know no secret.
		"internal/child/child.go":       1,
		"internal/cli/bridge.go":        1,
		"internal/cli/bridgelog.go":     1,
		"internal/cli/main.go":          1,
		"internal/cli/tour.go":          1,
		"internal/cli/tourclient.go":    2,
		"internal/render/spinner.go":    1,
		"internal/doctor/again.go":      1,
		"internal/doctor/doctor.go":     1,
		"internal/doctor/speak.go":      4,
		"internal/mcpclient/client.go":  1,
		"internal/oauth/loopback.go":    1,
		"internal/oauth/login.go":       1,
		"internal/cli/login_oauth.go":   1,
		"internal/testuser/testuser.go": 1, // for tests
	}
	got := map[string]int{}
	sources(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				if f, ok := g.Call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "guard" {
					got[path]++
				}
			}
			return true
		})
	})
	wantCounts(t, got, want, "goroutines without a guard (package fault)")
}
