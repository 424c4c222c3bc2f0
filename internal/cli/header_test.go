package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/secret"
)

func TestBridgeHeader(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	a := &app{err: io.Discard, redact: &secret.Redactor{}, host: host.Host{OS: "linux", Home: t.TempDir(), Env: func(name string) string {
		return map[string]string{"TEAM": "blue", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}[name]
	}}}
	settings := config.Settings{
		Headers:       map[string]string{"X-Team": "${TEAM}-$x", "X-Both": "all"},
		ServerHeaders: map[string]map[string]string{"linear": {"X-Both": "linear", "X-One": "1"}, "notes": {"X-Notes": "1"}},
	}
	at := target{slug: "linear", atGateway: true}
	for _, tc := range []struct {
		name   string
		change func(*config.Settings)
		t      target
		flags  []string
		want   http.Header
		err    string
	}{
		{"settings and flags", nil, at, []string{"X-One: 2", "x-new:a: b"}, http.Header{"X-Team": {"blue-$x"}, "X-Both": {"linear"}, "X-One": {"2"}, "X-New": {"a: b"}}, ""},
		{"outside the gateway", nil, target{}, []string{"X-One: 2"}, http.Header{"X-One": {"2"}}, ""},
		{"no header", nil, at, []string{"sk-secret-without-colon"}, nil, "that is no header"},
		{"two lines", nil, at, []string{"X-A: b\r\nX-C: d"}, nil, "that is no header"},
		{"the bridge's own", nil, at, []string{"mcp-session-id: x"}, nil, "Mcp-Session-Id is the bridge's own"},
		{"a missing variable", func(s *config.Settings) { s.Headers["X-Team"] = "${NONE}" }, at, nil, nil, "X-Team needs the variable NONE"},
		{"no keyring", func(s *config.Settings) { s.Headers["X-Team"] = "keyring:team" }, at, nil, nil, "the header X-Team: the Secret Service keyring isn't there"},
	} {
		s := settings
		s.Headers = map[string]string{}
		for name, value := range settings.Headers {
			s.Headers[name] = value
		}
		if tc.change != nil {
			tc.change(&s)
		}
		got, err := a.bridgeHeader(t.Context(), s, tc.t, tc.flags)
		if err != nil || tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "sk-secret") {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		got.Del("User-Agent")
		if len(got) != len(tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
		for name, values := range tc.want {
			if got.Get(name) != values[0] {
				t.Errorf("%s: %s is %q, want %q", tc.name, name, got.Get(name), values[0])
			}
		}
	}
}
