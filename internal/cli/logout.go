package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/oauth"
)

func newLogoutCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Remove the API key from this machine",
		Long: `Remove the key of a profile from the keyring and from the plain-text file, with those of its earlier logins to
other gateways. Logins in the browser end here and at their server. The key itself stays valid:
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
		profiles = append(profiles, a.forgottenProfiles(profiles)...)
	}
	failed := false
	var tried []oauth.Record
	for _, p := range profiles {
		tried = append(tried, a.signIns(p)...)
		if err := a.forgetProfile(ctx, p); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failed = true
			a.report(err)
		}
	}
	if all { // those of profiles that are gone, and of other gateways
		rest := slices.DeleteFunc(oauth.Records(a.state()), func(r oauth.Record) bool {
			return slices.ContainsFunc(tried, func(t oauth.Record) bool { return t.Profile == r.Profile && t.Resource == r.Resource })
		})
		if _, err := a.forgetSignIns(ctx, s, rest); err != nil {
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

// forgottenProfiles returns settings for the profiles that somebody logged in to and that the settings file no longer has.
func (a *app) forgottenProfiles(known []config.Settings) []config.Settings {
	var list []config.Settings
	for _, l := range a.logins() {
		isKnown := func(s config.Settings) bool { return s.Profile == l.Profile }
		if l.File != known[0].File || slices.ContainsFunc(known, isKnown) || slices.ContainsFunc(list, isKnown) {
			continue
		}
		s := known[0]
		s.Profile, s.GatewayURL, s.CredentialStore, s.Given = l.Profile, l.GatewayURL, l.Store, nil
		list = append(list, s)
	}
	return list
}

// forgetProfile removes the keys of one profile: the one for its gateway, and, unless a gateway was named, those of earlier
// logins to others.
func (a *app) forgetProfile(ctx context.Context, s config.Settings) error {
	signedIn, failure := a.forgetSignIns(ctx, s, a.signIns(s))
	if failure != nil && failure != errSilent { // interrupted
		return failure
	}
	removed, err := a.forget(ctx, s)
	if kind, _ := credential.KindOf(err); kind == credential.Absent && signedIn {
		err = nil // there was no key, and so no keyring was needed
	}
	if err != nil {
		return err
	}
	removed = removed || signedIn
	if _, named := s.Given["gateway"]; !named {
		for _, l := range a.logins() {
			if l.File != s.File || l.Profile != s.Profile || l.GatewayURL == s.GatewayURL {
				continue
			}
			other := s
			other.GatewayURL, other.CredentialStore = l.GatewayURL, l.Store
			also, err := a.forget(ctx, other)
			if err != nil {
				return err
			}
			removed = removed || also
		}
	}
	if !removed && failure == nil {
		a.talk("Profile %s has no key for %s\n", s.Profile, s.GatewayURL)
	}
	return failure
}

// forget removes the key of one profile at one gateway from wherever it may be. The error tells of the place where login put
// it; trouble with the other place is a warning, since there is probably nothing in it.
func (a *app) forget(ctx context.Context, s config.Settings) (removed bool, failure error) {
	name := credential.Name(s.Profile, s.GatewayURL)
	for _, kind := range []string{credential.FromKeyring, credential.FromFile} {
		store := a.store(s, kind)
		err := store.Delete(ctx, name)
		k, _ := credential.KindOf(err)
		switch {
		case err == nil:
			removed = true
			a.talk("Removed the key of profile %s from %s\n", s.Profile, store.Place(name))
		case errors.Is(err, context.Canceled):
			return removed, err
		case k == credential.NotFound:
		case kind == s.CredentialStore:
			failure = err
		case k != credential.Absent:
			a.talk("warning: an older key may be left: %s\n", err)
		}
	}
	if failure == nil {
		a.noteLogin(s, "")
	}
	return removed, failure
}
