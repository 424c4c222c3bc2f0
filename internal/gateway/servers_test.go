package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
)

func slugs(servers []Server) []string {
	var s []string
	for _, server := range servers {
		s = append(s, server.Slug)
	}
	return s
}

// plane answers page by page, from 0, and says total.
func plane(total int, pages ...string) func(*http.Request) answer {
	return func(r *http.Request) answer {
		page, err := strconv.Atoi(r.URL.Query().Get("current_page"))
		if err != nil || r.URL.Query().Get("page_size") != "100" {
			return answer{400, `{"data":{"message":"bad query","errorCode":"AB01"}}`, nil}
		}
		list := ""
		if page < len(pages) && pages[page] != "" {
			var items []string
			for _, slug := range strings.Fields(pages[page]) {
				items = append(items, fmt.Sprintf(`{"slug":%q,"workspace_slug":"ws"}`, slug))
			}
			list = strings.Join(items, ",")
		}
		return answer{200, fmt.Sprintf(`{"total":%d,"data":[%s]}`, total, list), nil}
	}
}

func TestControlPlanePages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		route func(*http.Request) answer
		want  string
		asks  int
	}{
		{"one page", plane(2, "a b"), "a b", 1},
		{"three pages", plane(3, "a", "b", "c"), "a b c", 3},
		{"nothing", plane(0), "", 1},
		{"total too high", plane(99, "a", "b"), "a b", 3},
		{"no total", plane(0, "a", "b"), "a b", 3},
		{"negative total", plane(-1, "a"), "a", 2},
		{"pages that repeat", plane(99, "a b", "a b", "c"), "a b", 2},
		{"pages that overlap", plane(3, "a b", "b c"), "a b c", 2},
		{"server without a slug", always(answer{200, `{"total":1,"data":[{"name":"odd"}]}`, nil}), "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers": tt.route})
			got, err := c.Servers(t.Context(), "")
			if err != nil || got == nil {
				t.Fatal(got, err)
			}
			equal(t, "slugs", slugs(got), strings.Fields(tt.want))
			if n := len(f.asked); n != tt.asks {
				t.Errorf("%d requests, want %d: %q", n, tt.asks, f.asked)
			}
		})
	}
}

func TestServerFields(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers": func(r *http.Request) answer {
		if q := r.URL.Query(); q.Get("search") != "lin" || q.Get("workspace_id") != "ws-acme" {
			return answer{400, "", nil}
		}
		return oneServer
	}})
	c.o.Workspace = "ws-acme"
	got, err := c.Servers(t.Context(), "lin")
	want := Server{"linear", "Linear", "", "https://elsewhere.example/linear/mcp", "oauth_auto", "active", "ws-acme"}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v", got, err)
	}
	equal(t, "asked", f.asked, []string{"GET /v1/mcp-servers raw"})
}

func registryPageOf(next string, names ...string) string {
	var items []string
	for _, n := range names {
		items = append(items, fmt.Sprintf(`{"server":{"name":%q,"title":"T","description":"D","remotes":[{"type":"streamable-http"}]}}`, n))
	}
	return fmt.Sprintf(`{"servers":[%s],"metadata":{"nextCursor":%q}}`, strings.Join(items, ","), next)
}

func TestRegistryPages(t *testing.T) {
	t.Parallel()
	pages := func(byCursor map[string]string) func(*http.Request) answer {
		return func(r *http.Request) answer {
			body, ok := byCursor[r.URL.Query().Get("cursor")]
			if !ok || r.URL.Query().Get("limit") != "100" {
				return answer{400, "", nil}
			}
			return answer{200, body, nil}
		}
	}
	for _, tt := range []struct {
		name  string
		route func(*http.Request) answer
		want  string
		asks  int
	}{
		{"two pages", pages(map[string]string{"": registryPageOf("x", "ai.portkey.ws/a"), "x": registryPageOf("", "ai.portkey.ws/b")}), "a b", 2},
		{"a cursor that leads back", pages(map[string]string{"": registryPageOf("x", "ai.portkey.ws/a"), "x": registryPageOf("x", "ai.portkey.ws/b")}), "a b", 3},
		{"an empty page with a cursor", pages(map[string]string{"": registryPageOf("x")}), "", 1},
		{"a name of another form", pages(map[string]string{"": registryPageOf("", "plain")}), "plain", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v0.1/servers": tt.route})
			c.o.ControlPlaneURL = ""
			got, err := c.Servers(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "slugs", slugs(got), strings.Fields(tt.want))
			if n := len(f.asked); n != tt.asks {
				t.Errorf("%d requests, want %d: %q", n, tt.asks, f.asked)
			}
			if len(got) > 0 && (got[0].URL != Endpoint(c.o.GatewayURL, got[0].Slug) || got[0].Status != "active" || got[0].Name != "T") {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

func TestWhichListing(t *testing.T) {
	t.Parallel()
	found := answer{200, registryPageOf("", "ai.portkey.ws/a"), nil}
	forbidden := answer{403, "", nil}
	for _, tt := range []struct {
		name            string
		plane, registry answer
		want            string // a slug, or a part of the error
		next            string
		refused         bool
		asksRegistry    bool
	}{
		{name: "control plane", plane: oneServer, registry: found, want: "linear"},
		{name: "empty control plane", plane: emptyList, registry: found, want: ""},
		{name: "not there", plane: answer{404, `{"status":"not found"}`, nil}, registry: found, want: "a", asksRegistry: true},
		{name: "broken", plane: answer{500, "", nil}, registry: found, want: "a", asksRegistry: true},
		{name: "not JSON", plane: answer{200, "<html>", nil}, registry: found, want: "a", asksRegistry: true},
		{name: "JSON of something else", plane: answer{200, `{"hello":"world"}`, nil}, registry: found, want: "a", asksRegistry: true},
		{name: "redirect", plane: answer{302, "", []string{"Location", "https://sso.example/"}}, registry: found, want: "a", asksRegistry: true},
		{name: "may not list there", plane: noList, registry: found, want: "a", asksRegistry: true},
		{name: "may not list at all", plane: noList, registry: forbidden, want: "your key is valid, but may not list servers", next: "bridge SLUG", asksRegistry: true},
		{name: "may not list, old gateway", plane: noList, registry: answer{404, `{"status":"not found"}`, nil}, want: "mcp_servers.list", next: "install CLIENT SLUG", asksRegistry: true},
		{name: "may not list, no control plane", plane: answer{404, "", nil}, registry: forbidden, want: "mcp_servers.list", next: "bridge SLUG", asksRegistry: true},
		{name: "refused", plane: badKeyAB, registry: found, want: "Invalid key", next: "mcpctl login", refused: true},
		{name: "refused by the registry", plane: answer{500, "", nil}, registry: badKey, want: "Invalid API Key", next: "mcpctl login", refused: true, asksRegistry: true},
		{name: "neither", plane: answer{404, `{"status":"not found"}`, nil}, registry: answer{404, `{"status":"not found"}`, nil},
			want: "/v1/mcp-servers answered 404", next: "--control-plane", asksRegistry: true},
		{name: "registry is something else", plane: answer{404, "", nil}, registry: answer{200, `{}`, nil}, want: "answered 404", next: "--control-plane", asksRegistry: true},
		{name: "plan", plane: answer{402, `{"data":{"errorCode":"AB09"}}`, nil}, registry: found, want: "answered 402", next: "plan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{
				"GET /v1/mcp-servers": always(tt.plane), "GET /v0.1/servers": always(tt.registry)})
			servers, err := c.Servers(t.Context(), "")
			got := strings.Join(slugs(servers), " ")
			if err != nil {
				got = err.Error()
			}
			if (tt.next == "") != (err == nil) || !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if next := problem.NextStep(err); !strings.Contains(next, tt.next) {
				t.Errorf("next step %q, want %q", next, tt.next)
			}
			if errors.Is(err, ErrKeyRefused) != tt.refused {
				t.Errorf("refused: %v", err)
			}
			if asked := f.count("GET /v0.1/servers") > 0; asked != tt.asksRegistry {
				t.Errorf("asked the registry: %v", asked)
			}
		})
	}
}

func TestUnreachableControlPlane(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	f := &fake{routes: map[string]func(*http.Request) answer{"GET /v0.1/servers": always(answer{200, registryPageOf("", "ai.portkey.ws/a"), nil})}}
	server := httptest.NewServer(f)
	defer server.Close()
	c := newClient(t, server.URL, gone.URL, "")
	if got, err := c.Servers(t.Context(), ""); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	c = newClient(t, gone.URL, gone.URL, "")
	_, err := c.Servers(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), gone.URL) || problem.NextStep(err) == "" {
		t.Errorf("%v, next %q", err, problem.NextStep(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Servers(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
}

// Which header form takes the key is found at the first 401, for control plane and registry too, and kept.
func TestServersFindTheHeader(t *testing.T) {
	t.Parallel()
	first, second := `{"total":2,"data":[{"slug":"a"}]}`, `{"total":2,"data":[{"slug":"b"}]}`
	for _, tt := range []struct {
		takes, fixed string
		want         []string
	}{
		{"raw", "", []string{"raw", "raw"}},
		{"bearer", "", []string{"raw", "bearer", "bearer"}},
		{"bearer", "authorization", []string{"bearer", "bearer"}},
		{"raw", "authorization", []string{"bearer", "raw", "raw"}},
		{"none", "", []string{"raw", "bearer"}},
		{"none", "x-portkey-api-key", []string{"raw"}},
	} {
		t.Run(tt.takes+" "+tt.fixed, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers": func(r *http.Request) answer {
				body := first
				if r.URL.Query().Get("current_page") == "1" {
					body = second
				}
				return inForm(tt.takes, answer{200, body, nil})(r)
			}})
			c.o.Key.Header = tt.fixed
			servers, err := c.Servers(t.Context(), "")
			if tt.takes == "none" && (!errors.Is(err, ErrKeyRefused) || !strings.Contains(err.Error(), "Invalid API Key")) {
				t.Errorf("error %v", err)
			}
			if tt.takes != "none" && len(servers) != 2 {
				t.Errorf("%v, %v", servers, err)
			}
			var want []string
			for _, form := range tt.want {
				want = append(want, "GET /v1/mcp-servers "+form)
			}
			equal(t, "asked", f.asked, want)
		})
	}
}
