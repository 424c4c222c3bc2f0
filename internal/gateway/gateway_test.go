package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

const testKey = "pk-test-0123456789abcdef"

// answer is one answer of a fake: its status, body, and header lines.
type answer struct {
	status int
	body   string
	header []string // name, value, …
}

// fake is a gateway and a control plane that answer by a table and remember what they were asked.
type fake struct {
	mu     sync.Mutex
	routes map[string]func(*http.Request) answer // by "METHOD /path"; an absent route answers 404 as the gateway does
	asked  []string                              // "METHOD /path FORM", in order
}

func newFake(t *testing.T, routes map[string]func(*http.Request) answer) (*fake, *Client) {
	t.Helper()
	f := &fake{routes: routes}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, newClient(t, server.URL, server.URL+"/v1", "")
}

func newClient(t *testing.T, gateway, plane, header string) *Client {
	t.Helper()
	client, err := web.New(web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	key := web.Key{Value: secret.New(testKey), Header: header}
	for _, base := range []string{gateway, plane} {
		if u, err := url.Parse(base); err == nil && base != "" {
			key.Origins = append(key.Origins, web.Origin(u))
		}
	}
	return New(Options{GatewayURL: gateway, ControlPlaneURL: plane, HTTP: client, Key: key})
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/mcpctl-check-") {
		path = "/RANDOM/mcp"
	}
	form := "none"
	switch raw, bearer := r.Header.Get(web.PortkeyHeader), r.Header.Get("Authorization"); {
	case raw != "" && bearer != "":
		form = "both"
	case raw == testKey:
		form = "raw"
	case bearer == "Bearer "+testKey:
		form = "bearer"
	}
	f.mu.Lock()
	f.asked = append(f.asked, fmt.Sprintf("%s %s %s", r.Method, path, form))
	route := f.routes[r.Method+" "+path]
	f.mu.Unlock()
	a := answer{404, `{"status":"not found"}`, nil}
	if route != nil {
		a = route(r)
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		w.Header().Set(a.header[i], a.header[i+1])
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// count returns how many of the requests had the prefix.
func (f *fake) count(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, a := range f.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// always answers the same, by turns if there are several answers, and stays with the last.
func always(answers ...answer) func(*http.Request) answer {
	var mu sync.Mutex
	return func(*http.Request) answer {
		mu.Lock()
		defer mu.Unlock()
		a := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return a
	}
}

// inForm answers a for a key in a header form, and as the gateway's source does in any other.
func inForm(form string, a answer) func(*http.Request) answer {
	return func(r *http.Request) answer {
		raw, bearer := r.Header.Get(web.PortkeyHeader), r.Header.Get("Authorization")
		switch {
		case form == "raw" && raw == testKey, form == "bearer" && bearer == "Bearer "+testKey:
			return a
		case raw != "":
			return badKey
		}
		return challenged
	}
}

var (
	badKey     = answer{401, `{"status":"failure","message":"Portkey Error: Invalid API Key. Error Code: 03","error":{"message":"Portkey Error: Invalid API Key. Error Code: 03","code":"03"}}`, nil}
	challenged = answer{401, `{"error":"unauthorized","error_description":"The access token is invalid or has expired"}`, []string{"WWW-Authenticate", `Bearer resource_metadata="x`}}
	badKeyAB   = answer{401, `{"success":false,"data":{"message":"Invalid key","errorCode":"AB05"}}`, nil}
	noList     = answer{403, `{"success":false,"data":{"message":"You do not have enough permissions","errorCode":"AB03"}}`, nil}
	noInvoke   = answer{403, `{"status":"failure","message":"Portkey Error: Forbidden!. Error Code: 033"}`, nil}
	noServer   = answer{404, `{"error":"not_found","error_description":"Server 'ws-acme/mcpctl-check-00' not found"}`, nil}
	oneServer  = answer{200, `{"object":"list","total":1,"data":[{"name":"Linear","description":null,"status":"active","slug":"linear","workspace_id":null,"workspace_name":"Acme","workspace_slug":"ws-acme","auth_type":"oauth_auto","url":"https://elsewhere.example/linear/mcp","later":{"x":1}}]}`, nil}
	emptyList  = answer{200, `{"object":"list","total":0,"data":[]}`, nil}
	html403    = answer{403, `<html>blocked by the company's proxy</html>`, nil}
)

func TestEndpoint(t *testing.T) {
	for _, tt := range [][3]string{
		{"https://mcp.example", "linear", "https://mcp.example/linear/mcp"},
		{"https://host.example/m/", "linear", "https://host.example/m/linear/mcp"},
		{"https://mcp.example", "ws-acme/linear", "https://mcp.example/ws-acme/linear/mcp"},
		{"https://mcp.example", "a b?c#d", "https://mcp.example/a%20b%3Fc%23d/mcp"},
	} {
		if got := Endpoint(tt[0], tt[1]); got != tt[2] {
			t.Errorf("Endpoint(%q, %q) = %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}

func TestErrorShowsNoKeyAndNoQuery(t *testing.T) {
	t.Parallel()
	_, c := newFake(t, map[string]func(*http.Request) answer{
		"GET /v1/mcp-servers": always(answer{400, `{"data":{"message":"the key ` + testKey + ` and ` + "\\u001b" + `[2J"},"request_id":"r-9"}`, nil}),
	})
	c.o.Workspace = "private-name"
	_, err := c.Servers(t.Context(), "private-search")
	if err == nil {
		t.Fatal("no error")
	}
	got := err.Error() + problem.NextStep(err)
	for _, bad := range []string{testKey, "private", "\x1b", "?"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in %q", bad, got)
		}
	}
	for _, want := range []string{"/v1/mcp-servers answered 400: the key [redacted]", "request r-9"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	unavailable := answer{503, "", nil}
	for _, tt := range []struct {
		name    string
		answers []answer
		asks    int
		ok      bool
	}{
		{"busy for a moment", []answer{{429, "", []string{"Retry-After", "0"}}, oneServer}, 2, true},
		{"busy for long", []answer{{429, "", []string{"Retry-After", "60"}}, oneServer}, 1, false},
		{"busy twice", []answer{{429, "", nil}}, 2, false},
		{"away for a moment", []answer{{502, "<html>", nil}, oneServer}, 2, true},
		{"away", []answer{unavailable}, 2, false},
		{"broken", []answer{{500, "", nil}, oneServer}, 1, false},
		{"bad request", []answer{{400, "", nil}, oneServer}, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers": always(tt.answers...)})
			_, err := c.Servers(t.Context(), "")
			if n := f.count("GET /v1/mcp-servers"); n != tt.asks || (err == nil) != tt.ok {
				t.Errorf("%d requests, error %v; want %d, ok %v", n, err, tt.asks, tt.ok)
			}
		})
	}
}

func TestKeyGoesOnlyToItsOrigins(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers": always(oneServer)})
	c.o.Key.Origins = []string{"https://other.example"}
	_, err := c.Servers(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "was not verified for this origin") || !strings.Contains(problem.NextStep(err), "mcpctl login") {
		t.Errorf("error %v, next %q", err, problem.NextStep(err))
	}
	if len(f.asked) != 0 {
		t.Errorf("asked %q", f.asked)
	}
}

func TestConnected(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"data":[{"user_id":"u","connected":true}],"total":1}`:          true,
		`{"data":[{"user_id":"u","connected":false}],"total":1}`:         false,
		`{"data":[{"user_id":"u","connected":true},{"connected":true}]}`: false,
		`{"data":[],"total":0}`: false,
	} {
		_, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers/linear/connections": always(answer{200, body, nil})})
		if got, err := c.Connected(t.Context(), "linear"); got != want || err != nil {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
	_, c := newFake(t, nil)
	if _, err := c.Connected(t.Context(), "linear"); err == nil {
		t.Error("a 404 is taken for an answer")
	}
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
