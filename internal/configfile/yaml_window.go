package configfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// windowFrom is the size in bytes from which on a text isn't read as a whole once more after an edit: reading 3 MB takes longer than
// all the rest.
const windowFrom = 64 << 10

// edited returns body taken apart if a part of it shows that it means the same as d but for what is at path. It returns nil if that
// can't be told so, which says nothing about body.
//
// The part is a window: from the member before the change, in the mapping of the change or one around it, to the end of the
// member after it, below the names that lead to that mapping. Both the old and the new text are read there, and nowhere else:
//
//   - A reader of YAML goes through a text once, and what it makes of the rest depends on what it is in the middle of: the block
//     mappings that are open, and their columns. It knows nothing else, since there are no anchors, aliases and directives (see plain).
//   - The name of the member before the change, and its colon, stand before the first byte that differs. So up to there both texts are
//     read alike, and with it begins what the window begins with.
//   - Where the member after the change begins, the reader is in the middle of the same mappings again, for in the window it found that
//     member in the same one in both texts. From there on both texts are the same.
func (d *yamlText) edited(body string, path []string) *yamlText {
	places, err := d.locate(path)
	if err != nil || !d.plain() {
		return nil
	}
	old, change := differ(d.body, body)
	for level := len(places) - 1; level >= 0; level-- {
		if w, ok := d.window(places, level, old); ok {
			return d.through(w, places, path, body, old, change)
		}
	}
	return nil
}

// differ returns what of two texts is between the lines that they begin with in common, and what they end with in common.
func differ(a, b string) (inA, inB span) {
	most := min(len(a), len(b))
	head, tail := 0, 0
	const block = 4 << 10 // bytes, which are compared much faster together than one by one
	for head+block <= most && a[head:head+block] == b[head:head+block] {
		head += block
	}
	for head < most && a[head] == b[head] {
		head++
	}
	head = strings.LastIndexByte(a[:head], '\n') + 1 // else a line's indentation may count here and be missed there
	for tail+block <= most-head && a[len(a)-tail-block:len(a)-tail] == b[len(b)-tail-block:len(b)-tail] {
		tail += block
	}
	for tail < most-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return span{head, len(a) - tail}, span{head, len(b) - tail}
}

// plain reports whether no place in the text has to do with another one far away, and whether lines end with LF or CRLF.
func (d *yamlText) plain() bool {
	for _, at := range d.lines[1:] {
		if d.body[at-1] != '\n' {
			return false
		}
	}
	if d.root == nil || strings.HasPrefix(d.body, "%") || strings.Contains(d.body, "\n%") {
		return false
	}
	return unrelated(d.root)
}

func unrelated(n *yaml.Node) bool {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		return false
	}
	for _, child := range n.Content {
		if !unrelated(child) {
			return false
		}
	}
	return true
}

// yamlWindow is a part of a text whose lines make a text of their own below header.
type yamlWindow struct {
	header string
	span
	// level is that of the mapping in which the member before the change is, whose name is at the index first of its Content.
	level, first int
	// after is the member after the change, and next the one after that; its level is -1 if there is none.
	after, next yamlStep
}

// yamlStep is a member of one of the mappings on the way to a path's: by the mapping's level, and the name's index in its Content.
type yamlStep struct{ level, index int }

// window returns the window for a change of the bytes in changed, with the member before it in the mapping at a level.
func (d *yamlText) window(places []yamlPlace, level int, changed span) (w yamlWindow, ok bool) {
	at := places[level]
	w = yamlWindow{level: level, first: at.index - 2}
	if at.index < 0 {
		w.first = len(at.mapping.Content) - 2
	}
	if !isBlock(at.mapping) || w.first < 0 {
		return w, false
	}
	if w.start, ok = d.nameLine(at.mapping.Content[w.first], changed.start); !ok {
		return w, false
	}
	for _, p := range places[:level] {
		start, ok := d.nameLine(p.key(), changed.start)
		if !ok || !isBlock(p.mapping) {
			return w, false
		}
		colon, _ := d.afterColon(p.key())
		w.header += d.body[start:colon] + "\n"
	}
	from := yamlStep{level, w.first}
	if at.index >= 0 {
		from.index = at.index
	}
	w.after = following(places, from)
	w.next = following(places, w.after)
	w.end = len(d.body)
	if w.next.level >= 0 {
		w.end = d.lineStart(d.start(w.next.key(places)))
	}
	if w.after.level < 0 {
		return w, true
	}
	start, ok := d.nameLine(w.after.key(places), len(d.body))
	return w, ok && start >= changed.end
}

func (s yamlStep) key(places []yamlPlace) *yaml.Node { return places[s.level].mapping.Content[s.index] }

// following returns the member after one, in its mapping or in one around it.
func following(places []yamlPlace, s yamlStep) yamlStep {
	if s.level < 0 {
		return s
	}
	for ; s.level >= 0; s.level-- {
		if s.index+2 < len(places[s.level].mapping.Content) {
			return yamlStep{s.level, s.index + 2}
		}
		if s.level > 0 {
			s.index = places[s.level-1].index
		}
	}
	return yamlStep{-1, 0}
}

// nameLine returns where the line of a name starts, provided that there is nothing before it on that line, and that it, its colon and
// the character after that stand on this line and before the offset limit.
func (d *yamlText) nameLine(key *yaml.Node, limit int) (start int, ok bool) {
	at := d.start(key)
	start = d.lineStart(at)
	colon, err := d.afterColon(key)
	return start, err == nil && colon < limit && colon < d.lineEnd(start) && key.Kind == yaml.ScalarNode && strings.Trim(d.body[start:at], " ") == ""
}

// through compares the old and the new text in a window, and returns the new one taken apart, or nil.
func (d *yamlText) through(w yamlWindow, places []yamlPlace, path []string, body string, old, change span) *yamlText {
	grown := len(body) - len(d.body)
	before, err := parseYAML(d.with(w.header + d.body[w.start:w.end]))
	if err != nil || before.root == nil || !w.shows(places, before.root) {
		return nil
	}
	after, err := parseYAML(d.with(w.header + body[w.start:w.end+grown]))
	if err != nil || after.root == nil || !after.plain() || !sameBut(before.root, after.root, path) {
		return nil
	}
	next := &yamlText{source: d.with(body), lines: yamlLines(body)}
	next.root = w.put(places, 0, after.root, moved{
		in:    strings.Count(d.body[:w.start], "\n") - w.level,
		after: strings.Count(body[change.start:change.end], "\n") - strings.Count(d.body[old.start:old.end], "\n"),
	})
	return next
}

// part returns which of the Content of the mapping at a level is in the window.
func (w yamlWindow) part(places []yamlPlace, level int) span {
	p := span{places[level].index, places[level].index + 2}
	if level == w.level {
		p = span{w.first, w.first + 2}
		if places[level].index >= 0 {
			p.end += 2
		}
	}
	if w.after.level == level {
		p.end += 2
	}
	return p
}

// shows reports whether what was read in the window of the old text is what is there of the whole.
func (w yamlWindow) shows(places []yamlPlace, root *yaml.Node) bool {
	for level := range w.level + 1 {
		part := w.part(places, level)
		whole := places[level].mapping.Content[part.start:part.end]
		if root.Kind != yaml.MappingNode || len(root.Content) != len(whole) {
			return false
		}
		for i := range whole {
			onTheWay := i == 1 && level < w.level
			if !onTheWay && !sameNode(root.Content[i], whole[i]) {
				return false
			}
		}
		if level < w.level {
			root = root.Content[1]
		}
	}
	return true
}

// moved says by how many lines the nodes in the window, and those after it, are further down.
type moved struct{ in, after int }

// put returns the mapping at a level with what was read in the window in its place.
func (w yamlWindow) put(places []yamlPlace, level int, read *yaml.Node, by moved) *yaml.Node {
	m, part := *places[level].mapping, w.part(places, level)
	content := slices.Clone(m.Content[:part.start])
	if level == w.level {
		content = append(content, down(read.Content, by.in)...)
	} else {
		part.end = part.start + 2
		content = append(content, m.Content[part.start], w.put(places, level+1, read.Content[1], by))
	}
	m.Content = append(content, down(m.Content[part.end:], by.after)...)
	return &m
}

// down returns nodes that are further down by some lines.
func down(nodes []*yaml.Node, lines int) []*yaml.Node {
	if lines == 0 {
		return nodes
	}
	moved := make([]*yaml.Node, len(nodes))
	for i, n := range nodes {
		m := *n
		m.Line += lines
		m.Content = down(n.Content, lines)
		moved[i] = &m
	}
	return moved
}
