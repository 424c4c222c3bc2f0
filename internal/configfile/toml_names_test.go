package configfile

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// TestTOMLOnce: what is said of a text by its names and pieces is what go-toml says of it as a whole.
func TestTOMLOnce(t *testing.T) {
	n := randomDocuments(t) * 4
	valid := uint64(0)
	for seed := range n {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		text := ""
		switch seed % 4 {
		case 0:
			text = g.toml()
		case 1:
			text = g.tomlFewTables()
		default:
			text = g.tomlTables()
		}
		if soundAsGoTOML(t, text, 1+g.IntN(5)) {
			valid++
		}
	}
	t.Logf("%d documents, %d of them valid", n, valid)
	if valid < n/4 || valid > n*9/10 {
		t.Error("too few of a kind to mean something")
	}
}

// FuzzTOMLOnce does the same with anything.
func FuzzTOMLOnce(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(generator{rand.New(rand.NewPCG(seed, 2))}.tomlTables(), 3)
	}
	f.Fuzz(func(t *testing.T, text string, pieceSize int) {
		if utf8.ValidString(text) && pieceSize > 0 {
			soundAsGoTOML(t, text, pieceSize)
		}
	})
}

// soundAsGoTOML compares both verdicts on a text and returns that of go-toml.
func soundAsGoTOML(t *testing.T, text string, pieceSize int) bool {
	t.Helper()
	text = strings.TrimPrefix(text, utf8BOM)
	err := toml.Unmarshal([]byte(text), &map[string]any{})
	d := &tomlText{source: source{"f", TOML, text}}
	if sound, parseErr := d.index(pieceSize); sound != (err == nil) {
		t.Fatalf("pieces of %d: %v (%v), go-toml: %v\n%s", pieceSize, sound, parseErr, err, text)
	}
	return err == nil
}

// tomlTables writes a text in which a few names meet each other in every kind of table.
func (g generator) tomlTables() string {
	var b strings.Builder
	few := 1 + g.IntN(3)
	name := func() string {
		if g.IntN(2) == 0 {
			return g.pick("a", "b", `"a"`, "'b'", `"\u0061"`, "c")
		}
		return fmt.Sprint("n", g.IntN(8*few))
	}
	path := func() string {
		text := name()
		for g.IntN(3) == 0 {
			text += g.pick(".", " . ") + name()
		}
		return text
	}
	var value func(depth int) string
	value = func(depth int) string {
		if depth > 2 || g.IntN(2) == 0 {
			return g.pick("1", "'x'", "true", "1979-05-27", "\"\"\"\n[a]\n\"\"\"", "[]", "{}", "[1,\n2]")
		}
		if g.IntN(2) == 0 {
			return "[" + value(depth+1) + ", " + value(depth+1) + "]"
		}
		text := "{ " + path() + " = " + value(depth+1)
		for g.IntN(2) == 0 {
			text += ", " + path() + " = " + value(depth+1)
		}
		return text + " }"
	}
	for range 1 + g.IntN(4*few) {
		switch g.IntN(5) {
		case 0:
			b.WriteString("[" + path() + "]\n")
		case 1:
			b.WriteString("[[" + path() + "]] # x\n")
		case 2:
			b.WriteString("# [a]\n\n")
		default:
			b.WriteString(path() + " = " + value(0) + "\n")
		}
	}
	if g.IntN(20) == 0 {
		b.WriteString(g.pick("a", "[a", "x = 1979-13-41", "x = 99999999999999999999", "x = 0x", "x = 1__0", "x = \"\\q\"", "x = 1 y = 2", "x = 25:61:00", "# \x01"))
	}
	return b.String()
}

// tomlFewTables writes a text of a few tables that get into each other's way.
func (g generator) tomlFewTables() string {
	names := []string{"a", "b", "a.b", "a.c", "a.b.c", "a.b.d", "b.a", `"a".b`, "a . 'b'", "c"}
	name := func() string { return names[g.IntN(len(names))] }
	var b strings.Builder
	for range g.IntN(3) {
		b.WriteString(g.tomlPair(name()))
	}
	for range 1 + g.IntN(5) {
		switch name := name(); g.IntN(6) {
		case 0:
			b.WriteString("[[" + name + "]]\n")
		default:
			b.WriteString("[" + name + "] # [x]\n")
		}
		for range g.IntN(3) {
			b.WriteString(g.tomlPair([]string{"b", "c", "x", "b.c", "c.x", "x.y"}[g.IntN(6)]))
		}
	}
	if g.IntN(4) == 0 {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

func (g generator) tomlPair(name string) string {
	return name + " = " + []string{"1", `"x"`, "{}", "{ c = 1 }", "[1, 2]", "1979-05-27", "2021-02-30", "\"\"\"\n[a.b]\n\"\"\"", "0x"}[g.IntN(9)] + "\n"
}

// TestCrowdOfTables: a file that is decoded in many pieces is taken, and refused, with the place, where a table is there twice.
func TestCrowdOfTables(t *testing.T) {
	text := servers(TOML, 510)
	if _, err := Parse("f.toml", []byte(text), TOML); err != nil {
		t.Fatal(err)
	}
	for twice, want := range map[string]string{
		"[servers.s3]\n": "f.toml:2554:2: table s3 is there twice", "[servers]\n[servers.s3.args]\n": "f.toml:2555:2: ", "x = 1\nx = 2\n": "f.toml:2555:1: ", "x = 0x\n": "f.toml:2554:5: ",
	} {
		if _, err := Parse("f.toml", []byte(text+twice), TOML); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", twice, err, want)
		}
	}
}

// TestTOMLOnceByHand has the cases of the specification's sections on keys, tables, inline tables and arrays of tables.
func TestTOMLOnceByHand(t *testing.T) {
	for _, text := range []string{
		"", "\n", "# x", "[a]\n[a]\n", "[a]\n[b]\n[a]\n", "a = 1\na = 2\n", "a = 1\n\"a\" = 2\n", "a = 1\n[a]\n", "[a]\nb = 1\n[a.b]\n", "[a.b]\n[a]\n", "[a.b]\n[a]\n[a]\n",
		"[a]\n[a.b]\n", "[a.b]\nx = 1\n[a]\nb.y = 2\n", "[a.b]\n[a]\nb = 2\n", "a.b = 1\na.c = 2\n", "a.b = 1\na.b.c = 2\n", "a.b = 1\n[a]\n", "a.b = 1\n[a.c]\n", "a.b.c = 1\n[a.b]\n",
		"[f]\na.b = 1\n[f.a]\n", "[f]\na.b = 1\n[f.a.c]\n", "[f]\na.b = 1\n[f.a.b]\n", "[a.b.c]\nz = 1\n[a]\nb.c.t = 2\n", "[[a]]\n[[a]]\n", "[[a]]\nx = 1\n[[a]]\nx = 2\n", "[a]\n[[a]]\n", "[[a]]\n[a]\n",
		"a = []\n[[a]]\n", "a = [{ b = 1 }]\n[[a]]\n", "[[a.b]]\n[a]\n", "[a.b]\n[[a]]\n", "[[a]]\n[a.b]\n[[a]]\n[a.b]\n", "[[a]]\n[a.b]\n[a.b]\n", "[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[a.b]\n",
		"[[a]]\n[[a.b]]\n[a.b]\n", "[[a]]\n[a.b]\n[[a.b]]\n", "a = { b = 1 }\n[a]\n", "a = { b = 1 }\n[a.c]\n", "a = { b = 1 }\na.c = 2\n", "a = { b = 1, b = 2 }\n", "a = { b = 1, b.c = 2 }\n",
		"a = { b.c = 1, b.d = 2 }\n", "a = { b.c = 1, b = 2 }\n", "a = [{ b = 1 }, { b = 1 }]\n", "a = [{ b = 1, b = 2 }]\n", "a = [[{ b = { c = 1, c = 2 } }]]\n", "a.b = { c = 1 }\na.b.d = 1\n",
		"[a]\nb = { c = 1 }\n[a.b.c]\n", "a = 1 # x\n[b]\na = 1\n", "\"\" = 1\n'' = 2\n", "[\"\"]\n[\"\".a]\n", "[\"a.b\"]\n[a.b]\n", "[a]\nx = 1\n\n[b]\nx = 1\n[a.c]\n[b.c]\n[a.c]\n",
	} {
		for size := range 4 {
			soundAsGoTOML(t, text, size+1)
		}
	}
}
