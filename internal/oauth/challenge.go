package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/mcpctl/mcpctl/internal/pattern"
)

// Challenge is what an answer says of the way to sign in (RFC 6750, section 3; RFC 9728, section 5.1).
type Challenge struct {
	// Metadata is the address of the resource's metadata, unchecked; "" if none is named.
	Metadata string
	// Scope is what the request needs; "" if none is named.
	Scope string
	// Bearer says that the server wants a bearer token at all.
	Bearer bool
	// Insufficient says that the token is good, and lacks a scope.
	Insufficient bool
}

var (
	// The value may lack its closing quote, as the gateway's source writes it (src/mcp).
	challengeMetadata     = pattern.New(`(?i)\bresource_metadata\s*=\s*"?([^",\s]+)`)
	challengeScope        = pattern.New(`(?i)\bscope\s*=\s*(?:"([^"]*)"|([^",\s]+))`)
	challengeInsufficient = pattern.New(`(?i)\berror\s*=\s*"?insufficient_scope\b`)
	challengeBearer       = pattern.New(`(?i)(^|,)\s*bearer\b`)
)

// ParseChallenge reads the header of an answer.
func ParseChallenge(h http.Header) Challenge {
	text := strings.Join(h.Values("WWW-Authenticate"), ", ")
	c := Challenge{Bearer: challengeBearer().MatchString(text), Insufficient: challengeInsufficient().MatchString(text)}
	if m := challengeMetadata().FindStringSubmatch(text); m != nil {
		c.Metadata = m[1]
	}
	if m := challengeScope().FindStringSubmatch(text); m != nil && isScope(m[1]+m[2]) {
		c.Scope = m[1] + m[2]
	}
	return c
}

// isScope reports whether text is a scope: words of certain characters with single spaces between them (RFC 6749, section 3.3).
func isScope(text string) bool {
	for word := range strings.SplitSeq(text, " ") {
		if word == "" || strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) >= 0 {
			return false
		}
	}
	return true
}

// union joins scopes, each once, in their order.
func union(scopes ...string) string {
	var all []string
	seen := map[string]bool{}
	for _, s := range scopes {
		for _, one := range strings.Fields(s) {
			if !seen[one] {
				seen[one] = true
				all = append(all, one)
			}
		}
	}
	return strings.Join(all, " ")
}

// parseURL returns the URL in raw if it is one that something of OAuth may live at: https, or http on this machine, without
// user and fragment.
func parseURL(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, false
	}
	return u, checkScheme(u) == nil
}
