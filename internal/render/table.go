// Package render is words for people and programs: tables, JSON, jq, and a spinner.
package render

import (
	"io"
	"strings"

	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr }) // *os.File, or what writes to one
	return ok && term.IsTerminal(int(f.Fd()))
}

// Table is rows of cells. Control characters in cells do no harm: see Clean.
type Table struct {
	// Header names the columns, on a terminal only.
	Header []string
	// Columns is the width of the terminal; 0 asks the terminal itself.
	Columns int

	rows [][]string
}

// minLast is the least number of columns that the last cell of a row is cut down to.
const minLast = 12

// Row adds a row.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = Clean(c)
	}
	t.rows = append(t.rows, row)
}

// Write writes the table. For a terminal (tty) it has a header and aligned columns, and the last column is cut to fit; on one
// that is too narrow for that, each row is a paragraph, with a line for each cell.
// For programs it has neither: cells are separated by tabs, and whole. A table without rows is written as nothing.
func (t *Table) Write(w io.Writer, tty bool) error {
	if len(t.rows) == 0 {
		return nil
	}
	var b strings.Builder
	if tty {
		t.align(&b, t.columns(w))
	} else {
		for _, row := range t.rows {
			b.WriteString(strings.Join(row, "\t") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) columns(w io.Writer) int {
	if t.Columns > 0 {
		return t.Columns
	}
	return columns(w)
}

// columns is the width of a terminal, 80 where it can't be known.
func columns(w io.Writer) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

func (t *Table) align(b *strings.Builder, columns int) {
	rows := t.rows
	if len(t.Header) > 0 {
		rows = append([][]string{t.Header}, rows...)
	}
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	const gap = "  "
	if len(t.Header) > 0 && tooWide(widths, gap, columns) {
		t.paragraphs(b, gap)
		return
	}
	for _, row := range rows {
		line, used := "", 0
		for i, cell := range row {
			if i == len(row)-1 {
				line += truncate(cell, max(columns-used, minLast))
				break
			}
			line += cell + strings.Repeat(" ", widths[i]-displayWidth(cell)) + gap
			used += widths[i] + len(gap)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// tooWide reports whether nothing readable is left for the last column.
func tooWide(widths []int, gap string, columns int) bool {
	used := 0
	for _, w := range widths[:len(widths)-1] {
		used += w + len(gap)
	}
	return used+min(widths[len(widths)-1], minLast) > columns
}

func (t *Table) paragraphs(b *strings.Builder, gap string) {
	name := 0
	for _, h := range t.Header {
		name = max(name, displayWidth(h))
	}
	for i, row := range t.rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for j, cell := range row {
			if cell != "" && j < len(t.Header) {
				b.WriteString(t.Header[j] + strings.Repeat(" ", name-displayWidth(t.Header[j])) + gap + cell + "\n")
			}
		}
	}
}
