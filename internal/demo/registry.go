package demo

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// registryItem is a server as the registry lists it (schema of the MCP registry, 2025-12-11).
type registryItem struct {
	Server struct {
		Schema      string           `json:"$schema"`
		Name        string           `json:"name"`
		Title       string           `json:"title"`
		Description string           `json:"description"`
		Version     string           `json:"version"`
		Remotes     []registryRemote `json:"remotes"`
	} `json:"server"`
	Meta struct {
		Registry registryMeta `json:"io.portkey.ai/registry"`
	} `json:"_meta"`
}

type registryRemote struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type registryMeta struct {
	Published string `json:"publishedAt"`
	Updated   string `json:"updatedAt"`
	Latest    bool   `json:"isLatest"`
}

// registry answers GET /v0.1/servers (product/mcp-gateway/registry-api in Portkey's documentation).
func (g *Gateway) registry(w http.ResponseWriter, r *http.Request) {
	g.registryPage(r).write(w)
}

func (g *Gateway) registryPage(r *http.Request) *answer {
	query := r.URL.Query()
	if refusal := g.registryAdmits(r); refusal != nil {
		return refusal
	}
	limit, since := 50, time.Time{}
	var errLimit, errSince error
	if text := query.Get("limit"); text != "" {
		limit, errLimit = strconv.Atoi(text)
	}
	if text := query.Get("updated_since"); text != "" {
		since, errSince = time.Parse(time.RFC3339, text)
	}
	if errLimit != nil || errSince != nil || limit < 1 || limit > 100 {
		return oauthFailure(http.StatusBadRequest, "invalid_request", "limit or updated_since is invalid")
	}
	servers := slices.DeleteFunc(slices.Clone(g.servers), func(s *server) bool {
		return s.created.Before(since) || !strings.Contains(g.registryName(s), query.Get("search"))
	})
	slices.SortStableFunc(servers, func(a, b *server) int { return b.created.Compare(a.created) }) // newest first
	start := 0
	if cursor := query.Get("cursor"); cursor != "" {
		start = 1 + slices.IndexFunc(servers, func(s *server) bool { return cursorAfter(s) == cursor })
		if start == 0 {
			return oauthFailure(http.StatusBadRequest, "invalid_request", "cursor is unknown")
		}
	}
	end := min(start+min(limit, g.o.PageSize), len(servers))
	type metadata struct {
		Count int    `json:"count"`
		Next  string `json:"nextCursor,omitempty"`
	}
	page := struct {
		Servers  []registryItem `json:"servers"`
		Metadata metadata       `json:"metadata"`
	}{[]registryItem{}, metadata{Count: end - start}}
	for _, s := range servers[start:end] {
		page.Servers = append(page.Servers, g.registryItem(s))
	}
	if end < len(servers) {
		page.Metadata.Next = cursorAfter(servers[end-1])
	}
	return ok(page)
}

// registryAdmits wants the scope to list, but not the one to call.
func (g *Gateway) registryAdmits(r *http.Request) *answer {
	who, known := g.holders[g.apiKey(r)]
	workspace := r.URL.Query().Get("workspace_id")
	switch {
	case !known:
		return keyFailure(failure{http.StatusUnauthorized, "Invalid API Key", "03"})
	case who.kind == "expired":
		return keyFailure(*who.failure)
	case !who.list:
		return oauthFailure(http.StatusForbidden, "forbidden", "The API key lacks the scope mcp_servers.list")
	case workspace != "" && !g.workspace.is(workspace):
		return oauthFailure(http.StatusNotFound, "not_found", "Unknown workspace_id")
	}
	return nil
}

func (g *Gateway) registryName(s *server) string {
	return "ai.portkey." + g.workspace.slug + "/" + s.slug
}

func cursorAfter(s *server) string {
	return base64.RawURLEncoding.EncodeToString([]byte(stamp(s.created) + "|" + s.id))
}

func (g *Gateway) registryItem(s *server) registryItem {
	var item registryItem
	item.Server.Schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
	item.Server.Name, item.Server.Title = g.registryName(s), s.name
	item.Server.Description, item.Server.Version = s.description, "0.0.0"
	item.Server.Remotes = []registryRemote{{"streamable-http", g.url(s)}}
	item.Meta.Registry = registryMeta{stamp(s.created), stamp(s.created), true}
	return item
}
