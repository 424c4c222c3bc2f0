package demo_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// admin asks the control plane, and returns the answer's status and body.
func admin(t *testing.T, g *demo.Gateway, key, path string) (int, string) {
	t.Helper()
	r := send(t, "GET", g.ControlPlaneURL()+path, "", "x-portkey-api-key: "+key)
	return r.status, r.body
}

func TestControlPlaneErrors(t *testing.T) {
	g := start(t, demo.Options{})
	k := g.Keys()
	messages := map[string]string{"AB01": "Request Validation Error", "AB03": "User not allowed to access the resource",
		"AB05": "Unauthorized access", "AB08": "Resource not found"}
	for _, c := range []struct {
		key, path string
		status    int
		code      string
	}{
		{"", "/mcp-servers", 401, "AB05"},
		{"unknown", "/mcp-servers", 401, "AB05"},
		{k.Expired, "/mcp-servers", 401, "AB05"},
		{k.NoList, "/mcp-servers", 403, "AB03"},
		{k.NoList, "/mcp-servers/notes", 403, "AB03"},
		{k.NoList, "/mcp-servers/linear/connections", 403, "AB03"},
		{k.User, "/mcp-servers?workspace_id=ws-other", 403, "AB03"},
		{k.Org, "/mcp-servers", 400, "AB01"},
		{k.User, "/mcp-servers?page_size=0", 400, "AB01"},
		{k.User, "/mcp-servers?page_size=101", 400, "AB01"},
		{k.User, "/mcp-servers?page_size=all", 400, "AB01"},
		{k.User, "/mcp-servers?current_page=-1", 400, "AB01"},
		{k.User, "/mcp-servers?search=" + strings.Repeat("a", 256), 400, "AB01"},
		{k.User, "/mcp-servers/none", 404, "AB08"},
		{k.User, "/mcp-servers/none/connections", 404, "AB08"},
		{k.User, "/mcp-servers/notes/capabilities?page=0", 400, "AB01"},
		{k.User, "/mcp-servers/notes/capabilities?type=secret", 400, "AB01"},
		{k.User, "/auth/self", 404, "AB08"},
	} {
		status, body := admin(t, g, c.key, c.path)
		if status != c.status {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
		wantJSON(t, body, `{"success":false,"data":{"message":"`+messages[c.code]+`","errorCode":"`+c.code+`"}}`)
	}
	for _, key := range []string{k.User, k.Service, k.NoInvoke, k.Exhausted} {
		if status, body := admin(t, g, key, "/mcp-servers"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
}

// page is a page of the control plane's listing.
type page struct {
	Object string
	Total  int
	Data   []map[string]any
}

func servers(t *testing.T, g *demo.Gateway, key, query string) (page, []string) {
	t.Helper()
	status, body := admin(t, g, key, "/mcp-servers?"+query)
	var p page
	if err := json.Unmarshal([]byte(body), &p); err != nil || status != 200 || p.Data == nil || p.Object != "list" {
		t.Fatalf("%s: %d %s", query, status, body)
	}
	slugs := []string{}
	for _, s := range p.Data {
		slugs = append(slugs, s["slug"].(string))
	}
	return p, slugs
}

func TestListing(t *testing.T) {
	g := start(t, demo.Options{})
	k := g.Keys()
	all, _ := servers(t, g, k.User, "")
	for _, c := range []struct {
		key, query string
		total      int
		want       []string
	}{
		{k.User, "", 3, []string{"notes", "linear", "vault"}},
		{k.User, "current_page=0&page_size=2", 3, []string{"notes", "linear"}},
		{k.User, "current_page=1&page_size=2", 3, []string{"vault"}},
		{k.User, "current_page=2&page_size=2", 3, []string{}},
		{k.User, "search=INE", 1, []string{"linear"}},
		{k.User, "search=none", 0, []string{}},
		{k.User, "id=vault,notes", 2, []string{"notes", "vault"}},
		{k.User, "id=" + all.Data[1]["id"].(string), 1, []string{"linear"}},
		{k.Org, "workspace_id=ws-acme", 3, []string{"notes", "linear", "vault"}},
		{k.Org, "workspace_id=" + all.Data[0]["workspace_id"].(string), 3, []string{"notes", "linear", "vault"}},
	} {
		if p, got := servers(t, g, c.key, c.query); p.Total != c.total || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %v", c.query, p.Total, got)
		}
	}

	linear := all.Data[1]
	for field, want := range map[string]any{"object": "mcp-server", "name": "Linear", "status": "active", "auth_type": "oauth_auto",
		"url": g.GatewayURL() + "/linear/mcp", "workspace_slug": "ws-acme", "workspace_name": "Acme", "created_at": "2026-02-15T14:22:00.000Z"} {
		if linear[field] != want {
			t.Errorf("%s: %v", field, linear[field])
		}
	}
	_, body := admin(t, g, k.User, "/mcp-servers/linear")
	var one map[string]any
	if err := json.Unmarshal([]byte(body), &one); err != nil || one["id"] != linear["id"] || one["url"] != nil || one["workspace_name"] != nil {
		t.Error(body)
	}
}

func TestPageSize(t *testing.T) {
	g := start(t, demo.Options{PageSize: 1})
	for i, want := range g.Servers() {
		if p, got := servers(t, g, g.Keys().User, "page_size=100&current_page="+string(rune('0'+i))); p.Total != 3 || !slices.Equal(got, []string{want}) {
			t.Errorf("page %d: %d %v", i, p.Total, got)
		}
	}
	if got := registry(t, g, g.Keys().User, "limit=100"); got != "vault | linear | notes" {
		t.Error(got)
	}
}

func TestCapabilities(t *testing.T) {
	g := start(t, demo.Options{})
	path := "/mcp-servers/notes/capabilities"
	_, body := admin(t, g, g.Keys().User, path)
	wantJSON(t, body, `{"data":[],"total":0,"has_more":false,"counts":{"tools":{"total":0,"enabled":0},"prompts":{"total":0,"enabled":0},
		"resources":{"total":0,"enabled":0},"resource_templates":{"total":0,"enabled":0}}}`)
	rpc(t, g, g.Keys().User, "/notes/mcp", listTools)
	_, body = admin(t, g, g.Keys().User, path+"?page=2&page_size=4&type=tool")
	var got struct {
		Data []struct {
			Name, Type  string
			InputSchema struct{ Required []string } `json:"input_schema"`
		}
		Total   int
		HasMore bool `json:"has_more"`
		Counts  map[string]struct{ Total, Enabled int }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 5 || got.HasMore || len(got.Data) != 1 || got.Data[0].Name != "export_note" || got.Counts["tools"].Enabled != 5 ||
		!slices.Equal(got.Data[0].InputSchema.Required, []string{"id"}) {
		t.Error(body)
	}
	if _, body = admin(t, g, g.Keys().User, path+"?page=1&page_size=3"); !strings.Contains(body, `"has_more":true`) {
		t.Error(body)
	}
	if _, body = admin(t, g, g.Keys().User, path+"?type=prompt"); !strings.HasPrefix(body, `{"data":[],"total":0`) {
		t.Error(body)
	}
}

// registry reads all pages, and returns the slugs with " | " between pages.
func registry(t *testing.T, g *demo.Gateway, key, query string) string {
	t.Helper()
	var pages []string
	cursor := ""
	for {
		r := send(t, "GET", g.GatewayURL()+"/v0.1/servers?"+query+cursor, "", "x-portkey-api-key: "+key)
		var p struct {
			Servers []struct {
				Server struct {
					Name    string
					Remotes []struct{ Type, URL string }
				}
			}
			Metadata struct {
				Count      int
				NextCursor string
			}
		}
		if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.status != 200 || p.Metadata.Count != len(p.Servers) || p.Servers == nil {
			t.Fatalf("%d %s", r.status, r.body)
		}
		var slugs []string
		for _, s := range p.Servers {
			slug, ok := strings.CutPrefix(s.Server.Name, "ai.portkey.ws-acme/")
			if !ok || s.Server.Remotes[0].Type != "streamable-http" || s.Server.Remotes[0].URL != g.GatewayURL()+"/"+slug+"/mcp" {
				t.Errorf("%+v", s)
			}
			slugs = append(slugs, slug)
		}
		pages = append(pages, strings.Join(slugs, " "))
		if p.Metadata.NextCursor == "" {
			return strings.Join(pages, " | ")
		}
		cursor = "&cursor=" + url.QueryEscape(p.Metadata.NextCursor)
	}
}

func TestRegistry(t *testing.T) {
	g := start(t, demo.Options{})
	k := g.Keys()
	for query, want := range map[string]string{
		"":                                   "vault linear notes",
		"limit=2":                            "vault linear | notes",
		"limit=3":                            "vault linear notes",
		"search=not":                         "notes",
		"updated_since=2026-02-15T14:22:00Z": "vault linear",
		"workspace_id=ws-acme":               "vault linear notes",
		"search=none":                        "",
	} {
		if got := registry(t, g, k.NoInvoke, query); got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	for _, c := range []struct {
		header, query string
		status        int
	}{
		{"x-portkey-api-key: unknown", "", 401},
		{"x-portkey-api-key: " + k.Expired, "", 401},
		{"Authorization: Bearer " + k.User, "", 401},
		{"x-portkey-api-key: " + k.NoList, "", 403},
		{"x-portkey-api-key: " + k.User, "limit=0", 400},
		{"x-portkey-api-key: " + k.User, "limit=101", 400},
		{"x-portkey-api-key: " + k.User, "cursor=none", 400},
		{"x-portkey-api-key: " + k.User, "updated_since=today", 400},
		{"x-portkey-api-key: " + k.User, "workspace_id=ws-other", 404},
	} {
		if r := send(t, "GET", g.GatewayURL()+"/v0.1/servers?"+c.query, "", c.header); r.status != c.status {
			t.Errorf("%s %s: %d %s", c.header, c.query, r.status, r.body)
		}
	}
	old := start(t, demo.Options{Generation: "2.2"})
	r := send(t, "GET", old.GatewayURL()+"/v0.1/servers", "", "x-portkey-api-key: "+old.Keys().User)
	if r.status != 404 || r.body != `{"status":"not found"}` {
		t.Errorf("%d %s", r.status, r.body)
	}
}
