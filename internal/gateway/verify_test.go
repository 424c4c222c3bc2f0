package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	both := func(a answer) func(*http.Request) answer { return always(a) }
	for _, tt := range []struct {
		name        string
		plane, ping func(*http.Request) answer
		fixed       string
		want        Verification // without the Reach
		refused     bool
		bearer      int // how many requests carried the key as a bearer token
	}{
		{name: "all", plane: both(oneServer), ping: inForm("raw", noServer),
			want: Verification{web.PortkeyHeader, Yes, Yes, "ws-acme", "Acme", Reach{}, Reach{}}},
		{name: "no servers yet", plane: both(emptyList), ping: inForm("raw", noServer),
			want: Verification{web.PortkeyHeader, Yes, Yes, "ws-acme", "", Reach{}, Reach{}}},
		{name: "may not list", plane: both(noList), ping: inForm("raw", noServer),
			want: Verification{web.PortkeyHeader, No, Yes, "ws-acme", "", Reach{}, Reach{}}},
		{name: "may not invoke", plane: both(oneServer), ping: inForm("raw", noInvoke),
			want: Verification{web.PortkeyHeader, Yes, No, "ws-acme", "Acme", Reach{}, Reach{}}},
		{name: "hosted 403", plane: both(oneServer), ping: inForm("raw", answer{403, `{"error":"forbidden","error_description":"You do not have access to this MCP server"}`, nil}),
			want: Verification{web.PortkeyHeader, Yes, Unknown, "ws-acme", "Acme", Reach{}, Reach{}}},
		{name: "budget used up", plane: both(answer{500, "", nil}), ping: inForm("raw", answer{412, `{"message":"Usage Limit Exceeded"}`, nil}),
			want: Verification{web.PortkeyHeader, Unknown, Unknown, "", "", Reach{}, Reach{}}},
		{name: "gateway wants a bearer token", plane: inForm("raw", oneServer), ping: inForm("bearer", noServer),
			want: Verification{web.AuthorizationHeader, Yes, Yes, "ws-acme", "Acme", Reach{}, Reach{}}, bearer: 1},
		{name: "both want a bearer token", plane: inForm("bearer", oneServer), ping: inForm("bearer", noServer),
			want: Verification{web.AuthorizationHeader, Yes, Yes, "ws-acme", "Acme", Reach{}, Reach{}}, bearer: 2},
		{name: "header given", plane: inForm("raw", oneServer), ping: inForm("bearer", noServer), fixed: web.AuthorizationHeader,
			want: Verification{web.AuthorizationHeader, Yes, Yes, "ws-acme", "Acme", Reach{}, Reach{}}, bearer: 2},
		{name: "header given that only the control plane takes", plane: inForm("bearer", oneServer), ping: inForm("raw", noServer), fixed: web.AuthorizationHeader,
			want: Verification{web.AuthorizationHeader, Yes, No, "ws-acme", "Acme", Reach{}, Reach{}}, bearer: 2},
		{name: "broken", plane: both(answer{500, `{"message":"oops"}`, nil}), ping: both(answer{500, `{"error":"server_error","error_description":"Unable to verify user access"}`, nil}),
			want: Verification{}},
		{name: "wrong header given", plane: both(badKeyAB), ping: inForm("bearer", noServer), fixed: web.PortkeyHeader,
			want: Verification{"", Unknown, Unknown, "", "", Reach{}, Reach{}}, refused: true},
		{name: "refused", plane: both(badKeyAB), ping: inForm("none", noServer),
			want: Verification{"", Unknown, Unknown, "", "", Reach{}, Reach{}}, refused: true, bearer: 2},
		{name: "refused, control plane broken", plane: both(answer{500, "", nil}), ping: inForm("none", noServer),
			want: Verification{"", Unknown, Unknown, "", "", Reach{}, Reach{}}, refused: true, bearer: 1},
		{name: "taken by the control plane alone", plane: both(oneServer), ping: inForm("none", noServer),
			want: Verification{web.PortkeyHeader, Yes, No, "ws-acme", "Acme", Reach{}, Reach{}}, bearer: 1},
		{name: "taken by the gateway alone", plane: both(badKeyAB), ping: inForm("raw", noServer),
			want: Verification{web.PortkeyHeader, No, Yes, "ws-acme", "", Reach{}, Reach{}}, bearer: 1},
		{name: "a proxy's 403", plane: both(html403), ping: both(html403), want: Verification{}},
		{name: "no gateway", plane: both(answer{200, `{"hello":"world"}`, nil}), ping: both(answer{200, `{"hello":"world"}`, nil}), want: Verification{}},
		{name: "wrong path", plane: both(answer{404, `{"detail":"no"}`, nil}), ping: both(answer{404, `{"status":"not found"}`, nil}), want: Verification{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, map[string]func(*http.Request) answer{
				"GET /v1/mcp-servers": tt.plane, "POST /RANDOM/mcp": tt.ping,
				"GET /health": always(answer{200, `{"status":"healthy","timestamp":"x"}`, nil}),
				"GET /":       always(answer{200, `{"gateway":"Portkey MCP Gateway","version":"0.1.0"}`, nil}),
			})
			c.o.Key.Header = tt.fixed
			v, err := c.Verify(t.Context())
			if errors.Is(err, ErrKeyRefused) != tt.refused || (err != nil) != tt.refused {
				t.Errorf("error %v", err)
			}
			if tt.refused && problem.NextStep(err) == "" {
				t.Errorf("no next step: %v", err)
			}
			if !v.Gateway.Reachable || v.Gateway.Version != "0.1.0" || !v.ControlPlane.Reachable {
				t.Errorf("gateway %+v, control plane %+v", v.Gateway, v.ControlPlane)
			}
			if v.Header == "" && !tt.refused && (v.Gateway.Err == nil || v.ControlPlane.Err == nil) {
				t.Errorf("nothing is known and nothing is said: %+v", v)
			}
			v.Gateway, v.ControlPlane = Reach{}, Reach{}
			if v != tt.want {
				t.Errorf("%+v, want %+v", v, tt.want)
			}
			bearer := f.count("GET /v1/mcp-servers bearer") + f.count("POST /RANDOM/mcp bearer")
			if bearer != tt.bearer {
				t.Errorf("%d requests with a bearer token, want %d: %q", bearer, tt.bearer, f.asked)
			}
			if f.count("GET /health none") != 1 || strings.Contains(strings.Join(f.asked, " "), "both") {
				t.Errorf("asked %q", f.asked)
			}
		})
	}
}

func TestVerifyUnreachable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	c := newClient(t, gone.URL, gone.URL+"/v1", "")
	v, err := c.Verify(t.Context())
	if err != nil || v.Gateway.Reachable || v.ControlPlane.Reachable || v.Gateway.Err == nil || v.ControlPlane.Err == nil || v.Header != "" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVerifyWithoutKey(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, map[string]func(*http.Request) answer{
		"GET /v1/mcp-servers": always(badKeyAB), "POST /RANDOM/mcp": always(challenged)})
	c.o.Key = web.Key{}
	v, err := c.Verify(t.Context())
	if !errors.Is(err, ErrKeyRefused) || !v.Gateway.Reachable || v.CanList != Unknown || v.CanInvoke != Unknown {
		t.Errorf("%+v, %v", v, err)
	}
	if f.count("GET /v1/mcp-servers") != 1 || f.count("POST /RANDOM/mcp") != 1 {
		t.Errorf("asked %q", f.asked)
	}
}

// Both sides are asked at the same time: a side answers only once the other has been asked.
func TestVerifyAsksAtOnce(t *testing.T) {
	t.Parallel()
	plane, ping := make(chan struct{}), make(chan struct{})
	meet := func(mine, other chan struct{}, a answer) func(*http.Request) answer {
		return func(r *http.Request) answer {
			close(mine)
			select {
			case <-other:
				return a
			case <-time.After(5 * time.Second):
				return answer{504, "", nil}
			}
		}
	}
	_, c := newFake(t, map[string]func(*http.Request) answer{
		"GET /v1/mcp-servers": meet(plane, ping, oneServer), "POST /RANDOM/mcp": meet(ping, plane, noServer)})
	if v, err := c.Verify(t.Context()); err != nil || v.CanList != Yes || v.CanInvoke != Yes {
		t.Errorf("%+v, %v", v, err)
	}
}
