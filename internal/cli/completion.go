package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/render"
)

// shell is a shell that completion knows.
type shell struct {
	name     string
	file     string // in the folder completions
	generate func(root *cobra.Command, w io.Writer) error
}

func shells() []shell {
	return []shell{
		{"bash", "mcpctl.bash", func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) }},
		{"zsh", "_mcpctl", func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) }},
		{"fish", "mcpctl.fish", func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) }},
		{"powershell", "mcpctl.ps1", func(c *cobra.Command, w io.Writer) error { return c.GenPowerShellCompletionWithDesc(w) }},
	}
}

func shellNames() []string {
	var names []string
	for _, s := range shells() {
		names = append(names, s.name)
	}
	return names
}

func newCompletionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands in your shell",
		Long: `Print a script that lets your shell complete commands, flags, clients and servers. Servers are those of the
last mcpctl servers ls: completing never waits for a network.`,
		Example: `  # bash, with the package bash-completion
  mcpctl completion bash > ~/.local/share/bash-completion/completions/mcpctl

  # zsh: a folder of $fpath, such as one that you add before compinit in ~/.zshrc
  mcpctl completion zsh > ~/.zsh/completions/_mcpctl

  # fish
  mcpctl completion fish > ~/.config/fish/completions/mcpctl.fish

  # PowerShell: add this line to the file that $PROFILE names
  mcpctl completion powershell | Out-String | Invoke-Expression`,
		Args:      exactArgs("SHELL (" + strings.Join(shellNames(), ", ") + ")"),
		ValidArgs: shellNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, s := range shells() {
				if s.name == args[0] {
					return s.generate(cmd.Root(), a.out)
				}
			}
			return usage(nearest(args[0], shellNames(), "choose one of: "+strings.Join(shellNames(), ", ")), "no completion for the shell %q", args[0])
		},
	}
}

// completer suggests values for the argument that comes after args.
type completer func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective)

// arguments says what the arguments of commands are. A command that is not here, and has no completer of its own, takes
// none that could be completed.
func (a *app) arguments() map[string]completer {
	clientThenServers := func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeClients(), cobra.ShellCompDirectiveNoFileComp
		}
		return a.completeServers(args[1:]), cobra.ShellCompDirectiveNoFileComp
	}
	oneClient := func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all := completeClients()
		return all[:len(all)-1], cobra.ShellCompDirectiveNoFileComp // without "all", which they do anyway
	}
	oneServer := func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completeServers(nil), cobra.ShellCompDirectiveNoFileComp
	}
	return map[string]completer{
		"mcpctl adopt":      oneClient,
		"mcpctl doctor":     oneClient,
		"mcpctl install":    clientThenServers,
		"mcpctl uninstall":  clientThenServers,
		"mcpctl bridge":     oneServer,
		"mcpctl connect":    oneServer,
		"mcpctl disconnect": oneServer,
		"mcpctl exec": func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if cmd.ArgsLenAtDash() >= 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return oneServer(cmd, args, word)
		},
		"mcpctl servers show": oneServer,
		"mcpctl logs":         a.completeLogged,
		"mcpctl snippet":      oneServer,
		"mcpctl tools ls":     oneServer,
		"mcpctl tools show":   a.completeTools,
		"mcpctl tools call":   a.completeCall,
	}
}

// complete gives every command a completer for its arguments, and every flag one for its value where that is no file.
func (a *app) complete(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = a.arguments()[cmd.CommandPath()]
		if cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	values := map[string]completer{
		"profile":   a.completeProfiles,
		"log-level": cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp),
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		name, _ := pflag.UnquoteUsage(f)
		if _, has := cmd.GetFlagCompletionFunc(f.Name); has || isFile(name) || f.NoOptDefVal != "" {
			return
		}
		complete := values[f.Name]
		if complete == nil {
			complete = cobra.NoFileCompletions
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails only for a flag that has one
	})
	for _, c := range cmd.Commands() {
		a.complete(c)
	}
}

// isFile reports whether a flag's value, by its name in the usage, is something that the shell itself completes.
func isFile(name string) bool {
	return slices.Contains([]string{"file", "program"}, strings.ToLower(name))
}

func completeClients() []cobra.Completion {
	var found []cobra.Completion
	for _, c := range clients.All() {
		found = append(found, cobra.CompletionWithDesc(c.ID, c.Name))
	}
	return append(found, cobra.CompletionWithDesc("all", "every client found here"))
}

// completeServers returns the servers of the listing last seen but those of args.
func (a *app) completeServers(args []string) []cobra.Completion {
	s, err := a.settings()
	if err != nil {
		return nil
	}
	var found []cobra.Completion
	for _, server := range a.remembered(s) {
		if slug := render.Clean(server.Slug); slug == server.Slug && !slices.Contains(args, slug) {
			found = append(found, cobra.CompletionWithDesc(slug, fmt.Sprintf("%.60s", render.Clean(server.Name))))
		}
	}
	return found
}

func (a *app) completeProfiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, _ := a.settings() // a profile that is being typed doesn't exist yet
	return s.Profiles, cobra.ShellCompDirectiveNoFileComp
}
