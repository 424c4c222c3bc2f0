package oauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// LoginTime is how long a sign-in may take: authorization servers forget what they were asked after about as long.
const LoginTime = 10 * time.Minute

// Login is a sign-in that has begun: a page for the user, and this machine waiting for what comes of it.
type Login struct {
	a        *Server
	client   client
	loop     *loopback
	redirect string
	state    string
	verifier secret.Secret
	page     *url.URL
	began    time.Time
	resumed  bool
}

// Begin makes mcpctl known to the authorization server, listens for the browser, and returns the page to open.
func (a *Server) Begin(ctx context.Context) (*Login, error) {
	loop, err := listen(ctx, 0)
	if err != nil {
		return nil, err
	}
	l := &Login{a: a, loop: loop, state: randomText(32), verifier: secret.New(oauth2.GenerateVerifier()), began: time.Now()}
	// RFC 8252, section 7.3, wants the address; servers that compare with a list of their own may know the name alone.
	for _, host := range []string{"127.0.0.1", "localhost"} {
		l.redirect = loop.redirect(host)
		if l.client, err = a.register(ctx, l.redirect); !isRefusedRegistration(err) {
			break
		}
	}
	if err == nil {
		l.page, err = a.s.o.CheckPage(l.address())
	}
	if err != nil {
		loop.close(false)
		return nil, err
	}
	loop.serve(l.redirect, l.state)
	return l, nil
}

// address is the page's, with all that the authorization server wants to know.
func (l *Login) address() string {
	config := oauth2.Config{
		ClientID: l.client.id, RedirectURL: l.redirect,
		Endpoint: oauth2.Endpoint{AuthURL: l.a.meta.Authorize}, Scopes: strings.Fields(l.a.scope),
	}
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(l.verifier.Reveal()),
		oauth2.SetAuthURLParam("resource", l.a.resource),
	}
	if strings.Contains(" "+l.a.scope+" ", " "+offlineAccess+" ") {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent")) // OpenID Connect Core, section 11
	}
	return config.AuthCodeURL(l.state, options...)
}

// Page is the page to open: checked, and safe to show.
func (l *Login) Page() *url.URL { return l.page }

// Port is the port that this machine waits on.
func (l *Login) Port() int { return l.loop.port }

// Resumed reports whether another process began this sign-in, and so has opened its page.
func (l *Login) Resumed() bool { return l.resumed }

// Wait waits for the user until ctx ends, then gets the tokens and keeps them. The listener is closed in any case.
func (l *Login) Wait(ctx context.Context) error {
	select {
	case query := <-l.loop.answer:
		// The browser may still be on its way to the last page when all else is done, and the process about to end.
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			l.loop.close(true)
		}()
		defer func() { <-closed }()
		l.a.s.dropPending(ctx)
		return l.finish(ctx, query)
	case <-ctx.Done():
		l.loop.close(false)
		return ctx.Err()
	}
}

// finish takes the authorization server's answer, whose state is right.
func (l *Login) finish(ctx context.Context, query url.Values) error {
	m := l.a.meta
	if iss := query.Get("iss"); query.Has("iss") && iss != m.Issuer || m.IssInResponse && iss == "" { // RFC 9207, section 2.4
		return hostile("the answer that the browser brought comes from another authorization server than " + cleanHost(m.Issuer))
	}
	if code := query.Get("error"); code != "" {
		if code == "access_denied" {
			return ErrDenied
		}
		return fmt.Errorf("the authorization server %s answered with an error (%s)", cleanHost(m.Issuer), orUnnamed(errorCode(code)))
	}
	code := query.Get("code")
	if code == "" {
		return errors.New("the authorization server " + cleanHost(m.Issuer) + " answered without a code")
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {l.redirect},
		"code_verifier": {l.verifier.Reveal()}, "resource": {l.a.resource},
	}
	g, err := l.a.s.request(ctx, m.Token, l.client, form)
	if err != nil {
		return fmt.Errorf("the authorization server gave no token: %w", err)
	}
	scope := g.scope
	if scope == "" {
		scope = l.a.scope
	}
	return l.a.s.adopt(ctx, &tokens{
		resource: l.a.resource, issuer: m.Issuer, token: m.Token, revoke: m.Revoke, client: l.client,
		access: g.access, refresh: g.refresh, scope: scope, obtained: g.obtained, expires: g.expires,
	})
}

// ErrDenied says that the user has refused.
var ErrDenied = problem.New("log in again, and allow access", "access was denied in the browser")

// randomText has n random bytes in it.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
