package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

func newProfileCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "profile",
		Aliases: []string{"profiles"},
		Short:   "Keep several gateways or workspaces side by side",
		Long: `A profile is a gateway, a workspace and a key under one name. Every command takes --profile NAME; without it,
MCPCTL_PROFILE or the one that "profile use" chose counts.`,
		Example: `  mcpctl login --profile work --gateway https://mcp.example.com --control-plane https://portkey.example.com/v1
  mcpctl profile use work`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProfileListCommand(a), newProfileUseCommand(a), newProfileSetCommand(a), newProfileRemoveCommand(a))
	return cmd
}

// profileInfo is what `mcpctl profile ls --json` lists.
type profileInfo struct {
	Name            string `json:"name"`
	Current         bool   `json:"current"`
	GatewayURL      string `json:"gateway_url"`
	ControlPlaneURL string `json:"control_plane_url"`
	Workspace       string `json:"workspace"`
}

func newProfileListCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the profiles",
		Example: `  mcpctl profile ls
  mcpctl profile ls --jq '.[] | select(.current) | .name'`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return runProfileList(a, o) },
	}
	o.add(cmd)
	return cmd
}

func runProfileList(a *app, o outputOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	all, err := a.allProfiles(s)
	if err != nil {
		return err
	}
	list := []profileInfo{}
	for _, p := range all {
		list = append(list, profileInfo{p.Profile, p.Profile == s.Profile, p.GatewayURL, p.ControlPlaneURL, p.Workspace})
	}
	if o.json {
		return render.JSON(a.out, list, o.jq)
	}
	t := render.Table{Header: []string{"PROFILE", "CURRENT", "GATEWAY", "CONTROL PLANE", "WORKSPACE"}}
	for _, p := range list {
		current := "-"
		if p.Current {
			current = "yes"
		}
		t.Row(p.Name, current, p.GatewayURL, p.ControlPlaneURL, p.Workspace)
	}
	return t.Write(a.out, render.IsTerminal(a.out))
}

func newProfileUseCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "use NAME",
		Short:             "Make a profile the current one",
		Example:           `  mcpctl profile use work`,
		Args:              exactArgs("NAME"),
		ValidArgsFunction: a.completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return runProfileUse(a, args[0]) },
	}
}

func runProfileUse(a *app, name string) error {
	s, err := a.profileSettings(name)
	if err != nil {
		return err
	}
	if err := config.UseProfile(s, name); err != nil {
		return err
	}
	a.talk("The current profile is %s (%s)\n", name, s.GatewayURL)
	if a.host.Getenv("MCPCTL_PROFILE") != "" {
		a.talk("warning: MCPCTL_PROFILE is set, and goes before it\n")
	}
	return nil
}

// profileSettings returns what the settings file says of the profile that an argument names, flags and variables aside.
func (a *app) profileSettings(name string) (config.Settings, error) {
	h := a.host
	h.Env = func(variable string) string {
		if strings.HasPrefix(variable, "MCPCTL_") && variable != "MCPCTL_CONFIG" {
			return ""
		}
		return a.host.Getenv(variable)
	}
	s, err := config.Load(h, config.Flags{ConfigFile: a.flags.settings.ConfigFile, Profile: name})
	if err != nil {
		return s, err
	}
	return s, knownProfile(s)
}

func newProfileSetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME",
		Short: "Make or change a profile",
		Long: `Make a profile, or change one: its settings are given as the flags that every command takes. What isn't given
stays. A key that was stored for another gateway isn't sent to a new one: log in again.`,
		Example: `  mcpctl profile set work --gateway https://mcp.example.com --control-plane https://portkey.example.com/v1
  mcpctl profile set work --workspace ws-acme`,
		Args:              exactArgs("NAME"),
		ValidArgsFunction: a.completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return runProfileSet(a, args[0]) },
	}
}

func runProfileSet(a *app, name string) error {
	if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return usage("choose a word", "that can't be the name of a profile")
	}
	before, err := a.profileSettings(name)
	isNew := errors.Is(err, errNoProfile)
	if err != nil && !isNew {
		return err
	}
	f := a.flags.settings
	f.ConfigFile, f.Profile = before.File, name
	h := a.host
	h.Env = nil // what a variable says is for one command
	after, err := config.Load(h, f)
	if err != nil {
		return err
	}
	if err := config.SaveProfile(after); err != nil {
		return err
	}
	switch {
	case isNew:
		a.talk("Made the profile %s (%s); log in with: mcpctl login --profile %s\n", name, after.GatewayURL, name)
	case before.GatewayURL != after.GatewayURL || before.ControlPlaneURL != after.ControlPlaneURL:
		a.talk("The profile %s is for %s now; a key that was stored for %s isn't sent there: mcpctl login --profile %s\n",
			name, after.GatewayURL, before.GatewayURL, name)
	default:
		a.talk("Changed the profile %s\n", name)
	}
	return nil
}

func newProfileRemoveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "rm NAME",
		Aliases:           []string{"remove"},
		Short:             "Remove a profile with its key",
		Long:              `Remove a profile from the settings file, and its key from wherever login put it.`,
		Example:           `  mcpctl profile rm work`,
		Args:              exactArgs("NAME"),
		ValidArgsFunction: a.completeProfiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return runProfileRemove(cmd.Context(), a, args[0]) },
	}
}

// runProfileRemove removes the key first: once the profile is gone, nobody would find it any more.
func runProfileRemove(ctx context.Context, a *app, name string) error {
	s, err := a.profileSettings(name)
	if err != nil {
		return err
	}
	err = a.forgetProfile(ctx, s)
	switch kind, _ := credential.KindOf(err); {
	case err == nil:
	case errors.Is(err, errSilent):
		return problem.New("remove the cause, then run the command again", "the profile %s stays until its logins are gone", name)
	case kind == credential.Absent:
		a.talk("warning: %s; a key that is in one stays there\n", err)
	default:
		return problem.With(err, "the profile stays until its key is gone: "+problem.NextStep(err))
	}
	wasCurrent, err := config.RemoveProfile(s, name)
	if err != nil {
		return err
	}
	_ = os.Remove(a.state().Path(listingName(s))) // only completion reads it
	if name == config.DefaultProfile && !slices.Contains(s.Profiles, name) {
		a.talk("The profile %s has no settings\n", name)
		return nil
	}
	a.talk("Removed the profile %s\n", name)
	if wasCurrent {
		a.talk("The current profile is %s\n", config.DefaultProfile)
	}
	return nil
}
