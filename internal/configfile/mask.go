package configfile

import (
	"cmp"
	"slices"
	"strings"
)

// masked stands for a string that may be someone's secret.
const masked = `"…"`

// Masked returns the text, without a byte order mark, fit to be shown: comments, string values, numbers that aren't short, and
// YAML's anchors, aliases and tags are replaced by dots, unless show wants a value. show gets its path, an index of an array as a
// decimal number. Lines stay lines.
func (d *Document) Masked(show func(path []string, value string) bool) string {
	return splice(d.text.origin().body, d.text.masks(show))
}

// isShort reports whether a number is one that can be shown: a longer one could have been meant as a secret, such as a PIN.
func isShort(number string) bool { return len(number) < 4 }

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
