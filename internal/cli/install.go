package cli

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/problem"
)

type installOptions struct {
	editOptions
	as      string
	force   bool
	command string
}

func newInstallCommand(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install CLIENT SERVER...",
		Short: "Let an AI client use servers of the workspace",
		Long: `Write an entry for each SERVER into the file in which CLIENT keeps its MCP servers. The client then
starts "mcpctl bridge SERVER" by itself. No key is written: the bridge reads it where login put it.

Nothing else in the file changes, not even its comments. An entry of the same name that isn't mcpctl's
is left alone unless you say --force; uninstall gives it back. CLIENT "all" is every client found here.`,
		Example: `  mcpctl install claude-desktop linear github
  mcpctl install cursor linear --project    # .cursor/mcp.json in this folder
  mcpctl install all linear --dry-run       # show the changes, write nothing`,
		Args: clientAndServers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.client, o.servers = args[0], args[1:]
			return runInstall(cmd.Context(), a, o)
		},
	}
	o.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.as, "as", "", "`name` of the entry, if it is not to be the server's")
	f.BoolVar(&o.force, "force", false, "replace an entry that isn't mcpctl's; write for a client that isn't found here")
	f.StringVar(&o.command, "command", "", "`program` that the client starts instead of this mcpctl")
	return cmd
}

func runInstall(ctx context.Context, a *app, o installOptions) error {
	targets, err := a.targets(o.editOptions, o.force)
	if err != nil {
		return err
	}
	entries, err := a.entries(o)
	if err != nil {
		return err
	}
	store := clients.NewStore(a.state())
	return a.edit(o.editOptions, targets, func(t clients.Target) (clients.Outcome, error) {
		a.warnIfRunning(t)
		a.warnOfOtherFiles(t)
		return store.Install(ctx, t, entries, o.force, o.dryRun)
	})
}

// entries makes what is to be written from the servers and the settings.
func (a *app) entries(o installOptions) ([]clients.Entry, error) {
	if o.as != "" && len(o.servers) > 1 {
		return nil, usage("install them one by one", "--as is one name, but there are %d servers", len(o.servers))
	}
	if o.as != "" && !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(o.as) {
		return nil, usage("use letters, digits, - and _ only", "--as: clients don't all take the name %q", o.as)
	}
	for _, s := range o.servers {
		if strings.HasPrefix(s, "-") || strings.ContainsAny(s, " \t\r\n/:\\\"") {
			// Not shown: what was typed at a wrong place may be a key.
			return nil, usage("see: mcpctl servers ls", "SERVER is a name from mcpctl servers ls: no URL, no blanks")
		}
	}
	settings, err := a.settings()
	if err != nil {
		return nil, err
	}
	program, err := a.program(o)
	if err != nil {
		return nil, err
	}
	given, err := a.givenArgs(settings)
	if err != nil {
		return nil, err
	}
	var entries []clients.Entry
	for _, s := range o.servers {
		name := s
		if o.as != "" {
			name = o.as
		}
		args := append([]string{"bridge", s}, given...)
		entries = append(entries, clients.Entry{Server: s, Name: name, Command: clients.Command{Path: program, Args: args}})
	}
	return entries, nil
}

// program is what the client is to start: the absolute path of this mcpctl, or in a project, whose file other people get,
// its bare name.
func (a *app) program(o installOptions) (string, error) {
	if o.command != "" {
		return a.givenProgram(o.command)
	}
	if o.project {
		return "mcpctl", nil
	}
	executable, err := os.Executable()
	if err != nil {
		return "", problem.New("name the program with --command", "mcpctl can't tell where it is: %w", err)
	}
	self := clients.FindSelf(a.host, executable)
	next := "name a lasting one with --command PATH"
	if self.Other != "" {
		next = "name a lasting one, for example --command " + self.Other
	}
	switch {
	case self.Vanishing && !o.dryRun:
		return "", problem.New(next, "%s: this mcpctl was built by go run and is gone when it ends", self.Path)
	case self.Vanishing || self.Temporary:
		a.talk("warning: %s lies in a folder for temporary files; %s\n", self.Path, next)
	}
	if a.host.OS == "windows" && strings.Contains(self.Path, " ") {
		a.talk("warning: %s has a space in it, which some clients can't start; put mcpctl into a folder without\n", self.Path)
	}
	return self.Path, nil
}

func (a *app) givenProgram(command string) (string, error) {
	if !strings.ContainsAny(command, `/\`) {
		if strings.Contains(command, " ") {
			return "", usage("mcpctl adds the arguments itself", "--command takes the program alone, not %q", command)
		}
		return command, nil
	}
	abs, err := filepath.Abs(command)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); err != nil {
		a.talk("warning: there is no %s on this machine\n", abs)
	}
	return abs, nil
}

// givenArgs are the settings that came by flag or environment, as arguments: the client starts the bridge with neither.
func (a *app) givenArgs(s config.Settings) ([]string, error) {
	given := map[string]string{}
	for flag, value := range s.Given {
		given[flag] = value
	}
	if a.flags.keyFile != "" {
		path, err := filepath.Abs(a.flags.keyFile)
		if err != nil {
			return nil, err
		}
		given["key-file"] = path
	}
	// The folder of the settings may be known from a variable alone, and that doesn't reach every bridge.
	if a.host.Getenv("XDG_CONFIG_HOME") != "" && given["config"] == "" && a.host.OS != "windows" {
		if s.File != a.host.Join(a.host.Home, ".config", "mcpctl", "config.yaml") {
			given["config"] = s.File
		}
	}
	var args []string
	// A table of its own, not all of given: nothing gets into someone's file by accident.
	for _, flag := range []string{"config", "profile", "gateway", "control-plane", "workspace", "ca-file", "allow-http", "key-file"} {
		value, ok := given[flag]
		switch {
		case !ok:
		case flag == "allow-http":
			args = append(args, "--"+flag)
		default:
			args = append(args, "--"+flag, value)
			if strings.Contains(value, " ") {
				a.talk("warning: %q has a space in it, and some clients split arguments there\n", value)
			}
		}
	}
	return args, nil
}
