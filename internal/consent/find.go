package consent

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/bridge"
)

// urlNames are the members in which gateways put an authorization URL: the first is in the gateway's source, the second
// in its documentation.
var urlNames = []string{"authorizationUrl", "authorization_url", "authUrl", "auth_url"}

// find returns the authorization URL that an answer of the gateway's own holds, unchecked.
//
// Not looked at are errors in which the gateway quotes the server behind it: code -32603 ("Tool execution failed: …") and
// -32042 (URL elicitation, MCP 2025-11-25), for anybody could write a URL there. They pass to the client.
func find(a bridge.Answer) (string, bool) {
	var body map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimSpace(a.Body), &body) != nil {
		return "", false
	}
	var rpc struct {
		Code    *int            `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body["error"], &rpc) == nil && rpc.Code != nil {
		if *rpc.Code == mcp.INTERNAL_ERROR || *rpc.Code == mcp.URL_ELICITATION_REQUIRED {
			return "", false
		}
		if u, ok := named(rpc.Data); ok {
			return u, true
		}
		return inMessage(rpc.Message)
	}
	for _, part := range []json.RawMessage{a.Body, body["error"], body["data"], body["details"]} {
		if u, ok := named(part); ok {
			return u, true
		}
	}
	return "", false
}

// named finds a URL by the name of its member.
func named(object []byte) (string, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return "", false
	}
	for _, name := range urlNames {
		var u string
		if json.Unmarshal(members[name], &u) == nil && u != "" {
			return u, true
		}
	}
	return "", false
}

var (
	aboutConsent = regexp.MustCompile(`(?i)authori[sz]|consent|oauth|sign in`)
	anyURL       = regexp.MustCompile(`https?://[^\s"'<>]+`)
)

// inMessage finds a URL in an error's text: in JSON within it, or, if it speaks of consent, the first URL.
func inMessage(text string) (string, bool) {
	if start := strings.IndexByte(text, '{'); start >= 0 {
		var object json.RawMessage
		if json.NewDecoder(strings.NewReader(text[start:])).Decode(&object) == nil {
			if u, ok := named(object); ok {
				return u, true
			}
		}
	}
	if !aboutConsent.MatchString(text) {
		return "", false
	}
	u := strings.TrimRight(anyURL.FindString(text), ".,;)")
	return u, u != ""
}
