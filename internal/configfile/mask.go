package configfile

import (
	"cmp"
	"slices"
	"strings"
)

// masked stands for a string that may be someone's secret.
const masked = `"…"`

// Masked returns the text, without a byte order mark, fit to be shown: comments and string values are replaced by dots,
// unless show wants them. show gets the path of a value, an index of an array as a decimal number. Lines stay lines.
func (d *Document) Masked(show func(path []string, value string) bool) string {
	return splice(d.text.origin().body, d.text.masks(show))
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
		b.WriteString(text[at:max(at, c.start)])
		b.WriteString(c.text)
		at = max(at, c.end)
	}
	b.WriteString(text[at:])
	return b.String()
}
