package configfile

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// set replaces an existing value and nothing around it; a new member gets lines of its own below its siblings and their
// comments; a new member of the root goes to the end of the file.
func (d *yamlText) set(value any, path []string) (text, error) {
	places, err := d.locate(path)
	if err == nil {
		err = d.checkPath(places, path, value)
	}
	if err != nil {
		return nil, err
	}
	if len(places) == len(path) && places[len(path)-1].index >= 0 {
		body, err := d.replace(places, value)
		if err != nil {
			return nil, err
		}
		return d.take(body, path, value)
	}
	body := ""
	if len(places) <= 1 {
		body, err = d.appendToRoot(yamlNest(path, value)), d.checkEnd(path, value)
	} else {
		body, err = d.insert(places, yamlNest(path[len(places)-1:], value)[0])
	}
	if err != nil {
		return nil, err
	}
	return d.take(body, path, value)
}

// yamlNest wraps value into the objects that path names.
func yamlNest(path []string, value any) Members {
	for i := len(path) - 1; i > 0; i-- {
		value = Members{{path[i], value}}
	}
	return Members{{path[0], value}}
}

// take takes body apart and makes sure that it means the same as before but for what is at path: YAML has corners in which
// a line more changes the line before.
func (d *yamlText) take(body string, path []string, value any) (text, error) {
	if len(body) >= windowFrom {
		if next := d.edited(body, path); next != nil {
			return next, nil
		}
	}
	next, err := parseYAML(d.with(body))
	if err != nil || !sameBut(d.root, next.root, path) {
		if err == nil && d.body != "" && !strings.HasSuffix(d.body, "\n") {
			// A line more ends that line, which the text of a block scalar ends with then too.
			return nil, problem.New("end the file's last line with a newline, then try again",
				"%s: the file ends in the middle of a text, and what is added would end it another way", d.position(len(d.body)))
		}
		return nil, d.refuse(0, path, value, "mcpctl can't edit this file without changing more than %q", path[len(path)-1])
	}
	return next, nil
}

// refuse returns an error that says what to do by hand.
func (d *yamlText) refuse(offset int, path []string, value any, format string, args ...any) error {
	next := fixFirst
	if value, ok := shown(value); ok {
		block := yamlLayout{newline: "\n", unit: 2}.block(yamlNest(path, value))
		next = fmt.Sprintf("write it in block style, one name a line (nothing was written), like what mcpctl would add:\n\n%s", block)
	}
	return problem.New(next, "%s: %s", d.position(offset), fmt.Sprintf(format, args...))
}

// checkPath refuses what makes a mapping on the way mean more than its lines say.
func (d *yamlText) checkPath(places []yamlPlace, path []string, value any) error {
	for _, at := range d.lines[1:] {
		if d.body[at-1] != '\n' {
			return d.refuse(at-1, path, value, "a line break other than LF and CRLF, around which mcpctl doesn't edit")
		}
	}
	for i, p := range places {
		at := d.start(p.mapping)
		switch {
		case p.mapping.Anchor != "" || p.mapping.Style&yaml.TaggedStyle != 0:
			return d.refuse(at, path, value, "an anchor or a tag, around which mcpctl doesn't edit")
		case isBlock(p.mapping), i == len(path)-1 && p.index >= 0, i > 0 && d.isBraces(places[i-1]):
		default:
			return d.refuse(at, path, value, "a mapping in braces, which mcpctl doesn't rewrite")
		}
		for j := 0; j < len(p.mapping.Content); j += 2 {
			if k := p.mapping.Content[j]; k.ShortTag() == "!!merge" {
				return d.refuse(d.start(k), path, value, "a merge key, around which mcpctl doesn't edit")
			}
		}
		if p.index < 0 {
			continue
		}
		if v := p.value(); v.Anchor != "" || v.Kind == yaml.AliasNode || v.Style&yaml.TaggedStyle != 0 || p.key().Anchor != "" || p.key().Style&yaml.TaggedStyle != 0 {
			return d.refuse(d.start(v), path, value, "an anchor, an alias or a tag, around which mcpctl doesn't edit")
		}
		if i > 0 {
			continue
		}
		if err := d.checkTabs(p, path, value); err != nil {
			return err
		}
	}
	return nil
}

// checkTabs refuses a member of the root that is indented by tabs somewhere.
func (d *yamlText) checkTabs(p yamlPlace, path []string, value any) error {
	end, err := d.pairEnd(p.key(), p.value())
	if err != nil {
		return err
	}
	for at := d.start(p.key()); at < end; at = d.lineEnd(at) {
		if at > 0 && d.body[at-1] != '\n' {
			continue
		}
		line := d.body[at:d.lineEnd(at)]
		text := strings.TrimLeft(line, blank)
		if i := strings.IndexByte(line[:len(line)-len(text)], '\t'); i >= 0 && text != "" {
			return d.refuse(at+i, path, value, "a tab in the indentation")
		}
	}
	return nil
}

// isBraces reports whether the value at p is {} with nothing but white space before it and in it.
func (d *yamlText) isBraces(p yamlPlace) bool {
	raw, err := d.raw(p.value())
	if err != nil || !strings.HasPrefix(raw.Text, "{") || strings.Trim(raw.Text[1:], blank) != "}" {
		return false
	}
	colon, err := d.afterColon(p.key())
	return err == nil && strings.Trim(d.body[colon:d.start(p.value())], blank) == ""
}

// checkEnd refuses a text whose document ends before its last line.
func (d *yamlText) checkEnd(path []string, value any) error {
	for i, at := range slices.Backward(d.lines) {
		if line := d.body[at:]; strings.HasPrefix(line, "...") {
			return d.refuse(at, path, value, "the document ends here, on line %d", i+1)
		} else if strings.Trim(line[:d.lineEnd(at)-at], blank) != "" && line[0] != '#' {
			return nil
		}
	}
	return nil
}

// appendToRoot adds members at the end. A text without a newline there still has none afterwards, which is how remove
// knows.
func (d *yamlText) appendToRoot(m Members) string {
	l := d.layout(nil)
	if d.root != nil {
		l.indent = d.root.Column - 1
	}
	text := strings.Repeat(" ", l.indent) + l.block(m)
	if d.body == "" || strings.HasSuffix(d.body, "\n") {
		return d.body + text + l.newline
	}
	return d.body + l.newline + text
}

// insert adds m to the last of places, a block mapping or {}.
func (d *yamlText) insert(places []yamlPlace, m Member) (string, error) {
	o, l := places[len(places)-1], d.layout(places)
	if !isBlock(o.mapping) {
		return d.fillBraces(places, l, m)
	}
	last := len(o.mapping.Content) - 2
	end, err := d.pairEnd(o.mapping.Content[last], o.mapping.Content[last+1])
	if err != nil {
		return "", err
	}
	at := d.afterComments(d.lineEnd(end), o.mapping.Column-1)
	return d.insertLines(at, strings.Repeat(" ", l.indent)+l.block(Members{m})), nil
}

// insertLines adds text as lines of its own at at, the start of a line or the end of the text.
func (d *yamlText) insertLines(at int, text string) string {
	nl := d.newline()
	if at > 0 && d.body[at-1] != '\n' {
		return d.body[:at] + nl + text + d.body[at:]
	}
	return d.body[:at] + text + nl + d.body[at:]
}

// afterComments skips comment lines from at on that are indented as far as the members above them.
func (d *yamlText) afterComments(at, indent int) int {
	for next := at; next < len(d.body); {
		line := d.body[next:d.lineEnd(next)]
		text := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(text, "#") && len(line)-len(text) >= indent && indent > 0:
			at = d.lineEnd(next)
		case strings.Trim(text, blank) != "":
			return at
		}
		next = d.lineEnd(next)
	}
	return at
}

// fillBraces puts a member into {} by taking the braces away.
func (d *yamlText) fillBraces(places []yamlPlace, l yamlLayout, m Member) (string, error) {
	o, parent := places[len(places)-1], places[len(places)-2]
	colon, err := d.afterColon(parent.key())
	if err != nil {
		return "", err
	}
	end, err := d.end(o.mapping)
	if err != nil {
		return "", err
	}
	cutBraces := *d
	cutBraces.body = d.body[:colon] + d.body[end:]
	return cutBraces.insertLines(cutBraces.lineEnd(colon), strings.Repeat(" ", l.indent)+l.block(Members{m})), nil
}

// replace puts value where the member of the last of places has its own.
func (d *yamlText) replace(places []yamlPlace, value any) (string, error) {
	p := places[len(places)-1]
	old := p.value()
	start := d.start(old)
	end, err := d.pairEnd(p.key(), old)
	if err != nil {
		return "", err
	}
	l := d.layout(places)
	// A sequence may stand as far left as the name above it, nothing else may.
	if l.indent = old.Column - 1; l.indent < p.mapping.Column {
		l.indent = p.mapping.Column - 1 + l.unit
	}
	if raw, ok := value.(Raw); ok && (isBlockRaw(raw) || strings.Trim(raw.Text, blank) == "") {
		return d.replaceRaw(p, raw, l, end)
	}
	if isEmptyScalar(old) {
		return d.body[:end] + " " + yamlInline(value) + d.body[end:], nil
	}
	if !isBlock(old) {
		return d.body[:start] + yamlInline(value) + d.body[end:], nil
	}
	text := yamlInline(value)
	switch v := value.(type) {
	case Members:
		if len(v) > 0 {
			text = l.block(v)
		}
	case []string:
		if old.Kind == yaml.SequenceNode && len(v) > 0 {
			l.indent = old.Column - 1
			text = l.sequence(v)
		}
	}
	return d.body[:d.lineStart(start)] + strings.Repeat(" ", l.indent) + text + d.body[end:], nil
}

// replaceRaw puts back what was on lines of its own, or nothing at all. Its own indentation is kept if it can be: it
// decides on how much of what follows belongs to a block scalar.
func (d *yamlText) replaceRaw(p yamlPlace, raw Raw, l yamlLayout, end int) (string, error) {
	start := d.start(p.value())
	if strings.Trim(raw.Text, blank) == "" {
		return strings.TrimRight(d.body[:min(start, end)], blank) + d.body[end:], nil
	}
	text := raw.Text
	if own := len(text) - len(strings.TrimLeft(text, " ")); own < p.mapping.Column {
		text = reindent(text, p.mapping.Column-1+l.unit)
	}
	if isBlock(p.value()) {
		return d.body[:d.lineStart(start)] + text + d.body[end:], nil
	}
	colon, err := d.afterColon(p.key())
	if err != nil {
		return "", err
	}
	// A comment may stand between the name and its value.
	return strings.TrimRight(d.body[:max(colon, min(start, end))], blank) + l.newline + text + d.body[end:], nil
}

// isBlockRaw reports whether r was a block collection: only that begins with indentation, or in the first column.
func isBlockRaw(r Raw) bool {
	var doc yaml.Node
	return yaml.Unmarshal([]byte(r.Text), &doc) == nil && len(doc.Content) == 1 && isBlock(doc.Content[0])
}

// reindent moves the lines of a block so that its first is indented by indent.
func reindent(text string, indent int) string {
	old := len(text) - len(strings.TrimLeft(text, " "))
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		own := len(line) - len(strings.TrimLeft(line, " "))
		if strings.Trim(line, blank) != "" {
			lines[i] = strings.Repeat(" ", max(0, own+indent-old)) + line[own:]
		}
	}
	return strings.Join(lines, "")
}

// remove takes the lines of the member at path out. A mapping that loses its last member becomes {}.
func (d *yamlText) remove(path []string) (text, error) {
	places, err := d.locate(path)
	if err != nil || len(places) < len(path) || places[len(path)-1].index < 0 {
		return nil, err
	}
	if err := d.checkPath(places, path, nil); err != nil {
		return nil, err
	}
	p := places[len(path)-1]
	if !isBlock(p.mapping) {
		return nil, d.refuse(d.start(p.mapping), path, nil, "a mapping in braces, which mcpctl doesn't rewrite")
	}
	key := d.start(p.key())
	start := d.lineStart(key)
	if strings.Trim(d.body[start:key], " ") != "" {
		return nil, d.refuse(key, path, nil, "%q doesn't start its line", path[len(path)-1])
	}
	end, err := d.pairEnd(p.key(), p.value())
	if err != nil {
		return nil, err
	}
	end = d.lineEnd(end)
	if end == len(d.body) && !strings.HasSuffix(d.body, "\n") {
		// The last line stays one without a newline.
		start = len(strings.TrimSuffix(strings.TrimSuffix(d.body[:start], "\n"), "\r"))
	}
	cuts := []cut{{start, end, ""}}
	if len(p.mapping.Content) == 2 && len(places) > 1 {
		colon, err := d.afterColon(places[len(places)-2].key())
		if err != nil {
			return nil, err
		}
		cuts = append(cuts, cut{colon, colon, " {}"})
	}
	return d.take(splice(d.body, cuts), path, nil)
}
