package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// foundKey is a key that stands in one or more entries.
type foundKey struct {
	value   secret.Secret
	entries []string
	// profile is the one that it belongs to, and its entries use.
	profile config.Settings
	// keep says that it is to be kept there; else other is the key that the profile has already, the same one maybe.
	keep  bool
	other secret.Secret
	// refused says that it could not be verified or kept.
	refused bool
}

// fate says what becomes of the key.
func (k *foundKey) fate() string {
	switch {
	case k.keep:
		return fmt.Sprintf("The key %s will be verified and kept for profile %s", k.value.Hint(), k.profile.Profile)
	case k.other.Equal(k.value):
		return fmt.Sprintf("The key %s is kept for profile %s already", k.value.Hint(), k.profile.Profile)
	}
	return fmt.Sprintf("The key %s is not kept: profile %s has the key %s, which its entries will use", k.value.Hint(), k.profile.Profile, k.other.Hint())
}

// ownersOfKeys finds the profile that each of the keys found belongs to: the one that has it; the current one, if it has
// none and this is the only one left; else the user says.
func (a *app) ownersOfKeys(ctx context.Context, s config.Settings, found []*adoption, o adoptOptions) ([]*foundKey, error) {
	var keys, open []*foundKey
	for _, d := range found {
		if d.found.Key.IsZero() {
			continue
		}
		i := slices.IndexFunc(keys, func(k *foundKey) bool { return k.value.Equal(d.found.Key) })
		if i < 0 {
			i = len(keys)
			keys = append(keys, &foundKey{value: d.found.Key})
		}
		d.key = keys[i]
		d.key.entries = append(d.key.entries, d.String())
	}
	if len(keys) == 0 {
		return nil, nil
	}
	profiles, err := a.profilesHere(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if i := slices.IndexFunc(profiles, func(p *keptProfile) bool { return p.key.Equal(k.value) }); i >= 0 {
			k.profile, k.other = profiles[i].settings, profiles[i].key
		} else {
			open = append(open, k)
		}
	}
	for _, k := range open {
		name, err := a.profileOf(ctx, k, open, profiles[0], o)
		if err != nil {
			return nil, err
		}
		if err := a.assign(s, k, name, profiles, keys); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// keptProfile is a profile of the gateway with the key that it has, or the zero Secret.
type keptProfile struct {
	settings config.Settings
	key      secret.Secret
}

// profilesHere returns the profiles of the gateway of s, that of s first.
func (a *app) profilesHere(ctx context.Context, s config.Settings) ([]*keptProfile, error) {
	key, err := a.keptKey(ctx, s)
	if err != nil {
		return nil, err
	}
	list := []*keptProfile{{s, key}}
	for _, name := range s.Profiles {
		if name == s.Profile {
			continue
		}
		p, err := a.ofProfile(name)
		if err != nil || p.GatewayURL != s.GatewayURL {
			continue
		}
		if key, err := a.keptKey(ctx, p); err == nil {
			list = append(list, &keptProfile{p, key})
		}
	}
	return list, nil
}

func (a *app) ofProfile(name string) (config.Settings, error) {
	flags := a.flags.settings
	flags.Profile = name
	return config.Load(a.host, flags)
}

// keptKey returns the key that a client's bridge would find: no variable of this shell counts. It is zero where there is
// none.
func (a *app) keptKey(ctx context.Context, s config.Settings) (secret.Secret, error) {
	q := a.query(s)
	q.KeyFile, q.Host.Env = "", nil
	found, err := credential.Find(ctx, q)
	a.redact.Hide(found.Value)
	if kind, ok := credential.KindOf(err); ok && (kind == credential.NotFound || kind == credential.Absent) {
		err = nil
	}
	return found.Value, err
}

// answers returns the profiles that --key-profile names, by the hint of the key.
func (o adoptOptions) answers() (map[string]string, error) {
	answers := map[string]string{}
	for _, text := range o.keyProfiles {
		end, name, ok := strings.Cut(text, "=")
		if !ok || name == "" || len(end) != 4 {
			return nil, usage("write it as --key-profile 1a2b=work", "--key-profile wants the last four characters of a key and a profile")
		}
		answers["…"+end] = name
	}
	return answers, nil
}

// profileOf returns the name of the profile that a key belongs to.
func (a *app) profileOf(ctx context.Context, k *foundKey, open []*foundKey, current *keptProfile, o adoptOptions) (string, error) {
	if current.key.IsZero() && len(open) == 1 {
		return current.settings.Profile, nil
	}
	answers, err := o.answers()
	if err != nil {
		return "", err
	}
	hint := k.value.Hint()
	alike := func(other *foundKey) bool { return other != k && other.value.Hint() == hint }
	if name, ok := answers[hint]; ok && !slices.ContainsFunc(open, alike) {
		return name, nil
	}
	if a.flags.settings.Profile != "" && len(open) == 1 {
		return current.settings.Profile, nil
	}
	if _, ok := a.terminal(); !ok {
		next := "say --key-profile " + strings.TrimPrefix(hint, "…") + "=PROFILE"
		if hint == "…" || slices.ContainsFunc(open, alike) {
			next = "adopt the entries of one client at a time, and name the profile: mcpctl adopt CLIENT --profile PROFILE"
		}
		return "", usage(next, "several keys turned up: which profile does %s belong to (%s)?", hint, strings.Join(k.entries, ", "))
	}
	if !current.key.IsZero() {
		a.prompt("Profile %s has the key %s\n", current.settings.Profile, current.key.Hint())
	}
	a.prompt("The key %s stands in %s\n", hint, strings.Join(k.entries, ", "))
	name, err := a.ask(ctx, fmt.Sprintf("Which profile does it belong to? [%s] ", current.settings.Profile))
	if name == "" {
		name = current.settings.Profile
	}
	return name, err
}

// assign gives a key to the profile called name, which may be one to be made. A profile that has a key keeps it.
func (a *app) assign(s config.Settings, k *foundKey, name string, profiles []*keptProfile, keys []*foundKey) error {
	for _, other := range keys {
		if other != k && other.keep && other.profile.Profile == name {
			return usage("name two profiles", "profile %s can't have both of the keys %s and %s", name, other.value.Hint(), k.value.Hint())
		}
	}
	if i := slices.IndexFunc(profiles, func(p *keptProfile) bool { return p.settings.Profile == name }); i >= 0 {
		k.profile, k.other = profiles[i].settings, profiles[i].key
		k.keep = k.other.IsZero()
		return nil
	}
	if slices.Contains(s.Profiles, name) || name == config.DefaultProfile {
		return usage("name a profile of this gateway, or a new one", "profile %s is not for %s, or its key can't be read", name, s.GatewayURL)
	}
	if strings.ContainsAny(name, " \t\"'\\/") {
		return usage("use letters, digits, - and _ only", "that is no name for a profile")
	}
	p, err := a.ofProfile(name)
	if err != nil {
		return err
	}
	// A login makes it, at the gateway of s.
	p.GatewayURL, p.ControlPlaneURL, p.Workspace, p.CAFile, p.Proxy, p.AllowHTTP = s.GatewayURL, s.ControlPlaneURL, s.Workspace, s.CAFile, s.Proxy, s.AllowHTTP
	k.profile, k.keep = p, true
	return nil
}

// keepFound verifies and keeps the keys whose entries are replaced, as login does. The entries of a key for which that fails
// stay as they are; refused is the last such failure, the others are reported.
func (a *app) keepFound(ctx context.Context, found []*adoption, keys []*foundKey, o adoptOptions) (refused error) {
	for _, k := range keys {
		if !k.keep || !slices.ContainsFunc(found, func(d *adoption) bool { return d.key == k && !d.blocked }) {
			continue
		}
		if err := a.keepOne(ctx, k, o); err != nil {
			k.refused = true
			err = problem.With(fmt.Errorf("the key %s (%s): %w", k.value.Hint(), strings.Join(k.entries, ", "), err), problem.NextStep(err))
			if refused != nil {
				a.report(refused)
			}
			refused = err
		}
	}
	return refused
}

func (a *app) keepOne(ctx context.Context, k *foundKey, o adoptOptions) error {
	p := k.profile
	p.Given = maps.Clone(p.Given)
	// What the profile that is made has to remember.
	p.Given["gateway"], p.Given["control-plane"] = p.GatewayURL, p.ControlPlaneURL
	if p.Workspace != "" {
		p.Given["workspace"] = p.Workspace
	}
	origins, err := credential.Origins(p.GatewayURL, p.ControlPlaneURL)
	if err != nil {
		return err
	}
	v, err := a.verify(ctx, p, k.value, origins)
	if err != nil {
		return err
	}
	item := credential.Item{Key: k.value, Origins: origins}
	if v.Gateway.Reachable {
		item.Header = v.Header
	}
	place, err := a.keep(ctx, p, item, o.insecure || p.CredentialStore == credential.FromFile)
	if err != nil {
		return err
	}
	a.talk("The key %s is kept in %s\n", k.value.Hint(), place)
	if v.CanInvoke == gateway.No {
		a.warnOfPermissions(v)
	}
	return nil
}
