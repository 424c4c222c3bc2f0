package demo

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo/mcpserver"
)

// workspace is the one that all keys but the organisation's belong to.
type workspace struct {
	id, slug, name, organisation, owner string
}

func newWorkspace() workspace {
	return workspace{randomUUID(), "ws-acme", "Acme", randomUUID(), randomUUID()}
}

// is reports whether a workspace_id, a UUID or a slug, means this workspace.
func (w workspace) is(id string) bool { return id == w.id || id == w.slug }

// server is an MCP server in the workspace.
type server struct {
	id, integrationID       string
	slug, name, description string
	upstream                string // its own URL, behind the gateway
	authType                string // as the control plane calls it
	created                 time.Time
	refusesUsers            bool // user access is switched off for everybody

	mcp       *mcpserver.Server // nil if it is an upstream or refuses
	transport *http.Transport   // to an upstream, nil otherwise
	toolsSeen atomic.Bool       // somebody has listed its tools through the gateway
}

// perUser reports whether each user must consent.
func (s *server) perUser() bool { return s.authType == "oauth_auto" }

// builtIn are the servers that every gateway has.
func builtIn() []*server {
	return []*server{
		{slug: "notes", name: "Notes", description: "Notes of the whole workspace, no consent needed",
			upstream: "https://notes.example/mcp", authType: "none", mcp: mcpserver.Notes(),
			created: time.Date(2026, 1, 12, 9, 30, 0, 0, time.UTC)},
		{slug: "linear", name: "Linear", description: "Issues, once you have allowed access to your account",
			upstream: "https://mcp.linear.example/mcp", authType: "oauth_auto", mcp: mcpserver.Issues(),
			created: time.Date(2026, 2, 15, 14, 22, 0, 0, time.UTC)},
		{slug: "vault", name: "Vault", description: "Secrets, closed to all users",
			upstream: "https://vault.example/mcp", authType: "headers", refusesUsers: true,
			created: time.Date(2026, 3, 3, 11, 5, 0, 0, time.UTC)},
	}
}

func (g *Gateway) newServers() []*server {
	servers := builtIn()
	for _, name := range slices.Sorted(maps.Keys(g.o.Upstreams)) {
		s := &server{slug: name, name: name, description: "Upstream " + g.o.Upstreams[name], upstream: g.o.Upstreams[name],
			authType: "none", created: time.Now().UTC()}
		if slices.Contains(g.o.UpstreamConsent, name) {
			s.authType = "oauth_auto"
		}
		s.transport = http.DefaultTransport.(*http.Transport).Clone()
		s.transport.DisableCompression = true
		servers = append(servers, s)
	}
	for _, s := range servers {
		s.id, s.integrationID = randomUUID(), randomUUID()
	}
	return servers
}

// find returns a server by slug or id, nil if there is none.
func (g *Gateway) find(name string) *server {
	i := slices.IndexFunc(g.servers, func(s *server) bool { return s.slug == name || s.id == name })
	if i < 0 {
		return nil
	}
	return g.servers[i]
}

// url is where the gateway serves s.
func (g *Gateway) url(s *server) string { return g.gatewayURL + "/" + s.slug + "/mcp" }

// forward passes a call on to an upstream, and answers and event streams back as they come. An upstream that can't be reached
// looks as it does through version 2.2.3.
func (g *Gateway) forward(w http.ResponseWriter, c *call) {
	proxy := &httputil.ReverseProxy{
		Transport: c.server.transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL, _ = url.Parse(c.server.upstream) // checked by Start
			r.Out.Host = ""
			for _, name := range neverForwarded {
				r.Out.Header.Del(name)
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			g.log.Info("upstream", "server", c.server.slug, "error", err)
			sessionLost(messageID(c.body)).write(w)
		},
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	c.r.Body = io.NopCloser(bytes.NewReader(c.body))
	proxy.ServeHTTP(w, c.r)
}

// neverForwarded stays at the gateway (product/mcp-gateway in Portkey's documentation, forwarding headers). Authorization is
// where a token for the gateway stands.
var neverForwarded = []string{"Authorization", "Cookie", "X-Portkey-Api-Key", "X-Api-Key", "Api-Key", "X-Auth-Token",
	"X-Access-Token", "X-User-Claims", "X-User-Jwt"}
