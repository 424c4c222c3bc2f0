package configfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// masks hides all there is if it can't be told where something ends.
func (d *yamlText) masks(show func(path []string, value string) bool) []cut {
	cuts := d.maskDirectives()
	var quoted []span
	hidden := false
	scalar := func(n *yaml.Node, cover bool) {
		end, err := d.end(n)
		hidden = hidden || err != nil
		start, _ := d.properties(d.start(n))
		if s := (span{start, end}); err == nil && s.end > s.start {
			quoted = append(quoted, s)
			if cover {
				cuts = append(cuts, cut{s.start, s.end, d.mask(n, s)})
			}
		}
	}
	seen := map[int]bool{} // a mapping may start where its first name does
	properties := func(n *yaml.Node) {
		if at := d.start(n); !seen[at] {
			seen[at] = true
			cuts = append(cuts, d.maskProperties(n)...)
		}
	}
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		path = path[:len(path):len(path)]
		properties(n)
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				if k := n.Content[i]; k.Kind == yaml.ScalarNode {
					properties(k)
					scalar(k, false)
				} else {
					walk(k, append(path, ""))
				}
				walk(n.Content[i+1], append(path, n.Content[i].Value))
			}
		case yaml.SequenceNode:
			for i, e := range n.Content {
				walk(e, append(path, decimal(i)))
			}
		case yaml.ScalarNode:
			scalar(n, !isPublic(n) && !show(path, n.Value))
		}
	}
	if d.root != nil {
		walk(d.root, nil)
	}
	if hidden {
		return []cut{{0, len(d.body), "…" + strings.Repeat("\n…", strings.Count(d.body, "\n"))}}
	}
	return append(cuts, hashComments(d.body, quoted)...)
}

// maskProperties masks what a node has before it, or has in its place: anchors, tags and aliases. They are plain text to someone who
// forgot the quotes of a secret.
func (d *yamlText) maskProperties(n *yaml.Node) []cut {
	at := d.start(n)
	if n.Kind == yaml.AliasNode {
		return []cut{{at, at + 1 + len(n.Value), "*…"}}
	}
	var cuts []cut
	for at < len(d.body) && (d.body[at] == '&' || d.body[at] == '!') {
		end := len(d.body)
		if i := strings.IndexAny(d.body[at:], blank); i >= 0 {
			end = at + i
		}
		text := strings.TrimRight(d.body[at:end], ",]}")
		if kind := strings.TrimPrefix(text, "!!"); text != "!" && (kind == text || !slices.Contains(coreTags, kind)) {
			cuts = append(cuts, cut{at, at + len(text), text[:1] + "…"})
		}
		at = d.skipBlank(end)
	}
	return cuts
}

// maskDirectives masks the lines before the document, which may say what is before the tags in it.
func (d *yamlText) maskDirectives() []cut {
	var cuts []cut
	for at := 0; at < len(d.body) && !strings.HasPrefix(d.body[at:], "---"); at = d.lineEnd(at) {
		if d.body[at] == '%' {
			cuts = append(cuts, cut{at, at + len(strings.TrimRight(d.body[at:d.lineEnd(at)], blank)), "%…"})
		} else if strings.IndexByte(blank+"#", d.body[at]) < 0 {
			return cuts
		}
	}
	return cuts
}

// coreTags are those of YAML 1.2.2, section 10.3, and the one of merge keys.
var coreTags = []string{"null", "bool", "int", "float", "str", "seq", "map", "merge"}

// isPublic reports whether n is no string and no number that could have been meant as one.
func isPublic(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		return false // it says what it is, whatever it is
	}
	switch n.ShortTag() {
	case "!!null", "!!bool":
		return true
	case "!!int", "!!float":
		return isShort(n.Value)
	}
	return false
}

// mask stands for a scalar. One of several lines stays one.
func (d *yamlText) mask(n *yaml.Node, s span) string {
	lines := strings.Split(s.text(d.body), "\n")
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return masked + strings.Repeat("\n", len(lines)-1)
	}
	if header, _, ok := strings.Cut(lines[0], "#"); ok {
		lines[0] = header + "# …"
	}
	for i, line := range lines[1:] {
		if text := strings.TrimLeft(line, " "); strings.Trim(text, blank) != "" {
			lines[i+1] = line[:len(line)-len(text)] + "…"
		}
	}
	return strings.Join(lines, "\n")
}
