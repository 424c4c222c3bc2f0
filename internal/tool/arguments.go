package tool

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Schema says which arguments a tool takes.
type Schema struct{ root node }

// NewSchema returns what an input schema, as a server sent it, says. One that can't be understood allows everything.
func NewSchema(inputSchema json.RawMessage) Schema { return Schema{newNode(inputSchema, inputSchema)} }

// Argument is one that a tool takes.
type Argument struct {
	Name        string
	Kind        string   // what its value has to be, in a word: "string", "a|b|c"
	Choices     []string // the values that it can have; none if others are possible
	Required    bool
	Description string
	Default     string // "" if there is none
}

// Arguments returns the tool's arguments, in the schema's order but for those that are required, which come first.
func (s Schema) Arguments() []Argument {
	properties, names := s.root.properties()
	required := s.root.resolved().texts("required")
	var list []Argument
	for _, name := range names {
		p := properties[name]
		list = append(list, Argument{name, p.kind(), p.choiceWords(), slices.Contains(required, name), p.text("description"), p.defaultText()})
	}
	slices.SortStableFunc(list, func(a, b Argument) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	return list
}

// Usage is how to write the arguments, optional ones in brackets.
func (s Schema) Usage() string {
	var words []string
	for _, a := range s.Arguments() {
		word := a.Name + "=" + strings.ToUpper(a.Kind)
		if len(a.Choices) > 0 {
			word = a.Name + "=" + a.Kind
		}
		if strings.HasSuffix(a.Kind, " …") {
			word = strings.TrimSuffix(word, " …") + " …"
		}
		if !a.Required {
			word = "[" + word + "]"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// ArgumentError says what is wrong with arguments that were given, or left out.
type ArgumentError struct {
	text string
	// Word is one that isn't known, and Known are those of which it may be a misspelling.
	Word  string
	Known []string
}

func (e *ArgumentError) Error() string { return e.text }

func wrong(format string, args ...any) error {
	return &ArgumentError{text: fmt.Sprintf(format, args...)}
}

// Build makes a tool's arguments, a JSON object, of words and of base, an object whose members words replace; it may be nil.
//
//	NAME=VALUE    a value, typed by the schema; several of a list by several words
//	NAME=@FILE    what is in a file; @@ stands for a single @ at the start
//	NAME:=JSON    a value in JSON, and NAME:=@FILE one in a file
//	A.B=VALUE     a member of an object
//
// read reads a file. What is missing, unknown or of the wrong type is an *ArgumentError.
func (s Schema) Build(words []string, base json.RawMessage, read func(name string) ([]byte, error)) (json.RawMessage, error) {
	b := &builder{read: read}
	if err := b.start(s.root, base); err != nil {
		return nil, err
	}
	for i, word := range words {
		if err := b.add(s.root, i+1, word); err != nil {
			return nil, err
		}
	}
	arguments, err := b.root.finish(s.root, "")
	if err != nil {
		return nil, err
	}
	return marshal(arguments)
}

// builder collects arguments.
type builder struct {
	read func(string) ([]byte, error)
	root object
}

// object is arguments, or a member of theirs that is given in parts.
type object struct {
	names   []string
	members map[string]*member
}

type member struct {
	schema node
	words  []string        // as given
	json   json.RawMessage // instead of words
	parts  *object         // instead of both
	base   bool            // it comes from the base, and gives way
}

// at returns the member called name, which it makes if need be.
func (o *object) at(name string, schema node) *member {
	if o.members == nil {
		o.members = map[string]*member{}
	}
	m, has := o.members[name]
	if !has || m.base {
		m = &member{schema: schema}
		o.members[name] = m
	}
	if !has {
		o.names = append(o.names, name)
	}
	return m
}

func (b *builder) start(root node, base json.RawMessage) error {
	if base == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(base, &members); err != nil || members == nil {
		return wrong("the arguments are no JSON object")
	}
	properties, names := root.properties()
	_, open := root.others()
	for _, name := range memberNames(base) {
		// A schema that doesn't forbid them outright allows members that it doesn't describe.
		if _, known := properties[name]; !known && !open && string(bytes.TrimSpace(root.resolved().members["additionalProperties"])) == "false" {
			return unknown(name, names)
		}
		m := b.root.at(name, properties[name])
		m.json, m.base = members[name], true
	}
	return nil
}

func unknown(name string, known []string) error {
	text := fmt.Sprintf("there is no argument %q", name)
	if len(known) == 0 {
		text = fmt.Sprintf("there is no argument %q: the tool takes none", name)
	}
	return &ArgumentError{text, name, known}
}

// add takes one word, the number-th.
func (b *builder) add(root node, number int, word string) error {
	name, value, ok := strings.Cut(word, "=")
	isJSON := false
	if properties, _ := root.properties(); ok && strings.HasSuffix(name, ":") {
		if _, literal := properties[name]; !literal {
			name, isJSON = strings.TrimSuffix(name, ":"), true
		}
	}
	if !ok || name == "" {
		return wrong("argument %d isn't of the form NAME=VALUE", number)
	}
	m, err := b.find(root, name)
	if err != nil {
		return err
	}
	if m.parts != nil || m.json != nil || len(m.words) > 0 && isJSON {
		return wrong("%s is given twice", name)
	}
	if file, isFile := strings.CutPrefix(value, "@"); isFile && !strings.HasPrefix(file, "@") {
		if value, err = b.file(m.schema, name, file, isJSON); err != nil {
			return err
		}
	} else if isFile {
		value = file
	}
	if !isJSON {
		m.words = append(m.words, value)
		return nil
	}
	if !json.Valid([]byte(value)) {
		return wrong("%s: that is not JSON", name)
	}
	m.json = json.RawMessage(value)
	return nil
}

// find returns the place of an argument: a property of root, or one within an object that is itself a property.
func (b *builder) find(root node, path string) (*member, error) {
	o, schema, rest := &b.root, root, path
	for {
		properties, names := schema.properties()
		if p, known := properties[rest]; known {
			return o.at(rest, p), nil
		}
		first, after, dotted := strings.Cut(rest, ".")
		if p, known := properties[first]; known && dotted && (p.allows("object") || len(p.alternatives()[0].types()) == 0) {
			m := o.at(first, p)
			if m.json != nil || len(m.words) > 0 {
				return nil, wrong("%s is given whole and in parts", first)
			}
			if m.parts == nil {
				m.parts = &object{}
			}
			o, schema, rest = m.parts, p.withObject(), after
			continue
		}
		more, open := schema.others()
		if !open {
			return nil, unknown(rest, names)
		}
		return o.at(rest, more), nil
	}
}

// withObject returns the alternative that is an object.
func (n node) withObject() node {
	for _, a := range n.alternatives() {
		if slices.Contains(a.types(), "object") {
			return a
		}
	}
	return n
}

// file returns what is in a file, as text: whole where it is a string, or else without the line's end that editors leave.
func (b *builder) file(schema node, name, file string, isJSON bool) (string, error) {
	if file == "" {
		return "", wrong("%s=@ names no file", name)
	}
	data, err := b.read(file)
	switch {
	case problem.NextStep(err) != "":
		return "", err
	case err != nil:
		return "", problem.With(fmt.Errorf("%s: %w", name, err), "check the path; write @@ for a value that begins with @")
	case schema.text("contentEncoding") == "base64" && !isJSON:
		return base64.StdEncoding.EncodeToString(data), nil
	case !utf8.Valid(data):
		return "", wrong("%s: the file %s isn't text (UTF-8)", name, file)
	case isJSON || !schema.allows("string"):
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	return string(data), nil
}

// finish makes JSON of what was collected for schema, and reports what is missing. prefix stands before the names.
func (o *object) finish(schema node, prefix string) (map[string]json.RawMessage, error) {
	made := map[string]json.RawMessage{}
	for _, name := range o.names {
		m := o.members[name]
		value, err := m.finish(prefix + name)
		if err != nil {
			return nil, err
		}
		made[name] = value
	}
	var missing []string
	for _, name := range schema.resolved().texts("required") {
		if _, has := made[name]; !has {
			missing = append(missing, prefix+name)
		}
	}
	if len(missing) > 0 {
		return nil, wrong("%s missing: %s", isOrAre(len(missing)), strings.Join(missing, ", "))
	}
	return made, nil
}

func isOrAre(n int) string {
	if n == 1 {
		return "an argument is"
	}
	return "arguments are"
}

func (m *member) finish(name string) (json.RawMessage, error) {
	switch {
	case m.parts != nil:
		made, err := m.parts.finish(m.schema.withObject(), name+".")
		if err != nil {
			return nil, err
		}
		return marshal(made)
	case m.json != nil:
		return m.json, nil
	case len(m.words) == 1:
		if value, ok := m.schema.value(m.words[0]); ok {
			return value, nil
		}
	}
	array := m.schema.array()
	if array == nil {
		if len(m.words) > 1 {
			return nil, wrong("%s is given twice", name)
		}
		return nil, m.schema.mismatch(name, m.words[0])
	}
	list := []json.RawMessage{}
	for _, word := range m.words {
		value, ok := array.items().value(word)
		if !ok {
			return nil, array.items().mismatch(name, word)
		}
		list = append(list, value)
	}
	return marshal(list)
}

// array returns the alternative that is an array, nil if there is none.
func (n node) array() *node {
	for _, a := range n.alternatives() {
		if slices.Contains(a.types(), "array") {
			return &a
		}
	}
	return nil
}

func (n node) mismatch(name, word string) error {
	if words := n.choiceWords(); len(words) > 0 {
		return &ArgumentError{fmt.Sprintf("%s is one of %s, not %q", name, strings.Join(words, ", "), short(word)), word, words}
	}
	if kind := n.kind(); kind == "object" {
		return wrong("%s is an object: write it in JSON, or its members as %s.MEMBER=VALUE", name, name)
	} else {
		return wrong("%s wants %s, not %q", name, strings.ReplaceAll(kind, "|", " or "), short(word))
	}
}

// short keeps a file's content out of an error.
func short(word string) string {
	if r := []rune(word); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return word
}

var (
	integer = pattern.New(`^-?(0|[1-9][0-9]*)$`)
	number  = pattern.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// literals are the JSON types whose values are told by their look, those first that fewer words fit.
var literals = []struct {
	jsonType string
	fits     func(word string) bool
}{
	{"null", func(w string) bool { return w == "null" }},
	{"boolean", func(w string) bool { return w == "true" || w == "false" }},
	{"integer", func(w string) bool { return integer().MatchString(w) }},
	{"number", func(w string) bool { return number().MatchString(w) }},
	{"array", func(w string) bool { return strings.HasPrefix(w, "[") && json.Valid([]byte(w)) }},
	{"object", func(w string) bool { return strings.HasPrefix(w, "{") && json.Valid([]byte(w)) }},
}

// value returns what a word means by the schema: a choice, else a literal of a type that is allowed, else a string. It
// reports false if no alternative allows it.
func (n node) value(word string) (json.RawMessage, bool) {
	alternatives := n.alternatives()
	for _, a := range alternatives {
		for _, c := range a.choices() {
			if asWord(c) == word {
				return c, true
			}
		}
	}
	trimmed := strings.TrimSpace(word)
	for _, l := range literals {
		for _, a := range alternatives {
			if len(a.choices()) > 0 || !l.fits(trimmed) {
				continue
			}
			if types := a.types(); len(types) == 0 || slices.Contains(types, l.jsonType) {
				return json.RawMessage(trimmed), true
			}
		}
	}
	for _, a := range alternatives {
		if types := a.types(); len(a.choices()) == 0 && (len(types) == 0 || slices.Contains(types, "string")) {
			value, err := marshal(word)
			return value, err == nil
		}
	}
	return nil, false
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}
