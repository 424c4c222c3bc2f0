package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// The folder holds the scripts that packages install.
func TestCompletionFilesAreFresh(t *testing.T) {
	u := newUser(t, "https://gateway.invalid")
	for _, s := range shells() {
		code, want, _ := u.run("", "completion", s.name)
		path := filepath.Join("..", "..", "completions", s.file)
		got, err := os.ReadFile(path)
		if code != 0 || want == "" || err != nil || string(got) != want {
			t.Errorf("%s is stale (%v): run make completions", path, err)
		}
	}
}

// Every name in the table of completers that there is a command for is spelt as the command is.
func TestArgumentsAreOfCommands(t *testing.T) {
	_, all := commands(t)
	known := map[string]bool{}
	for _, c := range all {
		known[c.CommandPath()] = true
		if c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 {
			t.Errorf("%s completes file names", c.CommandPath())
		}
	}
	a := newUser(t, "https://gateway.invalid").app(nil, nil, nil)
	for name := range a.arguments() {
		if !known[name] {
			t.Errorf("there is no command %s", name)
		}
	}
}
