package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/clients"
)

// commands returns the root command and all below it.
func commands(t *testing.T) (root *cobra.Command, all []*cobra.Command) {
	t.Helper()
	root = newRootCommand(newUser(t, "https://gateway.invalid").app(nil, &bytes.Buffer{}, &bytes.Buffer{}))
	root.InitDefaultHelpCmd()
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return root, all
}

func TestEveryCommandHasHelp(t *testing.T) {
	root, all := commands(t)
	for _, c := range all {
		text := helpText(c, 100)
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || !c.Runnable() {
			t.Errorf("%s: short %q", c.CommandPath(), c.Short)
		}
		if c.Example == "" {
			if !c.HasSubCommands() {
				t.Errorf("%s: no example", c.CommandPath())
			}
			continue
		}
		for line := range strings.Lines(c.Example) {
			if words := strings.Fields(line); len(words) > 0 && words[0] != "#" && !strings.Contains(line, "mcpctl") {
				t.Errorf("%s: an example without mcpctl: %s", c.CommandPath(), line)
			}
		}
		if examples, usage := strings.Index(text, "Examples:"), strings.Index(text, "Usage:"); examples < 0 || usage < examples {
			t.Errorf("%s: examples come late:\n%s", c.CommandPath(), text)
		}
		for line := range strings.Lines(text) {
			if len(line) > 140 {
				t.Errorf("%s: a line of %d characters: %s", c.CommandPath(), len(line), line)
			}
		}
	}
	for _, name := range mission() {
		if c, _, err := root.Find([]string{name}); err != nil || c == root {
			t.Errorf("no command %s", name)
		}
	}
}

func TestEveryGlobalFlagIsInHelp(t *testing.T) {
	root, _ := commands(t)
	var grouped []string
	for _, g := range flagGroups() {
		grouped = append(grouped, g.names...)
	}
	var flags []string
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	slices.Sort(grouped)
	slices.Sort(flags)
	if !slices.Equal(grouped, flags) {
		t.Errorf("in groups %q, flags %q", grouped, flags)
	}
}

func TestEnvironmentTopicIsComplete(t *testing.T) {
	for _, c := range clients.All() {
		for _, place := range c.Override {
			if name, _, _ := strings.Cut(strings.TrimPrefix(place, "$"), "/"); !strings.Contains(environmentText, name) {
				t.Errorf("help environment doesn't mention %s, which %s heeds", name, c.Name)
			}
		}
	}
	variable := regexp.MustCompile(`"((?:MCPCTL|PORTKEY)_[A-Z_]+|DBUS_[A-Z_]+|BROWSER|DISPLAY|WAYLAND_DISPLAY|XDG_[A-Z_]+|TERM|NO_COLOR)"`)
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range variable.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(environmentText, string(m[1])) {
				t.Errorf("%s reads %s, which help environment doesn't mention", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 8 {
		t.Errorf("%d variables, %v", found, err)
	}
}

// Whatever is wrong about the words that follow a command, cobra's own errors included, the exit code is 2, and the
// error has one line and a next step.
func TestWrongUsage(t *testing.T) {
	_, all := commands(t)
	many := slices.Repeat([]string{"word"}, 20)
	for _, c := range all {
		for _, args := range [][]string{nil, many} {
			var exit *exitError
			if err := c.ValidateArgs(args); err != nil && (!errors.As(err, &exit) || exit.code != exitUsage) {
				t.Errorf("%s %q: %v", c.CommandPath(), args, err)
			}
		}
		u := newUser(t, "https://gateway.invalid")
		for _, wrong := range []string{"--no-such-flag", "-Z", "--profile"} {
			args := append(strings.Fields(c.CommandPath())[1:], wrong)
			code, out, text := u.run("", args...)
			if lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n"); code != exitUsage || out != "" ||
				len(lines) != 2 || !strings.HasPrefix(lines[0], "mcpctl: ") || !strings.HasPrefix(lines[1], "  ") {
				t.Errorf("%q: %d, %q, %q", args, code, out, text)
			}
		}
	}
	for _, args := range []string{
		"servrs", "servers lss", "servers ls extra", "version extra", "completion", "completion bsh", "completion bash zsh", "help nothing",
		"help servers nothing", "servers ls --jq .[", "version --jq nosuch", "version --jq=", "bridge", "bridge a b", "install",
		"tools call notes x --timeout 0", "tools ls notes --timeout=-1s", "tools show notes x --timeout 0", "connect notes --timeout 0",
		"connect notes --timeout=-1s", "login --oauth notes --timeout 0",
	} {
		u := newUser(t, "https://gateway.invalid")
		if code, out, text := u.run("", strings.Fields(args)...); code != exitUsage || out != "" || strings.Count(text, "\n  ") < 1 {
			t.Errorf("mcpctl %s: %d, %q, %q", args, code, out, text)
		}
	}
}

func TestJQImpliesJSON(t *testing.T) {
	u := newUser(t, "https://gateway.invalid")
	for _, args := range [][]string{{"version", "--json"}, {"version", "--jq", "."}} {
		code, out, text := u.run("", args...)
		if code != 0 || text != "" || !strings.HasPrefix(out, "{") || !strings.HasSuffix(out, "}\n") || strings.Count(out, "\n") != 1 {
			t.Errorf("%q: %d, %q, %q", args, code, out, text)
		}
	}
	if code, out, _ := u.run("", "version", "--jq", ".os"); code != 0 || out != buildInfo().OS+"\n" {
		t.Errorf("%d, %q", code, out)
	}
}
