package configfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// dialect is what the promises on TOML and YAML have that differs.
type dialect struct {
	format Format
	// parent is the member of the root in which entries are set.
	parent string
	// read is an independent reader.
	read func(text string) (map[string]any, error)
	// document makes a valid document of the worst kind.
	document func(g generator) string
}

func dialects() map[string]dialect {
	return map[string]dialect{
		"TOML": {TOML, "servers", func(text string) (m map[string]any, err error) { return m, toml.Unmarshal([]byte(text), &m) }, generator.toml},
		"YAML": {YAML, "servers", readYAML, generator.yaml},
	}
}

func readYAML(text string) (map[string]any, error) {
	var root map[string]any
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return nil, err
	}
	// A mapping with a name that is no string, 123 for one, is decoded into another type.
	if servers, ok := root["servers"].(map[any]any); ok {
		named := map[string]any{}
		for name, v := range servers {
			named[fmt.Sprint(name)] = v
		}
		root["servers"] = named
	}
	return root, nil
}

// TestRandomTOMLAndYAML checks what Set and Remove promise on random documents.
func TestRandomTOMLAndYAML(t *testing.T) {
	n := randomDocuments(t)
	for name, d := range dialects() {
		t.Run(name, func(t *testing.T) {
			outcomes := map[outcome]uint64{}
			for seed := range n {
				g := generator{rand.New(rand.NewPCG(seed, 0))}
				text := d.document(g)
				o, err := d.check(text)
				if err != nil {
					t.Fatalf("seed %d: %v\n%s\n%q", seed, err, text, text)
				}
				if doc, err := Parse("f", []byte(text), d.format); err == nil && strings.Contains(mask(doc), "sk-") {
					t.Fatalf("seed %d: a secret shows: %q", seed, mask(doc))
				}
				outcomes[o]++
			}
			t.Logf("%d documents: %v", n, outcomes)
			// A test of refusals and of what isn't valid would be none.
			if outcomes[added] < n/4 || outcomes[replaced] < n/10 || outcomes[invalid]+outcomes[cornered] > n/50 {
				t.Errorf("too many of a kind: %v", outcomes)
			}
		})
	}
}

type outcome string

const (
	added    outcome = "added"
	replaced outcome = "replaced"
	refused  outcome = "refused"
	invalid  outcome = "invalid"
	// cornered is refused because the line that is added would change the value before.
	cornered outcome = "cornered"
)

func (d dialect) fuzz(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(d.document(generator{rand.New(rand.NewPCG(seed, 0))}))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := d.check(text); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzTOML(f *testing.F) { dialects()["TOML"].fuzz(f) }
func FuzzYAML(f *testing.F) { dialects()["YAML"].fuzz(f) }

// check sets a member in a document and takes it out again, in every way that install and uninstall do.
func (d dialect) check(text string) (outcome, error) {
	doc, err := Parse("f", []byte(text), d.format)
	if err != nil {
		return invalid, nil
	}
	before, err := d.read(strings.TrimPrefix(text, utf8BOM))
	if err != nil {
		return invalid, nil // a name is there twice, elsewhere
	}
	if masked := mask(doc); strings.Count(masked, "\n") != strings.Count(text, "\n") {
		return "", fmt.Errorf("masked lines: %q", masked)
	}
	path := []string{d.parent, "linear"}
	_, hadParent, err := doc.Get(d.parent)
	if err != nil {
		return refused, nil
	}
	old, exists, err := doc.Get(path...)
	if err != nil {
		return refused, nil
	}
	if exists {
		if err := d.checkFields(doc, text, before); err != nil {
			return "", err
		}
		if err := d.checkRemoved(text, before); err != nil {
			return "", err
		}
	}
	if err := doc.Set(entry, path...); err != nil {
		if string(doc.Bytes()) != text {
			return "", fmt.Errorf("refused (%v), but changed: %q", err, doc.Bytes())
		}
		if strings.Contains(err.Error(), "in the middle of a text") || strings.Contains(err.Error(), "without changing more") {
			return cornered, nil
		}
		return refused, nil
	}
	after := string(doc.Bytes())
	if err := d.sameBut(before, after, map[string]any{"command": "/usr/local/bin/mcpctl", "args": []any{"bridge", "linear"}}); err != nil {
		return "", err
	}
	if exists {
		if err := doc.Set(old, path...); err != nil {
			return "", fmt.Errorf("give back: %w in %q", err, after)
		}
		got, err := d.read(strings.TrimPrefix(string(doc.Bytes()), utf8BOM))
		if err != nil || !sameValue(got, before) {
			return "", fmt.Errorf("given back (%v): %q", err, doc.Bytes())
		}
		return replaced, nil
	}
	if err := inOrder(withoutBraces(text), after); err != nil {
		return "", err
	}
	if ok, err := doc.Remove(path...); !ok || err != nil {
		return "", fmt.Errorf("remove: %v %v from %q", ok, err, after)
	}
	if !hadParent {
		if _, err := doc.Remove(d.parent); err != nil {
			return "", fmt.Errorf("remove the parent: %w from %q", err, doc.Bytes())
		}
	}
	if got := string(doc.Bytes()); got != text && (!strings.Contains(text, "{") || squeeze(got) != squeeze(text)) {
		return "", fmt.Errorf("set then removed: %q, in between %q", got, after)
	}
	return added, nil
}

// withoutBraces leaves out what may come and go where a mapping loses its first or last member.
func withoutBraces(text string) string {
	if rest := regexp.MustCompile(`\{[ \t\r\n]*\}`).ReplaceAllString(text, ""); rest != text {
		return squeeze(rest)
	}
	return text
}

func mask(doc *Document) string { return doc.Masked(func([]string, string) bool { return false }) }

// squeeze leaves out what may differ where a parent was empty: white space between braces and before them.
func squeeze(text string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text)
}

// checkFields replaces fields of the entry there and back.
func (d dialect) checkFields(doc *Document, text string, before map[string]any) error {
	defer func() { doc.text, _ = take(source{"f", d.format, strings.TrimPrefix(text, utf8BOM)}) }()
	for name, value := range map[string]any{"command": "x y", "args": []string{"a", `b\`}, "new": true} {
		field := []string{d.parent, "linear", name}
		old, exists, err := doc.Get(field...)
		if err != nil {
			continue
		}
		if err := doc.Set(value, field...); err != nil {
			if string(doc.Bytes()) != text {
				return fmt.Errorf("%s refused (%v), but changed: %q", name, err, doc.Bytes())
			}
			continue
		}
		if exists {
			err = doc.Set(old, field...)
		} else {
			_, err = doc.Remove(field...)
		}
		if err != nil {
			return fmt.Errorf("%s: %w in %q", name, err, doc.Bytes())
		}
		// A value over several lines may come back on other ones.
		got, err := d.read(strings.TrimPrefix(string(doc.Bytes()), utf8BOM))
		if err != nil || !sameValue(got, before) {
			return fmt.Errorf("%s there and back (%v): %q", name, err, doc.Bytes())
		}
		if got := string(doc.Bytes()); d.format == TOML && exists && got != text {
			return fmt.Errorf("%s there and back: %q", name, got)
		}
		if doc.text, err = take(source{"f", d.format, strings.TrimPrefix(text, utf8BOM)}); err != nil {
			return err
		}
	}
	return nil
}

// checkRemoved takes an entry out that was there from the start.
func (d dialect) checkRemoved(text string, before map[string]any) error {
	doc, err := Parse("f", []byte(text), d.format)
	if err != nil {
		return err
	}
	if ok, err := doc.Remove(d.parent, "linear"); err != nil || !ok {
		if string(doc.Bytes()) != text {
			return fmt.Errorf("not removed (%v), but changed: %q", err, doc.Bytes())
		}
		return nil
	}
	if err := inOrder(withoutBraces(string(doc.Bytes())), text); err != nil {
		return err
	}
	return d.sameBut(before, string(doc.Bytes()), nil)
}

// sameBut checks that after means the same as before, but for the entry, which is to be want.
func (d dialect) sameBut(before map[string]any, after string, want any) error {
	got, err := d.read(strings.TrimPrefix(after, utf8BOM))
	if err != nil {
		return fmt.Errorf("%w in %q", err, after)
	}
	without := func(m map[string]any) (map[string]any, any) {
		rest := map[string]any{}
		for name, v := range m {
			rest[name] = v
		}
		servers, _ := m[d.parent].(map[string]any)
		others := map[string]any{}
		for name, v := range servers {
			if name != "linear" {
				others[name] = v
			}
		}
		// An empty parent is as good as none.
		if delete(rest, d.parent); len(others) > 0 {
			rest[d.parent] = others
		}
		return rest, servers["linear"]
	}
	beforeRest, _ := without(before)
	rest, entry := without(got)
	if !sameValue(rest, beforeRest) {
		return fmt.Errorf("other values changed in %q", after)
	}
	if want != nil && !sameValue(entry, want) || want == nil && entry != nil {
		return fmt.Errorf("the entry is %v in %q", entry, after)
	}
	return nil
}

// sameValue compares what a reader has read; a nan, which equals nothing, is the same as another.
func sameValue(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

// inOrder checks that long holds all of short's bytes in their order.
func inOrder(short, long string) error {
	rest := []byte(long)
	for _, b := range []byte(short) {
		i := bytes.IndexByte(rest, b)
		if i < 0 {
			return fmt.Errorf("a byte %q is gone: %q", b, long)
		}
		rest = rest[i+1:]
	}
	return nil
}

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// finish gives a document its line endings, its byte order mark and its end.
func (g generator) finish(text string) string {
	if g.IntN(4) == 0 {
		text = strings.TrimRight(text, "\n")
	}
	if g.IntN(3) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if g.IntN(8) == 0 {
		text = utf8BOM + text
	}
	return text
}

// between returns comment lines and blank lines.
func (g generator) between() string {
	text := ""
	for range g.IntN(4) - 1 {
		text += g.pick("\n", "# sk-1 = [\n", "  # [servers.linear] sk-1\n", "#\n", "\n\n", "# 'sk-1\n")
	}
	return text
}

func (g generator) toml() string {
	if g.IntN(50) == 0 {
		return g.finish(g.pick("", "\n", " \t", "# sk-1"))
	}
	text := g.between() + g.tomlLines("a", `"b c"`, "'#d'", `"e\u0031"`, "f.g", "f.'h i'")
	if g.IntN(12) == 0 {
		text += g.pick("servers = {}", "servers = { linear = { command = 'sk-1' } } # sk-1", "servers.linear.command = 'sk-1'", "servers.gh.x = 1",
			"servers = 1", "[[servers]]\n[servers.linear]\ncommand = 'sk-1'", "[[servers.linear]]\n[servers.linear.env]", "servers.linear = { command = 'sk-1', args = [ ] }") + "\n" + g.between()
		return g.finish(text + "[z]\n" + g.tomlLines("a"))
	}
	headers := []string{"[x]", "[x.y]", "[[list]]", "[[list]]", "[ 'quoted' . \"[\" ]", "[servers.gh]", "[servers.gh.env]", "[servers.'a.b']", "[servers.linear-2]", "[servers2]"}
	if g.IntN(2) == 0 {
		headers = append(headers, "[servers]")
	}
	if g.IntN(2) == 0 {
		headers = append(headers, g.pick("[servers.linear]", `[ servers . "lin\u0065ar" ]`), "[servers.linear.env]", "[[servers.linear.list]]", "[servers.linear.tools.x]")
	}
	g.Shuffle(len(headers), func(i, j int) { headers[i], headers[j] = headers[j], headers[i] })
	headers = headers[:g.IntN(len(headers)+1)]
	for _, h := range headers {
		names := []string{"command", "args", "n", `"q r"`}
		if h == "[servers]" && !strings.Contains(strings.Join(headers, ""), "linear") {
			names = append(names, "one", "two.three", g.pick("linear", "linear.command", "four"))
		}
		text += g.pick("", "  ", "\t") + h + g.comment() + "\n" + g.between() + g.tomlLines(names...)
	}
	return g.finish(text)
}

func (g generator) comment() string { return g.pick("", "", " # sk-1 ]", "\t#sk-1 \"", "  ") }

func (g generator) tomlLines(names ...string) string {
	text := ""
	for _, n := range names {
		if g.IntN(2) == 0 {
			continue
		}
		text += g.pick("", "", "  ") + n + g.pick("=", " = ", "\t= ") + g.tomlValue() + g.comment() + "\n" + g.between()
	}
	return text
}

func (g generator) tomlValue() string {
	return g.pick("1_000", "0x1f", "1e3", "inf", "nan", "true", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", `"sk-1 \" # ] \u00e9"`, "'sk-1 # \\'", "[]", "{}",
		"[ 'sk-1', # sk-1\n  \"sk-1 ] \", ]", "\"\"\"\nsk-1 # \"\n[servers.linear]\n\"\"\"", "'''sk-1\n# '''", "{ a = 'sk-1', b.c = [1, 2] }", "[[1], { x = 1 }]",
		"[\n# sk-1 ]\n\n 1, 2 # sk-1\n]", `""`, "''")
}

func (g generator) yaml() string {
	if g.IntN(50) == 0 {
		return g.finish(g.pick("", "\n", "# sk-1", "---\n", "--- # sk-1\n"))
	}
	text := g.between()
	if g.IntN(6) == 0 {
		text += g.pick("---\n", "--- # sk-1\n", "%YAML 1.1\n---\n")
	}
	names := []string{"a", `"b c"`, "'#d'", "? e\n", "12", "f g"}
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:g.IntN(len(names))]
	servers := ""
	if g.IntN(8) > 0 {
		servers = g.pick("servers", "servers", `"serv\x65rs"`, "'servers'")
		names = slices.Insert(names, g.IntN(len(names)+1), servers)
	}
	indent := 0
	if g.IntN(10) == 0 {
		indent = 2
	}
	unit := 1 + g.IntN(4)
	return g.finish(text + g.yamlMembers(names, indent, func(n string) string {
		if n != servers {
			return g.yamlValue(indent, 2)
		}
		if g.IntN(8) == 0 {
			return g.pick(" {}", " {}"+" # sk-1", " { }", "  {} ", "", " # sk-1\n"+strings.Repeat(" ", indent+1)+"{}", "\n"+strings.Repeat(" ", indent+1)+"{}", " {gh: {command: sk-1}}", " [sk-1]", " &x\n"+strings.Repeat(" ", indent+1)+"a: sk-1", " !!map {}") + "\n"
		}
		return g.yamlServers(indent+unit, unit)
	}))
}

func (g generator) yamlServers(indent, unit int) string {
	names := []string{"gh", "'linear 2'", `"x"`, "linear-3", "y"}
	names = names[:1+g.IntN(len(names))]
	linear := ""
	if g.IntN(2) == 0 {
		linear = g.pick("linear", `"lin\u0065ar"`, "'linear'")
		names = slices.Insert(names, g.IntN(len(names)+1), linear)
	}
	return g.comment() + "\n" + g.yamlComments(indent) + g.yamlMembers(names, indent, func(n string) string {
		if n != linear || g.IntN(6) == 0 {
			return g.yamlValue(indent, 2)
		}
		fields := []string{"command", "args", "env", "note"}
		g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		return g.comment() + "\n" + g.yamlMembers(fields[:1+g.IntN(len(fields))], indent+unit, func(string) string { return g.yamlValue(indent+unit, 1) })
	})
}

// yamlMembers writes a block mapping; value returns what follows the colon, line end included.
func (g generator) yamlMembers(names []string, indent int, value func(name string) string) string {
	text := ""
	for _, n := range names {
		colon := g.pick(":", ":", " :")
		if strings.HasPrefix(n, "?") {
			colon = strings.Repeat(" ", indent) + ":"
		}
		text += strings.Repeat(" ", indent) + n + colon + value(n)
		text += g.yamlComments(indent)
	}
	return text
}

// yamlComments returns comment lines, none further in than indent, where a block scalar before them would take them in.
func (g generator) yamlComments(indent int) string {
	text := ""
	for range g.IntN(4) - 1 {
		text += g.pick("\n", "# sk-1: [\n", strings.Repeat(" ", indent)+"# sk-1: 'x\n", strings.Repeat(" ", g.IntN(indent+1))+"#\n", "  \n")
	}
	return text
}

// yamlValue returns a value of a member that is indented by indent, line end included.
func (g generator) yamlValue(indent, depth int) string {
	inner := strings.Repeat(" ", indent+1+g.IntN(3))
	if depth > 0 && g.IntN(4) == 0 {
		return g.comment() + "\n" + g.yamlMembers([]string{"a", "'b:'", "c"}[:1+g.IntN(3)], len(inner), func(string) string { return g.yamlValue(len(inner), depth-1) })
	}
	if depth > 0 && g.IntN(5) == 0 {
		dash := g.pick(inner, strings.Repeat(" ", indent))
		text := g.comment() + "\n"
		for range 1 + g.IntN(3) {
			text += dash + g.pick("- sk-1", "-", "- \"sk-1\" # sk-1", "- a: sk-1\n"+dash+"  b: sk-1", "- - 1\n"+dash+"  - 2", "- {a: [sk-1]}") + "\n" + g.pick("", "", dash+"# sk-1\n")
		}
		return text
	}
	multi := []string{
		" |\n" + inner + "sk-1\n" + inner + "  # sk-1\n\n" + inner + "sk-1: x\n",
		" |- # sk-1\n" + inner + "sk-1\n\n", " >\n" + inner + "sk-1\n" + inner + "sk-1\n\n" + inner + "sk-1\n",
		" |+\n" + inner + "sk-1\n\n\n", " >+\n" + inner + "sk-1\n\n", " |2\n" + strings.Repeat(" ", indent+2) + "sk-1\n",
		" \"sk-1\n" + inner + "# sk-1\\\n" + inner + "sk-1\"" + g.comment() + "\n", " 'sk-1\n\n" + inner + "sk-1''# sk-1'" + g.comment() + "\n",
		" sk-1\n" + inner + "sk-1#x\n", "\n" + inner + "sk-1 sk-1\n", " [ sk-1, # sk-1\n" + inner + "\"sk-1 ]\", ]\n", " { a: sk-1,\n" + inner + "b: {}, c }\n",
		" |\n",
	}
	if g.IntN(3) == 0 {
		return multi[g.IntN(len(multi))]
	}
	return g.pick(" sk-1", "", " ~", " 'sk-1 # '", " \"sk-1 \\\" # \"", " {}", " []", " [sk-1, [sk-1], {a: b}, c: d]", " {a: sk-1, 'b': }", " 0x1f", " true", " 1e3", " .nan",
		" sk-1#x: y"[:7], " &y sk-1", " !!str 12", " *"[:1]+"sk-1", " https://sk-1", " -1", " !local {x: sk-1}") + g.comment() + "\n"
}
