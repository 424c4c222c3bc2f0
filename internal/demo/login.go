package demo

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// authorize is where a client sends the user's browser (RFC 6749, section 4.1.1). A client or a redirect address that isn't known
// ends on a page here; what else is wrong goes back to the client.
func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	g.oauth.mu.Lock()
	c, known := g.oauth.clients[query.Get("client_id")]
	g.oauth.mu.Unlock()
	if !known || !slices.Contains(c.redirects, query.Get("redirect_uri")) {
		page(w, http.StatusBadRequest, "This link doesn't work", "<p>It names a client, or an address to go back to, that isn't registered here.</p>")
		return
	}
	slug := r.PathValue("server")
	path := slug + "/mcp"
	resource := query.Get("resource")
	if slug == "" {
		path = strings.TrimPrefix(resource, g.gatewayURL+"/")
		slug = strings.TrimSuffix(path[strings.LastIndexByte(strings.TrimSuffix(path, "/mcp"), '/')+1:], "/mcp")
	}
	a := &authorization{client: query.Get("client_id"), redirect: query.Get("redirect_uri"), state: query.Get("state"),
		challenge: query.Get("code_challenge"), server: g.find(slug), user: g.holders[g.keys.User].user,
		expires: time.Now().Add(g.o.StateLifetime)}
	challenge, err := base64.RawURLEncoding.DecodeString(a.challenge)
	switch {
	case a.server == nil:
		noSuchPath().write(w)
		return
	case query.Get("response_type") != "code":
		g.toClient(w, r, a, "unsupported_response_type")
		return
	case query.Get("code_challenge_method") != "S256" || err != nil || len(challenge) != 32 || len(a.state) > 512,
		resource != "" && !g.isResource(resource, a.server):
		g.toClient(w, r, a, "invalid_request")
		return
	}
	if strings.Count(strings.TrimPrefix(resource, g.gatewayURL), "/") == 3 {
		path = g.workspace.slug + "/" + path
	}
	a.issuer = g.issuer(path)
	state := randomHex(16)
	g.oauth.mu.Lock()
	g.oauth.logins[state] = a
	g.oauth.mu.Unlock()
	http.Redirect(w, r, g.gatewayURL+"/oauth/consent?"+url.Values{"gateway_state": {state}, "gateway_base_url": {g.gatewayURL}}.Encode(), http.StatusFound)
}

// login returns the authorization that a page is about, nil if it is over.
func (g *Gateway) login(r *http.Request) *authorization {
	g.oauth.mu.Lock()
	defer g.oauth.mu.Unlock()
	a := g.oauth.logins[r.URL.Query().Get("gateway_state")]
	if a == nil || time.Now().After(a.expires) {
		return nil
	}
	return a
}

// loginPage is Portkey's page: it knows who the user is, and asks whether the client may act for them.
func (g *Gateway) loginPage(w http.ResponseWriter, r *http.Request) {
	a := g.login(r)
	if a == nil {
		deadLink(w)
		return
	}
	g.oauth.mu.Lock()
	name := g.oauth.clients[a.client].name
	g.oauth.mu.Unlock()
	switch g.o.ConsentPage {
	case "accept":
		g.decide(w, r, a, true)
	case "deny":
		g.decide(w, r, a, false)
	case "never":
		page(w, http.StatusOK, "Log in to the gateway?", "<p>Nobody will answer here: the demo was started with a page that has no buttons.</p>")
	default:
		page(w, http.StatusOK, "Let "+name+" use "+a.server.name+"?", fmt.Sprintf(`<p>You are logged in to the workspace <strong>%s</strong>. The program <strong>%s</strong> on your machine asks to</p>
<ul><li>call the tools of %s for you</li></ul>
<form method="post"><button id="deny" name="decision" value="deny">Deny</button><button id="allow" name="decision" value="allow">Allow</button></form>`,
			html.EscapeString(g.workspace.name), html.EscapeString(name), html.EscapeString(a.server.name)))
	}
}

func (g *Gateway) loginDecision(w http.ResponseWriter, r *http.Request) {
	a := g.login(r)
	decision := r.PostFormValue("decision")
	if a == nil || g.o.ConsentPage == "never" || decision != "allow" && decision != "deny" {
		deadLink(w)
		return
	}
	g.decide(w, r, a, decision == "allow")
}

func (g *Gateway) decide(w http.ResponseWriter, r *http.Request, a *authorization, allowed bool) {
	if !allowed {
		g.toClient(w, r, a, "access_denied")
		return
	}
	http.Redirect(w, r, g.gatewayURL+"/oauth/upstream-auth?gateway_state="+r.URL.Query().Get("gateway_state"), http.StatusFound)
}

// upstreamAuth takes the user through the server's own consent, unless that is there or isn't wanted.
func (g *Gateway) upstreamAuth(w http.ResponseWriter, r *http.Request) {
	a := g.login(r)
	if a == nil {
		deadLink(w)
		return
	}
	grant := grant{a.user, a.server.id}
	if !a.server.perUser() || g.consents.connected(grant) {
		g.toClient(w, r, a, "")
		return
	}
	query := g.consents.mint(grant, a.server.slug, g.gatewayURL+callbackPath, a.server.upstream, a)
	http.Redirect(w, r, g.gatewayURL+"/oauth/upstream/"+a.server.slug+"/authorize?"+query.Encode(), http.StatusFound)
}

// toClient sends the browser back to the client: with a code, or with an error if there is one.
func (g *Gateway) toClient(w http.ResponseWriter, r *http.Request, a *authorization, failure string) {
	query := url.Values{}
	if a.state != "" {
		query.Set("state", a.state)
	}
	switch g.o.AnswerIssuer {
	case "right":
		query.Set("iss", a.issuer)
	case "wrong":
		query.Set("iss", "https://elsewhere.example")
	}
	g.oauth.mu.Lock()
	for state, login := range g.oauth.logins {
		if login == a {
			delete(g.oauth.logins, state)
		}
	}
	if failure != "" {
		query.Set("error", failure)
	} else {
		code := randomHex(16)
		a.expires = time.Now().Add(codeLifetime)
		g.oauth.codes[code] = a
		query.Set("code", code)
	}
	g.oauth.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, a.redirect+"?"+query.Encode(), http.StatusFound)
}
