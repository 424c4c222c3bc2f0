package configfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// tomlText is a text in TOML. go-toml judges it, and its unstable.Parser, whose version go.mod pins, knows where everything is.
type tomlText struct {
	source
	// sections are the tables with a header in the file's order, after the root's own section.
	sections []tomlSection
	// values are what masks may have to hide; quoted are the strings among them and the quoted names: what can hold a # that
	// starts no comment.
	values []tomlValueAt
	quoted []span
}

// span is the bytes [start, end).
type span struct{ start, end int }

// tomlSection is a header with the members written below it.
type tomlSection struct {
	path []string
	// array is a header in double brackets.
	array bool
	// The bytes run from the start of the header's line to the end of the last line that holds something of the section,
	// its newline included. What follows up to the next header is white space and comments that may be about that.
	span
	items []tomlItem
}

// tomlItem is name = value, or one inside an inline table.
type tomlItem struct {
	// path is from the root.
	path []string
	// own is how many of path's names the line itself has; more than one is a dotted key.
	own    int
	inline bool
	span
	// value is where the value starts; it ends where the item does.
	value int
	// table tells that the value is an inline table.
	table bool
}

// tomlValueAt is a string, a number, or a date.
type tomlValueAt struct {
	span
	path  []string
	value string
	// short is a number that isShort.
	short bool
}

func parseTOML(s source) (*tomlText, error) {
	d := &tomlText{source: s}
	sound, parseErr := d.index(tomlPieceSize)
	if !sound {
		// go-toml has the last word, and those of the error.
		var whole map[string]any
		if err := toml.Unmarshal([]byte(s.body), &whole); err != nil {
			return nil, d.syntaxError(err)
		}
	}
	if parseErr != nil {
		return nil, d.syntaxError(parseErr)
	}
	return d, nil
}

// index finds where everything is. It reports whether go-toml is sure to take the text, which it reads in pieces of so many lines and
// headers: as a whole, a large one would take it much longer.
func (d *tomlText) index(pieceSize int) (sound bool, err error) {
	data := []byte(d.body)
	d.sections = []tomlSection{{}}
	names, pieces := newTOMLNames(), newTOMLPieces(pieceSize)
	p := unstable.Parser{}
	p.Reset(data)
	sound = true
	for p.NextExpression() {
		e := p.Expression()
		sound = sound && names.add(e)
		pieces.add(e, d.add(e))
	}
	if err := p.Error(); err != nil {
		return false, err
	}
	return sound && pieces.decode(data), nil
}

// add indexes an expression: a header, or a name with its value. It returns where its line starts.
func (d *tomlText) add(e *unstable.Node) int {
	if e.Kind == unstable.KeyValue {
		s := &d.sections[len(d.sections)-1]
		item := d.item(e, s.path, false, func(inner tomlItem) { s.items = append(s.items, inner) })
		s.items = append(s.items, item)
		s.end = d.lineEnd(item.end)
		return d.lineStart(item.start)
	}
	path, key := d.key(e, nil)
	start := d.lineStart(key.start)
	d.sections = append(d.sections, tomlSection{
		path: path, array: e.Kind == unstable.ArrayTable, span: span{start, d.lineEnd(key.end)},
	})
	return start
}

// key returns the path that an expression's key leads to from a table, and where it is written.
func (d *tomlText) key(e *unstable.Node, table []string) ([]string, span) {
	path := slices.Clip(table)
	where := span{-1, 0}
	for it := e.Key(); it.Next(); {
		n := it.Node()
		path = append(path, string(n.Data))
		part := span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
		if where.start < 0 {
			where.start = part.start
		}
		where.end = part.end
		if c := d.body[part.start]; c == '"' || c == '\'' {
			d.quoted = append(d.quoted, part)
		}
	}
	return path, where
}

// item indexes a name with its value, which table is to be its place. The items of an inline table go to inner.
func (d *tomlText) item(e *unstable.Node, table []string, inline bool, inner func(tomlItem)) tomlItem {
	path, key := d.key(e, table)
	value := key.end + strings.IndexByte(d.body[key.end:], '=') + 1
	value = len(d.body) - len(strings.TrimLeft(d.body[value:], " \t"))
	end := int(e.Raw.Offset + e.Raw.Length)
	v := e.Value()
	d.addValues(v, path, inner)
	return tomlItem{path: path, own: len(path) - len(table), inline: inline, span: span{key.start, end}, value: value,
		table: v.Kind == unstable.InlineTable}
}

// addValues indexes what is in a value that masks may have to hide, and the items of inline tables in it.
func (d *tomlText) addValues(v *unstable.Node, path []string, inner func(tomlItem)) {
	switch v.Kind {
	case unstable.Bool:
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			d.addValues(it.Node(), append(slices.Clip(path), decimal(i)), func(tomlItem) {})
		}
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			inner(d.item(it.Node(), path, true, inner))
		}
	default:
		number := v.Kind == unstable.Integer || v.Kind == unstable.Float
		at := tomlValueAt{span{int(v.Raw.Offset), int(v.Raw.Offset + v.Raw.Length)}, path, string(v.Data), number && isShort(string(v.Data))}
		d.values = append(d.values, at)
		if v.Kind == unstable.String {
			d.quoted = append(d.quoted, at.span)
		}
	}
}

// parts are what of the text makes up one member of a table.
type parts struct {
	name string
	// sections are those at or below the member, by index; items are those above it that lead to it or below it.
	sections []int
	items    []tomlItem
}

// collect returns the members of the table at path in the order in which their first parts stand in the text. A member
// may be in several places: in tables and their subtables, which needn't stand together, or in dotted keys.
func (d *tomlText) collect(path []string) []*parts {
	var all []*parts
	index := map[string]*parts{}
	of := func(name string) *parts {
		p := index[name]
		if p == nil {
			p = &parts{name: name}
			index[name] = p
			all = append(all, p)
		}
		return p
	}
	for i, s := range d.sections {
		if len(s.path) > len(path) && hasPrefix(s.path, path) {
			p := of(s.path[len(path)])
			p.sections = append(p.sections, i)
			continue
		}
		for _, item := range s.items {
			if len(item.path) > len(path) && hasPrefix(item.path, path) {
				p := of(item.path[len(path)])
				p.items = append(p.items, item)
			}
		}
	}
	return all
}

func hasPrefix(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// find returns the member at path, nil if there is none. What leads to it has to be tables.
func (d *tomlText) find(path []string) (*parts, error) {
	last := len(path) - 1
	if err := d.object(path[:last]); err != nil {
		return nil, err
	}
	for _, p := range d.collect(path[:last]) {
		if p.name == path[last] {
			return p, nil
		}
	}
	return nil, nil
}

// whole returns the item that holds all of the member at path, if there is one.
func (p *parts) whole(path []string) (tomlItem, bool) {
	for _, item := range p.items {
		if slices.Equal(item.path, path) {
			return item, true
		}
	}
	return tomlItem{}, false
}

// offset returns where the member starts.
func (d *tomlText) offset(p *parts) int {
	at := len(d.body)
	for _, i := range p.sections {
		at = min(at, d.sections[i].offset(d.body))
	}
	for _, item := range p.items {
		at = min(at, item.start)
	}
	return at
}

func (s span) text(body string) string { return body[s.start:s.end] }

// offset returns where a span begins after the white space of its line.
func (s span) offset(body string) int { return s.end - len(strings.TrimLeft(s.text(body), " \t")) }

// raw returns the text of the member at path: its value, its tables, or an inline table made of its dotted keys.
func (d *tomlText) raw(path []string, p *parts) Raw {
	if item, ok := p.whole(path); ok {
		return Raw{d.body[item.value:item.end], d.format}
	}
	var b strings.Builder
	if len(p.sections) == 0 {
		for i, item := range p.items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(tomlPath(item.path[len(path):]) + " = " + d.body[item.value:item.end])
		}
		return Raw{"{ " + b.String() + " }", d.format}
	}
	for i, run := range d.runs(p) {
		if i > 0 {
			b.WriteString(d.newline())
		}
		b.WriteString(run.text(d.body))
	}
	return Raw{b.String(), d.format}
}

// runs returns where p's tables are, those that follow each other as one with the comments between them.
func (d *tomlText) runs(p *parts) []span {
	var runs []span
	for n, i := range p.sections {
		if s := d.sections[i]; n > 0 && i == p.sections[n-1]+1 {
			runs[len(runs)-1].end = s.end
		} else {
			runs = append(runs, s.span)
		}
	}
	return runs
}

func (d *tomlText) get(path []string) (Raw, int, bool, error) {
	if len(path) == 0 {
		return Raw{d.body, d.format}, 0, true, nil
	}
	p, err := d.find(path)
	if p == nil {
		return Raw{}, 0, false, err
	}
	return d.raw(path, p), d.offset(p), true, nil
}

func (d *tomlText) members(path []string) (Members, error) {
	if err := d.object(path); err != nil {
		return nil, err
	}
	var members Members
	for _, p := range d.collect(path) {
		members = append(members, Member{p.name, d.raw(append(slices.Clip(path), p.name), p)})
	}
	return members, nil
}

// object refuses a path on which there is something else than tables. A header below an array of tables, [servers.linear] below
// [[servers]], speaks of the array's last element.
func (d *tomlText) object(path []string) error {
	leads := func(to []string) bool { return len(to) > 0 && hasPrefix(path, to) }
	for _, s := range d.sections {
		if s.array && leads(s.path) {
			return d.fault(s.offset(d.body), "%q should be a table, it is an array of tables", s.path[len(s.path)-1])
		}
		for _, item := range s.items {
			if !item.table && leads(item.path) {
				return d.fault(item.value, "%q should be a table, it is something else", item.path[len(item.path)-1])
			}
		}
	}
	return nil
}

// empty reports whether there is nothing, or but a header, and no comment either.
func (d *tomlText) empty(path []string) bool {
	if len(path) == 0 {
		return strings.Trim(d.body, blank) == ""
	}
	p, err := d.find(path)
	if p == nil || err != nil {
		return false
	}
	if item, ok := p.whole(path); ok {
		return item.table && strings.Trim(d.body[item.value+1:item.end], blank) == "}"
	}
	if len(p.items) > 0 || len(p.sections) != 1 {
		return false
	}
	s := d.sections[p.sections[0]]
	return len(s.path) == len(path) && !s.array && !strings.Contains(s.text(d.body), "#")
}

// syntaxError turns go-toml's error into ours: the column in characters, and without the text of a value, which may be a
// secret.
func (d *tomlText) syntaxError(err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return problem.New(fixFirst, "%s: not valid TOML", d.name)
	}
	line, column := decode.Position()
	offset := 0
	for range line - 1 {
		offset = d.lineEnd(offset)
	}
	offset = max(0, min(offset+column-1, len(d.body)))
	what := strings.TrimPrefix(decode.Error(), "toml: ")
	switch {
	case strings.Contains(what, "parse"), strings.Contains(what, "value "):
		what = "this isn't a TOML value"
	case strings.HasPrefix(what, "table ") && strings.HasSuffix(what, "already exists"):
		what = strings.Replace(what, "already exists", "is there twice", 1)
	}
	return d.fault(offset, "%s", what)
}
