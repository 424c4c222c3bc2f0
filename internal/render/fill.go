package render

import (
	"io"
	"strings"

	"github.com/mcpctl/mcpctl/internal/pattern"
)

// Fill breaks the lines of text, a page of help, so that none is longer than columns where there is a blank to break it at.
// Lines that begin with a letter are paragraphs and are filled anew. An indented line is a row, and stays one: what is too
// long for it goes on below its last cell.
func Fill(text string, columns int) string {
	var b strings.Builder
	paragraph := ""
	flush := func() {
		if paragraph != "" {
			b.WriteString(wrap("", paragraph, 0, columns) + "\n")
			paragraph = ""
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		switch {
		case line == "":
			flush()
			b.WriteString("\n")
		case line[0] == ' ':
			flush()
			b.WriteString(fillRow(line, columns) + "\n")
		default:
			paragraph += line + " "
		}
	}
	flush()
	return b.String()
}

var firstCells = pattern.New(`^ *(\S+( \S+)* {2,})?`)

func fillRow(line string, columns int) string {
	if displayWidth(line) <= columns {
		return line
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	cells := firstCells().FindString(line)
	hang := displayWidth(cells)
	if hang > columns/2 {
		hang = indent + 4
	}
	return wrap(cells, line[len(cells):], hang, columns)
}

// wrap breaks words into lines, of which the first begins with start and the others with hang blanks.
func wrap(start, words string, hang, columns int) string {
	line, lines := start, []string(nil)
	begun := false // whether line has a word of words
	for _, word := range strings.Fields(words) {
		if begun && displayWidth(line)+1+displayWidth(word) > columns {
			lines = append(lines, line)
			line, begun = strings.Repeat(" ", hang), false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	return strings.Join(append(lines, line), "\n")
}

// maxProse is the longest line that is easy to read.
const maxProse = 100

// ProseColumns is the number of columns to fill text for w with: those of a terminal, but no more than 100.
func ProseColumns(w io.Writer) int {
	if !IsTerminal(w) {
		return maxProse
	}
	return min(columns(w), maxProse)
}
