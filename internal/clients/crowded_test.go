package clients

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/state"
)

// crowded returns a client's file of n entries of about 1.5 kB each, so that 2,000 are 3 MB.
func crowded(c Client, n int) string {
	filler := strings.Repeat("some text of an argument that is long, ", 16)
	head, entry, foot := "{\n  \""+c.Key+"\": {\n", "    \"s%d\": {\n      \"command\": \"npx\",\n      \"args\": [\"-y\", %q, %q],\n      \"n\": 1\n    },\n", "    \"last\": {}\n  }\n}\n"
	switch filepath.Ext(c.Files[""][0]) {
	case ".toml":
		head, entry, foot = "# mine\n\n", "["+c.Key+".s%d]\ncommand = \"npx\" # from npm\nargs = [\"-y\", %q, %q]\nn = 1\n\n", "["+c.Key+".last]\n"
	case ".yaml":
		head, entry, foot = "# mine\n"+c.Key+":\n", "  s%d:\n    cmd: npx # from npm\n    args:\n    - -y\n    - %q\n    - %q\n    n: 1\n\n", "  last: {}\n"
	}
	var b strings.Builder
	b.WriteString(head)
	for i := range n {
		fmt.Fprintf(&b, entry, i, filler, filler)
	}
	b.WriteString(foot)
	return b.String()
}

// TestCrowdedFile: a file of 3 MB keeps every byte.
func TestCrowdedFile(t *testing.T) {
	for _, id := range []string{"claude-code", "cursor", "codex", "goose"} {
		c, _ := Lookup(id)
		before := crowded(c, 2_000)
		d := newDesk(t, id, before)
		d.install(false, linear())
		if rest := strings.Replace(d.text(), "/usr/local/bin/mcpctl", "", 1); len(d.text()) < len(before) || rest == d.text() {
			t.Errorf("%s: not installed", id)
		}
		uninstall(t, NewStore(state.At(t.TempDir())), d.target)
		if d.text() != before {
			t.Errorf("%s: other bytes", id)
		}
	}
}

// BenchmarkCrowdedFile installs into and uninstalls from a file of many entries, in turn.
func BenchmarkCrowdedFile(b *testing.B) {
	for _, id := range []string{"claude-code", "cursor", "codex", "goose"} {
		for _, n := range []int{10, 100, 1_000, 2_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", id, n), func(b *testing.B) {
				c, _ := Lookup(id)
				t := Target{Client: c, Scope: User, Path: filepath.Join(b.TempDir(), "f")}
				write(b, t.Path, []byte(crowded(c, n)))
				s := NewStore(state.At(b.TempDir()))
				for b.Loop() {
					if _, err := s.Install(b.Context(), t, []Entry{linear()}, false, false); err != nil {
						b.Fatal(err)
					}
					if _, err := s.Uninstall(b.Context(), t, []string{"linear"}, false, false); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
