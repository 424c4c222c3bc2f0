// Package oauth signs a user in through the browser: discovery, PKCE, loopback, and tokens that all processes refresh as one.
//
// It follows the authorization pages of MCP revisions 2025-11-25 and 2026-07-28, and what the Portkey gateway really
// answers.
package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Options say which server the tokens are for, and where they live.
type Options struct {
	// URL is the server's MCP endpoint; tokens go nowhere else.
	URL *url.URL
	// Gateway is the base URL of the Portkey gateway that the server is behind, nil for any other server. A gateway is its
	// own authorization server, and nothing of it may be at another origin.
	Gateway *url.URL
	// Server is what the user calls the server: a name of the workspace, or the URL.
	Server string
	// Profile keeps the tokens of profiles apart.
	Profile string
	// HTTP reaches what the server names: web.New with Beside set to URL and without AllowHTTP.
	HTTP *http.Client
	// CheckPage returns a page that may be shown to the user and opened, or an error that says why it may not.
	CheckPage func(raw string) (*url.URL, error)

	// Store returns the store of a kind (credential.FromKeyring, FromFile), and Kind is where a sign-in puts its tokens.
	Store func(kind string) credential.Store
	Kind  string
	// MayForget says that tokens which can't be kept are worth having for this process alone.
	MayForget bool
	// State holds what isn't secret about the tokens, and the lock of whoever changes them.
	State state.Dir
	// ClientID is the id of a client that was registered by hand, or the URL of a client ID metadata document; "" to
	// register with the authorization server. ClientSecret belongs to it, and is mostly empty.
	ClientID     string
	ClientSecret secret.Secret

	// Hide is called with every token, so that it can be blanked where it must not appear.
	Hide func(secret.Secret)
	Log  *slog.Logger
}

// Resource is an MCP server with the tokens for it. All methods may be called from several goroutines.
type Resource struct {
	o    Options
	name string // of the item in the store, of the record and of the lock

	mu      sync.Mutex
	tokens  *tokens         // the latest that this process has seen; nil before the first look
	past    []secret.Secret // the access tokens that this process has used, the latest last
	current *renewal
	// renewedAt is when this process last had the tokens renewed, or tried to in vain with the result renewErr.
	renewedAt time.Time
	renewErr  error
	jitter    float64 // of the time ahead of the expiry: processes needn't all come at once
}

// New returns the Resource that o describes. It touches nothing.
func New(o Options) *Resource {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hide == nil {
		o.Hide = func(secret.Secret) {}
	}
	return &Resource{o: o, name: itemName(o.Profile, o.URL), jitter: jitter()}
}

// Name is the name of the tokens' item in its store.
func (s *Resource) Name() string { return s.name }

// itemName is one that every store takes (see credential.Name).
func itemName(profile string, resource *url.URL) string {
	return "oauth-" + credential.Name(profile, canonical(resource))
}

// canonical is the form of a server's URL that is sent as the resource (RFC 8707, section 2): without a fragment, and
// without the slash of an empty path.
func canonical(u *url.URL) string {
	c := *u
	c.Fragment, c.RawFragment, c.User = "", "", nil
	if c.Path == "/" {
		c.Path = ""
	}
	return c.String()
}

// ErrNone says that nobody has signed in to the server, or that the sign-in has ended (see ErrEnded).
var ErrNone = errors.New("not logged in")

// ErrEnded says that a sign-in has ended: the authorization server no longer renews its tokens.
var ErrEnded = errors.New("the login has ended")

// Authorize puts the access token on r, renewed first if it is about to expire. The error wraps ErrNone or ErrEnded if
// there is none.
func (s *Resource) Authorize(ctx context.Context, r *http.Request) error {
	if web.Origin(r.URL) != web.Origin(s.o.URL) || r.URL.Path != s.o.URL.Path {
		return errors.New("the tokens for " + web.Redact(s.o.URL) + " aren't sent to " + web.Redact(r.URL))
	}
	t, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+t.access.Reveal())
	return nil
}

// Token returns the access token, renewed first if it is about to expire, for a program that calls the server by itself. The
// error wraps ErrNone or ErrEnded if there is none, or only one that has expired and can't be renewed.
func (s *Resource) Token(ctx context.Context) (secret.Secret, error) {
	t, err := s.fresh(ctx)
	switch {
	case err != nil:
		return secret.Secret{}, err
	case !t.expires.IsZero() && t.refresh.IsZero() && time.Now().After(t.expires):
		return secret.Secret{}, s.ended(errors.New("its token has expired, and there is none to renew it with"))
	}
	return t.access, nil
}

// Carries reports whether r has an access token of this Resource's on it, be it an old one.
func (s *Resource) Carries(r *http.Request) bool {
	text := r.Header.Get("Authorization")
	s.mu.Lock()
	defer s.mu.Unlock()
	return text != "" && slices.ContainsFunc(s.past, func(t secret.Secret) bool { return text == "Bearer "+t.Reveal() })
}

// Refused says that the server answered 401 to r. It reports whether r should be sent again: if there is another token by now,
// or could be got. That is tried once, not in a loop, since a server may refuse for other reasons.
func (s *Resource) Refused(ctx context.Context, r *http.Request) bool {
	s.mu.Lock()
	held := s.tokens
	s.mu.Unlock()
	if held == nil {
		_, err := s.fresh(ctx) // another process may have signed in
		return err == nil || Missing(err) && s.Carries(r)
	}
	if r.Header.Get("Authorization") != "Bearer "+held.access.Reveal() {
		return true // another request was faster
	}
	_, err := s.renew(ctx, held, true)
	return err == nil || Missing(err) // Authorize says what to do then
}

// Accepted says that the server took the token.
func (s *Resource) Accepted() {}
