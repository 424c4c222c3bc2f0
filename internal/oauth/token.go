package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/secret"
)

// tokens are what a sign-in has brought, with what renews and revokes them: the endpoints are those that the sign-in was made
// with, never ones that the server names later.
type tokens struct {
	resource, issuer, token, revoke string
	client                          client
	access, refresh                 secret.Secret
	scope                           string
	obtained, expires               time.Time // expires is zero if nobody said
}

// grant is a token endpoint's answer (RFC 6749, section 5.1).
type grant struct {
	access, refresh   secret.Secret
	scope             string
	obtained, expires time.Time
}

// request asks the token endpoint for tokens. golang.org/x/oauth2 does the same, but knows no resource at a renewal, and its
// errors show the body.
func (s *Resource) request(ctx context.Context, endpoint string, c client, form url.Values) (grant, error) {
	now := time.Now()
	status, body, err := s.post(ctx, endpoint, c, form)
	if err != nil {
		return grant{}, err
	}
	var a struct {
		Access  string          `json:"access_token"`
		Refresh string          `json:"refresh_token"`
		Type    string          `json:"token_type"`
		Expires json.RawMessage `json:"expires_in"`
		Scope   string          `json:"scope"`
		Error   string          `json:"error"`
	}
	parsed := json.Unmarshal(body, &a) == nil
	switch {
	case status < 200 || status > 299 || a.Error != "":
		return grant{}, &tokenError{cleanHost(endpoint), status, errorCode(a.Error)}
	case !parsed || a.Access == "":
		return grant{}, &tokenError{cleanHost(endpoint), status, ""}
	case a.Type != "" && !strings.EqualFold(a.Type, "Bearer"):
		return grant{}, fmt.Errorf("%s gave a token of another type than Bearer", cleanHost(endpoint))
	case !isToken(a.Access) || a.Refresh != "" && !isToken(a.Refresh):
		return grant{}, fmt.Errorf("%s gave a token with characters in it that no token has", cleanHost(endpoint))
	}
	g := grant{access: secret.New(a.Access), refresh: secret.New(a.Refresh), obtained: now}
	s.o.Hide(g.access)
	s.o.Hide(g.refresh)
	if isScope(a.Scope) {
		g.scope = a.Scope
	}
	if seconds, err := strconv.ParseFloat(strings.Trim(string(a.Expires), `"`), 64); err == nil && seconds > 0 && seconds < 1e9 {
		g.expires = now.Add(time.Duration(seconds * float64(time.Second)))
	}
	return g, nil
}

// isToken keeps out what can't stand in a header.
func isToken(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
}

// tokenError is what a token endpoint says instead of giving tokens.
type tokenError struct {
	host   string
	status int
	code   string
}

func (e *tokenError) Error() string {
	if e.code != "" {
		return fmt.Sprintf("%s answered %d %s", e.host, e.status, e.code)
	}
	return fmt.Sprintf("%s answered %d", e.host, e.status)
}

// final reports whether the server has said of these very tokens, or of the client that got them, that they are worth nothing
// (RFC 6749, section 5.2; "unauthorized" is the gateway's word for invalid_grant). Whatever else comes in place of tokens may
// come from something on the way, such as a firewall or a sign-on page, or pass: asking again may help, and the tokens stay.
func (e *tokenError) final() bool {
	return e.status < 500 && slices.Contains([]string{"invalid_grant", "invalid_client", "unauthorized_client", "unauthorized"}, e.code)
}

// errorCode returns an OAuth error's code if it is a short word; what a server writes isn't shown otherwise.
func errorCode(code string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-')
	}
	if len(code) > 64 || strings.ContainsFunc(code, odd) {
		return ""
	}
	return code
}

func orUnnamed(code string) string {
	if code == "" {
		return "unnamed"
	}
	return code
}
