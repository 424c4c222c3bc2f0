package configfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// set replaces the value of a name wherever it stands. A table that is new goes to the end of the file, after a blank
// line; one that is there gives its place to the new one. What can't be done without rewriting what the owner has
// written in another way is refused.
func (d *tomlText) set(value any, path []string) (text, error) {
	parent, name := path[:len(path)-1], path[len(path)-1]
	p, err := d.find(path)
	if err != nil {
		return nil, err
	}
	if p != nil {
		if item, ok := p.whole(path); ok {
			return take(d.with(d.body[:item.value] + tomlInline(value) + d.body[item.end:]))
		}
		if len(p.items) > 0 || !isTable(value) || d.isArray(p, path) {
			return nil, d.refuse(d.offset(p), path, value, "%q is written in a way that mcpctl doesn't rewrite", name)
		}
		return take(d.with(d.replaceTables(p, d.block(value, path))))
	}
	if isTable(value) {
		if err := d.checkParents(value, path); err != nil {
			return nil, err
		}
		return take(d.with(d.appendBlock(d.block(value, path))))
	}
	for _, s := range slices.Backward(d.sections) {
		if slices.Equal(s.path, parent) {
			return take(d.with(d.insertLine(s, tomlPath([]string{name})+" = "+tomlInline(value))))
		}
	}
	return nil, d.refuse(0, path, value, "there is no table %s to put %q into", tomlPath(parent), name)
}

// isArray reports whether the member at path is an array of tables. Its first header shows: none may stand for a table of that name.
func (d *tomlText) isArray(p *parts, path []string) bool {
	if len(p.sections) == 0 {
		return false
	}
	first := d.sections[p.sections[0]]
	return first.array && len(first.path) == len(path)
}

// isTable tells a value that gets a header from one that stands after a name.
func isTable(value any) bool {
	raw, ok := value.(Raw)
	_, members := value.(Members)
	return members || ok && strings.HasPrefix(strings.TrimLeft(raw.Text, blank), "[") && isTables(raw.Text)
}

// isTables tells the text of tables from that of an array.
func isTables(text string) bool {
	d, err := parseTOML(source{format: TOML, body: text})
	return err == nil && len(d.sections) > 1 && len(d.sections[1].path) > 1
}

// checkParents refuses a new table below what isn't one with headers of its own.
func (d *tomlText) checkParents(value any, path []string) error {
	for n := 1; n < len(path); n++ {
		p, err := d.find(path[:n])
		if p == nil {
			return err
		}
		if item, ok := p.whole(path[:n]); ok {
			return d.refuse(item.start, path, value, "%q is an inline table, which mcpctl doesn't rewrite", path[n-1])
		}
		if len(p.items) > 0 {
			return d.refuse(p.items[0].start, path, value, "%q is set by dotted keys, which mcpctl doesn't rewrite", path[n-1])
		}
	}
	return nil
}

// refuse returns an error that says what to do by hand.
func (d *tomlText) refuse(offset int, path []string, value any, format string, args ...any) error {
	next := fixFirst
	if value, ok := shown(value); ok && isTable(value) {
		next = fmt.Sprintf("give each server a table of its own (nothing was written), like the one that mcpctl would add:\n\n%s", d.block(value, path))
	}
	return problem.New(next, "%s: %s", d.position(offset), fmt.Sprintf(format, args...))
}

// block returns the text of a table, without its last newline.
func (d *tomlText) block(value any, path []string) string {
	if raw, ok := value.(Raw); ok {
		return strings.TrimRight(raw.Text, "\r\n")
	}
	nl := d.newline()
	text, tables := "["+tomlPath(path)+"]", ""
	for _, m := range value.(Members) {
		if raw, ok := m.Value.(Raw); ok && isTable(raw) {
			tables += nl + nl + strings.TrimRight(raw.Text, "\r\n")
		} else if m.Value != nil {
			text += nl + tomlPath([]string{m.Name}) + " = " + tomlInline(m.Value)
		}
	}
	return text + tables
}

// appendBlock adds block after a blank line. A file without a newline at its end still has none afterwards, which is how
// remove knows.
func (d *tomlText) appendBlock(block string) string {
	nl := d.newline()
	switch {
	case d.body == "":
		return block + nl
	case strings.HasSuffix(d.body, "\n"):
		return d.body + nl + block + nl
	}
	return d.body + nl + nl + block
}

// replaceTables puts block where the first of p's tables is and takes the others out.
func (d *tomlText) replaceTables(p *parts, block string) string {
	runs := d.runs(p)
	first := runs[0]
	if text := first.text(d.body); strings.HasSuffix(text, "\n") {
		block += text[len(strings.TrimRight(text, "\r\n")):]
	}
	return splice(d.body, append(d.cutTables(runs[1:]), cut{first.start, first.end, block}))
}

// insertLine adds a line after the last item of a section.
func (d *tomlText) insertLine(s tomlSection, line string) string {
	nl := d.newline()
	if s.end == 0 || strings.HasSuffix(d.body[:s.end], "\n") {
		return d.body[:s.end] + line + nl + d.body[s.end:]
	}
	return d.body[:s.end] + nl + line + d.body[s.end:]
}

// remove takes tables out, each with the blank line before it, and lines.
func (d *tomlText) remove(path []string) (text, error) {
	p, err := d.find(path)
	if p == nil {
		return nil, err
	}
	if d.isArray(p, path) {
		return nil, d.fault(d.offset(p), "%q is an array of tables, which mcpctl doesn't rewrite", path[len(path)-1])
	}
	cuts := d.cutTables(d.runs(p))
	lines := 0
	for _, item := range p.items {
		if !item.inline {
			cuts = append(cuts, cut{d.lineStart(item.start), d.lineEnd(item.end), ""})
			lines++
		}
	}
	if lines == 0 && len(p.items) > 0 {
		return nil, d.fault(d.offset(p), "%q is in an inline table, which mcpctl doesn't rewrite", path[len(path)-1])
	}
	return take(d.with(splice(d.body, cuts)))
}

// cutTables takes tables out.
func (d *tomlText) cutTables(runs []span) []cut {
	withoutNewline := func(end int) string { return strings.TrimSuffix(strings.TrimSuffix(d.body[:end], "\n"), "\r") }
	var cuts []cut
	for _, r := range runs {
		if before := withoutNewline(r.start); before == "" || strings.HasSuffix(before, "\n") {
			r.start = len(before)
		}
		if r.end == len(d.body) && !strings.HasSuffix(d.body, "\n") {
			// The last line stays one without a newline.
			r.start = len(withoutNewline(r.start))
		}
		if r.start == 0 {
			for _, nl := range []string{"\n", "\r\n"} {
				r.end += len(d.body[r.end:]) - len(strings.TrimPrefix(d.body[r.end:], nl))
			}
		}
		cuts = append(cuts, cut{r.start, r.end, ""})
	}
	return cuts
}
