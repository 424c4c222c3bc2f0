package cli

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/web"
)

// settings returns the settings in force, of a profile that exists.
func (a *app) settings() (config.Settings, error) {
	s, err := config.Load(a.host, a.flags.settings)
	if err != nil {
		return s, err
	}
	return s, knownProfile(s)
}

// errNoProfile means that the settings file lacks the profile that was asked for.
var errNoProfile = errors.New("no such profile")

// knownProfile is the error of a profile that doesn't exist, with the nearest ones that do.
func knownProfile(s config.Settings) error {
	if s.KnowsProfile() {
		return nil
	}
	next := "or make it: mcpctl login --profile " + s.Profile
	if len(s.Profiles) > 0 {
		next = nearest(s.Profile, s.Profiles, "choose one of: "+strings.Join(s.Profiles, ", ")) + "\n" + next
	}
	return &exitError{exitUsage, noProfile{problem.New(next, "%s has no profile %q", s.File, s.Profile)}}
}

// noProfile is an error that is errNoProfile.
type noProfile struct{ error }

func (noProfile) Is(target error) bool { return target == errNoProfile }
func (e noProfile) Unwrap() error      { return e.error }

// httpClient returns the client for everything that the settings lead to.
func (a *app) httpClient(s config.Settings) (*http.Client, error) {
	return web.New(web.Options{CAFile: s.CAFile, Proxy: s.Proxy, AllowHTTP: s.AllowHTTP})
}

// gateway returns the client of the configured gateway, with a key; the zero Key is none.
func (a *app) gateway(s config.Settings, key web.Key) (*gateway.Client, error) {
	client, err := a.httpClient(s)
	if err != nil {
		return nil, err
	}
	return gateway.New(gateway.Options{
		GatewayURL: s.GatewayURL, ControlPlaneURL: s.ControlPlaneURL, Workspace: s.Workspace, HTTP: client, Key: key,
	}), nil
}

// state returns the folder of what mcpctl remembers.
func (a *app) state() state.Dir { return state.At(a.host.StateDir()) }

// credential returns the key in force. A keyring gets credential.Limit to answer, or what ctx has left. The error ends
// a command with exit code 4 if logging in would help.
func (a *app) credential(ctx context.Context, s config.Settings) (credential.Found, error) {
	found, err := credential.Find(ctx, a.query(s))
	a.redact.Hide(found.Value)
	if kind, ok := credential.KindOf(err); ok {
		switch kind {
		case credential.NotFound, credential.Absent, credential.Elsewhere, credential.Corrupt:
			return found, notLoggedIn(err)
		}
	}
	return found, err
}

func (a *app) query(s config.Settings) credential.Query {
	return credential.Query{
		Host: a.host, Profile: s.Profile, GatewayURL: s.GatewayURL, ControlPlaneURL: s.ControlPlaneURL,
		KeyFile: a.flags.keyFile, Command: s.KeyCommand, Header: s.KeyHeader,
		Store: a.store(s, s.CredentialStore), StoreKind: s.CredentialStore,
	}
}

// store returns the store of a kind, credential.FromKeyring or FromFile, that belongs to the settings file.
func (a *app) store(s config.Settings, kind string) credential.Store {
	if kind == credential.FromFile {
		return credential.NewFile(filepath.Join(filepath.Dir(s.File), "credentials.json"), a.state())
	}
	if a.keyring != nil {
		return a.keyring
	}
	return credential.NewKeyring(a.host)
}
