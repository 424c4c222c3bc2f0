package configfile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestYAMLWindow: whatever is changed in a text, if its window shows that nothing else means something else then, reading the whole
// text says so as well, and finds everything where the window has put it.
func TestYAMLWindow(t *testing.T) {
	n := randomDocuments(t)
	var told, same, total int
	for seed := range n {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		text := strings.TrimPrefix(g.yaml(), utf8BOM)
		d, err := parseYAML(source{"f", YAML, text})
		if err != nil {
			continue
		}
		for range 8 {
			path := [][]string{{"servers", "linear"}, {"servers", "linear", "command"}, {"servers"}, {"linear"}}[g.IntN(4)]
			body := g.damage(d, path)
			total++
			whole, err := parseYAML(d.with(body))
			ok := err == nil && sameBut(d.root, whole.root, path)
			if ok {
				same++
			}
			next := d.edited(body, path)
			if next == nil {
				continue
			}
			told++
			switch {
			case !ok:
				t.Fatalf("seed %d, %q: told the same, but (%v)\n%s\n-- after --\n%s", seed, path, err, text, body)
			case next.body != body || !slices.Equal(next.lines, whole.lines):
				t.Fatalf("seed %d: other text or lines\n%s\n-- after --\n%s", seed, text, body)
			}
			if diff := otherNode(next.root, whole.root); diff != "" {
				t.Fatalf("seed %d, %q: %s\n%s\n-- after --\n%s", seed, path, diff, text, body)
			}
		}
	}
	t.Logf("%d changes, %d of them the same, %d told by a window", total, same, told)
	if told < total/20 || told < same/5 {
		t.Error("too few to mean something")
	}
}

// damage changes a text as an edit of the member at path would, or somewhere near, or anywhere.
func (g generator) damage(d *yamlText, path []string) string {
	var next text
	var err error
	switch g.IntN(4) {
	case 0:
		next, err = d.remove(path)
	case 1:
		next, err = d.set(entry, path)
	case 2:
		next, err = d.set([]any{"x", "a: b", "|", "&a b", "{", "- c"}[g.IntN(6)], path)
	}
	if t, ok := next.(*yamlText); ok && err == nil && t != nil {
		if g.IntN(3) > 0 {
			return t.body
		}
		d = t
	}
	at := d.lines[g.IntN(len(d.lines))]
	line := d.body[at:d.lineEnd(at)]
	switch g.IntN(5) {
	case 0: // a line goes
		return d.body[:at] + d.body[at+len(line):]
	case 1: // and goes further in or out
		return d.body[:at] + strings.Repeat(" ", g.IntN(5)) + strings.TrimLeft(line, " ") + d.body[at+len(line):]
	case 2: // or stands there twice
		return d.body[:at] + line + d.body[at:]
	case 3:
		odd := []string{"# x\n", "  linear: 1\n", "  x: |\n    y\n", "---\n", "...\n", "  a: \"\n", "\"\n", "  - x\n", "x: &a 1\n", "  <<: {}\n", "  ? a\n", "\n\n", "  q: \"\u2028\"\n", "  {\n", "%TAG\n", "  z: 'b\n", "'\n"}
		return d.body[:at] + odd[g.IntN(len(odd))] + d.body[at:]
	}
	i := g.IntN(len(d.body) + 1)
	return d.body[:i] + []string{" ", ":", "\n", "#", "x", "'", "\t", "|"}[g.IntN(8)] + d.body[i:]
}

// otherNode says how two trees differ.
func otherNode(a, b *yaml.Node) string {
	if a.Kind != b.Kind || a.Style != b.Style || a.Tag != b.Tag || a.Value != b.Value || a.Anchor != b.Anchor || a.Line != b.Line || a.Column != b.Column || len(a.Content) != len(b.Content) {
		return fmt.Sprintf("%+v, whole %+v", *a, *b)
	}
	for i := range a.Content {
		if diff := otherNode(a.Content[i], b.Content[i]); diff != "" {
			return diff
		}
	}
	return ""
}

// TestYAMLWindowDeclines: a window tells nothing where a place far away may have to do with the change, or lines are counted another
// way.
func TestYAMLWindowDeclines(t *testing.T) {
	const text = "servers:\n  a: 1\n  linear: 2\n  b: 3\n  c: 4\n"
	path := []string{"servers", "linear"}
	for name, c := range map[string]struct{ text, body string }{
		"an anchor that goes":        {"servers:\n  a: 1\n  linear: &l 2\n  b: 3\n  c: *l\n", "servers:\n  a: 1\n  b: 3\n  c: *l\n"},
		"an anchor that comes":       {text, strings.Replace(text, "2", "&l 2", 1)},
		"a directive and a tag":      {"%TAG ! tag:x,2000:\n---\n" + text, "%TAG ! tag:x,2000:\n---\n" + strings.Replace(text, "2", "!t 2", 1)},
		"a line of another kind":     {text, strings.Replace(text, "2", "\"x\u0085 y\"", 1)},
		"lines of another kind":      {"x: \"a\u2028 b\"\n" + text, "x: \"a\u2028 b\"\n" + strings.Replace(text, "2", "5", 1)},
		"a mapping in braces":        {"servers: {\n  a: 1,\n  linear: 2,\n  b: 3,\n  c: 4\n}\n", "servers: {\n  a: 1,\n  linear: 4,\n  b: 3,\n  c: 4\n}\n"},
		"the member before, changed": {text, strings.Replace(strings.Replace(text, "1", "7", 1), "2", "7", 1)},
		"the member after, changed":  {text, strings.Replace(strings.Replace(text, "3", "7", 1), "2", "7", 1)},
		"one far away, changed":      {text, strings.Replace(strings.Replace(text, "4", "7", 1), "2", "7", 1)},
		"the same one, twice":        {text, strings.Replace(text, "  b", "  linear: 5\n  b", 1)},
	} {
		d, err := parseYAML(source{"f", YAML, c.text})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if next := d.edited(c.body, path); next != nil {
			if whole, err := parseYAML(d.with(c.body)); err != nil || otherNode(next.root, whole.root) != "" || !sameBut(d.root, whole.root, path) {
				t.Errorf("%s: told to be the same (whole: %v)", name, err)
			}
		}
	}
	d, err := parseYAML(source{"f", YAML, text})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"replaced": strings.Replace(text, "2", "5", 1), "removed": strings.Replace(text, "  linear: 2\n", "", 1), "larger": strings.Replace(text, " 2", "\n    x:\n    - y", 1),
	} {
		if d.edited(body, path) == nil {
			t.Errorf("%s: not told", name)
		}
	}
}

// TestDiffer: large texts differ where they do, wherever that is.
func TestDiffer(t *testing.T) {
	line := strings.Repeat("x", 99) + "\n"
	for _, n := range []int{0, 1, 40, 41, 82, 200} {
		for _, m := range []int{0, 1, 41, 200} {
			head, tail := strings.Repeat(line, n), strings.Repeat(line, m)
			short, long := "a"+strings.Repeat(line, 60)+"a", "bcd"+strings.Repeat(line, 60)+"bcd"
			a, b := differ(head+short+"\n"+tail, head+long+"\n"+tail)
			if a != (span{len(head), len(head + short)}) || b != (span{len(head), len(head + long)}) {
				t.Errorf("%d and %d lines: %v, %v", n, m, a, b)
			}
		}
	}
}
