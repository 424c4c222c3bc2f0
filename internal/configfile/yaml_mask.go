package configfile

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// masks hides all there is if it can't be told where something ends.
func (d *yamlText) masks(show func(path []string, value string) bool) []cut {
	var cuts []cut
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
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		path = path[:len(path):len(path)]
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				if k := n.Content[i]; k.Kind == yaml.ScalarNode {
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

// isPublic reports whether n is no string and no number that could have been meant as one, such as a PIN.
func isPublic(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!null", "!!bool":
		return true
	case "!!int", "!!float":
		return len(n.Value) < 4
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
