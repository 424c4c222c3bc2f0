// Package tool is what a person types to a tool and sees of its result: words made into arguments by the tool's input schema,
// content made into text and files.
package tool

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// node is a JSON Schema (2020-12, or the older drafts that servers use) in a document whose other parts it may refer to.
type node struct {
	document json.RawMessage
	members  map[string]json.RawMessage
}

// maxSteps is how many parts of a schema are looked at to understand one place in it: a reference may lead back to itself,
// and several of them may do so.
const maxSteps = 200

func newNode(document, schema json.RawMessage) node {
	n := node{document: document}
	_ = json.Unmarshal(schema, &n.members) // true and false, which are schemas too, say nothing
	return n
}

// resolved returns n with $ref followed and allOf joined in. What n says itself goes before what it refers to.
func (n node) resolved() node {
	left := maxSteps
	return n.resolve(&left)
}

func (n node) resolve(left *int) node {
	if *left--; *left < 0 {
		return n
	}
	var parts []json.RawMessage
	if target := n.lookup(n.text("$ref")); target != nil {
		parts = append(parts, target)
	}
	parts = append(parts, n.list("allOf")...)
	if len(parts) == 0 {
		return n
	}
	joined := node{n.document, map[string]json.RawMessage{}}
	for name, value := range n.members {
		if name != "$ref" && name != "allOf" {
			joined.members[name] = value
		}
	}
	for _, part := range parts {
		joined.join(newNode(n.document, part).resolve(left))
	}
	return joined
}

func (n node) join(other node) {
	for name, value := range other.members {
		mine, has := n.members[name]
		switch {
		case !has:
			n.members[name] = value
		case name == "properties":
			n.members[name] = joinObjects(mine, value)
		case name == "required":
			var list []string
			_ = json.Unmarshal(value, &list)
			all, _ := marshal(union(n.texts(name), list))
			n.members[name] = all
		}
	}
}

// joinObjects puts the members of b that a doesn't have behind those of a.
func joinObjects(a, b json.RawMessage) json.RawMessage {
	var members, more map[string]json.RawMessage
	if json.Unmarshal(a, &members) != nil || json.Unmarshal(b, &more) != nil {
		return a
	}
	joined := []byte("{")
	for _, name := range union(memberNames(a), memberNames(b)) {
		value, has := members[name]
		if !has {
			value = more[name]
		}
		if len(joined) > 1 {
			joined = append(joined, ',')
		}
		key, _ := marshal(name)
		joined = append(append(append(joined, key...), ':'), value...)
	}
	return append(joined, '}')
}

// union is a, and behind it what b has beside.
func union(a, b []string) []string {
	seen, all := map[string]bool{}, []string{}
	for _, s := range append(slices.Clone(a), b...) {
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all
}

// lookup returns what a reference within the document means (a JSON pointer, RFC 6901), nil if there is nothing.
func (n node) lookup(ref string) json.RawMessage {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := n.document
	for _, step := range strings.Split(path, "/")[1:] {
		var members map[string]json.RawMessage
		if json.Unmarshal(at, &members) != nil {
			return nil
		}
		at = members[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}

// alternatives returns the schemas of which a value has to fit one: those of anyOf or oneOf, or n alone.
func (n node) alternatives() []node {
	left := maxSteps
	return n.branches(&left)
}

func (n node) branches(left *int) []node {
	n = n.resolve(left)
	branches := append(n.list("anyOf"), n.list("oneOf")...)
	// Beside a type, branches only say which members go together.
	if len(branches) == 0 || n.has("type") || n.has("properties") || *left < 0 {
		return []node{n}
	}
	var all []node
	for _, b := range branches {
		all = append(all, newNode(n.document, b).branches(left)...)
	}
	return all
}

func (n node) has(name string) bool {
	_, ok := n.members[name]
	return ok
}

func (n node) text(name string) string {
	var s string
	_ = json.Unmarshal(n.members[name], &s)
	return s
}

func (n node) list(name string) []json.RawMessage {
	var list []json.RawMessage
	_ = json.Unmarshal(n.members[name], &list)
	return list
}

func (n node) texts(name string) []string {
	var list []string
	_ = json.Unmarshal(n.members[name], &list)
	return list
}

// types are the JSON types that n itself allows; none means any.
func (n node) types() []string {
	if t := n.text("type"); t != "" {
		return []string{t}
	}
	if list := n.texts("type"); len(list) > 0 {
		return list
	}
	switch {
	case n.has("properties"):
		return []string{"object"}
	case n.has("items"):
		return []string{"array"}
	}
	return nil
}

// allows reports whether one of the alternatives names a JSON type.
func (n node) allows(jsonType string) bool {
	return slices.ContainsFunc(n.alternatives(), func(a node) bool { return slices.Contains(a.types(), jsonType) })
}

// choices are the values of which a value that fits n itself has to be one; none means that it is free.
func (n node) choices() []json.RawMessage {
	if c, ok := n.members["const"]; ok {
		return []json.RawMessage{c}
	}
	return n.list("enum")
}

// choiceWords are the values that can be chosen, as words to type; none if another value is possible. Null isn't counted.
func (n node) choiceWords() []string {
	var words []string
	for _, a := range n.alternatives() {
		list := a.choices()
		if len(list) == 0 && !slices.Equal(a.types(), []string{"null"}) {
			return nil
		}
		for _, c := range list {
			if word := asWord(c); word != "null" && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

// asWord is a JSON value as one would type it: a string without its quotes.
func asWord(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil && !bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return b.String()
}

// kind says in a few words what a value has to be.
func (n node) kind() string { return n.kindAt(0) }

func (n node) kindAt(depth int) string {
	if words := n.choiceWords(); len(words) > 0 {
		return strings.Join(words, "|")
	}
	var kinds []string
	for _, a := range n.alternatives() {
		for _, t := range a.types() {
			if t == "array" && depth < 2 { // items may be what they are items of
				t = a.items().kindAt(depth+1) + " …"
			}
			if t != "null" && !slices.Contains(kinds, t) {
				kinds = append(kinds, t)
			}
		}
	}
	if len(kinds) == 0 {
		return "any"
	}
	return strings.Join(kinds, "|")
}

func (n node) items() node { return newNode(n.document, n.members["items"]).resolved() }

// properties returns n's properties, and their names in the schema's order. Those of branches count as well.
func (n node) properties() (map[string]node, []string) {
	found, names := map[string]node{}, []string{}
	sources := []node{n.resolved()}
	for _, list := range [][]json.RawMessage{sources[0].list("anyOf"), sources[0].list("oneOf")} {
		for _, b := range list {
			sources = append(sources, newNode(n.document, b).resolved())
		}
	}
	for _, s := range sources {
		var members map[string]json.RawMessage
		_ = json.Unmarshal(s.members["properties"], &members)
		for _, name := range memberNames(s.members["properties"]) {
			if _, has := found[name]; !has {
				found[name] = newNode(n.document, members[name]).resolved()
				names = append(names, name)
			}
		}
	}
	return found, names
}

// memberNames returns the names in a JSON object, in its order.
func memberNames(object json.RawMessage) []string {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return names
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return names
		}
		names = append(names, name.(string))
	}
	return names
}

// others returns the schema of properties that n doesn't name, and whether it clearly wants some.
func (n node) others() (node, bool) {
	n = n.resolved()
	more := bytes.TrimSpace(n.members["additionalProperties"])
	switch {
	case string(more) == "false":
		return node{}, false
	case n.has("patternProperties"), len(more) > 0, !n.has("properties"):
		return newNode(n.document, more).resolved(), true
	}
	return node{}, false // a typo is far more likely than an argument that isn't described
}

// defaultText is the default as a word, "" if there is none.
func (n node) defaultText() string {
	value, ok := n.members["default"]
	if !ok || string(bytes.TrimSpace(value)) == "null" {
		return ""
	}
	word := asWord(value)
	if word == "" {
		return strconv.Quote(word)
	}
	return word
}
