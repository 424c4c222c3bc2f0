package configfile

import (
	"errors"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlText is a text in YAML. The library says what it means and where each node starts; where a node ends is found by
// reading the text again, with the value in hand.
type yamlText struct {
	source
	// root is nil in a text without a node.
	root *yaml.Node
	// lines are the offsets of the lines' starts.
	lines []int
}

func parseYAML(s source) (*yamlText, error) {
	d := &yamlText{source: s, lines: yamlLines(s.body)}
	decoder := yaml.NewDecoder(strings.NewReader(s.body))
	var doc, next yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return d, nil
	} else if err != nil {
		return nil, d.syntaxError(err)
	}
	if err := decoder.Decode(&next); err == nil {
		return nil, d.fault(d.start(&next), "a second document, where the program that reads this file takes one")
	} else if !errors.Is(err, io.EOF) {
		return nil, d.syntaxError(err)
	}
	root := doc.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		d.root = root
	case !isEmptyScalar(root) || root.Anchor != "" || root.Style != 0:
		return nil, d.fault(d.start(root), "a mapping is needed here, this is %s", yamlKind(root))
	}
	return d, nil
}

// yamlLines returns where lines start by the line breaks of YAML 1.1 (section 4.1.4), which the library counts by.
func yamlLines(body string) []int {
	lines := []int{0}
	if !strings.Contains(body, "\r") && !strings.Contains(body, "\u0085") && !strings.Contains(body, "\u2028") && !strings.Contains(body, "\u2029") {
		for at := 0; ; {
			n := strings.IndexByte(body[at:], '\n')
			if n < 0 {
				return lines
			}
			at += n + 1
			lines = append(lines, at)
		}
	}
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '\n':
			lines = append(lines, i+1)
		case '\r':
			if !strings.HasPrefix(body[i+1:], "\n") {
				lines = append(lines, i+1)
			}
		case "\u0085"[0], "\u2028"[0]:
			if n := yamlBlank(body[i:]); n > 0 {
				lines = append(lines, i+n)
			}
		}
	}
	return lines
}

// start returns the offset of a node: that of its anchor or tag, if it has one.
func (d *yamlText) start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(d.lines) {
		return len(d.body)
	}
	at := d.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(d.body[at:])
		at += size
	}
	return at
}

func isEmptyScalar(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0
}

func yamlKind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a sequence"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.ShortTag() == "!!null":
		return "null"
	}
	return "a scalar"
}

// yamlPlace is a mapping on the way to a member, and the index in its Content of the next name of the path, -1 if it has
// none.
type yamlPlace struct {
	mapping *yaml.Node
	index   int
}

func (p yamlPlace) key() *yaml.Node   { return p.mapping.Content[p.index] }
func (p yamlPlace) value() *yaml.Node { return p.mapping.Content[p.index+1] }

// locate walks along path as far as there is something: the last place is either the parent of the whole path's member or
// the mapping that lacks the next name. A name that occurs twice on the way is refused, and so is anything but a mapping
// where the path goes on.
func (d *yamlText) locate(path []string) ([]yamlPlace, error) {
	var places []yamlPlace
	m := d.root
	for i, name := range path {
		if m == nil {
			return nil, nil
		}
		if m.Kind != yaml.MappingNode {
			return nil, d.fault(d.start(m), "%q should be a mapping, it is %s", path[i-1], yamlKind(m))
		}
		p := yamlPlace{m, -1}
		for j := 0; j < len(m.Content); j += 2 {
			if k := m.Content[j]; k.Kind != yaml.ScalarNode || k.Value != name {
				continue
			}
			if p.index >= 0 {
				return nil, d.fault(d.start(m.Content[j]), "the name %q is there twice", name)
			}
			p.index = j
		}
		places = append(places, p)
		if p.index < 0 {
			return places, nil
		}
		m = p.value()
	}
	return places, nil
}

// find returns the last place of path if there is a value at it, else nil.
func (d *yamlText) find(path []string) (*yamlPlace, error) {
	places, err := d.locate(path)
	if err != nil || len(places) < len(path) {
		return nil, err
	}
	if last := places[len(places)-1]; last.index >= 0 {
		return &last, nil
	}
	return nil, nil
}

func (d *yamlText) get(path []string) (Raw, int, bool, error) {
	if len(path) == 0 {
		return Raw{d.body, d.format}, 0, true, nil
	}
	p, err := d.find(path)
	if err != nil || p == nil {
		return Raw{}, 0, false, err
	}
	raw, err := d.raw(p.value())
	return raw, d.start(p.value()), true, err
}

// raw returns a value's text, a space for one that is null by being left out. A block collection begins with the indentation that its further lines have.
func (d *yamlText) raw(n *yaml.Node) (Raw, error) {
	if isEmptyScalar(n) {
		return Raw{" ", d.format}, nil
	}
	start := d.start(n)
	end, err := d.end(n)
	if err != nil {
		return Raw{}, err
	}
	if !isBlock(n) {
		return Raw{d.body[start:end], d.format}, nil
	}
	line := d.lineStart(start)
	if strings.Trim(d.body[line:start], " ") == "" {
		return Raw{d.body[line:end], d.format}, nil // no copy of a large text
	}
	return Raw{strings.Repeat(" ", n.Column-1) + d.body[start:end], d.format}, nil
}

// isBlock reports whether n is a collection that is written without brackets.
func isBlock(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}

func (d *yamlText) members(path []string) (Members, error) {
	m := d.root
	if len(path) > 0 {
		p, err := d.find(path)
		if err != nil || p == nil {
			return nil, err
		}
		m = p.value()
	}
	if m == nil {
		return nil, nil
	}
	if m.Kind != yaml.MappingNode {
		return nil, d.fault(d.start(m), "%q should be a mapping, it is %s", path[len(path)-1], yamlKind(m))
	}
	members := make(Members, 0, len(m.Content)/2)
	for i := 0; i < len(m.Content); i += 2 {
		raw, err := d.raw(m.Content[i+1])
		if err != nil {
			return nil, err
		}
		members = append(members, Member{m.Content[i].Value, raw})
	}
	return members, nil
}

func (d *yamlText) empty(path []string) bool {
	if len(path) == 0 {
		text := strings.Trim(d.body, blank)
		return text == "" || strings.HasPrefix(text, "{") && strings.Trim(text[1:], blank) == "}"
	}
	p, err := d.find(path)
	if err != nil || p == nil || !d.isBraces(*p) {
		return false
	}
	// Comments that are indented like members have lost theirs.
	end, err := d.end(p.value())
	return err == nil && d.afterComments(d.lineEnd(end), p.mapping.Column) == d.lineEnd(end)
}

// syntaxError turns the library's error into ours. The line that it names is often only where the mapping begins in which
// something is wrong, so the line is sought: the first with which there is that error. The column is that of its text.
func (d *yamlText) syntaxError(err error) error {
	what := func(err error) string {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if rest, ok := strings.CutPrefix(text, "line "); ok {
			_, text, _ = strings.Cut(rest, ": ")
		}
		return text
	}
	line := sort.Search(len(d.lines)-1, func(i int) bool {
		var n yaml.Node
		shorter := yaml.Unmarshal([]byte(d.body[:d.lines[i+1]]), &n)
		return shorter != nil && what(shorter) == what(err)
	})
	at := d.lines[line]
	at += len(d.body[at:]) - len(strings.TrimLeft(d.body[at:], " "))
	if text := what(err); !strings.HasPrefix(text, "unknown anchor") {
		return d.fault(at, "%s", text)
	}
	return d.fault(at, "an alias, and nothing above it that it stands for") // not its name: an unquoted value may begin with a *
}

// sameBut reports whether a and b mean the same but for what is at path, which either may lack, as it may lack what would
// hold it.
func sameBut(a, b *yaml.Node, path []string) bool {
	type half struct {
		others []*yaml.Node
		at     *yaml.Node
	}
	split := func(n *yaml.Node) (h half, ok bool) {
		if n == nil || isEmptyScalar(n) {
			return h, true
		}
		for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
			if k := n.Content[i]; k.Kind == yaml.ScalarNode && k.Value == path[0] {
				h.at = n.Content[i+1]
			} else {
				h.others = append(h.others, k, n.Content[i+1])
			}
		}
		return h, n.Kind == yaml.MappingNode
	}
	before, ok := split(a)
	after, ok2 := split(b)
	if !ok || !ok2 || !slices.EqualFunc(before.others, after.others, sameNode) {
		return false
	}
	return len(path) == 1 || sameBut(before.at, after.at, path[1:])
}

func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Anchor == b.Anchor &&
		slices.EqualFunc(a.Content, b.Content, sameNode)
}
