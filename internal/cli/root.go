package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/render"
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
		Args:          onlyCommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPaths(cmd); err != nil {
				return err
			}
			return checkOutput(cmd)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		a.helpFailed = a.print(helpText(cmd, render.ProseColumns(a.out)))
	})
	root.SetHelpCommand(newHelpCommand(a))
	root.SetFlagErrorFunc(flagError)
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
		newLoginCommand(a),
		newLogoutCommand(a),
		newStatusCommand(a),
		newProfileCommand(a),
		newConfigCommand(a),
		newInstallCommand(a),
		newUninstallCommand(a),
		newClientsCommand(a),
		newAdoptCommand(a),
		newDoctorCommand(a),
		newBridgeCommand(a),
		newConnectCommand(a),
		newDisconnectCommand(a),
		newExecCommand(a),
		newLogsCommand(a),
		newDemoCommand(a),
		newServersCommand(a),
		newToolsCommand(a),
		newSnippetCommand(a),
		newCompletionCommand(a),
		newVersionCommand(a),
	)
	a.complete(root)
	return root
}

// checkPaths refuses an empty value of a flag that takes a path, such as that of a variable that isn't set: it would count as not
// given, and another file than the one that is meant would be read or written.
func checkPaths(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		if f.Value.String() == "" && slices.Contains([]string{"file", "folder", "program"}, kind) {
			err = usage("name a "+kind+", or leave the flag out", "--%s is empty", f.Name)
		}
	})
	return err
}

// onlyCommands is the Args of a command that does nothing but hold others.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(cmd, args[0])
}

// maxShown is the length of the longest word that an error repeats where something else was expected, in bytes: no command,
// client or setting is longer, but a key is that was pasted to the wrong place.
const maxShown = 20

// unknownCommand is the error for a command that doesn't exist, with the nearest ones that do.
func unknownCommand(cmd *cobra.Command, name string) error {
	next := nearest(name, commandNames(cmd), "see: "+cmd.CommandPath()+" --help")
	if len(name) > maxShown {
		return usage(next, "that is no command of %s", cmd.CommandPath())
	}
	return usage(next, "unknown command %q for %q", name, cmd.CommandPath())
}

// flagError is the error for a flag that doesn't exist, with the nearest ones that do, or that has a value it can't take.
func flagError(cmd *cobra.Command, err error) error {
	next := "see: " + cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		next = nearest("--"+unknown.GetSpecifiedName(), names, next)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) && len(invalid.GetValue()) > maxShown {
		return usage(next, "--%s can't have that value (not shown: it may be a key)", invalid.GetFlag().Name)
	}
	return usage(next, "%s", err)
}
