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
	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

type installOptions struct {
	editOptions
	as           string
	force        bool
	command      string
	allLocations bool
	link         bool
	direct       bool
	keyEnv       string
}

func newInstallCommand(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install [CLIENT SERVER...]",
		Short: "Let an AI client use servers of the workspace",
		Long: `Write an entry for each SERVER into the file in which CLIENT keeps its MCP servers. The client then
starts "mcpctl bridge SERVER" by itself. No key is written: the bridge reads it where login put it.

Nothing else in the file changes, not even its comments. An entry of the same name that isn't mcpctl's
is left alone unless you say --force; uninstall gives it back. CLIENT "all" is every client found here.
Without arguments, install asks for what it lacks.

With --direct the client speaks to the server by itself, without mcpctl: it logs in by its own OAuth, or
sends the key that it finds in the variable of --key-env. Proxy, extra CAs and headers of the settings
file, and consent, are then the client's business.`,
		Example: `  mcpctl install claude-desktop linear github
  mcpctl install cursor linear --project    # .cursor/mcp.json in this folder
  mcpctl install all linear --dry-run       # show the changes, write nothing
  mcpctl install vscode linear --link       # print an address that VS Code opens
  mcpctl install cursor linear --direct --key-env TEAM_KEY`,
		Args: func(cmd *cobra.Command, args []string) error {
			if _, canAsk := a.terminal(); canAsk && !o.json {
				return nil
			}
			return clientAndServers(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.client, o.servers = args[0], args[1:]
			}
			return runInstall(cmd.Context(), a, o)
		},
	}
	o.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.as, "as", "", "`name` of the entry, if it is not to be the server's")
	f.BoolVar(&o.force, "force", false, "replace an entry that isn't mcpctl's; write for a client that isn't found here")
	f.StringVar(&o.command, "command", "", "`program` that the client starts instead of this mcpctl")
	f.BoolVar(&o.allLocations, "all-locations", false, "every file of the client's that there is, not only the newest release's")
	f.BoolVar(&o.link, "link", false, "print an address that makes the client offer the entry to you, write nothing")
	f.BoolVar(&o.direct, "direct", false, "the client's own HTTP transport instead of the bridge")
	f.StringVar(&o.keyEnv, "key-env", "", "with --direct, the `variable` in the client's environment that holds the API key")
	return cmd
}

func runInstall(ctx context.Context, a *app, o installOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := a.askWhatIsMissing(ctx, &o); err != nil {
		return err
	}
	if o.link {
		return a.printLinks(o)
	}
	targets, err := a.targets(o.editOptions, o.force)
	if err != nil {
		return err
	}
	if o.allLocations {
		targets = a.allLocations(targets)
	}
	entries, err := a.entries(o)
	if err != nil {
		return err
	}
	o.furtherStep = o.stepOfDirect()
	store := clients.NewStore(a.state())
	err = a.edit(o.editOptions, targets, func(t clients.Target) (clients.Outcome, error) {
		if o.direct {
			if err := t.Client.CheckDirect(*entries[0].Remote); err != nil {
				return clients.Outcome{}, err
			}
		}
		a.warnIfRunning(t)
		if !o.allLocations {
			a.warnOfOtherFiles(t)
		}
		outcome, err := store.Install(ctx, t, entries, o.force, o.dryRun)
		if len(outcome.Lost) > 0 {
			a.talk("warning: %s: this goes with the old entry: %s\n", t.Client.Name, render.Clean(strings.Join(outcome.Lost, ", ")))
		}
		return outcome, err
	})
	if err == nil && !o.dryRun && !o.direct && !o.json {
		// The first call in the client must not be the first time that consent is asked for.
		a.offerConsent(ctx, o.servers)
	}
	return err
}

// check refuses flags that contradict each other.
func (o installOptions) check() error {
	switch {
	case o.keyEnv != "" && !o.direct:
		return usage("leave it out: the bridge takes the key from where login put it", "--key-env is for --direct")
	case o.keyEnv != "" && !regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`).MatchString(o.keyEnv):
		// Not shown, and capitals alone are taken: what was typed may be the key itself.
		return usage("write it as --key-env PORTKEY_API_KEY", "--key-env takes the name of a variable, in capital letters, and never the key")
	case o.direct && o.command != "":
		return usage("leave one of them out", "--command is what a client starts, and with --direct it starts nothing")
	case o.link && (o.project || o.configPath != "" || o.allLocations):
		return usage("leave out the other", "--link writes no file, so that it can't be told which one")
	case o.allLocations && (o.project || o.configPath != ""):
		return usage("leave one of them out", "--all-locations are several files, --project and --config-path are one")
	}
	return nil
}

// entryName fits what every client takes for the name of an entry.
var entryName = pattern.New(`^[A-Za-z0-9_-]+$`)

// entries makes what is to be written from the servers and the settings.
func (a *app) entries(o installOptions) ([]clients.Entry, error) {
	if o.as != "" && len(o.servers) > 1 {
		return nil, usage("install them one by one", "--as is one name, but there are %d servers", len(o.servers))
	}
	if o.as != "" && !entryName().MatchString(o.as) {
		return nil, usage("use letters, digits, - and _ only", "--as: clients don't all take the name %q", o.as)
	}
	for _, s := range o.servers {
		if strings.HasPrefix(s, "-") || strings.ContainsAny(s, " \t\r\n/:\\\"") {
			// Not shown: what was typed at a wrong place may be a key.
			return nil, usage("see: mcpctl servers ls", "SERVER is a name from mcpctl servers ls: no URL, no blanks")
		}
		if o.as == "" && !entryName().MatchString(s) {
			return nil, usage("give the entry a name of letters, digits, - and _ with --as NAME", "clients don't all take the name of this server as that of an entry")
		}
	}
	settings, err := a.settings()
	if err != nil {
		return nil, err
	}
	if o.direct {
		return a.directEntries(settings, o), nil
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
		args := append([]string{"bridge", s}, given...)
		entries = append(entries, clients.Entry{Server: s, Name: o.name(s), Command: clients.Command{Path: program, Args: args}})
	}
	return entries, nil
}

// stepOfDirect is what is to be done once, beside what every install wants.
func (o installOptions) stepOfDirect() string {
	switch {
	case o.keyEnv != "":
		return "the client needs the API key as " + o.keyEnv + " in the environment that it starts from"
	case o.direct:
		return "the client asks you to log in when it first wants the server"
	}
	return ""
}

// name is what the client is to know a server by.
func (o installOptions) name(server string) string {
	if o.as != "" {
		return o.as
	}
	return server
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
			return "", usage("leave the arguments out: mcpctl adds them itself", "--command takes the program alone, not %q", command)
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
	for _, flag := range clients.SettingFlags {
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
