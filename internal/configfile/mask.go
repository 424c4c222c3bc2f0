package configfile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// masked stands for a string that may be someone's secret.
const masked = `"…"`

// Masked returns the text, without a byte order mark, fit to be shown: comments and string values are replaced by dots,
// unless show wants them. show gets the path of a value, an index of an array as a decimal number. Lines stay lines.
func (d *Document) Masked(show func(path []string, value string) bool) string {
	var cuts []cut
	for _, c := range d.comments {
		cuts = append(cuts, cut{c.start, c.end, maskComment(d.body[c.start:c.end], c.line)})
	}
	var walk func(v hujson.Value, path []string)
	walk = func(v hujson.Value, path []string) {
		path = path[:len(path):len(path)]
		switch t := v.Value.(type) {
		case *hujson.Object:
			for _, m := range t.Members {
				walk(m.Value, append(path, nameOf(m)))
			}
		case *hujson.Array:
			for i, e := range t.Elements {
				walk(e, append(path, strconv.Itoa(i)))
			}
		case hujson.Literal:
			if t.Kind() == '"' && !show(path, t.String()) {
				cuts = append(cuts, cut{v.StartOffset, v.EndOffset, masked})
			}
		}
	}
	walk(d.root, nil)
	return splice(d.body, cuts)
}

func maskComment(text string, line bool) string {
	if line {
		return "// …" + text[len(strings.TrimRight(text, "\r")):]
	}
	return "/* …" + strings.Repeat("\n", strings.Count(text, "\n")) + " */"
}

// cut replaces the bytes [start, end).
type cut struct {
	start, end int
	text       string
}

func splice(text string, cuts []cut) string {
	slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := 0
	for _, c := range cuts {
		b.WriteString(text[at:c.start])
		b.WriteString(c.text)
		at = c.end
	}
	b.WriteString(text[at:])
	return b.String()
}
