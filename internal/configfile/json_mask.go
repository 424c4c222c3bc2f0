package configfile

import (
	"strings"

	"github.com/tailscale/hujson"
)

func (d *jsonText) masks(show func(path []string, value string) bool) []cut {
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
				walk(e, append(path, decimal(i)))
			}
		case hujson.Literal:
			if !isPublicJSON(t) && !show(path, t.String()) {
				cuts = append(cuts, cut{v.StartOffset, v.EndOffset, masked})
			}
		}
	}
	walk(d.root, nil)
	return cuts
}

func isPublicJSON(l hujson.Literal) bool {
	switch l.Kind() {
	case '"':
		return false
	case '0':
		return isShort(string(l))
	}
	return true // true, false or null
}

func maskComment(text string, line bool) string {
	if line {
		return "// …" + text[len(strings.TrimRight(text, "\r")):]
	}
	return "/* …" + strings.Repeat("\n", strings.Count(text, "\n")) + " */"
}
