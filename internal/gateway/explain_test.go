package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// The bodies are those of Portkey's documentation and of the gateway's public source.
func TestExplain(t *testing.T) {
	challenge := http.Header{"Www-Authenticate": {`Bearer resource_metadata="https://gw.example/.well-known/x`}}
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		body   string
		reason string
		next   string // a part of it
	}{
		{"wrong key", 401, nil, `{"status":"failure","message":"Portkey Error: Invalid API Key. Error Code: 03","error":{"message":"Invalid API Key","code":"03"}}`,
			"refused", "mcpctl login"},
		{"expired key", 401, nil, `{"status":"failure","message":"Portkey Error: Portkey API Key Expired. Error Code: 01"}`,
			"expired", "make a new key"},
		{"dead token", 401, challenge, `{"error":"unauthorized","error_description":"The access token is invalid or has expired"}`,
			"token_refused", "log in again"},
		{"no consent", 401, challenge, `{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`,
			"consent_required", "consent"},
		{"identity header", 401, nil, `{"error":"unauthorized","error_description":"Missing X-User-Jwt header"}`,
			"identity_required", "identity provider"},
		{"identity claims", 401, nil, `{"error":"unauthorized","error_description":"Missing required claims: email"}`,
			"identity_required", "claims"},
		{"identity token", 401, nil, `{"error":"unauthorized","error_description":"JWT validation failed"}`,
			"identity_required", "in which header"},
		{"control plane, key", 401, nil, `{"success":false,"data":{"message":"Unauthorized","errorCode":"AB05"}}`, "refused", "mcpctl login"},
		{"control plane, plan", 402, nil, `{"success":false,"data":{"message":"Upgrade","errorCode":"AB09"}}`, "plan", "plan"},
		{"control plane, scope", 403, nil, `{"success":false,"data":{"message":"Forbidden","errorCode":"AB03"}}`, "no_list", "mcp_servers.list"},
		{"no invoke", 403, nil, `{"status":"failure","message":"Portkey Error: Forbidden!. Error Code: 033"}`, "no_invoke", "mcp.invoke"},
		{"no access", 403, nil, `{"error":"forbidden","error_description":"You do not have access to this MCP server"}`, "forbidden", "manager"},
		{"token of another server", 403, nil, `{"error":"forbidden","error_description":"Token is not authorized to access this MCP server"}`,
			"other_server", "log in to this server"},
		{"scope of a token", 403, challenge, `{}`, "insufficient_scope", "scope"},
		{"no such server", 404, nil, `{"error":"not_found","error_description":"Server 'ws-acme/linaer' not found"}`, "not_found", "servers ls"},
		{"no such path", 404, nil, `{"status":"not found"}`, "wrong_path", "--gateway"},
		{"budget", 412, nil, `{"status":"failure","message":"Usage Limit Exceeded. Error Code: 04"}`, "budget", "administrator"},
		{"rate", 429, nil, `{"status":"failure","message":"rate limit exceeded. Error Code: 05"}`, "busy", "wait a moment"},
		{"rate, seconds", 429, http.Header{"Retry-After": {"7"}}, ``, "busy", "try again in 7s"},
		{"rate, beyond all bounds", 429, http.Header{"Retry-After": {"10000000000"}}, ``, "busy", "try again in 8760h"},
		{"service key", 500, nil, `{"error":"server_error","error_description":"Unable to verify user access"}`, "no_user", "user's key"},
		{"no session", 500, nil, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Failed to restore session. Please reinitialize."},"id":1}`,
			"consent_or_upstream", "consent"},
		{"no workspace", 500, nil, `{"jsonrpc":"2.0","error":{"code":-32001,"message":"Server config not found"},"id":null}`, "no_workspace", "WORKSPACE/SERVER"},
		{"another 500", 500, nil, `{"status":"failure","message":"Unexpected end of JSON input"}`, "", ""},
		{"proxy", 502, nil, `<html>Bad Gateway</html>`, "unreachable", "try again later"},
		{"redirect", 302, http.Header{"Location": {"https://sso.example/login?user=me"}}, ``, "redirected", "https://sso.example/login"},
		{"bad request", 400, nil, `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}`, "", ""},
		{"success", 200, nil, `{"error":"unauthorized"}`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reason, next := Explain(tt.status, tt.header, []byte(tt.body))
			if reason != tt.reason || !strings.Contains(next, tt.next) || (tt.next == "") != (next == "") {
				t.Errorf("Explain = %q, %q; want %q, %q", reason, next, tt.reason, tt.next)
			}
			if strings.Contains(next, "user=me") {
				t.Errorf("a redirect's query is shown: %q", next)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	for body, want := range map[string]words{
		`{"success":false,"data":{"message":"No","errorCode":"AB03"},"request_id":"r-1"}`: {"No", "AB03", "r-1"},
		`{"status":"failure","message":"Outer","error":{"message":"Inner","code":"03"}}`:  {"Inner", "03", ""},
		`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Later"},"id":1}`:              {"Later", "-32000", ""},
		`{"error":"not_found","error_description":"Nowhere"}`:                             {"Nowhere", "not_found", ""},
		`{"error":"plain"}`:                           {"plain", "plain", ""},
		`{"message":"Top","code":7}`:                  {"Top", "7", ""},
		`{"status":"not found"}`:                      {"not found", "", ""},
		`{"message":{"odd":true},"error":[1]}`:        {},
		`{"message":"a\u001b[31mb\u009bc\u202ed\ne"}`: {"a [31mb c d e", "", ""},
		`<html>no</html>`:                             {},
		``:                                            {},
		`null`:                                        {},
		`{"message":"` + strings.Repeat("é", 400) + `"}`: {strings.Repeat("é", 300) + "…", "", ""},
	} {
		if got := decode([]byte(body)); got != want {
			t.Errorf("decode(%s) = %q, want %q", body, got, want)
		}
	}
}
