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
// there are headers.NAME and metadata.NAME, and in servers.SERVER these two and trace_id.
func Keys() []string {
	return []string{
		currentProfile, "gateway_url", "control_plane_url", "workspace", "ca_file", "proxy", "allow_http",
		"key_header", "key_command", "credential", "log_level", "trace_id",
	}
}

// Values returns all settings in force. Nothing in them is secret: what could be is blanked.
func (s Settings) Values() []Value {
	var values []Value
	for _, key := range Keys() {
		values = append(values, s.value(key, s.plain(key)))
	}
	values = append(append(values, s.labels("headers.", s.Headers)...), s.labels("metadata.", s.Trace.Metadata)...)
	for _, server := range slices.Sorted(maps.Keys(s.ServerHeaders)) {
		of, trace := "servers."+server+".", s.ServerTraces[server]
		values = append(append(values, s.labels(of+"headers.", s.ServerHeaders[server])...), s.labels(of+"metadata.", trace.Metadata)...)
		if trace.ID != "" {
			values = append(values, s.value(of+"trace_id", trace.ID))
		}
	}
	return values
}

// labels returns the members of a mapping whose keys begin with prefix.
func (s Settings) labels(prefix string, labels map[string]string) (values []Value) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		values = append(values, s.value(prefix+name, shown(prefix+name, labels[name])))
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
	if len(k.path) == 3 {
		return s.value(key, s.ServerTraces[k.path[1]].ID), nil
	}
	headers, trace := s.Headers, s.Trace
	if len(k.path) == 4 {
		headers, trace = s.ServerHeaders[k.path[1]], s.ServerTraces[k.path[1]]
	}
	if k.path[len(k.path)-2] == "metadata" {
		headers = trace.Metadata
	}
	name := k.path[len(k.path)-1]
	for have, value := range headers {
		if strings.EqualFold(have, name) {
			return s.value(key, shown(key, value)), nil
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
	return Value{key, withoutKeys(key, v), source}
}

// withoutKeys returns the string or strings of a setting with what looks like a key blanked.
func withoutKeys(setting string, v any) any {
	switch v := v.(type) {
	case string:
		if looksLikeKey(setting, v) {
			return redacted
		}
	case []string:
		if slices.ContainsFunc(v, func(one string) bool { return looksLikeKey(setting, one) }) {
			v = slices.Clone(v)
			for i := range v {
				v[i], _ = withoutKeys(setting, v[i]).(string)
			}
			return v
		}
	}
	return v
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
	case "trace_id":
		return s.Trace.ID
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
