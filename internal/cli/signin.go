package cli

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/consent"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// oauthOptions are what package oauth needs to know of a server. Whatever the server names is reached by a client of its own.
func (a *app) oauthOptions(s config.Settings, t target) (oauth.Options, error) {
	client, err := web.New(web.Options{CAFile: s.CAFile, Proxy: s.Proxy, Beside: t.url})
	if err != nil {
		return oauth.Options{}, err
	}
	o := oauth.Options{
		URL: t.url, Server: t.loginName(), Profile: s.Profile, HTTP: client, CheckPage: consent.Check,
		Store: func(kind string) credential.Store { return a.store(s, kind) }, Kind: s.CredentialStore,
		State: a.state(), Hide: a.redact.Hide,
	}
	if t.atGateway {
		o.Gateway, err = url.Parse(s.GatewayURL)
	}
	return o, err
}

// loginName is what to type after mcpctl login --oauth.
func (t target) loginName() string {
	if t.atGateway {
		return t.name
	}
	return web.Redact(t.url)
}

// serverCredential is what requests to an MCP server carry: the API key where there is one and the gateway takes it, else the
// tokens of a sign-in, else nothing. It implements bridge.Authorizer and, to get tokens where an answer asks for them,
// consent.SignIn.
type serverCredential struct {
	key    *bridgeKey // nil outside the gateway
	tokens *oauth.Resource

	mu    sync.Mutex
	first bool // tokens go first: there is no key, or it isn't enough for this server

	open atomic.Int32 // one of the below
}

// Whether a server outside the gateway is open to all. Most are, and then no request should look for tokens that aren't there; but
// once it has refused one there may be tokens at any time.
const (
	maybeOpen int32 = iota
	looksOpen
	isntOpen
)

// renewalTime is how long the end of a process waits for a renewal of its tokens: clients wait about as long before they kill.
const renewalTime = 3 * time.Second

// authorizer returns the credential for a server.
func (a *app) authorizer(s config.Settings, t target, o oauth.Options) *serverCredential {
	o.MayForget = t.atGateway // the consent that comes with the login is what the key needs
	c := &serverCredential{tokens: a.tokens(o)}
	if t.atGateway {
		c.key = newBridgeKey(a, s)
	}
	return c
}

// tokens returns the tokens for a server, where the last login has put them.
func (a *app) tokens(o oauth.Options) *oauth.Resource {
	if r, found := oauth.New(o).Record(); found {
		o.Kind, o.ClientID = r.Store, r.ClientID // as the user chose at the last login
	}
	tokens := oauth.New(o)
	a.atEnd = append(a.atEnd, func() { tokens.Settle(renewalTime) })
	return tokens
}

func (c *serverCredential) tokensFirst() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first || c.key == nil
}

func (c *serverCredential) setTokensFirst() (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed = !c.first
	c.first = true
	return changed
}

// Authorize implements bridge.Authorizer.
func (c *serverCredential) Authorize(ctx context.Context, r *http.Request) error {
	if c.key == nil && c.open.Load() == looksOpen {
		return nil
	}
	if c.key == nil {
		if err := c.tokens.Authorize(ctx, r); !oauth.Missing(err) {
			return err
		}
		c.open.CompareAndSwap(maybeOpen, looksOpen) // it may be, and else says so
		return nil
	}
	if c.tokensFirst() {
		if err := c.tokens.Authorize(ctx, r); err == nil || !oauth.Missing(err) {
			return err
		}
	}
	err := c.key.Authorize(ctx, r)
	if err == nil || !isKeyMissing(err) {
		return err
	}
	switch tokenErr := c.tokens.Authorize(ctx, r); {
	case tokenErr == nil:
		c.setTokensFirst()
		return nil
	case !oauth.Missing(tokenErr), errors.Is(tokenErr, oauth.ErrEnded):
		return tokenErr
	}
	return orSignIn(err, c.tokens)
}

// orSignIn adds the login in the browser to the next step of an error that says that there is no key.
func orSignIn(err error, tokens *oauth.Resource) error {
	return problem.With(err, problem.NextStep(err)+"; or, without a key, "+tokens.LoginCommand())
}

// isKeyMissing reports whether err says that there is no key for this gateway, rather than that it can't be read just now.
func isKeyMissing(err error) bool {
	kind, ok := credential.KindOf(err)
	return ok && (kind == credential.NotFound || kind == credential.Absent || kind == credential.Elsewhere)
}

// Refused implements bridge.Authorizer.
func (c *serverCredential) Refused(ctx context.Context, r *http.Request) bool {
	c.open.Store(isntOpen)
	if c.key == nil || c.tokens.Carries(r) {
		return c.tokens.Refused(ctx, r)
	}
	return c.key.Refused(ctx, r)
}

// Accepted implements bridge.Authorizer.
func (c *serverCredential) Accepted() {
	if !c.tokensFirst() {
		c.key.Accepted()
	}
}

// Use implements consent.SignIn: after a sign-in the key may be enough, so it is tried first; here it wasn't.
func (c *serverCredential) Use(ctx context.Context) bool {
	if c.key == nil || c.tokensFirst() || !c.tokens.Usable(ctx) {
		return false
	}
	return c.setTokensFirst()
}

// Prepare implements consent.SignIn.
func (c *serverCredential) Prepare(ctx context.Context, header http.Header) (consent.Attempt, error) {
	server, err := c.tokens.Discover(ctx, oauth.ParseChallenge(header))
	switch {
	case errors.Is(err, oauth.ErrNotOffered):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return signInAttempt{c.tokens, server, c.key != nil}, nil
}

// signInAttempt implements consent.Attempt.
type signInAttempt struct {
	tokens *oauth.Resource
	server *oauth.Server
	hasKey bool
}

func (s signInAttempt) Host() string { return s.server.Host() }

func (s signInAttempt) Begin(ctx context.Context) (consent.Login, error) {
	if l := s.tokens.Resume(ctx); l != nil {
		return l, nil
	}
	l, err := s.server.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.Keep(ctx); err != nil && !s.hasKey {
		l.Abandon(ctx)
		return nil, err
	}
	return l, nil
}

var (
	_ bridge.Authorizer = (*serverCredential)(nil)
	_ consent.SignIn    = (*serverCredential)(nil)
)
