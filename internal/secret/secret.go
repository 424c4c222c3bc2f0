// Package secret holds a value that can't be printed, logged or marshalled by accident.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value such as an API key. Every way of formatting it gives "[redacted]"; only Reveal gives the value.
// The zero Secret is empty. A Secret can't be compared with ==, and is safe for concurrent use.
type Secret struct {
	// A function value, since fmt and encoding/json print the fields of a struct even when they are unexported and
	// the type has a String method; of a function they print an address at most.
	reveal func() string
}

// New returns a Secret of value; an empty value gives the zero Secret.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the value itself. A test lists every caller.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the Secret is empty.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether two secrets have the same value.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// Hint returns "…" and the last four characters, by which people tell their keys apart, or "…" alone for a value of
// fewer than 12 characters, of which four would be too much.
func (s Secret) Hint() string {
	v := s.Reveal()
	if len(v) < 12 {
		return "…"
	}
	return "…" + v[len(v)-4:]
}

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalText implements encoding.TextMarshaler, and so covers JSON and YAML too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
