package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
)

func newLogoutCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Remove the API key from this machine",
		Long: `Remove the key of a profile from the keyring and from the plain-text file. The key itself stays valid:
it is deleted at ` + keysPage + `.`,
		Example: `  mcpctl logout
  mcpctl logout --all    # of every profile`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runLogout(cmd.Context(), a, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "log out of all profiles")
	return cmd
}

func runLogout(ctx context.Context, a *app, all bool) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	profiles := []config.Settings{s}
	if all {
		if profiles, err = a.allProfiles(s); err != nil {
			return err
		}
	}
	failed := false
	for _, p := range profiles {
		if err := a.forget(ctx, p); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failed = true
			a.report(err)
		}
	}
	if source := a.query(s).Override(); source != "" {
		a.talk("warning: %s is set, and is still used as the key\n", source)
	}
	if failed {
		return errSilent
	}
	return nil
}

// allProfiles returns the settings of every profile as the file has them: a gateway given by flag or environment is that
// of one command, not of all profiles.
func (a *app) allProfiles(s config.Settings) ([]config.Settings, error) {
	names := []string{config.DefaultProfile}
	for _, name := range s.Profiles {
		if name != config.DefaultProfile {
			names = append(names, name)
		}
	}
	h := a.host
	h.Env = nil
	var list []config.Settings
	for _, name := range names {
		p, err := config.Load(h, config.Flags{ConfigFile: s.File, Profile: name})
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// forget removes the key of one profile from wherever it may be. The error tells of the place where login put it; trouble
// with the other place is a warning, since there is probably nothing in it.
func (a *app) forget(ctx context.Context, s config.Settings) error {
	name := credential.Name(s.Profile, s.GatewayURL)
	removed := false
	var failure error
	for _, kind := range []string{credential.FromKeyring, credential.FromFile} {
		store := a.store(s, kind)
		err := store.Delete(ctx, name)
		k, _ := credential.KindOf(err)
		switch {
		case err == nil:
			removed = true
			a.talk("Removed the key of profile %s from %s\n", s.Profile, store.Place(name))
		case errors.Is(err, context.Canceled):
			return err
		case k == credential.NotFound:
		case kind == s.CredentialStore:
			failure = err
		case k != credential.Absent:
			a.talk("warning: an older key may be left: %s\n", err)
		}
	}
	if !removed && failure == nil {
		a.talk("Profile %s has no key for %s\n", s.Profile, s.GatewayURL)
	}
	return failure
}
