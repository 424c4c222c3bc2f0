package demo_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpctl/mcpctl/internal/demo"
)

const versions = "2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05, 2024-10-07"

// TestTransport has a row for each answer of the MCP layer that isn't an event.
func TestTransport(t *testing.T) {
	g := start(t, demo.Options{})
	rpcError := func(code int, message string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","error":{"code":%d,"message":"%s"},"id":null}`, code, message)
	}
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	for _, c := range []struct {
		name, method, body string
		headers            []string
		status             int
		answer             string // "" is an empty body
	}{
		{"no Accept", "POST", ping, []string{"Content-Type: application/json"}, 406,
			rpcError(-32000, "Not Acceptable: Client must accept both application/json and text/event-stream")},
		{"half Accept", "POST", ping, []string{"Content-Type: application/json", "Accept: application/json"}, 406,
			rpcError(-32000, "Not Acceptable: Client must accept both application/json and text/event-stream")},
		{"content type", "POST", ping, []string{"Content-Type: text/plain", mcpHeaders[1]}, 415,
			rpcError(-32000, "Unsupported Media Type: Content-Type must be application/json")},
		{"not JSON", "POST", `{"jsonrpc":`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON")},
		{"empty", "POST", ``, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON")},
		{"not JSON-RPC", "POST", `{"id":1,"method":"ping"}`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON-RPC message")},
		{"null id", "POST", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON-RPC message")},
		{"broken id", "POST", `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON-RPC message")},
		{"no method", "POST", `{"jsonrpc":"2.0","id":1}`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON-RPC message")},
		{"a number", "POST", `7`, mcpHeaders, 400, rpcError(-32700, "Parse error: Invalid JSON-RPC message")},
		{"initialize in a batch", "POST", `[` + initialize + `,` + ping + `]`, mcpHeaders, 400,
			rpcError(-32600, "Invalid Request: Only one initialization request is allowed")},
		{"version", "POST", ping, append(slices.Clone(mcpHeaders), "MCP-Protocol-Version: 2026-07-28"), 400,
			rpcError(-32000, "Bad Request: Unsupported protocol version: 2026-07-28 (supported versions: "+versions+")")},
		{"notification", "POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, mcpHeaders, 202, ""},
		{"response", "POST", `{"jsonrpc":"2.0","id":3,"result":{}}`, mcpHeaders, 202, ""},
		{"delete", "DELETE", "", []string{"Mcp-Session-Id: any"}, 200, ""},
		{"get", "GET", "", []string{"Accept: application/json"}, 406, rpcError(-32000, "Not Acceptable: Client must accept text/event-stream")},
		{"get, version", "GET", "", []string{"Accept: text/event-stream", "MCP-Protocol-Version: 1"}, 400,
			rpcError(-32000, "Bad Request: Unsupported protocol version: 1 (supported versions: "+versions+")")},
		{"put", "PUT", ping, mcpHeaders, 405, rpcError(-32000, "Method not allowed.")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := send(t, c.method, g.GatewayURL()+"/notes/mcp", c.body, append(slices.Clone(c.headers), "x-portkey-api-key: "+g.Keys().User)...)
			if r.status != c.status || r.header.Get("Mcp-Session-Id") != "" {
				t.Errorf("%d %v", r.status, r.header)
			}
			if c.answer == "" {
				if r.body != "" {
					t.Errorf("%q", r.body)
				}
				return
			}
			wantJSON(t, r.body, c.answer)
		})
	}
}

func TestAnswers(t *testing.T) {
	g := start(t, demo.Options{})
	for _, c := range []struct{ name, request, answer string }{
		{"string id", `{"jsonrpc":"2.0","id":"a-1","method":"ping"}`, `{"jsonrpc":"2.0","id":"a-1","result":{}}`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"MCP error -32601: Method not found"}}`},
		{"unknown tool", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"none"}}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Tool execution failed: MCP error -32602: Unknown tool: none"}}`},
		{"initialize without params", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"MCP error -32602: initialize wants params"}}`},
		{"resources", `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, `{"jsonrpc":"2.0","id":1,"result":{"resources":[]}}`},
		{"templates", `{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}`, `{"jsonrpc":"2.0","id":1,"result":{"resourceTemplates":[]}}`},
		{"prompts", `{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, `{"jsonrpc":"2.0","id":1,"result":{"prompts":[]}}`},
		{"wrong arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_notes","arguments":{}}}`,
			`{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"Invalid arguments for tool search_notes: query is required"}]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantJSON(t, event(t, rpc(t, g, g.Keys().User, "/notes/mcp", c.request)), c.answer)
		})
	}
	r := rpc(t, g, g.Keys().User, "/notes/mcp", `{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}`)
	if got := event(t, r); !strings.Contains(got, `"id":12345678901234567890`) {
		t.Errorf("the id's digits: %s", got)
	}
}

func TestVersions(t *testing.T) {
	g := start(t, demo.Options{})
	for wanted, got := range map[string]string{
		"2025-11-25": "2025-11-25", "2025-03-26": "2025-03-26", "2024-10-07": "2024-10-07", "2026-07-28": "2025-11-25", "": "2025-11-25",
	} {
		// The header is no matter for initialize.
		r := send(t, "POST", g.GatewayURL()+"/notes/mcp", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"`+wanted+`"}}`,
			append(slices.Clone(mcpHeaders), "x-portkey-api-key: "+g.Keys().User, "MCP-Protocol-Version: 2026-07-28")...)
		wantJSON(t, event(t, r), `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"`+got+`","capabilities":{"tools":{},"prompts":{},"resources":{}},`+
			`"serverInfo":{"name":"notes","title":"Notes","version":"1.4.0"}}}`)
	}
}

// TestBatch: each request of a batch gets an event of its own.
func TestBatch(t *testing.T) {
	g := start(t, demo.Options{})
	r := rpc(t, g, g.Keys().User, "/notes/mcp", `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`)
	events := strings.Split(strings.TrimSuffix(r.body, "\n\n"), "\n\n")
	slices.Sort(events)
	want := []string{`event: message` + "\n" + `data: {"result":{},"jsonrpc":"2.0","id":1}`, `event: message` + "\n" + `data: {"result":{},"jsonrpc":"2.0","id":2}`}
	if !slices.Equal(events, want) {
		t.Errorf("%q", events)
	}
}

// TestSSESplit looks at the chunks on the wire.
func TestSSESplit(t *testing.T) {
	for _, split := range []int{1, 5} {
		g := start(t, demo.Options{SSESplit: split})
		conn, err := net.Dial("tcp", strings.TrimPrefix(g.GatewayURL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /notes/mcp HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-portkey-api-key: %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
			g.Keys().User, strings.Join(mcpHeaders, "\r\n"), len(ping), ping)
		raw, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(raw), "\r\n\r\n")
		body := ""
		for rest != "0\r\n\r\n" {
			head, after, _ := strings.Cut(rest, "\r\n")
			n, err := strconv.ParseInt(head, 16, 64)
			if err != nil || int(n) > split {
				t.Fatalf("a chunk of %q in %q", head, raw)
			}
			body += after[:n]
			rest = after[n+2:]
		}
		if body != "event: message\ndata: {\"result\":{},\"jsonrpc\":\"2.0\",\"id\":7}\n\n" {
			t.Errorf("%q", body)
		}
	}
}

// TestMCPClient: mcp-go's client, which shares no code with the gateway's transport, takes it for a server.
func TestMCPClient(t *testing.T) {
	for _, split := range []int{0, 1, 7} {
		t.Run(fmt.Sprint("split ", split), func(t *testing.T) {
			g := start(t, demo.Options{SSESplit: split})
			c := connect(t, g, "notes", nil)
			tools, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
			if err != nil || len(tools.Tools) != 5 {
				t.Fatal(tools, err)
			}
			if tools.Tools[0].InputSchema.Type != "object" || !slices.Contains(tools.Tools[0].InputSchema.Required, "title") {
				t.Errorf("%+v", tools.Tools[0])
			}
			callTool(t, c, "add_note", map[string]any{"title": "Größe <&>", "text": "\u2028 € \U0001F600", "tags": []string{"new"}})
			got := callTool(t, c, "search_notes", map[string]any{"query": "GRÖSSE <&>"})
			if !strings.Contains(got, "No notes.") { // ToLower doesn't fold ß
				t.Error(got)
			}
			if got := callTool(t, c, "search_notes", map[string]any{"query": "größe <&>"}); got != "3. Größe <&>\n   \u2028 € \U0001F600" {
				t.Errorf("%q", got)
			}
		})
	}
}

// connect initializes an mcp-go client at a server behind the gateway.
func connect(t *testing.T, g *demo.Gateway, server string, headers map[string]string) *client.Client {
	t.Helper()
	all := map[string]string{"x-portkey-api-key": g.Keys().User}
	maps.Copy(all, headers)
	c, err := client.NewStreamableHttpClient(g.GatewayURL()+"/"+server+"/mcp", transport.WithHTTPHeaders(all))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	var initialize mcp.InitializeRequest
	initialize.Params.ProtocolVersion = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	initialize.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
	if _, err := c.Initialize(ctx, initialize); err != nil {
		t.Fatal(err)
	}
	return c
}

func callTool(t *testing.T, c *client.Client, name string, arguments map[string]any) string {
	t.Helper()
	var request mcp.CallToolRequest
	request.Params.Name, request.Params.Arguments = name, arguments
	result, err := c.CallTool(t.Context(), request)
	if err != nil || result.IsError || len(result.Content) != 1 {
		t.Fatal(result, err)
	}
	return result.Content[0].(mcp.TextContent).Text
}

// upstream is a real MCP server with sessions, which tells the headers that it got. Its tool reports progress, each time only
// after the test has seen what came before.
func upstream(t *testing.T, headers chan<- http.Header, seen <-chan string) string {
	t.Helper()
	s := server.NewMCPServer("mine", "9.9")
	s.AddTool(mcp.NewTool("count"), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i := range 3 {
			err := server.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", map[string]any{
				"progressToken": r.Params.Meta.ProgressToken, "progress": i + 1})
			if err != nil {
				return nil, err
			}
			select {
			case <-seen:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return mcp.NewToolResultText("three"), nil
	})
	handler := server.NewStreamableHTTPServer(s)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case headers <- r.Header.Clone():
		default:
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h.URL + "/mcp"
}

func TestUpstream(t *testing.T) {
	headers, seen := make(chan http.Header, 1), make(chan string, 3)
	g := start(t, demo.Options{Upstreams: map[string]string{"mine": upstream(t, headers, seen)}})
	if want := []string{"notes", "linear", "vault", "mine"}; !slices.Equal(g.Servers(), want) {
		t.Error(g.Servers())
	}
	c := connect(t, g, "mine", map[string]string{"Cookie": "a=b", "X-Api-Key": "c", "X-Team": "blue"})
	h := <-headers
	for _, name := range []string{"X-Portkey-Api-Key", "Cookie", "X-Api-Key"} {
		if h.Get(name) != "" {
			t.Errorf("the upstream got %s", name)
		}
	}
	if h.Get("X-Team") != "blue" {
		t.Error("the upstream got no X-Team")
	}
	if c.GetSessionId() == "" {
		t.Error("no session through the gateway")
	}
	c.OnNotification(func(n mcp.JSONRPCNotification) { seen <- n.Method })
	var request mcp.CallToolRequest
	request.Params.Name = "count"
	request.Params.Meta = &mcp.Meta{ProgressToken: "p"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, err := c.CallTool(ctx, request)
	if err != nil || result.Content[0].(mcp.TextContent).Text != "three" {
		t.Fatal(result, err)
	}
}

func TestUpstreamConsent(t *testing.T) {
	g := start(t, demo.Options{Upstreams: map[string]string{"mine": upstream(t, nil, nil)}, UpstreamConsent: []string{"mine"}})
	if r := rpc(t, g, g.Keys().User, "/mine/mcp", ping); r.status != 401 || !strings.Contains(r.body, "Authorization required for ws-acme/mine") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	g.SetConsent(g.Keys().User, "mine", true)
	c := connect(t, g, "mine", nil)
	if tools, err := c.ListTools(t.Context(), mcp.ListToolsRequest{}); err != nil || len(tools.Tools) != 1 {
		t.Error(tools, err)
	}
}

// TestUpstreamDown looks like a missing consent, as it does at the real one.
func TestUpstreamDown(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	g := start(t, demo.Options{Upstreams: map[string]string{"mine": gone.URL}})
	r := rpc(t, g, g.Keys().User, "/mine/mcp", ping)
	if r.status != 500 {
		t.Error(r.status)
	}
	wantJSON(t, r.body, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Failed to restore session. Please reinitialize."}}`)
}

// TestStreamedThrough: an upstream's event arrives while its stream is still open.
func TestStreamedThrough(t *testing.T) {
	more := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-more
		fmt.Fprint(w, "data: 2\n\n")
	}))
	t.Cleanup(up.Close)
	g := start(t, demo.Options{Upstreams: map[string]string{"mine": up.URL}})
	r, err := http.NewRequestWithContext(t.Context(), "GET", g.GatewayURL()+"/mine/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-portkey-api-key", g.Keys().User)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != "data: 1" {
		t.Error(lines.Text())
	}
	close(more)
	if lines.Scan(); !lines.Scan() || lines.Text() != "data: 2" {
		t.Error(lines.Text())
	}
}
