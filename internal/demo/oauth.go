package demo

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// codeLifetime is how long an authorization code is good for.
const codeLifetime = time.Minute

// oauthServer is the gateway's own authorization server: public clients, which register themselves; codes with PKCE; tokens for
// one server each; refresh tokens that rotate.
type oauthServer struct {
	mu      sync.Mutex
	clients map[string]oauthClient
	logins  map[string]*authorization // by gateway_state, while the user is asked
	codes   map[string]*authorization // handed out
	access  map[string]*oauthToken
	refresh map[string]*oauthToken
}

type oauthClient struct {
	name      string
	redirects []string
}

// authorization is a client's wish to act for the user at a server.
type authorization struct {
	client, redirect, state, challenge string
	server                             *server
	issuer                             string // as the metadata of this server's route has it
	user                               string
	expires                            time.Time
	used                               bool // the code was
	family                             *tokenFamily
}

// tokenFamily are the tokens that come from one authorization. They live and die together.
type tokenFamily struct {
	client, user, server string
	dead                 bool
}

// oauthToken is an access token or a refresh token.
type oauthToken struct {
	*tokenFamily
	expires time.Time
	spent   bool // a refresh token that was used
}

func newOAuthServer() *oauthServer {
	return &oauthServer{clients: map[string]oauthClient{}, logins: map[string]*authorization{}, codes: map[string]*authorization{},
		access: map[string]*oauthToken{}, refresh: map[string]*oauthToken{}}
}

// valid returns the access token called text, nil if it isn't good.
func (o *oauthServer) valid(text string, now time.Time) *oauthToken {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.access[text]
	if t == nil || t.dead || now.After(t.expires) {
		return nil
	}
	return t
}

func (g *Gateway) oauthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/{path...}", g.resourceMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server/{path...}", g.serverMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", g.serverMetadata)
	mux.HandleFunc("POST /oauth/register", g.registerClient)
	mux.HandleFunc("GET /oauth/{server}/authorize", g.authorize)
	mux.HandleFunc("GET /oauth/authorize", g.authorize)
	mux.HandleFunc("GET /oauth/consent", g.loginPage)
	mux.HandleFunc("POST /oauth/consent", g.loginDecision)
	mux.HandleFunc("GET /oauth/upstream-auth", g.upstreamAuth)
	mux.HandleFunc("POST /oauth/token", g.tokenEndpoint)
	mux.HandleFunc("POST /oauth/introspect", g.introspect)
	mux.HandleFunc("POST /oauth/revoke", g.revokeToken)
}

// serverAt returns the server of a path SLUG/mcp or WORKSPACE/SLUG/mcp, nil if there is none.
func (g *Gateway) serverAt(path string) *server {
	parts := strings.Split(path, "/")
	n := len(parts)
	if n < 2 || n > 3 || parts[n-1] != "mcp" || n == 3 && !g.workspace.is(parts[0]) {
		return nil
	}
	return g.find(parts[n-2])
}

func (g *Gateway) resourceMetadata(w http.ResponseWriter, r *http.Request) {
	path := r.PathValue("path")
	if g.serverAt(path) == nil {
		noSuchPath().write(w)
		return
	}
	id := g.gatewayURL + "/" + path
	w.Header().Set("Cache-Control", "max-age=1")
	ok(struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
	}{id, []string{id}, []string{"mcp:servers:read", "mcp:servers:*", "mcp:tools:list", "mcp:tools:call", "mcp:*"}}).write(w)
}

// issuer is the gateway's name in the metadata of a path; "" is the whole gateway's.
func (g *Gateway) issuer(path string) string {
	if path == "" || g.o.Issuer == "origin" {
		return g.gatewayURL
	}
	return g.gatewayURL + "/" + path
}

func (g *Gateway) serverMetadata(w http.ResponseWriter, r *http.Request) {
	path := r.PathValue("path")
	s := g.serverAt(path)
	if s == nil && path != "" {
		noSuchPath().write(w)
		return
	}
	authorize, methods := g.gatewayURL+"/oauth/authorize", []string{"none", "client_secret_basic", "client_secret_post"}
	if s != nil {
		authorize, methods = g.gatewayURL+"/oauth/"+s.slug+"/authorize", []string{"none"}
	}
	ok(struct {
		Issuer        string   `json:"issuer"`
		Authorize     string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Register      string   `json:"registration_endpoint"`
		Introspect    string   `json:"introspection_endpoint"`
		Revoke        string   `json:"revocation_endpoint"`
		Responses     []string `json:"response_types_supported"`
		Grants        []string `json:"grant_types_supported"`
		Methods       []string `json:"token_endpoint_auth_methods_supported"`
		Challenges    []string `json:"code_challenge_methods_supported"`
		IssInResponse bool     `json:"authorization_response_iss_parameter_supported,omitempty"`
	}{g.issuer(path), authorize, g.gatewayURL + "/oauth/token", g.gatewayURL + "/oauth/register", g.gatewayURL + "/oauth/introspect",
		g.gatewayURL + "/oauth/revoke", []string{"code"}, []string{"authorization_code", "refresh_token"}, methods, []string{"S256"},
		g.o.AnswerIssuer != "none"}).write(w)
}

// registerClient takes loopback and https redirects (RFC 7591; the hosted gateway's own rules aren't published).
func (g *Gateway) registerClient(w http.ResponseWriter, r *http.Request) {
	var c struct {
		Name      string   `json:"client_name"`
		Redirects []string `json:"redirect_uris"`
		Method    string   `json:"token_endpoint_auth_method"`
	}
	err := json.NewDecoder(r.Body).Decode(&c)
	switch {
	case err != nil || len(c.Redirects) == 0 || slices.ContainsFunc(c.Redirects, func(u string) bool { return !mayRedirect(u) }):
		oauthFailure(http.StatusBadRequest, "invalid_redirect_uri", "redirect_uris must be loopback or https URLs").write(w)
		return
	case g.o.NullRegistration:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("null"))
		return
	}
	id := "pk_" + randomHex(12)
	g.oauth.mu.Lock()
	g.oauth.clients[id] = oauthClient{c.Name, c.Redirects}
	g.oauth.mu.Unlock()
	(&answer{status: http.StatusCreated, body: struct {
		ID        string   `json:"client_id"`
		Name      string   `json:"client_name"`
		Redirects []string `json:"redirect_uris"`
		Method    string   `json:"token_endpoint_auth_method"`
	}{id, c.Name, c.Redirects, "none"}}).write(w)
}

func mayRedirect(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Fragment != "" || len(text) > 2048 {
		return false
	}
	return u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
}

// tokenEndpoint takes forms and JSON.
func (g *Gateway) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	form, ok := tokenForm(r)
	if !ok {
		oauthFailure(http.StatusBadRequest, "invalid_request", "Unsupported content type").write(w)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch form.Get("grant_type") {
	case "authorization_code":
		g.redeemCode(form).write(w)
	case "refresh_token":
		g.rotate(form).write(w)
	default:
		oauthFailure(http.StatusBadRequest, "unsupported_grant_type", "Grant type is not supported").write(w)
	}
}

func tokenForm(r *http.Request) (url.Values, bool) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/x-www-form-urlencoded":
		err := r.ParseForm()
		return r.PostForm, err == nil
	case "application/json":
		var members map[string]string
		if json.NewDecoder(r.Body).Decode(&members) != nil {
			return nil, false
		}
		form := url.Values{}
		for name, value := range members {
			form.Set(name, value)
		}
		return form, true
	}
	return nil, false
}

func (g *Gateway) redeemCode(form url.Values) *answer {
	o := g.oauth
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.codes[form.Get("code")]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case a == nil || time.Now().After(a.expires) || a.client != form.Get("client_id") || a.redirect != form.Get("redirect_uri"):
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "The authorization code is invalid")
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(a.challenge)) != 1:
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "The code verifier is wrong")
	case form.Has("resource") && !g.isResource(form.Get("resource"), a.server):
		return oauthFailure(http.StatusBadRequest, "invalid_target", "The resource is another one")
	case a.used:
		a.family.dead = true // RFC 6749, section 4.1.2
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "The authorization code was used before")
	}
	a.used = true
	a.family = &tokenFamily{client: a.client, user: a.user, server: a.server.slug}
	return g.issue(a.family)
}

// isResource takes a server's URL with and without the workspace.
func (g *Gateway) isResource(resource string, s *server) bool {
	return resource == g.url(s) || resource == g.gatewayURL+"/"+g.workspace.slug+"/"+s.slug+"/mcp"
}

// rotate makes new tokens for a refresh token, which is spent then. One that comes twice was stolen, or its owners don't agree:
// the whole family dies.
func (g *Gateway) rotate(form url.Values) *answer {
	o := g.oauth
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.refresh[form.Get("refresh_token")]
	switch {
	case t == nil || t.dead || time.Now().After(t.expires) || t.client != form.Get("client_id"):
		return g.refuseRefresh("The refresh token is invalid")
	case t.spent:
		t.dead = true
		return g.refuseRefresh("The refresh token was used before")
	case form.Has("resource") && !g.isResource(form.Get("resource"), g.find(t.server)):
		return oauthFailure(http.StatusBadRequest, "invalid_target", "The resource is another one")
	}
	t.spent = true
	return g.issue(t.tokenFamily)
}

func (g *Gateway) refuseRefresh(description string) *answer {
	switch g.o.RefreshRefusal {
	case "502": // whatever the control plane says
		return oauthFailure(http.StatusBadGateway, "server_error", "Token request failed")
	case "401":
		a := g.unauthorized("/oauth/token", description)
		return a
	}
	return oauthFailure(http.StatusBadRequest, "invalid_grant", description)
}

// issue makes a pair of tokens. g.oauth.mu must be held.
func (g *Gateway) issue(f *tokenFamily) *answer {
	access, refresh := "pat_"+randomHex(24), "prt_"+randomHex(24)
	now := time.Now()
	g.oauth.access[access] = &oauthToken{tokenFamily: f, expires: now.Add(g.o.TokenLifetime)}
	g.oauth.refresh[refresh] = &oauthToken{tokenFamily: f, expires: now.Add(30 * 24 * time.Hour)}
	return ok(struct {
		Access  string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Refresh string `json:"refresh_token"`
		Scope   string `json:"scope"`
	}{access, "Bearer", int(g.o.TokenLifetime.Seconds()), refresh, "mcp:*"})
}

func (g *Gateway) introspect(w http.ResponseWriter, r *http.Request) {
	form, _ := tokenForm(r)
	t := g.oauth.valid(form.Get("token"), time.Now())
	if t == nil {
		(&answer{status: http.StatusBadRequest, body: struct {
			Active bool `json:"active"`
		}{false}}).write(w)
		return
	}
	ok(struct {
		Active    bool   `json:"active"`
		Username  string `json:"username"`
		Workspace string `json:"workspace_slug"`
		Server    string `json:"server_id"`
		Expires   int64  `json:"exp"`
	}{true, "demo", g.workspace.slug, t.server, t.expires.Unix()}).write(w)
}

// revokeToken answers 200 whatever it did, as the source does.
func (g *Gateway) revokeToken(w http.ResponseWriter, r *http.Request) {
	form, _ := tokenForm(r)
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	for _, tokens := range []map[string]*oauthToken{g.oauth.access, g.oauth.refresh} {
		if t := tokens[form.Get("token")]; t != nil && t.client == form.Get("client_id") {
			t.dead = true
		}
	}
	w.WriteHeader(http.StatusOK)
}

// ExpireTokens makes all access tokens expire now, whatever their holders were told: a clock that goes wrong.
func (g *Gateway) ExpireTokens() {
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	for _, t := range g.oauth.access {
		t.expires = time.Now()
	}
}

// RevokeTokens ends every login.
func (g *Gateway) RevokeTokens() {
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	for _, t := range g.oauth.refresh {
		t.dead = true
	}
}

// Tokens returns all tokens that were made: what must not be found anywhere.
func (g *Gateway) Tokens() []string {
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	var list []string
	for _, tokens := range []map[string]*oauthToken{g.oauth.access, g.oauth.refresh} {
		for text := range tokens {
			list = append(list, text)
		}
	}
	return list
}

// LiveTokens returns how many access tokens are good now.
func (g *Gateway) LiveTokens() int {
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	n := 0
	for _, t := range g.oauth.access {
		if !t.dead && time.Now().Before(t.expires) {
			n++
		}
	}
	return n
}
