package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/mcpclient"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/tool"
)

// toolsName is the file in the state folder that holds the tools that a server was last seen with.
func toolsName(s config.Settings, t target) string {
	return "tools/" + credential.Name(s.Profile, t.url.String()) + ".json"
}

// rememberTools keeps a server's tools for completion, which must not wait for a network.
func (a *app) rememberTools(s config.Settings, t target, tools []mcpclient.Tool) {
	_ = a.state().Write(toolsName(s, t), tools) // without it, completion knows less
}

// rememberedTools returns the tools that a server was last seen with, nil if it never was.
func (a *app) rememberedTools(server string) []mcpclient.Tool {
	s, err := a.settings()
	if err != nil {
		return nil
	}
	t, err := findTarget(s, server)
	if err != nil {
		return nil
	}
	var tools []mcpclient.Tool
	_, _ = a.state().Read(toolsName(s, t), &tools)
	return tools
}

// completeTools completes SERVER TOOL.
func (a *app) completeTools(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return a.completeServers(nil), cobra.ShellCompDirectiveNoFileComp
	case 1:
		var found []cobra.Completion
		for _, t := range a.rememberedTools(args[0]) {
			if harmless(t.Name) {
				found = append(found, cobra.CompletionWithDesc(t.Name, fmt.Sprintf("%.60s", render.Clean(title(t)))))
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeCall completes SERVER TOOL NAME=VALUE….
func (a *app) completeCall(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) < 2 {
		return a.completeTools(cmd, args, word)
	}
	tools := a.rememberedTools(args[0])
	i := slices.IndexFunc(tools, func(t mcpclient.Tool) bool { return t.Name == args[1] })
	if i < 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	arguments := tool.NewSchema(tools[i].InputSchema).Arguments()
	if name, _, isValue := strings.Cut(word, "="); isValue {
		return completeValue(arguments, name), cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	for _, argument := range arguments {
		given := slices.ContainsFunc(args[2:], func(w string) bool { return strings.HasPrefix(w, argument.Name+"=") })
		if harmless(argument.Name) && (!given || strings.HasSuffix(argument.Kind, "…")) {
			found = append(found, cobra.CompletionWithDesc(argument.Name+"=", fmt.Sprintf("%.60s", render.Clean(argument.Description))))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func completeValue(arguments []tool.Argument, name string) []cobra.Completion {
	i := slices.IndexFunc(arguments, func(argument tool.Argument) bool { return argument.Name == name })
	if i < 0 {
		return nil
	}
	choices := arguments[i].Choices
	if arguments[i].Kind == "boolean" {
		choices = []string{"true", "false"}
	}
	var found []cobra.Completion
	for _, c := range choices {
		if harmless(c) {
			found = append(found, name+"="+c)
		}
	}
	return found
}

// harmless reports whether a server's word can be put on a command line as it is.
func harmless(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/:", r))
	})
}
