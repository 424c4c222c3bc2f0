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

	"github.com/mcpctl/mcpctl/internal/problem"
)

// Document is a file, taken apart far enough to change single members of it by splicing bytes: whatever isn't a changed
// member keeps its bytes and its place. A byte order mark is kept, and an absent or blank file is an empty object.
//
// Members are addressed by the path of their names from the root, decoded: "lin\u0065ar" in a JSON file is "linear".
type Document struct {
	bom  string
	text text
}

// text is what differs by format: a text taken apart. Libraries read it and say where things are; what is written is
// spliced in by us. It never changes: set and remove return another, which has been taken apart in its turn, so whoever
// reads the file will take it.
type text interface {
	origin() source
	// get returns the value at path, where it starts, and whether there is one.
	get(path []string) (raw Raw, offset int, ok bool, err error)
	members(path []string) (Members, error)
	empty(path []string) bool
	set(value any, path []string) (text, error)
	// remove returns nil if there is nothing at path.
	remove(path []string) (text, error)
	masks(show func(path []string, value string) bool) []cut
}

const utf8BOM = "\ufeff"

// Parse reads data. name is the file's, for errors, which say where in the file something is wrong: name:line:column,
// columns counted in characters. A file that isn't UTF-8, isn't valid in its format, or doesn't hold an object is
// refused.
func Parse(name string, data []byte, format Format) (*Document, error) {
	switch {
	case bytes.IndexByte(data, 0) >= 0:
		return nil, problem.New("save it as UTF-8, then try again", "%s: not UTF-8 text (UTF-16?)", name)
	case !utf8.Valid(data):
		return nil, problem.New("save it as UTF-8, then try again", "%s: not UTF-8 text", name)
	}
	d := &Document{}
	body := string(data)
	if rest, ok := strings.CutPrefix(body, utf8BOM); ok {
		if format&NoBOM != 0 {
			return nil, problem.New("save it as UTF-8 without a byte order mark, then try again",
				"%s:1:1: a byte order mark, but the program that reads this file takes none", name)
		}
		d.bom, body = utf8BOM, rest
	}
	if s := format.syntax(); (s == JSON || s == JSONC) && strings.Trim(body, blank) == "" {
		body = "{}\n"
	}
	var err error
	if d.text, err = take(source{name, format, body}); err != nil {
		return nil, err
	}
	return d, nil
}

// Bytes returns the text as it is now.
func (d *Document) Bytes() []byte { return []byte(d.bom + d.text.origin().body) }

// take takes a text apart.
func take(s source) (text, error) {
	switch s.format.syntax() {
	case TOML:
		return parseTOML(s)
	case YAML:
		return parseYAML(s)
	}
	return parseJSON(s)
}

// Get returns the text of the value at path, and whether there is one.
func (d *Document) Get(path ...string) (Raw, bool, error) {
	raw, _, ok, err := d.text.get(path)
	return raw, ok, err
}

// Members returns the members of the object at path, in the file's order, values as Raw; none if there is no such object.
// Unlike a name on the way there, a name among them may occur twice.
func (d *Document) Members(path ...string) (Members, error) { return d.text.members(path) }

// Empty reports whether there is an object at path that holds neither a member nor a comment. For the empty path, the
// root, comments around it count too.
func (d *Document) Empty(path ...string) bool { return d.text.empty(path) }

// Set makes value, which is what a Member may have, the value at path. An existing value is replaced, and nothing around
// it; a new member becomes the last of its object, in the style of its siblings; objects that the path lacks are made.
func (d *Document) Set(value any, path ...string) error {
	t, err := d.text.set(value, path)
	if err == nil {
		d.text = t
	}
	return err
}

// Remove takes the member at path out and reports whether there was one.
func (d *Document) Remove(path ...string) (bool, error) {
	t, err := d.text.remove(path)
	if err != nil || t == nil {
		return false, err
	}
	d.text = t
	return true, nil
}

// ErrorAt returns an error with the next step next that says where the value at path is.
func (d *Document) ErrorAt(path []string, next, format string, args ...any) error {
	_, offset, _, err := d.text.get(path)
	if err != nil {
		return err
	}
	return problem.New(next, "%s: %s", d.text.origin().position(offset), fmt.Sprintf(format, args...))
}
