package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What a machine can hold of the one voice in which mcpctl speaks: the words of commands and flags.
func TestVoiceOfHelp(t *testing.T) {
	root, all := commands(t)
	for _, c := range all {
		if !regexp.MustCompile(`^[A-Z][a-z]+ .*[^.!]$`).MatchString(c.Short) || utf8.RuneCountInString(c.Short) > 70 {
			t.Errorf("%s: Short is not one line in the imperative, without a full stop: %q", c.CommandPath(), c.Short)
		}
		if c.Example == "" && !c.HasSubCommands() {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if utf8.RuneCountInString(line) > 120 {
				t.Errorf("%s: a long example: %s", c.CommandPath(), line)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { checkFlag(t, c, f) })
		for _, columns := range []int{100, 60} {
			checkWidth(t, c, columns)
		}
	}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { checkFlag(t, root, f) })
}

func checkFlag(t *testing.T, c *cobra.Command, f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	if !regexp.MustCompile(`^([a-z0-9']|[A-Z]{2})`).MatchString(usage) || strings.HasSuffix(usage, ".") {
		t.Errorf("%s --%s: neither lower case nor without a full stop: %q", c.CommandPath(), f.Name, usage)
	}
	if value == "string" || value == "int" || value == "strings" || value == "stringArray" {
		t.Errorf("%s --%s names no value in backquotes: %q", c.CommandPath(), f.Name, f.Usage)
	}
}

// checkWidth looks at what isn't there to be copied: all but examples and usage, and words that are too long by themselves.
func checkWidth(t *testing.T, c *cobra.Command, columns int) {
	section := ""
	for line := range strings.Lines(helpText(c, columns)) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' {
			section = line
		}
		if section == "Examples:" || section == "Usage:" {
			continue
		}
		if utf8.RuneCountInString(line) > columns {
			t.Errorf("%s at %d columns: %s", c.CommandPath(), columns, line)
		}
	}
}

// said is a text in the program's source: the literal that it is (whole) or begins with.
type said struct {
	where, text string
	whole       bool
}

// texts returns the next steps and the messages of the errors in the program's source, and what commands say on stderr.
func texts(t *testing.T) (steps, messages, talk []said) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			add := func(to *[]said, argument int) {
				if len(call.Args) > argument {
					if text, whole := literal(call.Args[argument]); text != "" {
						*to = append(*to, said{files.Position(call.Pos()).String(), text, whole})
					}
				}
			}
			switch types.ExprString(call.Fun) {
			case "problem.New", "usage":
				add(&steps, 0)
				add(&messages, 1)
			case "problem.With":
				add(&steps, 1)
			case "a.talk", "a.prompt":
				add(&talk, 0)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps, messages, talk
}

func literal(e ast.Expr) (text string, whole bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s, true
	case *ast.BinaryExpr:
		left, whole := literal(e.X)
		if !whole {
			return left, false
		}
		right, whole := literal(e.Y)
		return left + right, whole
	}
	return "", false
}

// What a machine can hold of it in errors and talk.
func TestVoiceOfMessages(t *testing.T) {
	steps, messages, talk := texts(t)
	for _, kind := range []struct {
		name  string
		texts []said
		least int
		begin string
	}{
		{"next step", steps, 150, `^(\n|; )?([a-z]|PEM )`},
		{"message", messages, 150, `^([a-z%]|--|[A-Z]{2})`},
		{"talk", talk, 40, `^(\n| *)($|[A-Z]|%|warning: |note: | +[a-z%])`},
	} {
		if len(kind.texts) < kind.least {
			t.Errorf("only %d of %s", len(kind.texts), kind.name)
		}
		for _, s := range kind.texts {
			if !regexp.MustCompile(kind.begin).MatchString(s.text) || s.whole && regexp.MustCompile(`[^.]\.\n*$`).MatchString(s.text) {
				t.Errorf("%s: a %s begins or ends in another way than the others: %q", s.where, kind.name, s.text)
			}
			if odd := regexp.MustCompile(`(?i)failed to|unable to|\bsign(ed)?[ -]in\b|!|[→✓✗]`).FindString(s.text); odd != "" {
				t.Errorf("%s: %q in the %s %q", s.where, odd, kind.name, s.text)
			}
		}
	}
	for _, s := range steps {
		if regexp.MustCompile(`^(there are|it knows|nothing was)\b`).MatchString(s.text) {
			t.Errorf("%s: not in the imperative: %q", s.where, s.text)
		}
		if s.whole && regexp.MustCompile(`^run mcpctl [a-z]+( --[a-z-]+)*$`).MatchString(s.text) {
			t.Errorf("%s: a command alone comes after a colon: %q", s.where, s.text)
		}
	}
}
