package consent

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/pattern"
)

// urlNames are the members in which gateways put an authorization URL: the first is in the gateway's source, the second
// in its documentation.
var urlNames = []string{"authorizationUrl", "authorization_url", "authUrl", "auth_url"}

// asking is how an answer asks for consent.
type asking int

const (
	nothing            asking = iota
	ownPage                   // the gateway's own answer names the page
	foreignPage               // the server behind the gateway wants the user to visit a page
	withoutPage               // the gateway asks, and names no page
	perhapsWithoutPage        // the same, if the control plane agrees: the answer has other meanings
)

// find returns how an answer of a gateway asks for consent, and the URL, unchecked, if it names one. own reports whether a URL is
// the gateway's.
//
// What asks for consent is sent again later, so it must be certain that no tool has acted on it: the gateway itself has turned it
// away. An error of the server behind it may speak of consent as well, of another one, after the tool has done its work. It
// passes to the client.
func find(a bridge.Answer, own func(raw string) bool) (asking, string) {
	var body map[string]json.RawMessage
	_ = json.Unmarshal(bytes.TrimSpace(a.Body), &body)
	var rpc rpcError
	switch {
	case json.Unmarshal(body["error"], &rpc) == nil && rpc.Code != nil:
		return inError(a.Status, rpc, own)
	case body["result"] != nil:
		return inResult(body["result"])
	}
	for _, part := range []json.RawMessage{a.Body, body["error"], body["data"], body["details"]} {
		if u, ok := named(part); ok && (isRefusal(a.Status) || own(u)) {
			return ownPage, u
		}
	}
	if a.Last && a.Status == http.StatusUnauthorized && hasMetadata().MatchString(a.Header.Get("WWW-Authenticate")) &&
		!aboutCredential().Match(a.Body) {
		return withoutPage, ""
	}
	return nothing, ""
}

type rpcError struct {
	Code    *int            `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

var (
	// hasMetadata fits a header that points to a protected resource's metadata (RFC 9728, section 5.1). The closing quote
	// is missing in the gateway's source (src/mcp).
	hasMetadata = pattern.New(`resource_metadata="?[^",\s]+`)
	// aboutCredential fits what the gateway's source says under that header when the credential itself is the trouble.
	aboutCredential = pattern.New(`Authentication required to access this resource|The access token is invalid or has expired`)
	// sessionLost is all that version 2.2.3 says when it can't connect to a server, be it for want of consent or because the
	// server is down.
	sessionLost = pattern.New(`^Failed to restore session`)
	// consentLost is how a server's 401 to the gateway is quoted.
	consentLost = pattern.New(`Server returned 401 after successful authentication|Authorization required for `)
)

// isRefusal reports whether an HTTP status says that the request wasn't carried out. What a tool has to say comes with 200.
func isRefusal(status int) bool { return status >= 400 && status < 500 }

// ownCodes are the JSON-RPC codes of a gateway's own errors that come with 200: the first is in its source, the second may be
// (its documentation names none). Errors in which it quotes the server behind it have -32603 ("Tool execution failed: …").
var ownCodes = []int{-32000, -32001}

func inError(status int, e rpcError, own func(string) bool) (asking, string) {
	switch {
	case *e.Code == mcp.URL_ELICITATION_REQUIRED: // MCP 2025-11-25, "URL Elicitation Required Error"
		var data struct {
			Elicitations []elicitation `json:"elicitations"`
		}
		if json.Unmarshal(e.Data, &data) == nil && len(data.Elicitations) > 0 && data.Elicitations[0].URL != "" {
			return foreignPage, data.Elicitations[0].URL
		}
		return nothing, ""
	case *e.Code == mcp.INTERNAL_ERROR && consentLost().MatchString(e.Message),
		status == http.StatusInternalServerError && sessionLost().MatchString(e.Message):
		return perhapsWithoutPage, ""
	case *e.Code == mcp.INTERNAL_ERROR, !isRefusal(status) && !slices.Contains(ownCodes, *e.Code):
		return nothing, ""
	}
	if u, ok := named(e.Data); ok && (isRefusal(status) || namesServer(e.Data) || own(u)) {
		return ownPage, u
	}
	if u, ok := namedWithin(e.Message); ok && (isRefusal(status) || own(u)) {
		return ownPage, u
	}
	if u := inProse(e.Message); u != "" && own(u) {
		return ownPage, u
	}
	return nothing, ""
}

// namesServer reports whether an error's data says for which server of the gateway's the consent is, as its source does
// (src/mcp, services/downstream.ts).
func namesServer(data json.RawMessage) bool {
	var d struct {
		Server    string `json:"serverId"`
		Workspace string `json:"workspaceId"`
	}
	return json.Unmarshal(data, &d) == nil && d.Server != "" && d.Workspace != ""
}

type elicitation struct {
	Mode string `json:"mode"`
	URL  string `json:"url"`
}

// inResult finds the page that a result of revision 2026-07-28 wants visited before the call is repeated ("Multi Round-Trip
// Requests"). What is in a tool's own result stays there.
func inResult(result json.RawMessage) (asking, string) {
	var r struct {
		Type     string `json:"resultType"`
		Requests map[string]struct {
			Params elicitation `json:"params"`
		} `json:"inputRequests"`
	}
	if json.Unmarshal(result, &r) != nil || r.Type != "input_required" {
		return nothing, ""
	}
	for _, key := range slices.Sorted(maps.Keys(r.Requests)) {
		if p := r.Requests[key].Params; p.Mode == "url" && p.URL != "" {
			return foreignPage, p.URL
		}
	}
	return nothing, ""
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

// namedWithin finds a URL by the name of its member in JSON within an error's text.
func namedWithin(text string) (string, bool) {
	start := strings.IndexByte(text, '{')
	if start < 0 {
		return "", false
	}
	var object json.RawMessage
	if json.NewDecoder(strings.NewReader(text[start:])).Decode(&object) != nil {
		return "", false
	}
	return named(object)
}

var (
	aboutConsent = pattern.New(`(?i)authori[sz]|consent|oauth|sign in`)
	anyURL       = pattern.New(`https?://[^\s"'<>]+`)
)

// inProse returns the first URL of a text that speaks of consent, "" if there is none.
func inProse(text string) string {
	if !aboutConsent().MatchString(text) {
		return ""
	}
	return strings.TrimRight(anyURL().FindString(text), ".,;)")
}
