package clients

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

var update = flag.Bool("update", false, "write the parts of the documentation that are made from the table of clients")

// TestDocs: what the documentation says of each client is what the table says.
func TestDocs(t *testing.T) {
	for page, make := range map[string]func(*testing.T) string{"README.md": readmeTable, "docs/clients.md": sections} {
		path := filepath.Join("..", "..", filepath.FromSlash(page))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		made := regexp.MustCompile(`(?s)(<!-- from the table of clients -->\n).*?(<!-- end -->)`)
		if !made.Match(text) {
			t.Fatalf("%s has no place for the clients", page)
		}
		want := made.ReplaceAllStringFunc(string(text), func(old string) string {
			parts := made.FindStringSubmatch(old)
			return parts[1] + make(t) + parts[2]
		})
		if want == string(text) {
			continue
		}
		if !*update {
			t.Errorf("%s is out of date: go test ./internal/clients -run TestDocs -update", page)
		} else if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readmeTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| client | id | your file (Linux) | `--project` | format | seen to work |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, c := range All() {
		seen := "no"
		if c.Verified != "" {
			seen = c.Verified
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", c.Name, c.ID, codes(places(c, "linux")[:1]), codes(firstOf(c.ProjectFiles)), c.Format, seen)
	}
	return b.String()
}

func sections(t *testing.T) string {
	var b strings.Builder
	for _, c := range All() {
		fmt.Fprintf(&b, "\n## %s\n\n`mcpctl install %s linear` writes", c.Name, c.ID)
		fmt.Fprintf(&b, "\n\n```%s\n%s```\n\n", strings.ToLower(c.Format.String()), example(t, c))
		fmt.Fprintf(&b, "into\n\n")
		for _, os := range []struct{ name, goos string }{{"Linux", "linux"}, {"macOS", "darwin"}, {"Windows", "windows"}} {
			fmt.Fprintf(&b, "- %s: %s\n", os.name, codes(places(c, os.goos)))
		}
		if len(c.Override) > 0 {
			fmt.Fprintf(&b, "- the place that a variable names: %s\n", codes(c.Override))
		}
		if len(c.ProjectFiles) > 0 {
			fmt.Fprintf(&b, "- with `--project`: %s\n", codes(c.ProjectFiles))
		}
		fmt.Fprintf(&b, "\n")
		if c.AfterInstall != "" {
			fmt.Fprintf(&b, "Then: %s.\n\n", strings.ReplaceAll(c.AfterInstall, "\n", " "))
		}
		b.WriteString(remote(c))
		if c.DeadKey != "" {
			fmt.Fprintf(&b, "%s doesn't read `%s` in `%s`, though guides say so: `mcpctl adopt %s` moves what is there.\n\n", c.Name, c.DeadKey, c.DeadFile, c.ID)
		}
		if c.Verified != "" {
			fmt.Fprintf(&b, "A real %s was seen to read it on %s (Linux).\n", c.Name, c.Verified)
		} else {
			fmt.Fprintf(&b, "No real %s has been seen to read it: the place and the form come from its documentation and source.\n", c.Name)
		}
	}
	return b.String() + "\n"
}

func remote(c Client) string {
	switch d := c.Direct; {
	case d == nil:
		return fmt.Sprintf("`--direct` is refused: %s.\n\n", c.NotDirect)
	case d.OAuth && d.Variable != "":
		return "With `--direct` it speaks to the gateway by itself, and logs in by OAuth, or with a key from a variable (`--key-env`).\n\n"
	case d.OAuth:
		return "With `--direct` it speaks to the gateway by itself, and logs in by OAuth.\n\n"
	case d.Variable != "":
		return "With `--direct --key-env NAME` it speaks to the gateway by itself, with the key from a variable.\n\n"
	}
	return "`--direct` is refused: its file could only hold the key itself.\n\n"
}

// example is a new file of the client's with one entry.
func example(t *testing.T, c Client) string {
	doc, err := configfile.Parse("example", nil, c.Format)
	if err != nil {
		t.Fatal(err)
	}
	entry := Entry{Server: "linear", Name: "linear", Command: Command{Path: "/usr/local/bin/mcpctl", Args: []string{"bridge", "linear"}}}
	if err := doc.Set(c.Members(entry), c.Key, "linear"); err != nil {
		t.Fatal(err)
	}
	return string(doc.Bytes())
}

func places(c Client, goos string) []string {
	if rows, ok := c.Files[goos]; ok {
		return rows
	}
	return c.Files[""]
}

func firstOf(list []string) []string { return list[:min(1, len(list))] }

// codes shows paths of the table as people know them.
func codes(paths []string) string {
	known := strings.NewReplacer("$CONFIG", "~/.config", "$SUPPORT", "~/Library/Application Support", "$APPDATA", "%APPDATA%", "$LOCALAPPDATA", "%LOCALAPPDATA%")
	var shown []string
	for _, p := range paths {
		shown = append(shown, "`"+known.Replace(p)+"`")
	}
	return strings.Join(shown, ", ")
}
