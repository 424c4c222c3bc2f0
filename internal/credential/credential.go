// Package credential knows where the API key lives: the OS keyring first, stated fallbacks, every call with a limit.
package credential

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// Limit ends a call to a store when its context has no deadline: keyrings may block for ever.
const Limit = 5 * time.Second

// MaxKey is the length of the longest key that is taken, in bytes.
const MaxKey = 16 << 10

// Item is a key as a store keeps it.
type Item struct {
	Key secret.Secret
	// Header is the header that the gateway took the key in; empty if that was never tried.
	Header string
	// Origins are the origins that the key was verified for at login, and may go to.
	Origins []string
}

// Store keeps items by name (see Name). Its errors are *Error, or the context's own if that was cancelled.
type Store interface {
	// Get returns an item; the error's Kind is NotFound if there is none.
	Get(ctx context.Context, name string) (Item, error)
	// Set keeps an item and makes sure that it can be read back.
	Set(ctx context.Context, name string, item Item) error
	// Delete removes an item and makes sure that it is gone; the error's Kind is NotFound if there was none.
	Delete(ctx context.Context, name string) error
	// Place says for people where an item is kept.
	Place(name string) string
}

// Name returns the name of the item of a profile at a gateway. It has no characters but [A-Za-z0-9._-], since macOS's
// security reads commands that it splits into words by itself, and tells two profiles, or two gateways, always apart.
func Name(profile, gatewayURL string) string {
	host := ""
	if u, err := url.Parse(gatewayURL); err == nil {
		host = u.Host
	}
	sum := sha256.Sum256([]byte(profile + "\x00" + gatewayURL))
	return plain(profile) + "-" + plain(host) + "-" + hex.EncodeToString(sum[:6])
}

func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), 48)]
}

// Parse returns the key in text, as it comes from a prompt, a file or a program: one line, the spaces around it dropped.
// What kind of key it is isn't checked: gateways take tokens of many shapes. where names the source in errors.
func Parse(text, where string) (secret.Secret, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")) // editors on Windows begin files with this mark
	bad := ""
	switch {
	case text == "":
		bad = "is empty"
	case len(text) > MaxKey:
		bad = "is longer than 16 KiB"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		bad = "has spaces, line breaks or characters in it that no key has"
	default:
		return secret.New(text), nil
	}
	return secret.Secret{}, problem.New("copy the key again from https://app.portkey.ai/api-keys", "the key (%s) %s", where, bad)
}

// record is an item as it is written. Version 1 is the only one so far.
type record struct {
	Version int      `json:"v"`
	Origins []string `json:"origins"`
	Header  string   `json:"header,omitempty"`
	Key     string   `json:"key"`
}

func newRecord(i Item) record { return record{1, i.Origins, i.Header, i.Key.Reveal()} }

func (r record) item() (Item, bool) {
	ok := r.Version == 1 && r.Key != "" && len(r.Origins) > 0
	return Item{Key: secret.New(r.Key), Header: r.Header, Origins: r.Origins}, ok
}

func encode(i Item) (string, error) {
	text, err := json.Marshal(newRecord(i))
	return string(text), err
}

func decode(text string) (Item, bool) {
	var r record
	if json.Unmarshal([]byte(text), &r) != nil {
		return Item{}, false
	}
	return r.item()
}
