package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
)

// globalFlags are the flags that every command takes.
type globalFlags struct {
	settings config.Flags
	keyFile  string
	quiet    bool
	noInput  bool
}

const rootExample = `  mcpctl login                            # store the API key in the OS keyring
  mcpctl servers ls                       # the workspace's MCP servers
  mcpctl install claude-desktop linear    # let Claude Desktop use one of them
  mcpctl bridge linear                    # what the client then starts by itself`

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "mcpctl",
		Short:         "Connect AI clients to the MCP servers of your Portkey workspace",
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("see: "+cmd.CommandPath()+" --help", "%s", err)
	})
	f := root.PersistentFlags()
	s := &a.flags.settings
	f.StringVar(&s.ConfigFile, "config", "", "settings `file`")
	f.StringVarP(&s.Profile, "profile", "p", "", "`name` of the profile")
	f.StringVar(&s.GatewayURL, "gateway", "", "base `URL` of the MCP gateway")
	f.StringVar(&s.ControlPlaneURL, "control-plane", "", "base `URL` of the control plane")
	f.StringVar(&s.Workspace, "workspace", "", "workspace `slug` or id, for organisation keys")
	f.StringVar(&s.CAFile, "ca-file", "", "PEM `file` of certificates to trust beside the system's")
	f.BoolVar(&s.AllowHTTP, "allow-http", false, "allow plain http to a host that isn't this machine")
	f.StringVar(&a.flags.keyFile, "key-file", "", "`file` that holds the API key")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "no talk on stderr, only errors")
	f.BoolVar(&a.flags.noInput, "no-input", false, "never ask, fail instead")

	root.AddCommand(
		newVersionCommand(a),
	)
	return root
}

// unknownCommand is the error for a command that doesn't exist, with the nearest ones that do.
func unknownCommand(cmd *cobra.Command, name string) error {
	next := "see: " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		next = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(next, "unknown command %q", name)
}
