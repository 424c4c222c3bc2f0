package configfile

import (
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlNames tells whether a text gives each name once, by the rules of TOML 1.0 on defining a table or an array of tables again and
// on adding to one. go-toml's own check looks through all names for each, which takes a second for 10,000 tables.
type tomlNames struct {
	names []tomlDefined
	// at finds a name in what it is a member of.
	at map[tomlPlace]int
	// scopes is how many scopes there are.
	scopes int
	// current is the table of the last header.
	current int
}

type tomlPlace struct {
	scope int
	name  string
}

type tomlDefined struct {
	kind tomlKind
	// header tells a table with a header of its own from one that only longer headers speak of.
	header bool
	// scope is where its members are found. Each further element of an array of tables starts with a scope of its own, since names are
	// there for the first time again.
	scope int
}

type tomlKind int

const (
	// tomlLeaf is what a line gives a value, an inline table too: nothing can be added to it.
	tomlLeaf tomlKind = iota
	// tomlDotted is a table that dotted keys have made: other dotted keys and headers below it may add to it.
	tomlDotted
	tomlTable
	tomlArray
)

func newTOMLNames() *tomlNames {
	s := &tomlNames{at: map[tomlPlace]int{}}
	s.define(tomlPlace{}, tomlTable)
	return s
}

func (s *tomlNames) define(p tomlPlace, kind tomlKind) int {
	s.scopes++
	s.names = append(s.names, tomlDefined{kind: kind, scope: s.scopes})
	s.at[p] = len(s.names) - 1
	return s.at[p]
}

// add takes the next expression of a text and reports whether it may stand there.
func (s *tomlNames) add(e *unstable.Node) bool {
	if e.Kind == unstable.KeyValue {
		return s.addLine(e)
	}
	kind := tomlTable
	if e.Kind == unstable.ArrayTable {
		kind = tomlArray
	}
	at := 0
	for it := e.Key(); it.Next(); {
		p := tomlPlace{s.names[at].scope, string(it.Node().Data)}
		known, ok := s.at[p]
		if !ok {
			at = s.define(p, tomlTable)
		} else if at = known; s.names[at].kind == tomlLeaf {
			return false
		}
		if it.IsLast() {
			s.current = at
			return s.open(at, kind, !ok)
		}
	}
	return true
}

// open gives a table its header.
func (s *tomlNames) open(at int, kind tomlKind, isNew bool) bool {
	t := &s.names[at]
	switch {
	case isNew:
		t.kind = kind
	case t.kind != kind || kind == tomlTable && t.header:
		return false
	case kind == tomlArray:
		s.scopes++
		t.scope = s.scopes
	}
	t.header = true
	return true
}

// addLine takes the name of a value. What an inline table gives twice is seen where its line is decoded.
func (s *tomlNames) addLine(e *unstable.Node) bool {
	at := s.current
	for it := e.Key(); it.Next(); {
		p := tomlPlace{s.names[at].scope, string(it.Node().Data)}
		known, ok := s.at[p]
		switch {
		case it.IsLast():
			s.define(p, tomlLeaf)
			return !ok
		case !ok:
			at = s.define(p, tomlDotted)
		case s.names[known].kind != tomlDotted:
			return false
		default:
			at = known
		}
	}
	return true
}

// tomlPieceSize was the fastest size for large files with tables of four lines.
const tomlPieceSize = 64

// tomlPieces are texts of their own that a text can be cut into: go-toml takes time that grows by the square of what is in one.
type tomlPieces struct {
	// size is how many expressions a piece has at most, count how many the last one has.
	size, count int
	starts      []int
	// loose tells that the last piece begins with lines that belong to a header in the one before.
	loose bool
}

func newTOMLPieces(size int) *tomlPieces { return &tomlPieces{size: size, starts: []int{0}} }

// add takes the next expression, whose line starts at an offset.
//
// Where a piece begins with lines of another piece's table, whose names are the root's there, no header follows; and an array of tables
// begins a piece, since it may have become one before. So what a piece has twice, the text has twice.
func (p *tomlPieces) add(e *unstable.Node, start int) {
	line := e.Kind == unstable.KeyValue
	if p.count == p.size || e.Kind == unstable.ArrayTable || p.loose && !line {
		p.starts = append(p.starts, start)
		p.count, p.loose = 0, line
	}
	p.count++
}

// decode reports whether go-toml takes each piece of body. Names that two pieces have are what tomlNames is for.
func (p *tomlPieces) decode(body []byte) bool {
	end := len(body)
	for _, start := range slices.Backward(p.starts) {
		var piece map[string]any
		if toml.Unmarshal(body[start:end], &piece) != nil {
			return false
		}
		end = start
	}
	return true
}
