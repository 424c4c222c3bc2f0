package configfile

import (
	"strings"
)

// set replaces an existing value and nothing around it; a new member becomes the last of its object, in the style of its
// siblings, after their comments; objects that the path lacks are made.
func (d *jsonText) set(value any, path []string) (text, error) {
	places, err := d.locate(path)
	if err != nil {
		return nil, err
	}
	last := places[len(places)-1]
	if last.index >= 0 {
		v := last.member().Value
		return take(d.with(d.body[:v.StartOffset] + d.layout(places).render(value) + d.body[v.EndOffset:]))
	}
	for i := len(path) - 1; i >= len(places); i-- {
		value = Members{{path[i], value}}
	}
	return take(d.with(d.insert(places, Member{path[len(places)-1], value})))
}

// insert adds m to the last of places, which is an object that has no member of that name.
func (d *jsonText) insert(places []place, m Member) string {
	o := places[len(places)-1]
	closing := o.value.EndOffset - 1
	// After the last thing that isn't blank, so that the owner's closing comments stay where they are.
	at := len(strings.TrimRight(d.body[:closing], blank))
	l := d.layout(places)
	if len(o.obj.Members) == 0 {
		text, tail := l.member(m), ""
		if !l.oneLine {
			text = l.newline + l.indent + text
			if !strings.Contains(d.body[at:closing], "\n") {
				at, tail = closing, l.newline+d.indentAt(o.value.StartOffset)
			}
		}
		return d.body[:at] + text + tail + d.body[at:]
	}
	end := o.obj.Members[len(o.obj.Members)-1].Value.EndOffset
	text := l.separator + l.member(m)
	// Only the plain text tells: hujson's AfterExtra can be nil before a trailing comma.
	if strings.Contains(d.plain[end:closing], ",") {
		return d.body[:at] + text + "," + d.body[at:]
	}
	return d.body[:end] + "," + d.body[end:at] + text + d.body[at:]
}

// remove takes the member at path out, with the white space before it and one comma.
func (d *jsonText) remove(path []string) (text, error) {
	places, err := d.locate(path)
	if err != nil {
		return nil, err
	}
	p := places[len(places)-1]
	if len(places) < len(path) || p.index < 0 {
		return nil, nil
	}
	name, value := p.member().Name.StartOffset, p.member().Value.EndOffset
	next := p.value.EndOffset - 1
	if p.index+1 < len(p.obj.Members) {
		next = p.obj.Members[p.index+1].Name.StartOffset
	}
	start := len(strings.TrimRight(d.body[:name], blank))
	before, after := d.body[:start], d.body[value:]
	if i := strings.IndexByte(d.plain[value:next], ','); i >= 0 {
		after = after[:i] + after[i+1:]
	} else if p.index > 0 {
		prev := p.obj.Members[p.index-1].Value.EndOffset
		i := prev + strings.IndexByte(d.plain[prev:start], ',')
		before = before[:i] + before[i+1:]
	}
	// A line comment before the member must not swallow what comes after it.
	ws := after[:len(after)-len(strings.TrimLeft(after, blank))]
	if d.inLineComment(start) && !strings.Contains(ws, "\n") {
		before += d.body[start : start+strings.IndexByte(d.body[start:], '\n')+1]
	}
	return take(d.with(before + after))
}

// inLineComment reports whether the byte before offset belongs to a line comment.
func (d *jsonText) inLineComment(offset int) bool {
	for _, c := range d.comments {
		if c.line && c.start < offset && offset <= c.end {
			return true
		}
	}
	return false
}

// layout is how the members of one object are written.
type layout struct {
	newline, indent, unit string
	// separator stands before a further member.
	separator string
	oneLine   bool
	// colon and comma are the two separators inside a line.
	colon, comma string
}

// layout reads the style of the last of places from its members or, where it has none, from what is around it.
func (d *jsonText) layout(places []place) layout {
	o := places[len(places)-1]
	l := layout{newline: d.newline(), unit: "  ", colon: ": ", comma: ", "}
	if members := places[0].obj.Members; len(members) > 0 {
		if indent, alone := d.margin(members[0].Name.StartOffset); alone && indent != "" {
			l.unit = indent
		}
	}
	// An empty object follows the one around it: {"mcpServers":{}} is a file on one line.
	model := o
	if len(o.obj.Members) == 0 && len(places) > 1 {
		model = places[len(places)-2]
	}
	l.oneLine = len(model.obj.Members) > 0 && !strings.Contains(d.body[model.value.StartOffset:model.value.EndOffset], "\n")
	switch {
	case l.oneLine:
		last := model.obj.Members[len(model.obj.Members)-1]
		if last.Name.EndOffset+1 == last.Value.StartOffset {
			l.colon, l.comma = ":", ","
		}
		l.separator = strings.TrimPrefix(l.comma, ",")
	case len(o.obj.Members) > 0:
		l.indent = d.indentAt(o.obj.Members[len(o.obj.Members)-1].Name.StartOffset)
		l.separator = l.newline + l.indent
	default:
		l.indent = d.indentAt(o.value.StartOffset) + l.unit
	}
	return l
}

func (d *jsonText) indentAt(offset int) string {
	indent, _ := d.margin(offset)
	return indent
}

// margin returns the white space that starts the line of offset, and whether nothing else precedes offset there.
func (d *jsonText) margin(offset int) (indent string, alone bool) {
	line := d.body[strings.LastIndexByte(d.body[:offset], '\n')+1 : offset]
	indent = line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	return indent, indent == line
}
