package configfile

import (
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

const (
	// crowd is from how many tables in one table on the text is judged in pieces, each with so many of them.
	crowd     = 500
	pieceSize = 50
)

func unmarshalTOML(data []byte) error {
	var whole map[string]any
	return toml.Unmarshal(data, &whole)
}

// index finds out where everything is. Its error says that the text isn't valid, but not where; that it has none says little, for
// names may be there twice, or values mean nothing.
func (d *tomlText) index() error {
	d.sections = []tomlSection{{}}
	p := unstable.Parser{}
	p.Reset([]byte(d.body))
	for p.NextExpression() {
		d.add(p.Expression())
	}
	return p.Error()
}

// judge returns go-toml's error, nil if the text is valid. d must be indexed, or the text be small.
//
// Whether a name is there already go-toml looks up among all names that it has seen, so its time grows with the square of their number:
// a second for ten thousand tables. But two tables within a table have nothing to do with each other, if the table is an ordinary one.
func (d *tomlText) judge(crowd, size int) error {
	for _, piece := range d.pieces(crowd, size) {
		if unmarshalTOML(piece) != nil {
			return unmarshalTOML([]byte(d.body)) // which says where
		}
	}
	return nil
}

// pieces returns the text in pieces that are valid if, and only if, the text is: all tables [a.b] and [a.b.…] of some b, for each table a
// that holds more than crowd of them, and all the rest.
func (d *tomlText) pieces(crowd, size int) [][]byte {
	crowded := d.crowded(crowd)
	var rest []byte
	groups := map[[2]string][]byte{}
	var order [][2]string
	for i, s := range d.sections {
		end := len(d.body)
		if i+1 < len(d.sections) {
			end = d.sections[i+1].start
		}
		text := d.body[s.start:end]
		if len(s.path) < 2 || !crowded[s.path[0]] {
			rest = append(rest, text...)
			continue
		}
		name := [2]string(s.path)
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], text...)
	}
	pieces := [][]byte{rest}
	for names := range slices.Chunk(order, size) {
		var piece []byte
		for _, name := range names {
			piece = append(append(piece, groups[name]...), '\n') // the last line of the text may lack it
		}
		pieces = append(pieces, piece)
	}
	return pieces
}

// crowded returns the names of the tables that hold more than crowd tables with a header of their own, and are ordinary: nowhere
// made, or added to, by other means than headers in single brackets and names below those that are none of these tables.
func (d *tomlText) crowded(crowd int) map[string]bool {
	within := map[string]map[string]bool{}
	for _, s := range d.sections {
		if len(s.path) >= 2 {
			if within[s.path[0]] == nil {
				within[s.path[0]] = map[string]bool{}
			}
			within[s.path[0]][s.path[1]] = true
		}
	}
	crowded := map[string]bool{}
	for name, tables := range within {
		if len(tables) > crowd {
			crowded[name] = true
		}
	}
	for _, s := range d.sections {
		if len(s.path) == 1 && s.array {
			delete(crowded, s.path[0])
		}
		for _, item := range s.items {
			if len(s.path) == 0 || len(s.path) == 1 && within[s.path[0]][item.path[1]] {
				delete(crowded, item.path[0])
			}
		}
	}
	return crowded
}
