package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/cli"
)

const epoch = "1790000000" // in September 2026

func writePages(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "man")
	if err := write(dir, epoch); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pages are the names of the pages that there must be, with words that each must have.
func pages() map[string][]string {
	root, topics := cli.Manual()
	want := map[string][]string{}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		var words []string
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				words = append(words, "--"+f.Name)
			}
		})
		want[strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = words
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				visit(sub)
			}
		}
	}
	visit(root)
	for _, c := range topics {
		want["mcpctl-"+c.Name()+".7"] = []string{c.Short}
	}
	return want
}

func TestEveryCommandHasAPage(t *testing.T) {
	dir, want := writePages(t), pages()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) || len(want) < 15 {
		t.Errorf("%d pages for %d commands and topics, %v", len(entries), len(want), err)
	}
	for name, words := range want {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, word := range words {
			if !strings.Contains(strings.ReplaceAll(string(page), `\-`, "-"), word) {
				t.Errorf("%s says nothing about %s", name, word)
			}
		}
	}
}

func TestPagesAreReproducible(t *testing.T) {
	one, two := writePages(t), writePages(t)
	for name := range pages() {
		a, err := os.ReadFile(filepath.Join(one, name))
		b, _ := os.ReadFile(filepath.Join(two, name))
		if err != nil || !bytes.Equal(a, b) || !bytes.Contains(a, []byte("Sep 2026")) {
			t.Errorf("%s isn't the same twice, or has another date (%v)", name, err)
		}
	}
}

func TestFlags(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(writePages(t), "mcpctl-bridge.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`\fB--log-file\fP \fIfile\fP`, `\fB--header\fP \fINAME: VALUE\fP`, "(default 10m0s)", "\\fB--no-browser\\fP\n"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %s", want)
		}
	}
}

// Every page must render without a complaint, where there is a program that can.
func TestPagesRender(t *testing.T) {
	renderers := [][]string{{"mandoc", "-T", "lint", "-W", "error"}, {"groff", "-man", "-Tutf8", "-ww", "-z"}}
	dir := writePages(t)
	for _, r := range renderers {
		program, err := exec.LookPath(r[0])
		if err != nil {
			continue
		}
		for name := range pages() {
			out, err := exec.Command(program, append(r[1:], filepath.Join(dir, name))...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s %s: %v, %s", r[0], name, err, out)
			}
		}
	}
}
