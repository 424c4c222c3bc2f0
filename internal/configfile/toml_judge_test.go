package configfile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestTOMLPieces: what go-toml says of the pieces of a text is what it says of the text, be it valid or not.
func TestTOMLPieces(t *testing.T) {
	var valid, invalid, several int
	for seed := range randomDocuments(t) {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		text := strings.TrimPrefix(g.toml(), utf8BOM)
		for range 8 {
			if g.IntN(8) > 0 {
				text = g.tables()
			}
			d := &tomlText{source: source{"f", TOML, text}}
			if d.index() != nil {
				continue
			}
			pieces := d.pieces(g.IntN(3), 1+g.IntN(3))
			bad := slices.ContainsFunc(pieces, func(p []byte) bool { return unmarshalTOML(p) != nil })
			if want := unmarshalTOML([]byte(text)); bad != (want != nil) {
				t.Fatalf("seed %d: one of the pieces is bad: %v; the whole: %v\n%s\n%q", seed, bad, want, text, pieces)
			}
			if err := d.judge(0, 1); (err != nil) != bad {
				t.Fatalf("seed %d: judged %v\n%s", seed, err, text)
			}
			if len(pieces) > 1 {
				several++
			}
			if bad {
				invalid++
			} else {
				valid++
			}
		}
	}
	t.Logf("%d valid, %d invalid, %d in several pieces", valid, invalid, several)
	if min(valid, invalid, several) < (valid+invalid)/10 {
		t.Error("too few of a kind")
	}
}

// tables makes a text of a few tables that get into each other's way.
func (g generator) tables() string {
	names := []string{"a", "b", "a.b", "a.c", "a.b.c", "a.b.d", "b.a", `"a".b`, "a . 'b'", "c"}
	name := func() string { return names[g.IntN(len(names))] }
	var b strings.Builder
	for range g.IntN(3) {
		b.WriteString(g.pair(name()))
	}
	for range 1 + g.IntN(5) {
		switch name := name(); g.IntN(6) {
		case 0:
			b.WriteString("[[" + name + "]]\n")
		default:
			b.WriteString("[" + name + "] # [x]\n")
		}
		for range g.IntN(3) {
			b.WriteString(g.pair([]string{"b", "c", "x", "b.c", "c.x", "x.y"}[g.IntN(6)]))
		}
	}
	if g.IntN(4) == 0 {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

func (g generator) pair(name string) string {
	return name + " = " + []string{"1", `"x"`, "{}", "{ c = 1 }", "[1, 2]", "1979-05-27", "2021-02-30", "\"\"\"\n[a.b]\n\"\"\"", "0x"}[g.IntN(9)] + "\n"
}

// TestCrowdIsJudged: a file with more tables than are judged at once is refused, with the place, where one of them is there twice.
func TestCrowdIsJudged(t *testing.T) {
	text := servers(TOML, crowd+10)
	if _, err := Parse("f.toml", []byte(text), TOML); err != nil {
		t.Fatal(err)
	}
	twice := text + "[servers.s3]\n"
	_, err := Parse("f.toml", []byte(twice), TOML)
	if want := "f.toml:2554:"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "is there twice") {
		t.Errorf("%v, want one at %s", err, want)
	}
	d := &tomlText{source: source{"f", TOML, text}}
	if err := d.index(); err != nil || len(d.pieces(crowd, pieceSize)) < 10 {
		t.Errorf("%v, in %d pieces", err, len(d.pieces(crowd, pieceSize)))
	}
}
