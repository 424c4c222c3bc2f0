package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// Explain says what an error answer of the gateway or its control plane means: reason is a stable word for programs, next
// is the next step for a person. Both are "" where the status and the words of the answer tell nothing, which is so for
// every success.
func Explain(status int, header http.Header, body []byte) (reason, next string) {
	m := explain(status, header, decode(body))
	return m.reason, m.next
}

// meaning is a row of the table of answers: those of status whose words contain says, and that have a WWW-Authenticate
// header if challenge is set.
type meaning struct {
	status    int
	challenge bool
	says      string // lower case
	reason    string
	next      string
}

const (
	newKey      = "make a new key at https://app.portkey.ai/api-keys, then run mcpctl login"
	checkServer = "check the server's name: mcpctl servers ls"
)

// meanings returns the table; the first row that fits counts. The words are those of the gateway's public source
// (Portkey-AI/gateway, branch 2.0.0, src/mcp) and, for AB codes, of Portkey's documentation
// (api-reference/admin-api/error).
func meanings() []meaning {
	return []meaning{
		{401, true, "upstream", "consent_required", "call one of the server's tools, and give your consent in the browser"},
		{401, true, "", "token_refused", "log in again: mcpctl login"},
		{401, false, "missing x-", "identity_required", "ask the server's administrator: this header wants a token of your identity provider"},
		{401, false, "missing required claims", "identity_required", "ask the server's administrator: the token of your identity provider lacks these claims"},
		{401, false, "jwt validation failed", "identity_required", "ask the server's administrator in which header it wants a token of your identity provider"},
		{401, false, "expired", "expired", newKey},
		{401, false, "", "refused", "run mcpctl login with a valid key"},
		{402, false, "", "plan", "ask the workspace's administrator: its plan doesn't cover this"},
		{403, false, "error code: 033", "no_invoke", "give the key the scope mcp.invoke (\"MCP Invoke\"); it has to be a workspace's key, an organisation's can't call tools"},
		{403, false, "ab03", "no_list", "give the key the scope mcp_servers.list, or check the workspace (--workspace)"},
		{403, false, "token is not authorized", "other_server", "log in to this server: the browser login was for another server or workspace"},
		{403, true, "", "insufficient_scope", "log in again, and grant the scope that is asked for"},
		{403, false, "", "forbidden", "ask the workspace's manager for access to this server, or " + checkServer},
		{404, false, "server '", "not_found", checkServer},
		{404, false, "not_found", "not_found", checkServer},
		{404, false, "", "wrong_path", "check the gateway's URL (--gateway): it has no such path, or is too old for it"},
		{412, false, "", "budget", "ask the workspace's administrator: the budget is used up"},
		{429, false, "", "busy", "wait a moment, then try again"},
		{500, false, "unable to verify user access", "no_user", "use a user's key, not a service key; if it is one, try again"},
		{500, false, "failed to restore session", "consent_or_upstream", "give the server your consent if it wants it, else try again later: what is behind it is away"},
		{500, false, "server config not found", "no_workspace", "name the workspace too: WORKSPACE/SERVER"},
		{502, false, "", "unreachable", "try again later: the gateway, or what is behind it, is away"},
		{503, false, "", "unreachable", "try again later: the gateway, or what is behind it, is away"},
		{504, false, "", "unreachable", "try again later: the gateway, or what is behind it, is away"},
	}
}

func explain(status int, header http.Header, w words) meaning {
	if status >= 300 && status < 400 {
		return meaning{status: status, reason: "redirected", next: whither(header)}
	}
	said := strings.ToLower(w.message + " " + w.code)
	challenged := header.Get("WWW-Authenticate") != ""
	for _, m := range meanings() {
		if m.status != status || m.challenge && !challenged || !strings.Contains(said, m.says) {
			continue
		}
		if after := retryAfter(header); after > 0 && (m.reason == "busy" || m.reason == "unreachable") {
			m.next = fmt.Sprintf("try again in %s", after.Round(time.Second))
		}
		return m
	}
	return meaning{status: status}
}

// whither names the target of a redirect that isn't followed: the key doesn't go where an answer says.
func whither(header http.Header) string {
	u, err := (&http.Response{Header: header}).Location()
	if err != nil || u.Host == "" {
		return "check the URL"
	}
	return fmt.Sprintf("check the URL; the answer points to %s", cleaned(web.Redact(u)))
}
