package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/mcpclient"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/tool"
)

type toolsCallOptions struct {
	toolsOptions
	words  []string // NAME=VALUE
	args   string   // JSON, or "-"
	folder string   // for files
}

func newToolsCallCommand(a *app) *cobra.Command {
	var o toolsCallOptions
	cmd := &cobra.Command{
		Use:   "call SERVER|URL TOOL [NAME=VALUE]...",
		Short: "Call a tool",
		Long: `Call a tool of a server of the workspace, or of the MCP server at any URL, and print what it answers. A missing or
unknown argument, or a value of the wrong type, is found before the call.

  NAME=VALUE      a value, as the tool's schema wants it: text, a number, true or false, one of several words
  NAME=A NAME=B   a list
  NAME=@FILE      what is in a file, or on stdin (@-); @@ at the start of a value is one @
  NAME:=JSON      a value in JSON
  NAME.SUB=VALUE  a member of an object

Images, sounds and other files are saved in the current folder, or the one of --output; no file is ever replaced. With --json
the result is printed as it came. The exit code is 1 if the tool reports an error.`,
		Example: `  mcpctl tools call linear create_issue title='Bug report' priority=high
  mcpctl tools call linear create_issue title='Bug report' description=@bug.md labels:='["a","b"]'
  echo '{"query":"timeout"}' | mcpctl tools call linear search_issues --args - --jq .structuredContent`,
		Args: func(cmd *cobra.Command, args []string) error {
			return exactArgs("SERVER or URL", "TOOL")(cmd, args[:min(len(args), 2)])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server, o.tool, o.words = args[0], args[1], args[2:]
			return runToolsCall(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.args, "args", "", "arguments in `JSON`, or - for what is on stdin")
	f.StringVar(&o.folder, "output", "", "`folder` for images and other files")
	o.sessionOptions.add(cmd)
	o.outputOptions.add(cmd)
	return cmd
}

func runToolsCall(ctx context.Context, a *app, o toolsCallOptions) error {
	read, err := a.fileReader(ctx, o.args == "-" || slices.ContainsFunc(o.words, wantsStdin))
	if err != nil {
		return err
	}
	base, err := o.base(read)
	if err != nil {
		return err
	}
	s, tools, err := a.askTools(ctx, o.server, o.sessionOptions)
	if err != nil {
		return err
	}
	defer s.close()
	t, err := findTool(s, tools, o.tool)
	if err != nil {
		return err
	}
	arguments, err := tool.NewSchema(t.InputSchema).Build(o.words, base, read)
	if err != nil {
		return argumentsWrong(err, o.server, t)
	}
	s.spinner.Set("Calling " + t.Name + " …")
	result, err := s.CallTool(s.ctx, t.Name, arguments, a.reporter(s, t.Name))
	s.close()
	if err != nil {
		return s.explain(err)
	}
	return a.showResult(o, result)
}

// base returns the arguments of --args, nil if there are none.
func (o toolsCallOptions) base(read func(string) ([]byte, error)) (json.RawMessage, error) {
	if o.args != "-" {
		if o.args == "" {
			return nil, nil
		}
		return checkArgs([]byte(o.args))
	}
	data, err := read("-")
	if err != nil {
		return nil, err
	}
	return checkArgs(data)
}

func checkArgs(data []byte) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return nil, usage(`write it as '{"NAME": VALUE}'`, "--args: that is no JSON object")
	}
	return data, nil
}

// wantsStdin reports whether a word takes its value from stdin.
func wantsStdin(word string) bool {
	_, value, _ := strings.Cut(word, "=")
	return value == "@-"
}

// fileReader returns what reads the files that arguments name. Stdin, called -, can be used once. Where it is wanted it is read
// at once: whoever types it isn't to look at the signs of other work. Waiting for it, or for a named pipe, ends with ctx.
func (a *app) fileReader(ctx context.Context, stdin bool) (func(name string) ([]byte, error), error) {
	read := func(all func() ([]byte, error)) ([]byte, error) {
		text, err := wait(ctx, func() (string, error) {
			data, err := all()
			return string(data), err
		})
		return []byte(text), err
	}
	var typed []byte
	if stdin {
		var err error
		if typed, err = read(func() ([]byte, error) { return io.ReadAll(a.in) }); err != nil {
			return nil, err
		}
	}
	used := false
	return func(name string) ([]byte, error) {
		if name != "-" {
			return read(func() ([]byte, error) { return os.ReadFile(name) })
		}
		if used {
			return nil, usage("give one of them by a file", "stdin is wanted by two arguments")
		}
		used = true
		return typed, nil
	}, nil
}

// argumentsWrong adds to what is wrong with arguments how they are written.
func argumentsWrong(err error, server string, t mcpclient.Tool) error {
	var wrong *tool.ArgumentError
	if !errors.As(err, &wrong) {
		return err
	}
	next := "try: " + callLine(server, t)
	if near := nearest(wrong.Word, wrong.Known, ""); wrong.Word != "" && near != "" {
		next = near + "\n" + next
	}
	return usage(render.CleanLines(next), "%s: %s", render.Clean(t.Name), render.Clean(err.Error()))
}

// reporter shows how far a call has come, where there is a terminal to show it on.
func (a *app) reporter(s *session, name string) func(mcpclient.Progress) {
	if !render.IsTerminal(a.err) || a.flags.quiet {
		return nil
	}
	return func(p mcpclient.Progress) {
		text := "Calling " + name + " …"
		if p.Total > 0 {
			text += fmt.Sprintf(" %.0f%%", 100*min(p.Done/p.Total, 1))
		}
		if p.Message != "" {
			text += " " + p.Message
		}
		s.spinner.Set(text)
	}
}

// showResult prints a result on stdout, or, if it is an error and nobody asked for JSON, on stderr.
func (a *app) showResult(o toolsCallOptions, raw json.RawMessage) error {
	result, err := tool.ParseResult(raw)
	if err != nil {
		return err
	}
	if o.json {
		if err := render.JSON(a.out, raw, o.jq); err != nil || !result.IsError {
			return err
		}
		return errSilent
	}
	save := func(uri, mimeType string, data []byte) (string, error) {
		if err := os.MkdirAll(o.folder, 0o777); o.folder != "" && err != nil {
			return "", err
		}
		return tool.Save(o.folder, o.tool, uri, mimeType, data)
	}
	if !result.IsError {
		return result.Show(a.out, render.IsTerminal(a.out), save)
	}
	var text strings.Builder
	if err := result.Show(&text, true, save); err != nil {
		return err
	}
	return problem.New(strings.TrimSpace(text.String()), "%s reports an error", render.Clean(o.tool))
}
