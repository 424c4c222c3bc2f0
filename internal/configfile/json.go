package configfile

import (
	"strings"

	"github.com/tailscale/hujson"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// jsonText is a text in JSON or JSONC, taken apart by hujson, which knows where everything is. It doesn't write: it would
// respace what it hasn't changed.
type jsonText struct {
	source
	scanned
	root hujson.Value
}

func parseJSON(s source) (*jsonText, error) {
	d := &jsonText{source: s, scanned: scan(s.body)}
	// The limit is that of encoding/json; hujson has none and would run out of stack.
	if d.depth > 10_000 {
		return nil, problem.New(fixFirst, "%s: nested more than 10000 deep", d.name)
	}
	var err error
	// A line comment at the very end may lack its newline; hujson wants one.
	if d.root, err = hujson.Parse([]byte(s.body + "\n")); err != nil {
		return nil, d.syntaxError(err)
	}
	if err := d.checkStrict(); err != nil {
		return nil, err
	}
	if err := d.checkComments(); err != nil {
		return nil, err
	}
	if d.root.Value.Kind() != '{' {
		return nil, d.fault(d.root.StartOffset, "an object is needed here, this is %s", kindOf(d.root))
	}
	return d, nil
}

// place is an object on the way to a member, and the index of the next member of the path in it, -1 if it has none.
type place struct {
	value hujson.Value
	obj   *hujson.Object
	index int
}

func (p place) member() hujson.ObjectMember { return p.obj.Members[p.index] }

// locate walks along path as far as there is something: the last place is either the parent of the whole path's member or
// the object that lacks the next name. A name that occurs twice on the way is refused, since readers
// disagree on which one counts; so is anything but an object where the path goes on.
func (d *jsonText) locate(path []string) ([]place, error) {
	var places []place
	v := d.root
	for i, name := range path {
		obj, err := d.object(v, path[:i])
		if err != nil {
			return nil, err
		}
		p := place{value: v, obj: obj, index: -1}
		for j, m := range obj.Members {
			if nameOf(m) != name {
				continue
			}
			if p.index >= 0 {
				return nil, d.fault(m.Name.StartOffset, "the name %q is there twice", name)
			}
			p.index = j
		}
		places = append(places, p)
		if p.index < 0 {
			return places, nil
		}
		v = p.member().Value
	}
	return places, nil
}

// object returns the object that v, the value at path, has to be. The root is one, or Parse would have refused it.
func (d *jsonText) object(v hujson.Value, path []string) (*hujson.Object, error) {
	if obj, ok := v.Value.(*hujson.Object); ok {
		return obj, nil
	}
	return nil, d.fault(v.StartOffset, "%q should be an object, it is %s", path[len(path)-1], kindOf(v))
}

// find returns the value at path, and whether there is one.
func (d *jsonText) find(path []string) (hujson.Value, bool, error) {
	if len(path) == 0 {
		return d.root, true, nil
	}
	places, err := d.locate(path)
	if err != nil {
		return hujson.Value{}, false, err
	}
	last := places[len(places)-1]
	if len(places) < len(path) || last.index < 0 {
		return hujson.Value{}, false, nil
	}
	return last.member().Value, true, nil
}

func (d *jsonText) raw(v hujson.Value) Raw {
	return Raw{d.body[v.StartOffset:v.EndOffset], d.format}
}

func (d *jsonText) get(path []string) (Raw, int, bool, error) {
	v, ok, err := d.find(path)
	if err != nil || !ok {
		return Raw{}, 0, false, err
	}
	return d.raw(v), v.StartOffset, true, nil
}

func (d *jsonText) members(path []string) (Members, error) {
	v, ok, err := d.find(path)
	if err != nil || !ok {
		return nil, err
	}
	obj, err := d.object(v, path)
	if err != nil {
		return nil, err
	}
	members := make(Members, len(obj.Members))
	for i, m := range obj.Members {
		members[i] = Member{nameOf(m), d.raw(m.Value)}
	}
	return members, nil
}

func (d *jsonText) empty(path []string) bool {
	v, ok, err := d.find(path)
	if err != nil || !ok {
		return false
	}
	text := d.body[v.StartOffset:v.EndOffset]
	if len(path) == 0 {
		text = d.body
	}
	text = strings.Trim(text, blank)
	return strings.HasPrefix(text, "{") && strings.Trim(text[1:], blank) == "}"
}

func nameOf(m hujson.ObjectMember) string { return m.Name.Value.(hujson.Literal).String() }

func kindOf(v hujson.Value) string {
	switch v.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a boolean"
}
