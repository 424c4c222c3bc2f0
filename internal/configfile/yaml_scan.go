package configfile

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// end returns the offset after the last byte of a node. What an empty scalar has is nothing, so it ends where it starts.
func (d *yamlText) end(n *yaml.Node) (int, error) {
	at, end := d.properties(d.start(n))
	switch {
	case isEmptyScalar(n):
		return end, nil
	case n.Kind == yaml.AliasNode:
		if strings.HasPrefix(d.body[at:], "*"+n.Value) {
			return at + 1 + len(n.Value), nil
		}
		end = -1
	case n.Kind == yaml.ScalarNode:
		end = d.scalarEnd(n, at)
	case isBlock(n):
		return d.blockEnd(n, at)
	default:
		return d.flowEnd(n, at)
	}
	if end < 0 {
		return 0, d.fault(d.start(n), "mcpctl can't tell where this ends")
	}
	return end, nil
}

// properties skips anchors and tags. It returns where what they belong to starts, and where they end.
func (d *yamlText) properties(at int) (value, end int) {
	value, end = at, at
	for value < len(d.body) && (d.body[value] == '&' || d.body[value] == '!') {
		end = len(d.body)
		if n := strings.IndexAny(d.body[value:], " \t\r\n,[]{}"); n >= 0 {
			end = value + n
		}
		value = d.skipBlank(end)
	}
	return value, end
}

// skipBlank skips white space, line breaks and comments.
func (d *yamlText) skipBlank(at int) int {
	for at < len(d.body) {
		switch rest := d.body[at:]; {
		case strings.IndexByte(blank, rest[0]) >= 0:
			at++
		case rest[0] == '#':
			at = d.lineEnd(at)
		case strings.HasPrefix(rest, "\u0085"):
			at += 2
		case strings.HasPrefix(rest, "\u2028"), strings.HasPrefix(rest, "\u2029"):
			at += 3
		default:
			return at
		}
	}
	return at
}

func (d *yamlText) scalarEnd(n *yaml.Node, at int) int {
	body := d.body
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		if !strings.HasPrefix(body[at:], `"`) {
			return -1
		}
		for at++; at < len(body) && body[at] != '"'; at++ {
			if body[at] == '\\' {
				at++
			}
		}
		return at + 1
	case n.Style&yaml.SingleQuotedStyle != 0:
		if !strings.HasPrefix(body[at:], "'") {
			return -1
		}
		for at++; at < len(body) && (body[at] != '\'' || strings.HasPrefix(body[at:], "''")); at++ {
			if body[at] == '\'' {
				at++
			}
		}
		return at + 1
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		header := at + 1
		for header < len(body) && strings.IndexByte("+-0123456789", body[header]) >= 0 {
			header++
		}
		if n.Value == "" || strings.Trim(n.Value, "\n") == "" {
			return d.keptBlank(body[at:header], header)
		}
		return d.keptBlank(body[at:header], d.follow(n.Value, d.lineEnd(header)))
	}
	return d.follow(n.Value, at)
}

// keptBlank adds the blank lines after a block scalar whose header says that they belong to it, less the last newline.
func (d *yamlText) keptBlank(header string, end int) int {
	if end < 0 || !strings.Contains(header, "+") {
		return end
	}
	rest := d.body[end:]
	trimmed := strings.TrimLeft(rest, blank)
	gap := rest[:len(rest)-len(trimmed)]
	return end + max(0, strings.LastIndexByte(gap, '\n'))
}

// follow reads value, in which there are no escapes, from at on, and returns where it ends, -1 if something else is there.
// Line breaks and what is folded into them may be any white space.
func (d *yamlText) follow(value string, at int) int {
	for i := 0; i < len(value); i++ {
		if n := yamlBlank(value[i:]); n > 0 {
			i += n - 1
			continue
		}
		for at < len(d.body) && yamlBlank(d.body[at:]) > 0 {
			at += yamlBlank(d.body[at:])
		}
		if at >= len(d.body) || d.body[at] != value[i] {
			return -1
		}
		at++
	}
	return at
}

// yamlBlank returns the length of the white space or line break that text starts with.
func yamlBlank(text string) int {
	switch {
	case strings.IndexByte(blank, text[0]) >= 0:
		return 1
	case strings.HasPrefix(text, "\u0085"):
		return 2
	case strings.HasPrefix(text, "\u2028"), strings.HasPrefix(text, "\u2029"):
		return 3
	}
	return 0
}

// blockEnd returns where the last child ends, or the colon or dash before it if that is empty.
func (d *yamlText) blockEnd(n *yaml.Node, at int) (int, error) {
	if len(n.Content) == 0 {
		return at, nil
	}
	if n.Kind == yaml.MappingNode {
		return d.pairEnd(n.Content[len(n.Content)-2], n.Content[len(n.Content)-1])
	}
	return d.end(n.Content[len(n.Content)-1])
}

// pairEnd returns where a member of a block mapping ends.
func (d *yamlText) pairEnd(key, value *yaml.Node) (int, error) {
	if !isEmptyScalar(value) || value.Anchor != "" || value.Style&yaml.TaggedStyle != 0 {
		return d.end(value)
	}
	return d.afterColon(key)
}

// afterColon returns the offset after the colon of a member.
func (d *yamlText) afterColon(key *yaml.Node) (int, error) {
	end, err := d.end(key)
	if err != nil {
		return 0, err
	}
	if end = d.skipBlank(end); !strings.HasPrefix(d.body[end:], ":") {
		return 0, d.fault(d.start(key), "mcpctl can't tell where this name ends")
	}
	return end + 1, nil
}

func (d *yamlText) flowEnd(n *yaml.Node, at int) (int, error) {
	var closing byte
	if at < len(d.body) {
		closing = map[byte]byte{'{': '}', '[': ']'}[d.body[at]]
	}
	if closing != 0 {
		at++
	}
	for _, child := range n.Content {
		if isEmptyScalar(child) {
			continue
		}
		end, err := d.end(child)
		if err != nil {
			return 0, err
		}
		at = max(at, end)
	}
	if closing == 0 { // the one pair of [a: b]
		return at, nil
	}
	for {
		at = d.skipBlank(at)
		switch {
		case at >= len(d.body):
			return 0, d.fault(d.start(n), "mcpctl can't tell where this ends")
		case d.body[at] == closing:
			return at + 1, nil
		case strings.IndexByte(",:?", d.body[at]) < 0:
			return 0, d.fault(at, "mcpctl can't tell where this ends")
		}
		at++
	}
}
