package demo

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// adminErrors are the codes of the control plane's errors with their statuses (api-reference/admin-api/error in Portkey's
// documentation).
var adminErrors = map[string]struct {
	status  int
	message string
}{
	"AB01": {http.StatusBadRequest, "Request Validation Error"},
	"AB03": {http.StatusForbidden, "User not allowed to access the resource"},
	"AB05": {http.StatusUnauthorized, "Unauthorized access"},
	"AB08": {http.StatusNotFound, "Resource not found"},
}

func adminError(code string) *answer {
	type data struct {
		Message string `json:"message"`
		Code    string `json:"errorCode"`
	}
	e := adminErrors[code]
	return &answer{status: e.status, body: struct {
		Success bool `json:"success"`
		Data    data `json:"data"`
	}{false, data{e.message, code}}}
}

func ok(body any) *answer { return &answer{status: http.StatusOK, body: body} }

// controlPlaneRoutes are those of Portkey-AI/openapi, openapi.yaml, that are about MCP servers, and only what a user needs.
func (g *Gateway) controlPlaneRoutes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(holder, *http.Request) *answer{
		"GET /v1/mcp-servers":                     g.adminList,
		"GET /v1/mcp-servers/{id}":                g.withServer(g.adminServer),
		"GET /v1/mcp-servers/{id}/connections":    g.withServer(g.adminConnections),
		"DELETE /v1/mcp-servers/{id}/connections": g.withServer(g.adminDisconnect),
		"GET /v1/mcp-servers/{id}/capabilities":   g.withServer(g.adminCapabilities),
		"/":                                       func(holder, *http.Request) *answer { return adminError("AB08") },
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.admit(r, h).write(w) })
	}
	return mux
}

// admit passes a request on if its key may read the workspace.
func (g *Gateway) admit(r *http.Request, h func(holder, *http.Request) *answer) *answer {
	who, known := g.holders[g.apiKey(r)]
	workspace := r.URL.Query().Get("workspace_id")
	switch {
	case !known || who.kind == "expired":
		return adminError("AB05")
	case !who.list || workspace != "" && !g.workspace.is(workspace):
		return adminError("AB03")
	case who.organisation && workspace == "":
		return adminError("AB01")
	}
	return h(who, r)
}

func (g *Gateway) withServer(h func(holder, *http.Request, *server) *answer) func(holder, *http.Request) *answer {
	return func(who holder, r *http.Request) *answer {
		s := g.find(r.PathValue("id"))
		if s == nil {
			return adminError("AB08")
		}
		return h(who, r, s)
	}
}

// adminItem is a server in a listing.
type adminItem struct {
	Object         string `json:"object"`
	ID             string `json:"id"`
	Organisation   string `json:"organisation_id"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	Status         string `json:"status"`
	Created        string `json:"created_at"`
	Owner          string `json:"owner_id"`
	Slug           string `json:"slug"`
	Workspace      string `json:"workspace_id"`
	WorkspaceName  string `json:"workspace_name,omitempty"`
	WorkspaceSlug  string `json:"workspace_slug,omitempty"`
	Integration    string `json:"mcp_integration_id"`
	IntegrationURL string `json:"mcp_integration_url"`
	AuthType       string `json:"auth_type"`
	URL            string `json:"url,omitempty"`
	// IntegrationSlug is null for integrations that were made together with their server.
	IntegrationSlug *string `json:"mcp_integration_slug"`
}

func (g *Gateway) adminItem(s *server) adminItem {
	w := g.workspace
	item := adminItem{
		Object: "mcp-server", ID: s.id, Organisation: w.organisation, Name: s.name, Description: s.description, Status: "active",
		Created: stamp(s.created), Owner: w.owner, Slug: s.slug, Workspace: w.id, WorkspaceName: w.name, WorkspaceSlug: w.slug,
		Integration: s.integrationID, IntegrationURL: s.upstream, AuthType: s.authType, URL: g.url(s),
	}
	if s.mcp != nil {
		item.IntegrationSlug = &s.slug
	}
	return item
}

func (g *Gateway) adminList(_ holder, r *http.Request) *answer {
	query := r.URL.Query()
	number, size, valid := pageOf(query, "current_page", 0, 100)
	search := strings.ToLower(query.Get("search"))
	if !valid || len(search) > 255 {
		return adminError("AB01")
	}
	ids := strings.Split(query.Get("id"), ",")
	items := []adminItem{}
	for _, s := range g.servers {
		named := query.Get("id") == "" || slices.Contains(ids, s.id) || slices.Contains(ids, s.slug)
		if named && (strings.Contains(strings.ToLower(s.name), search) || strings.Contains(strings.ToLower(s.slug), search)) {
			items = append(items, g.adminItem(s))
		}
	}
	return ok(struct {
		Object string      `json:"object"`
		Total  int         `json:"total"`
		Data   []adminItem `json:"data"`
	}{"list", len(items), slice(items, number, min(size, g.o.PageSize))})
}

// adminServer is like an item of the list, without the names of the workspace and the URL.
func (g *Gateway) adminServer(_ holder, _ *http.Request, s *server) *answer {
	item := g.adminItem(s)
	item.WorkspaceName, item.WorkspaceSlug, item.URL = "", "", ""
	return ok(item)
}

// adminConnections shows users their own connection, and keys without a user those of all.
func (g *Gateway) adminConnections(who holder, r *http.Request, s *server) *answer {
	query := r.URL.Query()
	number, size, valid := pageOf(query, "current_page", 0, 500)
	if !valid {
		return adminError("AB01")
	}
	type item struct {
		User      string `json:"user_id"`
		Connected bool   `json:"connected"`
		Created   string `json:"created_at"`
		Updated   string `json:"last_updated_at"`
	}
	user := who.user
	if user == "" {
		user = query.Get("user_id")
	}
	found := g.consents.of(s, user)
	items := []item{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		c := found[id]
		items = append(items, item{id, c.connected, stamp(c.created), stamp(c.updated)})
	}
	return ok(paged(items, number, min(size, g.o.PageSize)))
}

// adminDisconnect takes a user's consent back. A key without a user has to say whose.
func (g *Gateway) adminDisconnect(who holder, r *http.Request, s *server) *answer {
	user := who.user
	if user == "" {
		user = r.URL.Query().Get("user_id")
	}
	if user == "" {
		return adminError("AB01")
	}
	if _, found := g.consents.of(s, user)[user]; !found {
		return adminError("AB08")
	}
	g.consents.set(grant{user, s.id}, false)
	return ok(struct {
		Success bool `json:"success"`
	}{true})
}

// adminCapabilities shows what the gateway last saw of a server: nothing until somebody has listed its tools.
func (g *Gateway) adminCapabilities(_ holder, r *http.Request, s *server) *answer {
	query := r.URL.Query()
	number, size, valid := pageOf(query, "page", 1, 500)
	kind := query.Get("type")
	if !valid || kind != "" && !slices.Contains([]string{"tool", "prompt", "resource", "resource_template"}, kind) {
		return adminError("AB01")
	}
	type item struct {
		Name        string              `json:"name"`
		Type        string              `json:"type"`
		Title       string              `json:"title"`
		Description string              `json:"description"`
		Enabled     bool                `json:"enabled"`
		InputSchema mcp.ToolInputSchema `json:"input_schema"`
	}
	tools := []item{}
	if s.toolsSeen.Load() {
		for _, t := range s.mcp.Tools() {
			tools = append(tools, item{t.Name, "tool", t.Title, t.Description, true, t.InputSchema})
		}
	}
	shown := tools
	if kind != "" && kind != "tool" {
		shown = nil
	}
	type count struct {
		Total   int `json:"total"`
		Enabled int `json:"enabled"`
	}
	return ok(struct {
		list[item]
		Counts map[string]count `json:"counts"`
	}{paged(shown, number-1, min(size, g.o.PageSize)), map[string]count{
		"tools": {len(tools), len(tools)}, "prompts": {}, "resources": {}, "resource_templates": {},
	}})
}

// list is a page of connections or capabilities.
type list[T any] struct {
	Data    []T  `json:"data"`
	Total   int  `json:"total"`
	HasMore bool `json:"has_more"`
}

// paged cuts a page, counted from 0, out of all items.
func paged[T any](items []T, number, size int) list[T] {
	return list[T]{slice(items, number, size), len(items), (number+1)*size < len(items)}
}

func slice[T any](items []T, number, size int) []T {
	start := min(number*size, len(items))
	return append([]T{}, items[start:min(start+size, len(items))]...)
}

// pageOf reads the number of a page, counted from first, and its size, which is at most limit.
func pageOf(query url.Values, name string, first, limit int) (number, size int, valid bool) {
	number, size = first, min(limit, 100)
	for name, value := range map[string]*int{name: &number, "page_size": &size} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return 0, 0, false
			}
			*value = n
		}
	}
	return number, size, number >= first && number < 1<<20 && size >= 1 && size <= limit
}
