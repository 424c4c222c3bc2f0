package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/render"
)

func newConfigCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "See and change the settings file",
		Long: `See and change the settings of a profile: those of the profile in force, or of --profile NAME.

Settings: ` + strings.Join(config.Keys()[:6], ", ") + `,
` + strings.Join(config.Keys()[6:], ", ") + `,
headers.NAME, metadata.NAME, and for one server servers.SERVER.headers.NAME, servers.SERVER.metadata.NAME and
servers.SERVER.trace_id. Metadata and trace_id label requests in the gateway's logs, where LLM calls with
the same labels stand. Keys don't belong here: mcpctl login keeps them in the keyring.`,
		Example: `  mcpctl config ls
  mcpctl config set proxy http://proxy.example.com:3128
  mcpctl config set servers.linear.headers.X-User-Token keyring:linear-token
  mcpctl config set metadata.team blue`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigPathCommand(a), newConfigListCommand(a), newConfigGetCommand(a), newConfigSetCommand(a), newConfigUnsetCommand(a))
	return cmd
}

func newConfigPathCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Print the path of the settings file",
		Example: `  $EDITOR "$(mcpctl config path)"`,
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			path, err := config.File(a.host, a.flags.settings) // also of a file that can't be read
			if err != nil {
				return err
			}
			return a.print(path + "\n")
		},
	}
}

func newConfigListCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the settings in force, and where each comes from",
		Example: `  mcpctl config ls
  mcpctl config ls --jq '.[] | select(.source != "default") | .key'`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return runConfigList(a, o) },
	}
	o.add(cmd)
	return cmd
}

func runConfigList(a *app, o outputOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	a.warnOfUnknownSettings(s)
	values := s.Values()
	if o.json {
		return render.JSON(a.out, values, o.jq)
	}
	t := render.Table{Header: []string{"SETTING", "VALUE", "FROM"}}
	for _, v := range values {
		t.Row(v.Key, valueText(v.Value, " "), v.Source)
	}
	return t.Write(a.out, render.IsTerminal(a.out))
}

// warnOfUnknownSettings names what is in the profile and isn't a setting: a misspelt gateway_url would otherwise send a key to
// the default gateway in silence.
func (a *app) warnOfUnknownSettings(s config.Settings) {
	for _, u := range s.Unknown {
		a.talk("warning: %s: there is no setting %q; %s\n", u.Place, u.Name,
			nearest(u.Name, append(config.Keys(), "headers", "servers"), "it is ignored"))
	}
}

// valueText is a value for people; the entries of a list have between between them.
func valueText(v any, between string) string {
	switch v := v.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, between)
	}
	return ""
}

func newConfigGetCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "get SETTING",
		Short: "Print one setting in force",
		Long:  `Print the value of one setting, a list with one entry per line, nothing for a setting that isn't set.`,
		Example: `  mcpctl config get gateway_url
  mcpctl config get proxy --jq .source`,
		Args:              exactArgs("SETTING"),
		ValidArgsFunction: a.completeSettings,
		RunE:              func(_ *cobra.Command, args []string) error { return runConfigGet(a, o, args[0]) },
	}
	o.add(cmd)
	return cmd
}

func runConfigGet(a *app, o outputOptions, key string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	a.warnOfUnknownSettings(s)
	v, err := s.Value(key)
	switch {
	case err != nil:
		return settingError(key, err)
	case o.json:
		return render.JSON(a.out, v, o.jq)
	}
	if text := valueText(v.Value, "\n"); text != "" {
		return a.print(text + "\n")
	}
	return nil
}

// settingError gives an error about a setting's name the nearest names. What is no name may be a key, and isn't shown.
func settingError(key string, err error) error {
	switch {
	case errors.Is(err, config.ErrUnknownKey):
	case errors.Is(err, config.ErrRefused):
		return &exitError{exitUsage, err}
	default:
		return err
	}
	next := nearest(key, append(config.Keys(), "headers.NAME", "metadata.NAME", "servers.SERVER.headers.NAME"), "see: mcpctl config --help")
	if len(key) > maxShown {
		return usage(next, "there is no such setting")
	}
	return usage(next, "there is no setting %q", key)
}

func newConfigSetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "set SETTING VALUE...",
		Short: "Write a setting into the file",
		Long: `Write a setting of the profile into the settings file, which is made if there is none. Comments in it stay.
key_command and allow_http take a list: several values.`,
		Example: `  mcpctl config set log_level debug
  mcpctl config set headers.X-Team blue --profile work
  mcpctl config set key_command -- pass show portkey`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return exactArgs("SETTING", "VALUE")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: a.completeSettings,
		RunE:              func(_ *cobra.Command, args []string) error { return runConfigSet(a, args[0], args[1:]) },
	}
}

func runConfigSet(a *app, key string, values []string) error {
	s, err := a.settings()
	if err != nil && !errors.Is(err, config.ErrKeyInside) {
		return err
	}
	if err := config.Set(s, key, values); err != nil {
		return settingError(key, err)
	}
	if source := s.Sources[key]; source != "--profile" && strings.HasPrefix(source, "--") || strings.HasPrefix(source, "MCPCTL_") {
		a.talk("warning: %s is given too, and goes before the file\n", source)
	}
	return nil
}

func newConfigUnsetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "unset SETTING",
		Short:             "Take a setting out of the file",
		Example:           `  mcpctl config unset proxy`,
		Args:              exactArgs("SETTING"),
		ValidArgsFunction: a.completeSettings,
		RunE:              func(_ *cobra.Command, args []string) error { return runConfigUnset(a, args[0]) },
	}
}

func runConfigUnset(a *app, key string) error {
	s, err := a.settings()
	if err != nil && !errors.Is(err, config.ErrKeyInside) {
		return err
	}
	if key == "credential" {
		return usage("run: mcpctl logout", "login says where the key is")
	}
	was, err := config.Unset(s, key)
	if err != nil {
		return settingError(key, err)
	}
	if !was {
		a.talk("%s isn't set in %s (profile %s)\n", key, s.File, s.Profile)
	}
	return nil
}

func (a *app) completeSettings(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	keys := slices.DeleteFunc(config.Keys(), func(k string) bool { return k == "credential" })
	return append(keys, "headers.", "metadata."), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
