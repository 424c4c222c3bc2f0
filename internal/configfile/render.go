package configfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// Members is an object whose members are written in this order.
type Members []Member

// Member is a name with its value: a string, a []string, Members or Raw.
type Member struct {
	Name  string
	Value any
}

// Raw is a value as it stands in a file, written back as it is.
type Raw string

// Decode decodes the value into v as encoding/json does, comments and trailing commas allowed.
func (r Raw) Decode(v any) error {
	standard, err := hujson.Standardize([]byte(r))
	if err != nil {
		return err
	}
	return json.Unmarshal(standard, v)
}

// Canonical returns an encoding of the value that is the same for any spacing, comments, escapes and order of names.
// Numbers keep their spelling.
func (r Raw) Canonical() string {
	standard, err := hujson.Standardize([]byte(r))
	if err != nil {
		return string(r)
	}
	d := json.NewDecoder(bytes.NewReader(standard))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return string(r)
	}
	// What was decoded from JSON encodes.
	canonical, _ := json.Marshal(v)
	return string(canonical)
}

func (l layout) member(m Member) string { return quote(m.Name) + l.colon + l.render(m.Value) }

func (l layout) render(value any) string {
	switch v := value.(type) {
	case Raw:
		return string(v)
	case string:
		return quote(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = quote(s)
		}
		return "[" + strings.Join(quoted, l.comma) + "]"
	case Members:
		return l.object(v)
	}
	panic(fmt.Sprintf("configfile: no rendering for %T", value))
}

func (l layout) object(members Members) string {
	inner, separator, first, last := l, l.comma, "", ""
	if !l.oneLine {
		inner.indent += l.unit
		first = l.newline + inner.indent
		separator = "," + first
		last = l.newline + l.indent
	}
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = inner.member(m)
	}
	return "{" + first + strings.Join(texts, separator) + last + "}"
}

// quote encodes s without the escapes that only matter inside HTML.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A string always encodes.
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
