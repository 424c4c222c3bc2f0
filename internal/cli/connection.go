package cli

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/consent"
	"github.com/mcpctl/mcpctl/internal/gateway"
)

// connection is how a command wants to be connected to a server.
type connection struct {
	headers        []string // as they were given by --header
	noBrowser      bool
	consentTimeout time.Duration
	byHand         bool // see consent.Options
	log            *slog.Logger
	show           func(text string) // prints to the user
}

// bridgeOptions returns all that a bridge to a server needs but its client: In and Out are left to the caller.
func (a *app) bridgeOptions(ctx context.Context, s config.Settings, t target, c connection) (bridge.Options, error) {
	client, err := a.httpClient(s)
	if err != nil {
		return bridge.Options{}, err
	}
	header, err := a.bridgeHeader(ctx, s, t, c.headers)
	if err != nil {
		return bridge.Options{}, err
	}
	options := bridge.Options{URL: t.url, Client: client, Header: header, Log: c.log, Stateless: t.atGateway, Redact: a.redact.Text}
	ask := consent.Options{Server: t.name, Timeout: c.consentTimeout, Log: c.log, Show: c.show, ByHand: c.byHand}
	if !c.noBrowser {
		ask.Open = consent.Browser(a.host)
	}
	oauthOptions, err := a.oauthOptions(s, t)
	if err != nil {
		return bridge.Options{}, err
	}
	oauthOptions.Log = c.log
	credentials := a.authorizer(s, t, oauthOptions)
	if t.atGateway || header.Get("Authorization") == "" { // else the user has a credential of their own
		options.Authorizer, ask.SignIn = credentials, credentials
		ask.SignInCommand = credentials.tokens.LoginCommand()
	}
	ask.State = a.state()
	ask.Identity = func() string { return s.Profile + "\n" + t.url.String() }
	if t.atGateway {
		key := credentials.key
		options.Explain = gateway.Explain
		ask.Gateway, _ = url.Parse(s.GatewayURL)
		question := func(ask func(*gateway.Client, context.Context, string) (bool, error)) func(context.Context) (bool, error) {
			return func(ctx context.Context) (bool, error) {
				k, err := key.current(ctx)
				if err != nil {
					return false, err
				}
				return ask(gateway.New(gateway.Options{GatewayURL: s.GatewayURL, ControlPlaneURL: s.ControlPlaneURL,
					Workspace: s.Workspace, HTTP: client, Key: k}), ctx, t.slug)
			}
		}
		ask.Connected, ask.PerUser = question((*gateway.Client).Connected), question((*gateway.Client).PerUser)
		ask.Nobody = question((*gateway.Client).NamesNobody)
		ask.Identity = func() string { return consentIdentity(ctx, s, t, key) }
	}
	options.Consent = consent.New(ask)
	return options, nil
}

// consentIdentity tells whose consent for which server is wanted. Of the key, known by now since it has been sent, the end that
// mcpctl status shows is enough to tell a user's keys apart.
func consentIdentity(ctx context.Context, s config.Settings, t target, key *bridgeKey) string {
	k, _ := key.current(ctx)
	return strings.Join([]string{s.GatewayURL, s.Workspace, t.slug, s.Profile, k.Value.Hint()}, "\n")
}
