package snippet

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/web"
)

func TestCode(t *testing.T) {
	const url = "https://mcp.example.com/m/linear/mcp"
	for _, l := range Languages() {
		for header, want := range map[string]string{"": "x-portkey-api-key", web.PortkeyHeader: "x-portkey-api-key", web.AuthorizationHeader: "Bearer "} {
			code, err := l.Code("linear", url, header)
			if err != nil || !strings.Contains(code, want) || !strings.Contains(code, url) || !strings.Contains(code, "PORTKEY_API_KEY") ||
				strings.Contains(code, "@HEADER@") || strings.Contains(code, "@URL@") || !strings.HasSuffix(code, "\n") {
				t.Errorf("%s, %q: %v\n%s", l.Name, header, err, code)
			}
			if want == "Bearer " && strings.Contains(code, "x-portkey-api-key") {
				t.Errorf("%s sends both headers", l.Name)
			}
			if lines := strings.Count(code, "\n"); lines > 40 {
				t.Errorf("%s has %d lines", l.Name, lines)
			}
		}
	}
}

// A server's name can't end the string that it stands in.
func TestCodeQuotes(t *testing.T) {
	const evil = `x'"$(id)` + "`id`\\\n"
	for _, l := range Languages() {
		code, err := l.Code(evil, "https://mcp.example.com/"+evil+"/mcp", "")
		if err != nil || strings.Contains(code, evil[:2]) || strings.Contains(code, `x"`) || strings.Contains(code, "$(id)") || strings.Contains(code, "`id`") {
			t.Errorf("%s: %v\n%s", l.Name, err, code)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, l := range Languages() {
		if l.Name != "json" {
			continue
		}
		for header, want := range map[string]string{"x-portkey-api-key": "${PORTKEY_API_KEY}", "authorization": "Bearer ${PORTKEY_API_KEY}"} {
			code, _ := l.Code("linear", "https://h/linear/mcp", header)
			var got struct {
				Servers map[string]struct {
					Type, URL string
					Headers   map[string]string
				} `json:"mcpServers"`
			}
			if err := json.Unmarshal([]byte(code), &got); err != nil {
				t.Fatal(err)
			}
			s := got.Servers["linear"]
			if s.Type != "http" || s.URL != "https://h/linear/mcp" || len(s.Headers) != 1 || s.Headers[header]+s.Headers["Authorization"] != want {
				t.Errorf("%+v", got)
			}
		}
	}
}
