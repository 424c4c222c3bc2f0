package demo

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// Keys are the API keys of a gateway, fresh with each Start.
type Keys struct {
	User      string `json:"user"`      // may list servers and call tools, for a user
	Service   string `json:"service"`   // may do the same, but names no user, so it can't be given anyone's consent
	NoList    string `json:"no_list"`   // a user's, only to call tools (mcp.invoke)
	NoInvoke  string `json:"no_invoke"` // a user's, only to list servers
	Expired   string `json:"expired"`
	Exhausted string `json:"exhausted"` // a user's, whose budget is used up
	Org       string `json:"org"`       // of the organisation: lists servers by workspace_id, calls none
}

// holder is whom a key belongs to, and what it may do.
type holder struct {
	kind         string
	user         string // id; "" if the key names no user
	list, invoke bool   // the scopes mcp_servers.list with mcp_servers.read, and mcp.invoke
	organisation bool   // belongs to no workspace
	failure      *failure
}

// failure is why the gateway turns a key away: the status, and a message that ends in a code.
type failure struct {
	status        int
	message, code string
}

func newKeys() (Keys, map[string]holder) {
	var keys Keys
	holders := map[string]holder{}
	for _, k := range []struct {
		key  *string
		user bool
		as   holder
	}{
		{&keys.User, true, holder{kind: "user", list: true, invoke: true}},
		{&keys.Service, false, holder{kind: "service", list: true, invoke: true}},
		{&keys.NoList, true, holder{kind: "no-list", invoke: true}},
		{&keys.NoInvoke, true, holder{kind: "no-invoke", list: true}},
		{&keys.Expired, true, holder{kind: "expired", failure: &failure{http.StatusUnauthorized, "Portkey API Key Expired", "01"}}},
		{&keys.Exhausted, true, holder{kind: "exhausted", list: true, invoke: true,
			failure: &failure{http.StatusPreconditionFailed, "Usage Limit Exceeded", "04"}}},
		{&keys.Org, false, holder{kind: "org", list: true, organisation: true}},
	} {
		*k.key = "pk-demo-" + k.as.kind + "-" + randomHex(16)
		if k.user {
			k.as.user = randomUUID()
		}
		holders[*k.key] = k.as
	}
	return keys, holders
}

// apiKey returns the key of a request: in its header x-portkey-api-key, or, if the gateway is set to that, as a bearer token.
// An empty header counts as none.
func (g *Gateway) apiKey(r *http.Request) string {
	if g.o.KeyHeader == "authorization" {
		return bearer(r)
	}
	return r.Header.Get("x-portkey-api-key")
}

func bearer(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func randomUUID() string {
	h := randomHex(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
