package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// resourceMetadata is what is used of a protected resource's metadata (RFC 9728, section 2).
type resourceMetadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// serverMetadata is what is used of an authorization server's metadata (RFC 8414, section 2; RFC 9207, section 3).
type serverMetadata struct {
	Issuer           string   `json:"issuer"`
	Authorize        string   `json:"authorization_endpoint"`
	Token            string   `json:"token_endpoint"`
	Register         string   `json:"registration_endpoint"`
	Revoke           string   `json:"revocation_endpoint"`
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
	AuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	Scopes           []string `json:"scopes_supported"`
	IssInResponse    bool     `json:"authorization_response_iss_parameter_supported"`
}

// Server is an authorization server with what a sign-in for the resource needs of it.
type Server struct {
	s        *Resource
	meta     serverMetadata
	resource string // as it is sent to the authorization server
	scope    string
}

// Host is the host of the page on which the user signs in.
func (a *Server) Host() string {
	u, err := url.Parse(a.meta.Authorize)
	if err != nil {
		return ""
	}
	return u.Host
}

// ErrNotOffered says that a server has no way to sign in through the browser.
var ErrNotOffered = problem.New("pass the credential that the server wants with --header", "the server offers no login in the browser")

// Discover finds out where and how to sign in. c is what an answer of the server said about it; the zero Challenge if there
// was no answer.
func (s *Resource) Discover(ctx context.Context, c Challenge) (*Server, error) {
	meta, found, err := s.discoverResource(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &Server{s: s, resource: canonical(s.o.URL)}
	if found {
		if a.resource, err = s.checkResource(meta.Resource); err != nil {
			return nil, err
		}
	}
	ids := meta.Servers
	if !found || len(ids) == 0 {
		ids = s.serversWithoutMetadata()
	}
	if a.meta, err = s.discoverServer(ctx, ids[0], found); err != nil {
		return nil, err
	}
	if err := s.checkServer(a.meta); err != nil {
		return nil, err
	}
	a.scope = s.chooseScope(c, meta, a.meta)
	return a, nil
}

// Challenge asks the server itself, without a credential, what it wants of whoever comes (MCP 2025-11-25, "Protected Resource
// Metadata Discovery Requirements"). A gateway needn't be asked.
func (s *Resource) Challenge(ctx context.Context) (Challenge, error) {
	if s.o.Gateway != nil {
		return Challenge{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.URL.String(), strings.NewReader(ping))
	if err != nil {
		return Challenge{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if checkScheme(r.URL) != nil {
		return Challenge{}, problem.New("use https", "%s: a login needs https", web.Origin(s.o.URL))
	}
	resp, err := s.o.HTTP.Do(r)
	if err != nil {
		return Challenge{}, problem.New("check the URL, your network and the proxy", "can't reach the server: %s", web.Describe(err))
	}
	resp.Body.Close() // an event stream may never end
	return ParseChallenge(resp.Header), nil
}

// discoverResource looks where the challenge says, then where RFC 9728, section 3.1, puts the metadata of the URL, then at
// the root (MCP 2025-11-25, "Protected Resource Metadata Discovery Requirements").
func (s *Resource) discoverResource(ctx context.Context, c Challenge) (meta resourceMetadata, found bool, err error) {
	var places []*url.URL
	if c.Metadata != "" && s.o.Gateway == nil { // a gateway may name that of the server's other URL, with the workspace in it
		u, ok := parseURL(c.Metadata)
		if !ok || web.Origin(u) != web.Origin(s.o.URL) {
			return meta, false, hostile("the server names metadata at another place than its own")
		}
		places = append(places, u)
	}
	places = append(places, s.wellKnown("oauth-protected-resource")...)
	for _, u := range places {
		var m resourceMetadata
		switch ok, err := s.get(ctx, u, &m); {
		case err != nil:
			return meta, false, err
		case ok && (m.Resource != "" || len(m.Servers) > 0):
			return m, true, nil
		}
	}
	return meta, false, nil
}

// wellKnown returns the places of a well-known document about the server's own URL. A gateway may live below a path, and
// then has the document there.
func (s *Resource) wellKnown(name string) []*url.URL {
	places := []*url.URL{inserted(s.o.URL, name)}
	if g := s.o.Gateway; g != nil && strings.Trim(g.Path, "/") != "" {
		base := strings.TrimSuffix(g.Path, "/")
		places = append(places, at(s.o.URL, base+"/.well-known/"+name+strings.TrimPrefix(s.o.URL.Path, base)))
	}
	if s.o.Gateway == nil && strings.Trim(s.o.URL.Path, "/") != "" {
		places = append(places, at(s.o.URL, "/.well-known/"+name))
	}
	return places
}

// inserted puts a well-known path between host and path of u (RFC 8414, section 3.1).
func inserted(u *url.URL, name string) *url.URL {
	return at(u, "/.well-known/"+name+strings.TrimSuffix(u.Path, "/"))
}

func at(u *url.URL, path string) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
}

// checkResource returns the resource to ask for: the one that the metadata names, if the server's URL is it or is below it. A
// server that could have tokens made out for another one could use them there.
func (s *Resource) checkResource(named string) (string, error) {
	if named == "" {
		return canonical(s.o.URL), nil
	}
	u, ok := parseURL(named)
	own := strings.TrimSuffix(s.o.URL.Path, "/") + "/"
	if !ok || web.Origin(u) != web.Origin(s.o.URL) || !strings.HasPrefix(own, strings.TrimSuffix(u.Path, "/")+"/") ||
		s.o.Gateway != nil && u.Path != s.o.URL.Path {
		return "", hostile("the server's metadata is about another server")
	}
	return named, nil
}

// serversWithoutMetadata are the authorization servers of a resource that says nothing about any: the gateway's own, or the
// server itself, as in revision 2025-03-26.
func (s *Resource) serversWithoutMetadata() []string {
	if s.o.Gateway != nil {
		return []string{canonical(s.o.URL)}
	}
	return []string{web.Origin(s.o.URL)}
}

// discoverServer fetches the metadata of the authorization server called id (MCP 2025-11-25, "Authorization Server Metadata
// Discovery"). named says that the resource named it.
func (s *Resource) discoverServer(ctx context.Context, id string, named bool) (serverMetadata, error) {
	u, ok := parseURL(id)
	if !ok || s.o.Gateway != nil && web.Origin(u) != web.Origin(s.o.Gateway) {
		return serverMetadata{}, hostile("the server names an authorization server that can't be one")
	}
	for _, place := range s.metadataPlaces(u) {
		var m serverMetadata
		found, err := s.get(ctx, place, &m)
		if err != nil {
			return m, err
		}
		if !found || m.Authorize == "" && m.Token == "" {
			continue
		}
		if !s.isIssuer(m.Issuer, id, named) {
			return m, hostile("the authorization server's metadata is that of another one")
		}
		return m, nil
	}
	if !named && s.o.Gateway == nil {
		return s.oldEndpoints(ctx, u)
	}
	return serverMetadata{}, ErrNotOffered
}

func (s *Resource) metadataPlaces(id *url.URL) []*url.URL {
	const own, openID = "oauth-authorization-server", "openid-configuration"
	if s.o.Gateway != nil {
		return s.wellKnown(own)
	}
	places := []*url.URL{inserted(id, own), inserted(id, openID)}
	if path := strings.TrimSuffix(id.Path, "/"); path != "" {
		places = append(places, at(id, path+"/.well-known/"+openID))
	}
	return places
}

// isIssuer compares the metadata's issuer with the id that it was asked for (RFC 8414, section 3.3); only the slash of an empty
// path is no difference. Gateways before 2.19 give their origin, or their base URL; where nothing named the id, it is a guess.
func (s *Resource) isIssuer(issuer, id string, named bool) bool {
	if strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(id, "/") {
		return true
	}
	u, ok := parseURL(issuer)
	return ok && (s.o.Gateway != nil || !named) && web.Origin(u) == web.Origin(s.o.URL)
}

// oldEndpoints are those of servers without any metadata (MCP 2025-03-26, "Fallbacks for Servers without Metadata Discovery").
// A server that has none of them either is one that wants another kind of credential.
func (s *Resource) oldEndpoints(ctx context.Context, origin *url.URL) (serverMetadata, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	base := strings.TrimSuffix(origin.String(), "/")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/authorize", nil)
	if err != nil {
		return serverMetadata{}, err
	}
	status, _, err := s.do(r)
	if err != nil {
		return serverMetadata{}, err
	}
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusUnauthorized {
		return serverMetadata{}, ErrNotOffered
	}
	return serverMetadata{Issuer: base, Authorize: base + "/authorize", Token: base + "/token", Register: base + "/register",
		ChallengeMethods: []string{"S256"}, AuthMethods: []string{"none"}}, nil // that revision requires PKCE
}

// checkServer refuses an authorization server without PKCE, and endpoints at another origin than the issuer's: a code that was
// given for one server must not end at another's token endpoint.
func (s *Resource) checkServer(m serverMetadata) error {
	if !slices.Contains(m.ChallengeMethods, "S256") {
		return problem.New("ask the server's operator to support PKCE, and to say so in code_challenge_methods_supported",
			"the authorization server %s doesn't offer PKCE with S256, and without it a login isn't safe", cleanHost(m.Issuer))
	}
	issuer, ok := parseURL(m.Issuer)
	if !ok {
		return hostile("the authorization server's name isn't a URL")
	}
	for what, endpoint := range map[string]string{"authorization": m.Authorize, "token": m.Token, "registration": m.Register, "revocation": m.Revoke} {
		if endpoint == "" && (what == "registration" || what == "revocation") {
			continue
		}
		if u, ok := parseURL(endpoint); !ok || web.Origin(u) != web.Origin(issuer) {
			return hostile(fmt.Sprintf("the %s endpoint isn't at %s", what, cleanHost(m.Issuer)))
		}
	}
	if _, err := s.o.CheckPage(m.Authorize); err != nil {
		return hostile("the page to log in on has an address that no browser should get: " + err.Error())
	}
	return nil
}

// chooseScope returns what to ask for (MCP 2026-07-28, "Scope Selection Strategy"): what the server asked for, else all that its
// metadata names. The gateway's pages and its metadata disagree on its scopes, so it gets none.
func (s *Resource) chooseScope(c Challenge, r resourceMetadata, a serverMetadata) string {
	if s.o.Gateway != nil {
		return ""
	}
	scope := c.Scope
	if scope == "" {
		if all := strings.Join(r.Scopes, " "); isScope(all) {
			scope = all
		}
	}
	if slices.Contains(a.Scopes, offlineAccess) {
		scope = union(scope, offlineAccess)
	}
	return scope
}

// offlineAccess is the scope that gets a refresh token where OpenID Connect is spoken.
const offlineAccess = "offline_access"

// hostile is the error of answers that don't fit together, by mistake or by intent.
func hostile(what string) error {
	return problem.New("tell the server's operator; if you don't know the server, don't use it", "%s, so mcpctl doesn't go on", what)
}

func cleanHost(raw string) string {
	u, ok := parseURL(raw)
	if !ok {
		return "it"
	}
	return u.Host
}
