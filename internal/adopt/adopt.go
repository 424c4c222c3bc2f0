// Package adopt recognises entries in AI clients' files that reach the gateway without mcpctl.
package adopt

import (
	"net/url"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Kind is the way in which an entry reaches the gateway. The words are part of the command line's promise.
type Kind string

// The kinds.
const (
	// URL is a client's own HTTP transport, as the gateway's documentation shows it.
	URL Kind = "url"
	// Portkey is the same, written by the npm package portkey, which calls its entries portkey-SLUG.
	Portkey Kind = "portkey"
	// MCPRemote and Supergateway are the npm packages of these names.
	MCPRemote    Kind = "mcp-remote"
	Supergateway Kind = "supergateway"
)

// Found is what is known of an entry that reaches the gateway.
type Found struct {
	Kind   Kind
	Server string
	// Key is the API key that stands in the entry, or the zero Secret.
	Key secret.Secret
	// Reference is how the entry names a key that stands elsewhere, such as ${env:PORTKEY_API_KEY}; "" if it doesn't.
	Reference string
	// Headers are the names of further headers that the entry sends.
	Headers []string
	// Variables are the names of those that it sets for more than the key, and Options those of its bridge that say more than
	// where the server is.
	Variables, Options []string
}

// Recognise looks at the entry of c called name, and reports whether it reaches a server of the gateway with the base URL
// gatewayURL. It reads nothing but its arguments.
func Recognise(gatewayURL string, c clients.Client, name string, entry clients.Launch) (Found, bool) {
	r, ok := remoteOf(entry)
	if !ok {
		return Found{}, false
	}
	u, err := url.Parse(r.url)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Found{}, false
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	slug, ok := gateway.ServerOf(gatewayURL, u)
	if !ok || strings.ContainsAny(slug, "${}%") {
		return Found{}, false
	}
	f := Found{Kind: r.kind, Server: slug, Variables: r.variables, Options: r.options}
	if f.Kind == URL && strings.HasPrefix(name, "portkey-") {
		f.Kind = Portkey
	}
	f.readHeaders(c, r.headers)
	return f, true
}

// remote is where an entry leads, and what it sends along.
type remote struct {
	kind    Kind
	url     string
	headers []header
	// variables and options are Found's.
	variables, options []string
}

type header struct{ name, value string }

func remoteOf(e clients.Launch) (remote, bool) {
	if e.URL == "" {
		return startedBridge(e)
	}
	r, used := remote{kind: URL, url: e.URL}, map[string]bool{}
	for _, name := range e.HeaderNames() {
		r.headers = append(r.headers, header{name, expand(e.Headers[name], e.Env, used)}) // Goose does
	}
	r.variables = unused(e, e.Env, used)
	return r, true
}

// readHeaders finds the key. Where there are both headers, the gateway judges x-portkey-api-key alone (Portkey-AI/gateway,
// branch 2.0.0, src/mcp).
func (f *Found) readHeaders(c clients.Client, headers []header) {
	keys := map[string]string{}
	for _, h := range headers {
		switch name := strings.ToLower(h.name); name {
		case web.PortkeyHeader:
			keys[name], _ = bearer(h.value)
		case web.AuthorizationHeader:
			if token, ok := bearer(h.value); ok {
				keys[name] = token
				continue
			}
			f.Headers = append(f.Headers, h.name)
		case "accept", "content-type": // the bridge's own
		default:
			f.Headers = append(f.Headers, h.name)
		}
	}
	value := keys[web.PortkeyHeader]
	if value == "" {
		value = keys[web.AuthorizationHeader]
	} else if keys[web.AuthorizationHeader] != "" {
		f.Headers = append(f.Headers, "Authorization")
	}
	if reference, ok := referenceIn(c, value); ok {
		f.Reference = reference
		return
	}
	f.Key = secret.New(value)
}

// bearer returns the token of a header whose scheme is Bearer, or missing, as in some guides.
func bearer(value string) (token string, ok bool) {
	scheme, token, found := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case !found && !strings.EqualFold(scheme, "Bearer"):
		return scheme, scheme != ""
	case found && strings.EqualFold(scheme, "Bearer"):
		return strings.TrimSpace(token), true
	}
	return "", false
}
