package demo

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// gatewayRoutes are the paths below the gateway's base path. What needs no key is listed; all else goes through the checks.
func (g *Gateway) gatewayRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", g.health)
	mux.HandleFunc("GET /{$}", g.about)
	mux.HandleFunc("GET /oauth/upstream/{server}/authorize", g.consentPage)
	mux.HandleFunc("POST /oauth/upstream/{server}/authorize", g.consentDecision)
	mux.HandleFunc("GET /oauth/upstream-callback", g.consentCallback)
	g.oauthRoutes(mux)
	none := func(w http.ResponseWriter, _ *http.Request) { noSuchPath().write(w) }
	mux.HandleFunc("/oauth/", none)
	mux.HandleFunc("/.well-known/", none)
	if g.o.Generation != "2.2" {
		mux.HandleFunc("GET /v0.1/servers", g.registry)
	}
	mux.HandleFunc("/", g.serveMCP)
	return mux
}

// below moves h under a base path. Outside it there is nothing.
func below(base string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, base+"/") {
			noSuchPath().write(w)
			return
		}
		http.StripPrefix(base, h).ServeHTTP(w, r)
	})
}

func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	version := ""
	if g.o.Generation != "2.2" {
		version = g.o.Generation + ".0"
	}
	(&answer{status: http.StatusOK, body: struct {
		Status    string `json:"status"`
		Timestamp string `json:"timestamp"`
		Version   string `json:"version,omitempty"`
	}{"healthy", stamp(time.Now()), version}}).write(w)
}

func (g *Gateway) about(w http.ResponseWriter, _ *http.Request) {
	type endpoints struct {
		MCP    string `json:"mcp"`
		Health string `json:"health"`
	}
	(&answer{status: http.StatusOK, body: struct {
		Gateway   string    `json:"gateway"`
		Version   string    `json:"version"`
		Endpoints endpoints `json:"endpoints"`
	}{"Portkey MCP Gateway", "0.1.0", endpoints{"/:serverId/mcp", "/health"}}}).write(w)
}

// stamp is a time as JavaScript's Date.toISOString writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// call is a request on its way to an MCP server. The checks fill it in, one after the other.
type call struct {
	r         *http.Request
	body      []byte
	holder    holder
	token     *oauthToken // nil if it came with a key
	workspace string      // as the path names it; "" in the short form
	slug      string
	server    *server
}

// serveMCP lets a request pass the checks in the source's order (src/mcp/middleware), then hands it to the server.
func (g *Gateway) serveMCP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // in memory already
	c := &call{r: r, body: body}
	for _, check := range []func(*call) *answer{
		g.checkKey, g.checkInvoke, g.checkPath, g.checkWorkspace, g.checkServer, g.checkUserAccess, g.checkConsent,
	} {
		if refusal := check(c); refusal != nil {
			refusal.write(w)
			return
		}
	}
	if c.server.transport != nil {
		g.forward(w, c)
		return
	}
	g.serveTransport(w, c)
}

func (g *Gateway) checkKey(c *call) *answer {
	key, token := g.apiKey(c.r), bearer(c.r)
	if c.token = g.oauth.valid(token, time.Now()); c.token != nil && (key == "" || key == token) {
		c.holder = holder{kind: "oauth", user: c.token.user, invoke: true}
		return nil
	}
	if key == "" && g.o.KeyHeader != "authorization" && c.r.Header.Get("Authorization") != "" {
		return g.unauthorized(c.r.URL.Path, "The access token is invalid or has expired")
	}
	c.token = nil
	if key == "" && c.r.Header.Get("x-portkey-api-key") == "" {
		return g.unauthorized(c.r.URL.Path, "Authentication required to access this resource")
	}
	holder, known := g.holders[key]
	if !known {
		return keyFailure(failure{http.StatusUnauthorized, "Invalid API Key", "03"})
	}
	c.holder = holder
	if holder.failure != nil {
		return keyFailure(*holder.failure)
	}
	return nil
}

// unauthorized points to the protected resource's metadata (RFC 9728, section 5.1).
func (g *Gateway) unauthorized(path, description string) *answer {
	a := oauthFailure(http.StatusUnauthorized, "unauthorized", description)
	a.challenge = `Bearer resource_metadata="` + g.gatewayURL + "/.well-known/oauth-protected-resource" + path
	if !g.o.UnclosedQuote {
		a.challenge += `"`
	}
	return a
}

func (g *Gateway) checkInvoke(c *call) *answer {
	if !c.holder.invoke {
		return keyFailure(failure{http.StatusForbidden, "Forbidden!", "033"})
	}
	return nil
}

// checkPath takes /{slug}/mcp and /{workspace}/{slug}/mcp.
func (g *Gateway) checkPath(c *call) *answer {
	parts := strings.Split(strings.TrimPrefix(c.r.URL.Path, "/"), "/")
	n := len(parts)
	if n < 2 || n > 3 || parts[n-1] != "mcp" || parts[n-2] == "" {
		return noSuchPath()
	}
	c.slug = parts[n-2]
	if n == 3 {
		c.workspace = parts[0]
	}
	return nil
}

func (g *Gateway) checkWorkspace(c *call) *answer {
	if c.workspace != "" && !g.workspace.is(c.workspace) {
		return oauthFailure(http.StatusForbidden, "forbidden", "You do not have access to this resource")
	}
	return nil
}

func (g *Gateway) checkServer(c *call) *answer {
	if c.server = g.find(c.slug); c.server == nil {
		return oauthFailure(http.StatusNotFound, "not_found", "Server '"+g.workspace.slug+"/"+c.slug+"' not found")
	}
	if c.token != nil && c.token.server != c.server.slug {
		return oauthFailure(http.StatusForbidden, "forbidden", "Token is not authorized to access this MCP server")
	}
	return nil
}

func (g *Gateway) checkUserAccess(c *call) *answer {
	switch {
	case c.server.refusesUsers && c.holder.user == "":
		return oauthFailure(http.StatusInternalServerError, "server_error", "Unable to verify user access")
	case c.server.refusesUsers:
		return oauthFailure(http.StatusForbidden, "forbidden", "You do not have access to this MCP server")
	}
	return nil
}
