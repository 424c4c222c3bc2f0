package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/mcpclient"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/tool"
)

func newToolsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tools",
		Aliases: []string{"tool"},
		Short:   "See and call the tools of a server",
		Example: `  mcpctl tools ls linear
  mcpctl tools call linear create_issue title='Bug report' priority=high`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newToolsListCommand(a), newToolsShowCommand(a), newToolsCallCommand(a))
	return cmd
}

type toolsOptions struct {
	server, tool string
	sessionOptions
	outputOptions
}

func newToolsListCommand(a *app) *cobra.Command {
	var o toolsOptions
	cmd := &cobra.Command{
		Use:     "ls SERVER|URL",
		Aliases: []string{"list"},
		Short:   "List the tools of a server with their arguments",
		Long: `List the tools of a server of the workspace, or of the MCP server at any URL, as the server itself lists them to AI
clients. Arguments in brackets can be left out.

If the server wants your consent, its page opens in your browser, and the list follows when you have allowed access.`,
		Example: `  mcpctl tools ls linear
  mcpctl tools ls linear --jq '.[].name'
  mcpctl tools ls https://mcp.example.com/mcp`,
		Args: exactArgs("SERVER or URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return runToolsList(cmd.Context(), a, o)
		},
	}
	o.sessionOptions.add(cmd)
	o.outputOptions.add(cmd)
	return cmd
}

// toolItem is a tool in JSON. Schemas and annotations are as the server sent them.
type toolItem struct {
	Name         string          `json:"name"`
	Title        string          `json:"title"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"input_schema"`
	OutputSchema json.RawMessage `json:"output_schema,omitempty"`
	Annotations  json.RawMessage `json:"annotations,omitempty"`
}

func newToolItem(t mcpclient.Tool) toolItem {
	return toolItem{t.Name, title(t), t.Description, t.InputSchema, t.OutputSchema, t.Annotations}
}

// title is a tool's name for people, which older servers put among the annotations.
func title(t mcpclient.Tool) string {
	if t.Title != "" {
		return t.Title
	}
	var annotations struct{ Title string }
	_ = json.Unmarshal(t.Annotations, &annotations)
	return annotations.Title
}

func runToolsList(ctx context.Context, a *app, o toolsOptions) error {
	s, tools, err := a.askTools(ctx, o.server, o.sessionOptions)
	if err != nil {
		return err
	}
	s.close()
	if o.json {
		items := []toolItem{}
		for _, t := range tools {
			items = append(items, newToolItem(t))
		}
		return render.JSON(a.out, items, o.jq)
	}
	if len(tools) == 0 {
		a.talk("%s has no tools\n", render.Clean(s.target.name))
	}
	tty := render.IsTerminal(a.out)
	table := render.Table{Header: []string{"TOOL", "ARGUMENTS", "DESCRIPTION"}}
	for _, t := range tools {
		table.Row(t.Name, argumentNames(t, tty), t.Description)
	}
	return table.Write(a.out, tty)
}

// askTools opens a session and asks for the tools, which completion profits from.
func (a *app) askTools(ctx context.Context, server string, o sessionOptions) (*session, []mcpclient.Tool, error) {
	s, err := a.openSession(ctx, server, "Asking "+server+" for its tools …", o)
	if err != nil {
		return nil, nil, err
	}
	tools, err := s.Tools(s.ctx)
	if err != nil {
		s.close()
		return nil, nil, s.explain(err)
	}
	a.rememberTools(s.settings, s.target, tools)
	return s, tools, nil
}

// maxNames is how many columns of a terminal the names of a tool's arguments may take, beside its description.
const maxNames = 40

func argumentNames(t mcpclient.Tool, short bool) string {
	var names []string
	width := 0
	for _, argument := range tool.NewSchema(t.InputSchema).Arguments() {
		name := argument.Name
		if !argument.Required {
			name = "[" + name + "]"
		}
		if width += len(name) + 1; short && width > maxNames && len(names) > 0 {
			return strings.Join(names, " ") + " …"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func newToolsShowCommand(a *app) *cobra.Command {
	var o toolsOptions
	cmd := &cobra.Command{
		Use:   "show SERVER|URL TOOL",
		Short: "Show what a tool does and which arguments it takes",
		Example: `  mcpctl tools show linear create_issue
  mcpctl tools show linear create_issue --jq .input_schema`,
		Args: exactArgs("SERVER or URL", "TOOL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server, o.tool = args[0], args[1]
			return runToolsShow(cmd.Context(), a, o)
		},
	}
	o.sessionOptions.add(cmd)
	o.outputOptions.add(cmd)
	return cmd
}

func runToolsShow(ctx context.Context, a *app, o toolsOptions) error {
	s, tools, err := a.askTools(ctx, o.server, o.sessionOptions)
	if err != nil {
		return err
	}
	s.close()
	t, err := findTool(s, tools, o.tool)
	if err != nil {
		return err
	}
	if o.json {
		return render.JSON(a.out, newToolItem(t), o.jq)
	}
	name := t.Name
	if long := title(t); long != "" && long != name {
		name += ": " + long
	}
	fmt.Fprintf(a.out, "%s\n\n", render.Clean(name))
	if text := strings.TrimSpace(render.CleanLines(t.Description)); text != "" {
		fmt.Fprintf(a.out, "%s\n\n", text)
	}
	schema := tool.NewSchema(t.InputSchema)
	table := render.Table{Header: []string{"ARGUMENT", "VALUE", "DESCRIPTION"}}
	for _, argument := range schema.Arguments() {
		table.Row(argument.Name, argument.Kind, described(argument))
	}
	if err := table.Write(a.out, render.IsTerminal(a.out)); err != nil {
		return err
	}
	a.talk("\nTry: %s\n", render.Clean(callLine(o.server, t)))
	return nil
}

func described(argument tool.Argument) string {
	text := argument.Description
	if argument.Required {
		text += " (required)"
	}
	if argument.Default != "" {
		text += " (default " + argument.Default + ")"
	}
	return strings.TrimSpace(text)
}

// callLine is how to call a tool.
func callLine(server string, t mcpclient.Tool) string {
	return strings.TrimSpace("mcpctl tools call " + server + " " + t.Name + " " + tool.NewSchema(t.InputSchema).Usage())
}

// findTool returns the tool called name.
func findTool(s *session, tools []mcpclient.Tool, name string) (mcpclient.Tool, error) {
	var names []string
	for _, t := range tools {
		if t.Name == name {
			return t, nil
		}
		names = append(names, render.Clean(t.Name))
	}
	return mcpclient.Tool{}, usage(nearest(name, names, "see: mcpctl tools ls "+s.target.name), "%s has no tool %q", s.target.name, name)
}
