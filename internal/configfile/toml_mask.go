package configfile

import (
	"cmp"
	"slices"
	"strings"
)

func (d *tomlText) masks(show func(path []string, value string) bool) []cut {
	var cuts []cut
	for _, s := range d.values {
		if !s.short && !show(s.path, s.value) {
			cuts = append(cuts, cut{s.start, s.end, masked + strings.Repeat("\n", strings.Count(s.text(d.body), "\n"))})
		}
	}
	return append(cuts, hashComments(d.body, d.quoted)...)
}

// hashComments masks the comments that start with a #: every # outside of what is quoted does.
func hashComments(body string, quoted []span) []cut {
	slices.SortFunc(quoted, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var cuts []cut
	at := 0
	for _, q := range append(quoted[:len(quoted):len(quoted)], span{len(body), len(body)}) {
		for at < q.start {
			i := strings.IndexByte(body[at:q.start], '#')
			if i < 0 {
				break
			}
			start := at + i
			at = len(body)
			if n := strings.IndexByte(body[start:], '\n'); n >= 0 {
				at = start + n
			}
			cuts = append(cuts, cut{start, len(strings.TrimRight(body[:at], "\r")), "# …"})
		}
		at = max(at, q.end)
	}
	return cuts
}
