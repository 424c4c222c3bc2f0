package config

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/web"
)

// ErrUnknownKey is the error for a name that is no setting.
var ErrUnknownKey = errors.New("no such setting")

// Value is one setting in force. Its JSON names are those of mcpctl config ls --json.
type Value struct {
	Key string `json:"key"`
	// Value is a string, a list of strings, or nil where there is neither value nor default.
	Value any `json:"value"`
	// Source is a flag, a variable, FILE:LINE:COLUMN, or "default".
	Source string `json:"source"`
}

// Keys returns the names of the settings that are one value or a list, in the order in which people see them. Beside these
// there are headers.NAME and servers.SERVER.headers.NAME.
func Keys() []string {
	return []string{
		currentProfile, "gateway_url", "control_plane_url", "workspace", "ca_file", "proxy", "allow_http",
		"key_header", "key_command", "credential", "log_level",
	}
}

// Values returns all settings in force. Nothing in them is secret: what could be is blanked.
func (s Settings) Values() []Value {
	var values []Value
	for _, key := range Keys() {
		values = append(values, s.value(key, s.plain(key)))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		values = append(values, s.value("headers."+name, shownHeader(name, s.Headers[name])))
	}
	for _, server := range slices.Sorted(maps.Keys(s.ServerHeaders)) {
		headers := s.ServerHeaders[server]
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			values = append(values, s.value("servers."+server+".headers."+name, shownHeader(name, headers[name])))
		}
	}
	return values
}

// Value returns one setting in force. The error is ErrRefused, and ErrUnknownKey if there is no such setting.
func (s Settings) Value(key string) (Value, error) {
	k, err := parseKey(key)
	if err != nil {
		return Value{}, refused{err}
	}
	if len(k.path) == 1 {
		return s.value(key, s.plain(key)), nil
	}
	headers := s.Headers
	if len(k.path) == 4 {
		headers = s.ServerHeaders[k.path[1]]
	}
	name := k.path[len(k.path)-1]
	for have, value := range headers {
		if strings.EqualFold(have, name) {
			return s.value(key, shownHeader(name, value)), nil
		}
	}
	return Value{Key: key, Source: byDefault}, nil
}

const byDefault = "default"

// value joins a key with its value and source. An empty string or list is none.
func (s Settings) value(key string, v any) Value {
	switch v := v.(type) {
	case string:
		if v == "" {
			return Value{Key: key, Source: byDefault}
		}
	case []string:
		if len(v) == 0 {
			return Value{Key: key, Source: byDefault}
		}
	}
	top, _, _ := strings.Cut(key, ".")
	source := s.Sources[top]
	if source == "" {
		source = byDefault
	}
	return Value{key, v, source}
}

// plain returns a setting that is one value or a list.
func (s Settings) plain(key string) any {
	for _, row := range table() {
		if row.key == key {
			return *row.field(&s)
		}
	}
	switch key {
	case currentProfile:
		return s.Profile
	case "proxy":
		return withoutUser(s.Proxy)
	case "allow_http":
		return s.AllowHTTP
	case "key_header":
		return s.KeyHeader
	case "key_command":
		return s.KeyCommand
	case "credential":
		return s.CredentialStore
	}
	return ""
}

// withoutUser returns a URL without the password that a proxy's may hold.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	return web.Redact(u) + " (with a password)"
}

// shownHeader blanks a value that should not have been written into the file, but left in the keyring or the environment.
func shownHeader(name, value string) string {
	if isSecretHeader(name) && !isReference(value) {
		return "[redacted]"
	}
	return value
}

// isSecretHeader reports whether the value of a header of that name is a secret.
func isSecretHeader(name string) bool {
	return keyLike.MatchString(name) || slices.ContainsFunc([]string{"authorization", "proxy-authorization", "cookie", "x-user-token", "x-auth-token"},
		func(secret string) bool { return strings.EqualFold(secret, name) })
}

// isReference reports whether a header's value names a place for a secret and isn't one itself.
func isReference(value string) bool {
	return strings.HasPrefix(value, "keyring:") || strings.Contains(value, "${")
}
