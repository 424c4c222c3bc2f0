package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// refuser knows no way to any consent.
type refuser struct{ last []bool }

func (f *refuser) Find(_ context.Context, a Answer) (Flow, error) {
	f.last = append(f.last, a.Last)
	if strings.Contains(string(a.Body), "https://x.example/") {
		return nil, problem.New("open it yourself", "a page at x.example: https://x.example/")
	}
	return nil, nil
}

const elicited = `{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"x","data":{"elicitations":[{"mode":"url","url":"https://x.example/"}]}}}`

// TestPagesOfTheServer: a page that the server wants visited goes to a client that can show it; any other is told of it.
func TestPagesOfTheServer(t *testing.T) {
	const wantsInput = `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.example/"}}}}}`
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{%s}}`
	for _, tc := range []struct {
		name, capabilities, request, answer string
		passes                              bool
	}{
		{"H, a client without", ``, call("1", "x"), elicited, false},
		{"H, a client with forms alone", `"elicitation":{}`, call("1", "x"), elicited, false},
		{"H, a client with URLs", `"elicitation":{"form":{},"url":{}}`, call("1", "x"), elicited, true},
		{"H, not a tool's call", ``, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, elicited, false},
		{"K, an older client", `"elicitation":{"url":{}}`, call("1", "x"), wantsInput, false},
		{"K, a modern client", ``, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x",`+meta+`}}`, ""), wantsInput, true},
		{"I", ``, call("1", "x"), `{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"see https://x.example/"}]}}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if m.is(methodToolsCall) || m.is(methodToolsList) {
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, tc.answer)
					return
				}
				ordinary(w, r, m)
			})
			c := start(t, u.URL, func(o *Options) { o.Consent = &refuser{} })
			c.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{%s},"clientInfo":{"name":"t","version":"1"}}}`, tc.capabilities))
			c.line()
			c.send(initializedLine, tc.request)
			got := c.line()
			switch {
			case tc.passes:
				if got != tc.answer {
					t.Errorf("got  %s\nwant %s", got, tc.answer)
				}
			case !strings.Contains(got, "mcpctl: a page at x.example: https://x.example/. Open it yourself"):
				t.Error(got)
			case strings.Contains(tc.request, "tools/call") != strings.Contains(got, `"isError":true`), strings.Contains(got, "authorizationUrl"):
				t.Error(got)
			}
		})
	}
}

// TestMissingScope: the answer names what is missing (shape L).
func TestMissingScope(t *testing.T) {
	for challenge, want := range map[string]string{
		`Bearer error="insufficient_scope", scope="files:read files:write", error_description="x"`: `(it wants the scope \"files:read files:write\"). Use a credential that has this scope`,
		`Bearer scope=a:b, error=insufficient_scope`:                                               `\"a:b\"`,
		`Bearer error="invalid_token", scope="a"`:                                                  `"reason":"http_status"`,
		`Bearer error="insufficient_scope"`:                                                        `"reason":"http_status"`,
	} {
		u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, _ message) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(403)
		})
		c := start(t, u.URL)
		c.send(initLine)
		if got := c.line(); !strings.Contains(got, want) {
			t.Errorf("%s: %s", challenge, got)
		}
	}
}

// oneKey is a credential with a second form.
type oneKey struct{ refused int }

func (k *oneKey) Authorize(context.Context, *http.Request) error { return nil }
func (k *oneKey) Accepted()                                      {}
func (k *oneKey) Refused(context.Context, *http.Request) bool {
	k.refused++
	return k.refused == 1
}

// TestLastRefusal: a 401 is about consent only when no other credential is left.
func TestLastRefusal(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, _ message) {
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="https://x.example/`)
		w.WriteHeader(401)
		io.WriteString(w, `{"error":"unauthorized"}`)
	})
	f := &refuser{}
	c := start(t, u.URL, func(o *Options) { o.Consent, o.Authorizer = f, &oneKey{} })
	c.send(initLine)
	c.line()
	if fmt.Sprint(f.last) != "[false false true]" {
		t.Error(f.last)
	}
}
