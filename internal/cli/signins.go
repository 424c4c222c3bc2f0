package cli

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/render"
)

// statusSignIn is a login in the browser as `mcpctl status --json` prints it.
type statusSignIn struct {
	Server    string     `json:"server"`
	Resource  string     `json:"resource"`
	Source    string     `json:"source"`
	ExpiresAt *time.Time `json:"expires_at"` // of the access token; null: not known
	Renewable bool       `json:"renewable"`
	Ended     bool       `json:"ended"` // a new login is needed
}

// signIns returns the logins in the browser of a profile: to servers of its gateway, and to servers outside any.
func (a *app) signIns(s config.Settings) []oauth.Record {
	var list []oauth.Record
	for _, r := range oauth.Records(a.state()) {
		if r.Profile == s.Profile && (r.Gateway == "" || r.Gateway == s.GatewayURL) {
			list = append(list, r)
		}
	}
	return list
}

// tokensOf returns the tokens that a record is about.
func (a *app) tokensOf(s config.Settings, r oauth.Record) (*oauth.Resource, error) {
	u, err := url.Parse(r.Resource)
	if err != nil {
		return nil, err
	}
	s.Profile, s.GatewayURL = r.Profile, r.Gateway
	o, err := a.oauthOptions(s, target{url: u, name: r.Server, atGateway: r.Gateway != ""})
	if err != nil {
		return nil, err
	}
	return oauth.New(o), nil
}

// signInStatus fills in what status says of logins in the browser. Without a key the latest for the gateway is the credential.
func (a *app) signInStatus(s config.Settings, info *statusInfo) {
	var latest oauth.Record
	for _, r := range a.signIns(s) {
		one := statusSignIn{Server: r.Server, Resource: r.Resource, Source: a.place(s, r), Renewable: r.Renewable, Ended: r.Ended()}
		if !r.ExpiresAt.IsZero() {
			one.ExpiresAt = &r.ExpiresAt
		}
		info.SignIns = append(info.SignIns, one)
		if r.Gateway == s.GatewayURL && !r.Ended() && r.ChangedAt.After(latest.ChangedAt) {
			latest = r
			if info.Credential == nil || info.Credential.Kind == kindOAuth {
				info.Credential = &statusCredential{Kind: kindOAuth, Source: one.Source, ExpiresAt: one.ExpiresAt}
			}
		}
	}
}

// kindOAuth is the kind of credential that a login in the browser brings.
const kindOAuth = "oauth"

func (a *app) place(s config.Settings, r oauth.Record) string {
	tokens, err := a.tokensOf(s, r)
	if err != nil {
		return ""
	}
	return a.store(s, r.Store).Place(tokens.Name())
}

// signInRows are the lines of the table of status.
func signInRows(t *render.Table, list []statusSignIn) {
	for _, one := range list {
		text := one.Server
		switch {
		case one.Ended:
			text += ": ended, run mcpctl login --oauth " + one.Server
		case one.Renewable:
			text += ", renews itself, from " + one.Source
		case one.ExpiresAt != nil:
			text += ", until " + one.ExpiresAt.Local().Format("2006-01-02 15:04") + ", from " + one.Source
		default:
			text += ", from " + one.Source
		}
		t.Row("browser login", text)
	}
}

// forgetSignIns ends logins in the browser: at the authorization server, and on this machine. It reports whether there were any,
// and says itself which ones stay and why: the error is errSilent then.
func (a *app) forgetSignIns(ctx context.Context, s config.Settings, list []oauth.Record) (removed bool, failure error) {
	for _, r := range list {
		tokens, err := a.tokensOf(s, r)
		if err != nil {
			return removed, err
		}
		unrevoked, err := tokens.Forget(ctx)
		switch {
		case errors.Is(err, context.Canceled):
			return removed, err
		case err != nil:
			a.report(err)
			failure = errSilent
			continue
		case unrevoked != nil:
			a.talk("Removed the login to %s; the server may still take its tokens until they expire: %s\n", r.Server, unrevoked)
		default:
			a.talk("Removed the login to %s, and had its tokens revoked\n", r.Server)
		}
		removed = true
	}
	return removed, failure
}

// isSignedIn reports whether a missing key is made up for by a login in the browser.
func isSignedIn(missing error, info statusInfo) bool {
	kind, ok := credential.KindOf(missing)
	return ok && (kind == credential.NotFound || kind == credential.Absent) && info.Credential != nil && info.Credential.Kind == kindOAuth
}
