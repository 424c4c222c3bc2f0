package render

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Clean makes words from elsewhere fit for one line of a terminal: each run of white space becomes one blank, and
// what a terminal would act on (escapes, other control characters, changes of writing direction) becomes �.
func Clean(s string) string { return strings.Join(strings.Fields(CleanLines(s)), " ") }

// CleanLines is Clean for text that may have several lines, whose blanks it keeps.
func CleanLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && isHarmful(r) {
			if unicode.IsSpace(r) {
				return ' '
			}
			return utf8.RuneError
		}
		return r
	}, s)
}

// isHarmful reports a rune that a terminal acts on rather than shows: controls (C0, DEL, C1), and those that change
// the direction of what follows, which can make one name look like another (Unicode TR 36, section 3.1).
func isHarmful(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// displayWidth is the number of terminal columns that s takes.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// truncate shortens s to columns, with … at its end.
func truncate(s string, columns int) string {
	if displayWidth(s) <= columns {
		return s
	}
	used := 0
	for i, r := range s {
		if used += runeWidth(r); used > columns-1 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}
