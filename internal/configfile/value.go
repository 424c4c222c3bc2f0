package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/tailscale/hujson"
	"go.yaml.in/yaml/v3"
)

// Members is an object (a table in TOML, a mapping in YAML) whose members are written in this order.
type Members []Member

// Member is a name with its value: a string, a []string, a bool, an int, nil, Members or a Raw of the same file. TOML has
// no nil: such a member isn't written there.
type Member struct {
	Name  string
	Value any
}

// Raw is a value as it stands in a file, written back as it is.
//
// In TOML a table is the text of its headers with what is below them, [parent.name] and all. In YAML a value that begins
// on a line of its own begins with that line's indentation, which is adapted to where it is written.
type Raw struct {
	Text   string
	Format Format
}

// shown returns value fit for an error, and whether there is anything to show: what its owner wrote may be secret.
func shown(value any) (any, bool) {
	switch v := value.(type) {
	case nil:
		return nil, false
	case Raw:
		return "…", false
	case Members:
		members := make(Members, len(v))
		for i, m := range v {
			inner, _ := shown(m.Value)
			members[i] = Member{m.Name, inner}
		}
		return members, true
	}
	return value, true
}

// Value returns the value as what encoding/json makes of the same data in JSON: nil, a bool, a json.Number, a string,
// []any or map[string]any. JSON numbers keep their spelling; TOML's dates and what else JSON hasn't are strings.
func (r Raw) Value() (any, error) {
	switch r.Format.syntax() {
	case TOML:
		return tomlValue(r.Text)
	case YAML:
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(r.Text), &n); err != nil {
			return nil, err
		}
		return yamlValue(&n), nil
	}
	standard, err := hujson.Standardize([]byte(r.Text))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(standard))
	d.UseNumber()
	var v any
	err = d.Decode(&v)
	return v, err
}

// Decode decodes the value into v as encoding/json decodes the same data in JSON.
func (r Raw) Decode(v any) error {
	if s := r.Format.syntax(); s == JSON || s == JSONC {
		standard, err := hujson.Standardize([]byte(r.Text))
		if err != nil {
			return err
		}
		return json.Unmarshal(standard, v)
	}
	value, err := r.Value()
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Mentions reports whether word, in lower case, can be in a string of the value, whatever its case: it costs much less than
// to decode the value. An escape that a letter may hide behind counts too.
func (r Raw) Mentions(word string) bool {
	if strings.Contains(strings.ToLower(r.Text), word) {
		return true
	}
	for rest := r.Text; ; {
		i := strings.IndexByte(rest, '\\')
		if i < 0 || i+1 == len(rest) {
			return false
		}
		if strings.IndexByte("uUx\r\n", rest[i+1]) >= 0 {
			return true
		}
		rest = rest[i+2:]
	}
}

// Canonical returns an encoding of the value that is the same for any spacing, comments, escapes and order of names.
// JSON numbers keep their spelling.
func (r Raw) Canonical() string {
	v, err := r.Value()
	if err != nil {
		return r.Text
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		return r.Text
	}
	return string(canonical)
}

// tomlValue decodes a value or the text of a table. ["a"] could be either and is an array: the tables that Raw is made
// from are members of another, so their headers have a dot in them, which an array can have in a number alone.
func tomlValue(text string) (any, error) {
	var one struct{ V any }
	if toml.Unmarshal([]byte("V = "+text+"\n"), &one) == nil {
		return jsonLike(one.V), nil
	}
	var root map[string]any
	if err := toml.Unmarshal([]byte(text), &root); err != nil {
		return nil, err
	}
	p := unstable.Parser{}
	p.Reset([]byte(text))
	if !p.NextExpression() || p.Expression().Kind != unstable.Table {
		return nil, errors.New("not a table")
	}
	// The first header may be that of a table inside, so what counts is how deep the only members go, two levels at most.
	var v any = root
	for range min(2, len(tomlKey(p.Expression()))) {
		for _, inner := range v.(map[string]any) {
			v = inner
		}
	}
	return jsonLike(v), nil
}

// tomlKey returns the decoded parts of an expression's key.
func tomlKey(e *unstable.Node) []string {
	var parts []string
	for it := e.Key(); it.Next(); {
		parts = append(parts, string(it.Node().Data))
	}
	return parts
}

// jsonLike turns what go-toml decodes into what encoding/json does.
func jsonLike(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = jsonLike(inner)
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = jsonLike(inner)
		}
		return v
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case float64:
		if text, err := json.Marshal(v); err == nil {
			return json.Number(text)
		}
	case string, bool, nil:
		return v
	}
	return fmt.Sprint(v)
}

// yamlValue turns a node into what encoding/json makes of the same data. An alias is its own text: what it stands for may
// be as large as one likes.
func yamlValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return yamlValue(n.Content[0])
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = yamlValue(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		s := make([]any, len(n.Content))
		for i, inner := range n.Content {
			s[i] = yamlValue(inner)
		}
		return s
	case yaml.AliasNode:
		return "*" + n.Value
	case yaml.ScalarNode:
		return yamlScalar(n)
	}
	return nil
}

func yamlScalar(n *yaml.Node) any {
	var v any
	if n.ShortTag() == "!!str" || n.Decode(&v) != nil {
		return n.Value
	}
	switch v := v.(type) {
	case nil, bool:
		return v
	case int, int64, uint64, float64:
		if text, err := json.Marshal(v); err == nil {
			return json.Number(text)
		}
	}
	return n.Value
}
