package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/render"
)

// topic is a page of help that is not about a command.
type topic struct{ name, short, text string }

func topics() []topic {
	return []topic{
		{"exit-codes", "what the exit codes mean", exitCodesText},
		{"environment", "the variables that mcpctl reads", environmentText},
	}
}

const exitCodesText = `Exit codes, for scripts:

    0  done
    1  failed: the error on stderr says what happened and what to do next
    2  wrong usage: an unknown command, flag, argument, client or profile, or a --jq that is not jq
    4  not logged in, or the gateway refused the key: run mcpctl login
  130  interrupted (Ctrl-C)

Some commands lend their exit code to what they run or say:

  mcpctl bridge     128 and the signal's number, if a signal ended it
  mcpctl exec       that of the program; 128 and the signal's number if a signal ended it; 127 if there is no such program, 126 if it can't be started

For example:

  mcpctl servers ls > list || [ $? -ne 4 ] || mcpctl login
`

const environmentText = `Variables that mcpctl reads. A flag goes before a variable, a variable before the settings file.

Settings:
  MCPCTL_CONFIG             the settings file (--config)
  MCPCTL_PROFILE            the profile (--profile)
  MCPCTL_GATEWAY_URL        base URL of the MCP gateway (--gateway)
  MCPCTL_CONTROL_PLANE_URL  base URL of the control plane (--control-plane)
  MCPCTL_WORKSPACE          workspace, for organisation keys (--workspace)
  MCPCTL_LOG_LEVEL          what a bridge logs: debug, info, warn or error (--log-level)

The API key, for machines where nobody can log in. They go before the keyring:
  MCPCTL_API_KEY            for whatever gateway is configured
  PORTKEY_API_KEY           only where gateway and control plane are at portkey.ai

mcpctl exec hands the key on as PORTKEY_API_KEY, or where there is none the token of a browser login as MCP_ACCESS_TOKEN;
mcpctl help exec names all that a program gets.

Network:
  HTTPS_PROXY, NO_PROXY     the proxy for https, and the hosts that go without
  SSL_CERT_FILE             on Linux, the certificates to trust in place of the system's (--ca-file adds some)

Keyring, on Linux:
  DBUS_SESSION_BUS_ADDRESS  the session bus that it is on; else "bus" in the folder XDG_RUNTIME_DIR

Screen:
  TERM                      "dumb" keeps the spinner away
  NO_COLOR                  nothing to do: mcpctl uses no colours

Folders:
  XDG_CONFIG_HOME           settings are in mcpctl/config.yaml there (not on Windows)
  XDG_STATE_HOME            records, backups, locks and logs are in mcpctl there (not on Windows)
  APPDATA, LOCALAPPDATA     the same two on Windows

AI clients' own, which say where a client's file is:
  CLAUDE_CONFIG_DIR, CODEX_HOME, COPILOT_HOME, CLINE_DIR, CLINE_DATA_DIR, CLINE_MCP_SETTINGS_PATH, FLATPAK_XDG_CONFIG_HOME

Browser, for consent:
  BROWSER                   the program that opens a page, on Linux
  DISPLAY, WAYLAND_DISPLAY  without one of these and BROWSER, a page's address is only printed, on Linux
`

func newHelpCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Explain a command or a topic",
		Example: `  mcpctl help install
  mcpctl help exit-codes`,
		ValidArgsFunction: completeHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				for _, t := range topics() {
					if t.name == args[0] {
						return a.print(render.Fill(t.text, render.ProseColumns(a.out)))
					}
				}
			}
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				if found == nil || len(rest) == 0 {
					found, rest = cmd.Root(), args
				}
				return unknownTopic(found, rest[0])
			}
			return found.Help()
		},
	}
}

func unknownTopic(cmd *cobra.Command, name string) error {
	names := commandNames(cmd)
	if !cmd.HasParent() {
		for _, t := range topics() {
			names = append(names, t.name)
		}
	}
	return usage(nearest(name, names, "see: "+cmd.CommandPath()+" --help"), "no help about %q", name)
}

func completeHelp(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	about, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, c := range about.Commands() {
		if c.IsAvailableCommand() {
			found = append(found, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	if len(args) == 0 {
		for _, t := range topics() {
			found = append(found, cobra.CompletionWithDesc(t.name, t.short))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// mission is the commands that most people need, in the order in which they need them.
func mission() []string { return []string{"login", "servers", "install", "bridge"} }

// flagGroup is global flags that belong together.
type flagGroup struct {
	title string
	names []string
}

func flagGroups() []flagGroup {
	return []flagGroup{
		{"Which gateway", []string{"profile", "gateway", "control-plane", "workspace", "key-file", "config"}},
		{"Network", []string{"ca-file", "allow-http"}},
		{"Manner", []string{"quiet", "no-input"}},
	}
}

// helpText is the help of every command: what it does, examples, how to write it, and only then the flags.
// Prose is filled to columns; examples and usage, which are there to be copied, are not.
func helpText(cmd *cobra.Command, columns int) string {
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	section := func(title, body string) {
		if body = strings.Trim(body, "\n"); body != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, body)
		}
	}
	b.WriteString(render.Fill(strings.TrimSpace(text), columns))
	section("Examples", cmd.Example)
	if !cmd.HasAvailableSubCommands() {
		section("Usage", "  "+cmd.UseLine())
	} else {
		section("Usage", "  "+cmd.CommandPath()+" COMMAND")
		addCommands(section, cmd, columns)
	}
	section("Flags", ownFlags(cmd).FlagUsagesWrapped(columns))
	if cmd.HasParent() {
		fmt.Fprintf(&b, "\nFlags of every command: %s --help\n", cmd.Root().Name())
		return b.String()
	}
	for _, g := range flagGroups() {
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range g.names {
			set.AddFlag(cmd.PersistentFlags().Lookup(name))
		}
		section(g.title+" (flags of every command)", set.FlagUsagesWrapped(columns))
	}
	var list []string
	for _, t := range topics() {
		list = append(list, fmt.Sprintf("  %s help %-12s  %s", cmd.Name(), t.name, t.short))
	}
	section("Topics", strings.Join(list, "\n"))
	return b.String()
}

func addCommands(section func(title, body string), cmd *cobra.Command, columns int) {
	var first, others []string
	width := 0
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			width = max(width, len(c.Name()))
		}
	}
	line := func(c *cobra.Command) string { return fmt.Sprintf("  %-*s  %s", width, c.Name(), c.Short) }
	if !cmd.HasParent() {
		for _, name := range mission() {
			if c, _, err := cmd.Find([]string{name}); err == nil {
				first = append(first, line(c))
			}
		}
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && (cmd.HasParent() || !slices.Contains(mission(), c.Name())) {
			others = append(others, line(c))
		}
	}
	rows := func(lines []string) string { return render.Fill(strings.Join(lines, "\n"), columns) }
	if len(first) == 0 {
		section("Commands", rows(others))
		return
	}
	section("Start here", rows(first))
	section("More commands", rows(others))
}

// ownFlags returns the flags that cmd has for itself.
func ownFlags(cmd *cobra.Command) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && cmd.Root().PersistentFlags().Lookup(f.Name) == nil {
			set.AddFlag(f)
		}
	})
	return set
}

// commandNames returns the names of cmd's commands.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// nearest is a next step that names what the user is likely to have meant, or else is otherwise.
func nearest(word string, names []string, otherwise string) string {
	if near := clients.Nearest(word, names); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return otherwise
}
