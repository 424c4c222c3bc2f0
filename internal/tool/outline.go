package tool

import (
	"encoding/json"
	"strings"

	"github.com/mcpctl/mcpctl/internal/render"
)

// maxOutline is how deep an outline goes; what is deeper is shown as JSON.
const maxOutline = 12

// Outline writes a JSON value for a person: names with values, lists with dashes, in the order that they came in. What a
// terminal would act on is made harmless.
func Outline(value json.RawMessage) string {
	return strings.TrimPrefix(outline(value, 0), "\n") + "\n"
}

// outline returns what stands behind a name or a dash at depth: a blank and a scalar, or lines of their own.
func outline(value json.RawMessage, depth int) string {
	indent := "\n" + strings.Repeat("  ", depth)
	var members map[string]json.RawMessage
	var items []json.RawMessage
	switch {
	case depth > maxOutline:
	case json.Unmarshal(value, &members) == nil && len(members) > 0:
		var b strings.Builder
		for _, name := range memberNames(value) {
			b.WriteString(indent + render.Clean(name) + ":" + behind(members[name], depth+1))
		}
		return b.String()
	case json.Unmarshal(value, &items) == nil && len(items) > 0:
		var b strings.Builder
		for _, item := range items {
			// The first line of an item stands behind its dash.
			text := behind(item, depth+1)
			b.WriteString(indent + "- " + strings.TrimLeft(text, " \n"))
		}
		return b.String()
	}
	return scalar(value, depth)
}

// behind is outline for what stands behind a name.
func behind(value json.RawMessage, depth int) string {
	text := outline(value, depth)
	if strings.HasPrefix(text, "\n") {
		return text
	}
	return " " + text
}

// scalar is a string without its quotes, its further lines below the first, or JSON.
func scalar(value json.RawMessage, depth int) string {
	text := asWord(value)
	if text == "" {
		return `""`
	}
	lines := strings.Split(strings.TrimRight(render.CleanLines(strings.ReplaceAll(text, "\r\n", "\n")), "\n"), "\n")
	if len(lines) == 1 {
		return lines[0]
	}
	indent := "\n" + strings.Repeat("  ", depth)
	return indent + strings.Join(lines, indent)
}
