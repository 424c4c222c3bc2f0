package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
)

func TestServer(t *testing.T) {
	t.Parallel()
	const (
		one    = "GET /v1/mcp-servers/linear"
		listed = "GET /v0.1/servers"
		entry  = `{"servers":[{"server":{"name":"ai.portkey.ws/linear","title":"Linear"}},{"server":{"name":"ai.portkey.ws/linear-2"}}],"metadata":{}}`
	)
	gone := always(answer{404, `{"success":false,"data":{"message":"Resource not found","errorCode":"AB08"}}`, nil})
	barred := always(answer{403, `{"data":{"message":"User not allowed","errorCode":"AB03"}}`, nil})
	for name, tc := range map[string]struct {
		routes map[string]func(*http.Request) answer
		want   string // NAME AUTH
		err    error
		says   string
	}{
		"control plane":             {map[string]func(*http.Request) answer{one: always(answer{200, `{"slug":"linear","name":"Linear","auth_type":"oauth_auto"}`, nil})}, "Linear oauth_auto", nil, ""},
		"registry":                  {map[string]func(*http.Request) answer{one: barred, listed: always(answer{200, entry, nil})}, "Linear ", nil, ""},
		"neither has it":            {map[string]func(*http.Request) answer{one: gone, listed: always(answer{200, `{"servers":[]}`, nil})}, "", ErrNoServer, ""},
		"no registry":               {map[string]func(*http.Request) answer{one: gone}, "", ErrNoServer, ""},
		"may not":                   {map[string]func(*http.Request) answer{one: barred, listed: barred}, "", nil, "mcp_servers.read"},
		"refused":                   {map[string]func(*http.Request) answer{one: always(answer{401, `{"data":{"errorCode":"AB05"}}`, nil})}, "", ErrKeyRefused, ""},
		"something else altogether": {map[string]func(*http.Request) answer{one: always(answer{200, `{}`, nil})}, "", nil, "not a server"},
	} {
		t.Run(name, func(t *testing.T) {
			_, c := newFake(t, tc.routes)
			s, err := c.Server(t.Context(), "linear")
			switch {
			case tc.want != "":
				if err != nil || s.Name+" "+s.AuthType != tc.want || !strings.HasSuffix(s.URL, "/linear/mcp") {
					t.Errorf("%+v, %v", s, err)
				}
			case tc.err != nil && !errors.Is(err, tc.err), err == nil, !strings.Contains(err.Error()+problem.NextStep(err), tc.says):
				t.Errorf("%v, next %q", err, problem.NextStep(err))
			}
		})
	}
}

// A server by itself doesn't say which workspace it is of; the list does.
func TestServerWorkspace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		list answer
		want string
	}{
		"listed":     {answer{200, `{"total":2,"data":[{"slug":"linear-2","workspace_slug":"ws-other"},{"slug":"linear","workspace_slug":"ws-acme"}]}`, nil}, "ws-acme"},
		"not listed": {answer{200, `{"total":1,"data":[{"slug":"linear-2","workspace_slug":"ws-other"}]}`, nil}, ""},
		"null":       {answer{200, `{"total":1,"data":[{"slug":"linear","workspace_slug":null}]}`, nil}, ""},
		"may not":    {answer{403, `{"data":{"message":"User not allowed","errorCode":"AB03"}}`, nil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, c := newFake(t, map[string]func(*http.Request) answer{
				"GET /v1/mcp-servers/linear": always(answer{200, `{"id":"0b9c","slug":"linear","name":"Linear"}`, nil}),
				"GET /v1/mcp-servers": func(r *http.Request) answer {
					if id := r.URL.Query().Get("id"); id != "0b9c" {
						t.Errorf("asked for %q", id)
					}
					return tc.list
				},
			})
			if s, err := c.Server(t.Context(), "linear"); err != nil || s.Workspace != tc.want || s.Name != "Linear" {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer answer
		was    bool
		err    error
		says   string
	}{
		"done":          {answer{200, `{"success":true}`, nil}, true, nil, ""},
		"nothing there": {answer{404, `{"data":{"errorCode":"AB08"}}`, nil}, false, nil, ""},
		"no user":       {answer{400, `{"data":{"errorCode":"AB01"}}`, nil}, false, ErrNoUser, ""},
		"may not":       {answer{403, `{"data":{"errorCode":"AB03"}}`, nil}, false, nil, "mcp_servers.update"},
		"refused":       {answer{401, `{"data":{"errorCode":"AB05"}}`, nil}, false, ErrKeyRefused, ""},
	} {
		f, c := newFake(t, map[string]func(*http.Request) answer{"DELETE /v1/mcp-servers/linear/connections": always(tc.answer)})
		was, err := c.Disconnect(t.Context(), "linear")
		if was != tc.was || tc.err != nil && !errors.Is(err, tc.err) || tc.says == "" && tc.err == nil && err != nil ||
			tc.says != "" && (err == nil || !strings.Contains(problem.NextStep(err), tc.says)) {
			t.Errorf("%s: %v, %v", name, was, err)
		}
		if n := f.count("DELETE"); n > 2 || n == 0 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	pages := []string{`{"data":[{"type":"tool","name":"a","enabled":true}],"has_more":true}`, `{"data":[{"type":"prompt","name":"b"}],"has_more":false}`}
	f, c := newFake(t, map[string]func(*http.Request) answer{"GET /v1/mcp-servers/linear/capabilities": func(r *http.Request) answer {
		var page int
		if n, _ := fmt.Sscan(r.URL.Query().Get("page"), &page); n != 1 || page < 1 || page > len(pages) {
			return answer{400, `{"data":{"errorCode":"AB01"}}`, nil}
		}
		return answer{200, pages[page-1], nil}
	}})
	list, err := c.Capabilities(t.Context(), "linear")
	if err != nil || len(list) != 2 || list[0] != (Capability{"tool", "a", "", "", true}) || list[1].Name != "b" || f.count("GET") != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	_, c = newFake(t, nil)
	if list, err := c.Capabilities(t.Context(), "linear"); err == nil || list != nil {
		t.Errorf("%v, %v", list, err)
	}
}
