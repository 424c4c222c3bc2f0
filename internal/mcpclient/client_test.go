package mcpclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/mcpclient"
)

// script is a server of which a test plays every line.
type script struct {
	t  *testing.T
	in *bufio.Reader
	io.Writer
}

// connect returns a client, and the other side of its pipes.
func connect(t *testing.T) (*mcpclient.Client, *script) {
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	shut := func() { toClient.Close(); fromClient.Close() }
	limit := time.AfterFunc(20*time.Second, shut) // a message that doesn't come fails the test, it doesn't hang it
	t.Cleanup(func() { limit.Stop(); shut() })
	return mcpclient.New(fromServer, toServer), &script{t, bufio.NewReader(fromClient), toClient}
}

// next returns the client's next message.
func (s *script) next() (m struct {
	ID     json.RawMessage
	Method string
	Params map[string]any
	Result json.RawMessage
	Error  *mcp.JSONRPCErrorDetails
}) {
	s.t.Helper()
	line, err := s.in.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &m) != nil {
		s.t.Errorf("%q, %v", line, err)
	}
	return m
}

func (s *script) say(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

func TestAnswers(t *testing.T) {
	c, s := connect(t)
	go func() {
		first, second := s.next(), s.next()
		s.say("this is no message")
		s.say(`{"jsonrpc":"2.0","id":77,"result":{"for":"nobody"}}`)
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"n": %v}}`, second.ID, second.Params["n"])
		s.say("")
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"n": %v}}`, first.ID, first.Params["n"])
	}()
	got := make(chan string, 2)
	for n := range 2 {
		go func() {
			result, err := c.Call(t.Context(), "x", map[string]any{"n": n}, nil)
			got <- fmt.Sprintf("%v", string(result) == fmt.Sprintf(`{"n": %d}`, n) && err == nil)
		}()
	}
	if a, b := <-got, <-got; a != "true" || b != "true" {
		t.Error("an answer went to the wrong request, or lost its bytes")
	}
}

func TestErrors(t *testing.T) {
	c, s := connect(t)
	go func() {
		s.say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"no","data":{"a":1}}}`, s.next().ID)
		s.say(`{"jsonrpc":"2.0","id":%s}`, s.next().ID)
		s.next()
		s.Writer.(io.Closer).Close()
	}()
	_, err := c.Call(t.Context(), "x", nil, nil)
	var refused *mcpclient.Error
	if !errors.As(err, &refused) || refused.Code != -32602 || refused.Message != "no" || string(refused.Data) != `{"a":1}` {
		t.Errorf("%v", err)
	}
	if _, err := c.Call(t.Context(), "x", nil, nil); err == nil || !strings.Contains(err.Error(), "without a result") {
		t.Errorf("%v", err)
	}
	for range 2 { // one that waits when the end comes, and one after it
		if _, err := c.Call(t.Context(), "x", nil, nil); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%v", err)
		}
	}
}

func TestServersQuestions(t *testing.T) {
	c, s := connect(t)
	go func() { _, _ = c.Call(t.Context(), "x", nil, nil) }()
	s.next()
	s.say(`{"jsonrpc":"2.0","id":"p","method":"ping"}`)
	if m := s.next(); string(m.ID) != `"p"` || string(m.Result) != "{}" || m.Error != nil {
		t.Errorf("%+v", m)
	}
	for _, method := range []string{"sampling/createMessage", "roots/list", "elicitation/create"} {
		s.say(`{"jsonrpc":"2.0","id":9,"method":%q,"params":{}}`, method)
		if m := s.next(); string(m.ID) != "9" || m.Error == nil || m.Error.Code != mcp.METHOD_NOT_FOUND {
			t.Errorf("%s: %+v", method, m)
		}
	}
}

func TestCancel(t *testing.T) {
	c, s := connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, mcp.MethodToolsCall, nil, nil)
		done <- err
	}()
	m := s.next()
	cancel()
	n := s.next()
	if n.Method != "notifications/cancelled" || fmt.Sprint(n.Params["requestId"]) != string(m.ID) || n.ID != nil {
		t.Errorf("%+v", n)
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	s.say(`{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID) // too late: it must do no harm
}

func TestProgress(t *testing.T) {
	c, s := connect(t)
	go func() {
		m := s.next()
		token := m.Params["_meta"].(map[string]any)["progressToken"]
		s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"other","progress":9}}`)
		s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%v,"progress":1,"total":4,"message":"a"}}`, token)
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID)
	}()
	var got []mcpclient.Progress
	_, err := c.CallTool(t.Context(), "x", json.RawMessage("{}"), func(p mcpclient.Progress) { got = append(got, p) })
	if err != nil || !reflect.DeepEqual(got, []mcpclient.Progress{{Done: 1, Total: 4, Message: "a"}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestPages(t *testing.T) {
	for _, tt := range []struct {
		next []string // of each page
		err  string
	}{
		{[]string{"b", ""}, ""},
		{[]string{"a", "b", "a"}, "in circles"},
	} {
		c, s := connect(t)
		go func() {
			for i, next := range tt.next {
				m := s.next()
				if want := append([]string{""}, tt.next...)[i]; want != "" && m.Params["cursor"] != want || want == "" && m.Params != nil {
					t.Errorf("page %d: %v", i, m.Params)
				}
				s.say(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"t%d","inputSchema":{ "b":1,"a":2}}],"nextCursor":%q}}`, m.ID, i, next)
			}
		}()
		tools, err := c.Tools(t.Context())
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v", err)
			}
			continue
		}
		if err != nil || len(tools) != 2 || tools[1].Name != "t1" || string(tools[1].InputSchema) != `{ "b":1,"a":2}` {
			t.Errorf("%+v, %v", tools, err)
		}
	}
}

// newServer is a server of mcp-go's, with a tool for each kind of content.
func newServer(t *testing.T) *url.URL {
	s := server.NewMCPServer("judge", "1.0", server.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("everything", mcp.WithDescription("All kinds of content."), mcp.WithString("word", mcp.Required()), mcp.WithNumber("n")),
		func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{StructuredContent: map[string]any{"word": r.GetString("word", ""), "n": r.GetFloat("n", 0)}, Content: []mcp.Content{
				mcp.NewTextContent("<b> & \u2028 text"), mcp.NewImageContent("aGk=", "image/png"), mcp.NewAudioContent("aGk=", "audio/wav"),
				mcp.NewResourceLink("file:///a", "a", "the file a", "text/plain"),
				mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: "file:///b", MIMEType: "text/plain", Text: "b"}),
			}}, nil
		})
	s.AddTool(mcp.NewTool("fails"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("it failed"), nil
	})
	h := httptest.NewServer(server.NewStreamableHTTPServer(s))
	t.Cleanup(h.Close)
	u, err := url.Parse(h.URL + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// throughBridge connects a client to u by the bridge, as the program does.
func throughBridge(t *testing.T, u *url.URL) *mcpclient.Client {
	fromClient, toBridge := io.Pipe()
	fromBridge, toClient := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer toClient.Close()
		if err := bridge.Run(context.Background(), bridge.Options{In: fromClient, Out: toClient, URL: u, Client: &http.Client{}}); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { toBridge.Close(); <-done })
	return mcpclient.New(fromBridge, toBridge)
}

// TestAgainstMCPGo: whatever mcp-go's client gets from a server, this one gets too.
func TestAgainstMCPGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	u := newServer(t)
	ours := throughBridge(t, u)
	info := mcp.Implementation{Name: "test", Version: "1"}
	theirs, err := client.NewStreamableHttpClient(u.String(), transport.WithHTTPBasicClient(&http.Client{}))
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if err := theirs.Start(ctx); err != nil {
		t.Fatal(err)
	}
	init := mcp.InitializeRequest{}
	init.Params.ProtocolVersion, init.Params.ClientInfo = mcp.LegacyProtocolVersions()[0], info
	want, err := theirs.Initialize(ctx, init)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ours.Initialize(ctx, info)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("initialize: %+v, %v\nwant %+v", got, err, want)
	}
	compareTools(t, ctx, ours, theirs)
	for _, name := range []string{"everything", "fails", "nosuch"} {
		arguments := map[string]any{"word": "x", "n": 2.5}
		call := mcp.CallToolRequest{}
		call.Params.Name, call.Params.Arguments = name, arguments
		want, wantErr := theirs.CallTool(ctx, call)
		text, _ := json.Marshal(arguments)
		raw, err := ours.CallTool(ctx, name, text, nil)
		if (err != nil) != (wantErr != nil) {
			t.Errorf("%s: %v, want %v", name, err, wantErr)
		}
		if err != nil {
			continue
		}
		got, err := mcp.ParseCallToolResult(&raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func compareTools(t *testing.T, ctx context.Context, ours *mcpclient.Client, theirs *client.Client) {
	want, err := theirs.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	tools, err := ours.Tools(ctx)
	if err != nil || len(tools) != len(want.Tools) {
		t.Fatalf("%+v, %v", tools, err)
	}
	for i, tool := range tools {
		var got mcp.Tool
		text, _ := json.Marshal(tool)
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want.Tools[i]) {
			t.Errorf("%+v, %v\nwant %+v", got, err, want.Tools[i])
		}
	}
}
