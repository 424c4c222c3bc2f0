package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/secret"
)

// The two headers that a Portkey gateway may want an API key in.
const (
	PortkeyHeader       = "x-portkey-api-key" // the key as it is
	AuthorizationHeader = "authorization"     // "Bearer " and the key
)

// Key is an API key with the places that it may go to.
type Key struct {
	Value secret.Secret
	// Header is PortkeyHeader or AuthorizationHeader; empty means PortkeyHeader.
	Header string
	// Origins are the origins (see Origin) that the key was verified for; it is sent to no other.
	Origins []string
}

// Authorize puts the key into r's header if r goes to one of the key's origins, and reports whether it did.
func (k Key) Authorize(r *http.Request) bool {
	if !k.MayGoTo(r.URL) {
		return false
	}
	if k.Header == AuthorizationHeader {
		r.Header.Set("Authorization", "Bearer "+k.Value.Reveal())
	} else {
		r.Header.Set(PortkeyHeader, k.Value.Reveal())
	}
	return true
}

// MayGoTo reports whether u is at one of the key's origins.
func (k Key) MayGoTo(u *url.URL) bool {
	return !k.Value.IsZero() && slices.Contains(k.Origins, Origin(u))
}

// Redact returns text, such as a server's words, without the key.
func (k Key) Redact(text string) string {
	if k.Value.IsZero() {
		return text
	}
	return strings.ReplaceAll(text, k.Value.Reveal(), k.Value.String())
}
