package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocsCommands: every mcpctl command line in the documentation, in a block or between two backticks, names commands and
// flags that exist.
func TestDocsCommands(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		pages = append(pages, filepath.Join(root, name))
	}
	block := regexp.MustCompile("(?ms)^```.*?^```$")
	inBlock, inline := regexp.MustCompile("(?m)^(?:\\$ )?(mcpctl .*)$"), regexp.MustCompile("`(mcpctl [^`]+)`")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Join(block.FindAllString(string(text), -1), "\n")
		found := inBlock.FindAllStringSubmatch(blocks, -1)
		found = append(found, inline.FindAllStringSubmatch(block.ReplaceAllString(string(text), ""), -1)...)
		for _, match := range found {
			if err := checkCommandLine(match[1]); err != "" {
				t.Errorf("%s: %s: %s", filepath.Base(page), match[1], err)
			}
		}
	}
}

// checkCommandLine says what is wrong with a command line as a page has it: with placeholders, comments and continuations.
func checkCommandLine(line string) string {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " | ")
	root := newRootCommand(&app{})
	root.InitDefaultHelpCmd()
	cmd, _, err := root.Find(commandWords(line))
	if err != nil {
		return err.Error()
	}
	if cmd == root && len(commandWords(line)) > 0 {
		return "there is no such command"
	}
	for _, word := range strings.Fields(line) {
		if word == "--" {
			break // what follows is another program's
		}
		if flag := strings.Trim(word, "[]'\"…,."); strings.HasPrefix(flag, "-") && !knowsFlag(cmd, flag) {
			return "there is no flag " + flag
		}
	}
	return ""
}

// commandWords are the words after mcpctl that come before the first flag or placeholder.
func commandWords(line string) []string {
	words := strings.Fields(line)[1:]
	for i, w := range words {
		if !regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(w) {
			return words[:i]
		}
	}
	return words
}

func knowsFlag(cmd *cobra.Command, flag string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	if name == "" || name == "h" || name == "help" {
		return true
	}
	if len(name) == 1 {
		return cmd.Flags().ShorthandLookup(name) != nil || cmd.InheritedFlags().ShorthandLookup(name) != nil
	}
	return cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
}
