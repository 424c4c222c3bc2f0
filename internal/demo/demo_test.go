package demo_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

func start(t *testing.T, o demo.Options) *demo.Gateway {
	t.Helper()
	g, err := demo.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// reply is an answer, its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request with headers given as "Name: value". It follows no redirect.
func send(t *testing.T, method, url, body string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

// mcpHeaders are what an MCP client sends with every POST.
var mcpHeaders = []string{"Content-Type: application/json", "Accept: application/json, text/event-stream"}

// rpc posts body to a path of the gateway with a key.
func rpc(t *testing.T, g *demo.Gateway, key, path, body string) reply {
	t.Helper()
	return send(t, "POST", g.GatewayURL()+path, body, append(slices.Clone(mcpHeaders), "x-portkey-api-key: "+key)...)
}

// event returns the JSON of an answer that is one event, in the gateway's exact form.
func event(t *testing.T, r reply) string {
	t.Helper()
	data, ok := strings.CutPrefix(r.body, "event: message\ndata: ")
	data, end := strings.CutSuffix(data, "\n\n")
	if r.status != 200 || r.header.Get("Content-Type") != "text/event-stream" || !ok || !end || strings.Contains(data, "\n") {
		t.Fatalf("not one event: %d %v %q", r.status, r.header, r.body)
	}
	return data
}

// wantJSON compares JSON by value.
func wantJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v: %q", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v: %q", err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

const (
	ping      = `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	listTools = `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`
	listCall  = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_issues","arguments":{}}}`
)

// TestChecks has a row for each way in which the gateway turns a request away before it reaches an MCP server, and in each
// row all later checks would fail too, so that the order shows.
func TestChecks(t *testing.T) {
	g := start(t, demo.Options{})
	k := g.Keys()
	keyError := func(message, code string) string {
		m := "Portkey Error: " + message + ". Error Code: " + code
		return `{"status":"failure","message":"` + m + `","error":{"message":"` + m + `","code":"` + code + `"}}`
	}
	for _, c := range []struct {
		name, key, path string
		status          int
		body            string
	}{
		{"unknown key", "pk-unknown", "/no/such/path", 401, keyError("Invalid API Key", "03")},
		{"expired key", k.Expired, "/no/such/path", 401, keyError("Portkey API Key Expired", "01")},
		{"exhausted key", k.Exhausted, "/no/such/path", 412, keyError("Usage Limit Exceeded", "04")},
		{"no mcp.invoke", k.NoInvoke, "/no/such/path", 403, keyError("Forbidden!", "033")},
		{"organisation key", k.Org, "/notes/mcp", 403, keyError("Forbidden!", "033")},
		{"path", k.User, "/ws-other/none/sse", 404, `{"status":"not found"}`},
		{"root", k.User, "/mcp", 404, `{"status":"not found"}`},
		{"workspace", k.User, "/ws-other/none/mcp", 403, `{"error":"forbidden","error_description":"You do not have access to this resource"}`},
		{"server", k.User, "/none/mcp", 404, `{"error":"not_found","error_description":"Server 'ws-acme/none' not found"}`},
		{"server, long form", k.User, "/ws-acme/none/mcp", 404, `{"error":"not_found","error_description":"Server 'ws-acme/none' not found"}`},
		{"user access", k.User, "/vault/mcp", 403, `{"error":"forbidden","error_description":"You do not have access to this MCP server"}`},
		{"user access without a user", k.Service, "/vault/mcp", 500, `{"error":"server_error","error_description":"Unable to verify user access"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rpc(t, g, c.key, c.path, ping)
			if r.status != c.status || r.header.Get("Content-Type") != "application/json" || r.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%d %v", r.status, r.header)
			}
			wantJSON(t, r.body, c.body)
		})
	}
	for _, path := range []string{"/notes/mcp", "/ws-acme/notes/mcp"} {
		for _, key := range []string{k.User, k.Service, k.NoList} {
			wantJSON(t, event(t, rpc(t, g, key, path, ping)), `{"jsonrpc":"2.0","id":7,"result":{}}`)
		}
	}
}

// TestNoKey shows the answers that point to OAuth, with the header's quote open and closed.
func TestNoKey(t *testing.T) {
	for _, unclosed := range []bool{false, true} {
		g := start(t, demo.Options{UnclosedQuote: unclosed})
		challenge := `Bearer resource_metadata="` + g.GatewayURL() + `/.well-known/oauth-protected-resource/notes/mcp`
		if !unclosed {
			challenge += `"`
		}
		for credential, description := range map[string]string{
			"X-Other: 1":                              "Authentication required to access this resource",
			"x-portkey-api-key: ":                     "Authentication required to access this resource",
			"Authorization: Bearer " + g.Keys().User:  "The access token is invalid or has expired",
			"Authorization: Bearer pat_of_some_other": "The access token is invalid or has expired",
		} {
			r := send(t, "POST", g.GatewayURL()+"/notes/mcp", ping, append(slices.Clone(mcpHeaders), credential)...)
			if r.status != 401 || r.header.Get("WWW-Authenticate") != challenge {
				t.Errorf("%s: %d %q, want %q", credential, r.status, r.header.Get("WWW-Authenticate"), challenge)
			}
			wantJSON(t, r.body, `{"error":"unauthorized","error_description":"`+description+`"}`)
		}
		both := append(slices.Clone(mcpHeaders), "x-portkey-api-key: "+g.Keys().User, "Authorization: Bearer nonsense")
		if r := send(t, "POST", g.GatewayURL()+"/notes/mcp", ping, both...); r.status != 200 {
			t.Errorf("with both headers the key counts: %d %s", r.status, r.body)
		}
	}
}

func TestKeyHeader(t *testing.T) {
	g := start(t, demo.Options{KeyHeader: "authorization"})
	key := g.Keys().User
	for _, c := range []struct {
		header        string
		gateway, plan int
	}{
		{"Authorization: Bearer " + key, 200, 200},
		{"Authorization: bearer " + key, 200, 200},
		{"x-portkey-api-key: " + key, 401, 401},
	} {
		r := send(t, "POST", g.GatewayURL()+"/notes/mcp", ping, append(slices.Clone(mcpHeaders), c.header)...)
		if r.status != c.gateway || r.header.Get("WWW-Authenticate") != "" {
			t.Errorf("gateway, %s: %d %s", c.header, r.status, r.body)
		}
		if r := send(t, "GET", g.ControlPlaneURL()+"/mcp-servers", "", c.header); r.status != c.plan {
			t.Errorf("control plane, %s: %d %s", c.header, r.status, r.body)
		}
	}
}

func TestBasePath(t *testing.T) {
	g := start(t, demo.Options{BasePath: "/m"})
	if !strings.HasSuffix(g.GatewayURL(), "/m") {
		t.Fatal(g.GatewayURL())
	}
	if r := rpc(t, g, g.Keys().User, "/notes/mcp", ping); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	root := strings.TrimSuffix(g.GatewayURL(), "/m")
	for _, path := range []string{"/notes/mcp", "/health", "/mnotes/mcp"} {
		wantJSON(t, send(t, "POST", root+path, ping, "x-portkey-api-key: "+g.Keys().User).body, `{"status":"not found"}`)
	}
	authorize := authorizationURL(t, g, g.Keys().User)
	if !strings.HasPrefix(authorize, g.GatewayURL()+"/oauth/") {
		t.Error(authorize)
	}
	if final := press(t, authorize, "allow"); !strings.Contains(final, "You can close this window") {
		t.Error(final)
	}
}

func TestHealth(t *testing.T) {
	for generation, version := range map[string]string{"2.19": "2.19.0", "2.2": ""} {
		g := start(t, demo.Options{Generation: generation})
		var health, about map[string]any
		if err := json.Unmarshal([]byte(send(t, "GET", g.GatewayURL()+"/health", "").body), &health); err != nil {
			t.Fatal(err)
		}
		if v, _ := health["version"].(string); v != version || health["status"] != "healthy" {
			t.Errorf("%s: %v", generation, health)
		}
		if err := json.Unmarshal([]byte(send(t, "GET", g.GatewayURL()+"/", "").body), &about); err != nil {
			t.Fatal(err)
		}
		if about["gateway"] != "Portkey MCP Gateway" {
			t.Errorf("%s: %v", generation, about)
		}
	}
}

func TestRequests(t *testing.T) {
	g := start(t, demo.Options{})
	rpc(t, g, g.Keys().User, "/notes/mcp", `[`+ping+`,{"jsonrpc":"2.0","method":"notifications/initialized"}]`)
	send(t, "GET", g.ControlPlaneURL()+"/mcp-servers", "", "Authorization: Bearer x", "Cookie: a=b")
	got := g.Requests()
	for i := range got {
		if time.Since(got[i].Time) > time.Minute {
			t.Error(got[i].Time)
		}
		got[i].Time = time.Time{}
	}
	want := []demo.Request{
		{Listener: "gateway", Method: "POST", Path: "/notes/mcp", RPCMethod: "ping,notifications/initialized", Status: 200,
			Credentials: []string{"x-portkey-api-key"}},
		{Listener: "control-plane", Method: "GET", Path: "/v1/mcp-servers", Status: 401, Credentials: []string{"authorization", "cookie"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]demo.Options{
		"all interfaces":       {GatewayAddr: ":0"},
		"another machine":      {ControlPlaneAddr: "192.0.2.1:0"},
		"no port":              {GatewayAddr: "127.0.0.1"},
		"consent":              {Consent: "Z"},
		"generation":           {Generation: "3"},
		"key header":           {KeyHeader: "x-api-key"},
		"consent page":         {ConsentPage: "maybe"},
		"base path, relative":  {BasePath: "m"},
		"base path, slash":     {BasePath: "/m/"},
		"page size":            {PageSize: -1},
		"upstream name":        {Upstreams: map[string]string{"a/b": "http://127.0.0.1:1"}},
		"upstream twice":       {Upstreams: map[string]string{"notes": "http://127.0.0.1:1"}},
		"upstream url":         {Upstreams: map[string]string{"mine": "127.0.0.1:1"}},
		"consent, no upstream": {UpstreamConsent: []string{"mine"}},
	} {
		g, err := demo.Start(o)
		var wrong *demo.OptionError
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			g.Close()
		}
	}
	g := start(t, demo.Options{GatewayAddr: "localhost:0"})
	taken := strings.TrimPrefix(g.ControlPlaneURL(), "http://")
	if _, err := demo.Start(demo.Options{GatewayAddr: strings.TrimSuffix(taken, "/v1")}); err == nil {
		t.Error("two gateways at one address")
	}
}

// TestClose ends a stream that would stay open for ever.
func TestClose(t *testing.T) {
	g := start(t, demo.Options{})
	r, err := http.NewRequest("GET", g.GatewayURL()+"/notes/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-portkey-api-key", g.Keys().User)
	r.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	ended := make(chan string, 1)
	go func() {
		said, _ := io.ReadAll(resp.Body)
		ended <- string(said)
	}()
	rpc(t, g, g.Keys().User, "/notes/mcp", ping)
	select {
	case <-ended:
		t.Error("the stream ended by itself")
	default:
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if said := <-ended; said != "" {
		t.Errorf("the silent stream said %q", said)
	}
	if _, err := http.Get(g.GatewayURL() + "/health"); err == nil {
		t.Error("still listening")
	}
	if err := g.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

// gate is a log that holds whoever writes to it.
type gate struct{ written, open chan struct{} }

func (g gate) Write(p []byte) (int, error) {
	g.written <- struct{}{}
	<-g.open
	return len(p), nil
}

// TestCloseWaits until requests are over.
func TestCloseWaits(t *testing.T) {
	log := gate{make(chan struct{}), make(chan struct{})}
	g := start(t, demo.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	go func() {
		if resp, err := http.Get(g.GatewayURL() + "/health"); err == nil {
			resp.Body.Close()
		}
	}()
	<-log.written
	closed := make(chan struct{})
	go func() { g.Close(); close(closed) }()
	select {
	case <-closed:
		t.Error("Close didn't wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(log.open)
	<-closed
}
