// Package configfile edits a configuration file that someone else owns and loses nothing in it.
//
// A Document plans: bytes in, bytes out, nothing touched on disk. A File applies: it follows links, locks, backs
// up, replaces the file whole, and reads back. The two meet in a plan function, which knows nothing of files, so
// that it can be run again when the owner writes at the same time.
package configfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/mcpctl/mcpctl/internal/problem"
)

const fixFirst = "nothing was written; correct the file by hand, then try again"

// Document is a JSON file, taken apart far enough to change single members of it by splicing bytes: whatever isn't
// a changed member keeps its bytes and its place. A byte order mark is kept, and an absent or blank file is an
// empty object.
//
// Members are addressed by the path of their names from the root, decoded: "lin\u0065ar" in the file is "linear".
type Document struct {
	name   string
	format Format
	bom    string
	// body is the text without the mark; offsets count from its start.
	body string
	root hujson.Value
	// plain is body with its comments blanked out, and comments says where they were.
	plain    string
	comments []comment
}

const utf8BOM = "\ufeff"

// Parse reads data. name is the file's, for errors, which say where in the file something is wrong: name:line:column,
// columns counted in characters. A file that isn't UTF-8, isn't valid in its format, or doesn't hold an object is
// refused.
func Parse(name string, data []byte, format Format) (*Document, error) {
	d := &Document{name: name, format: format}
	text := string(data)
	switch {
	case bytes.IndexByte(data, 0) >= 0:
		return nil, problem.New("save it as UTF-8, then try again", "%s: not UTF-8 text (UTF-16?)", name)
	case !utf8.Valid(data):
		return nil, problem.New("save it as UTF-8, then try again", "%s: not UTF-8 text", name)
	}
	if rest, ok := strings.CutPrefix(text, utf8BOM); ok {
		if format&NoBOM != 0 {
			return nil, problem.New("save it as UTF-8 without a byte order mark, then try again",
				"%s:1:1: a byte order mark, but the program that reads this file takes none", name)
		}
		d.bom, text = utf8BOM, rest
	}
	if strings.Trim(text, blank) == "" {
		text = "{}\n"
	}
	if err := d.load(text); err != nil {
		return nil, err
	}
	if d.root.Value.Kind() != '{' {
		return nil, d.fault(d.root.StartOffset, "an object is needed here, this is %s", kindOf(d.root))
	}
	return d, nil
}

// Bytes returns the text as it is now.
func (d *Document) Bytes() []byte { return []byte(d.bom + d.body) }

// load makes body the document's text.
func (d *Document) load(body string) error {
	d.body = body
	var depth int
	d.plain, d.comments, depth = scan(body)
	// The limit is that of encoding/json; hujson has none and would run out of stack.
	if depth > 10_000 {
		return problem.New(fixFirst, "%s: nested more than 10000 deep", d.name)
	}
	var err error
	// A line comment at the very end may lack its newline; hujson wants one.
	if d.root, err = hujson.Parse([]byte(body + "\n")); err != nil {
		return d.syntaxError(err)
	}
	return d.checkStrict()
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
func (d *Document) locate(path []string) ([]place, error) {
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
func (d *Document) object(v hujson.Value, path []string) (*hujson.Object, error) {
	if obj, ok := v.Value.(*hujson.Object); ok {
		return obj, nil
	}
	return nil, d.fault(v.StartOffset, "%q should be an object, it is %s", path[len(path)-1], kindOf(v))
}

// find returns the value at path, and whether there is one.
func (d *Document) find(path []string) (hujson.Value, bool, error) {
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

// Get returns the text of the value at path, and whether there is one.
func (d *Document) Get(path ...string) (Raw, bool, error) {
	v, ok, err := d.find(path)
	if err != nil || !ok {
		return Raw{}, false, err
	}
	return d.raw(v), true, nil
}

func (d *Document) raw(v hujson.Value) Raw {
	return Raw{d.body[v.StartOffset:v.EndOffset], d.format}
}

// Members returns the members of the object at path, in the file's order, values as Raw; none if there is no such object.
// Unlike a name on the way there, a name among them may occur twice.
func (d *Document) Members(path ...string) (Members, error) {
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

// Empty reports whether there is an object at path that holds neither a member nor a comment. For the empty path, the
// root, comments around it count too.
func (d *Document) Empty(path ...string) bool {
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

// ErrorAt returns an error with the next step next that says where the value at path is.
func (d *Document) ErrorAt(path []string, next, format string, args ...any) error {
	v, _, err := d.find(path)
	if err != nil {
		return err
	}
	return problem.New(next, "%s: %s", d.position(v.StartOffset), fmt.Sprintf(format, args...))
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
