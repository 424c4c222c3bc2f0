package configfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func (l layout) member(m Member) string { return quote(m.Name) + l.colon + l.render(m.Value) }

func (l layout) render(value any) string {
	switch v := value.(type) {
	case Raw:
		return v.Text
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case nil:
		return "null"
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
