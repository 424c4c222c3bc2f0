// Command picture draws what a program printed as a terminal window: text on stdin, SVG on stdout.
//
//	mcpctl demo --headless | go run ./internal/picture -title 'mcpctl demo' > tour.svg
package main

import (
	"bufio"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// The picture's measures, in pixels. A character of the monospaced fonts that browsers have is 0.6 of its size wide.
const (
	fontSize   = 14
	charWidth  = 0.602 * fontSize
	lineHeight = 20
	margin     = 18
	titleBar   = 34
)

func main() {
	title := flag.String("title", "", "what stands in the window's title bar")
	from := flag.String("from", "", "leave out the lines before the first one that begins with this")
	to := flag.String("to", "", "leave out the first line after that which begins with this, and all that follow")
	program := flag.String("program", "", "the path of this program is shown as /usr/local/bin/mcpctl")
	columns := flag.Int("columns", 104, "cut longer lines")
	flag.Parse()
	lines, err := read(os.Stdin, *from, *to)
	if err == nil {
		err = draw(os.Stdout, *title, cut(lines, *program, *columns))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// read returns the lines of r between from and to; "" is the first line or the last.
func read(r io.Reader, from, to string) ([]string, error) {
	var lines []string
	began := from == ""
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		line := scanner.Text()
		if !began && !strings.HasPrefix(line, from) {
			continue
		}
		if began && to != "" && strings.HasPrefix(line, to) {
			break
		}
		began = true
		lines = append(lines, line)
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("there is no line to draw (from %q to %q)", from, to)
	}
	return lines, scanner.Err()
}

// cut makes every line at most columns characters long, tabs as two blanks, and shows program where packages put it.
func cut(lines []string, program string, columns int) []string {
	short := make([]string, len(lines))
	for i, line := range lines {
		line = strings.ReplaceAll(line, "\t", "  ")
		if program != "" {
			line = strings.ReplaceAll(line, program, "/usr/local/bin/mcpctl")
		}
		if utf8.RuneCountInString(line) > columns {
			line = string([]rune(line)[:columns-1]) + "…"
		}
		short[i] = line
	}
	return short
}

// draw writes the window. Commands, which begin with $, stand out; headings, which begin in the first column with a figure,
// do too.
func draw(w io.Writer, title string, lines []string) error {
	longest := 0
	for _, line := range lines {
		longest = max(longest, utf8.RuneCountInString(line))
	}
	width := int(float64(longest)*charWidth) + 2*margin
	height := titleBar + len(lines)*lineHeight + 2*margin
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, escape(title))
	fmt.Fprintf(out, `<rect width="%d" height="%d" rx="8" fill="#0d1117"/><rect width="%d" height="%d" rx="8" fill="#21262d"/>`+"\n", width, height, width, titleBar)
	fmt.Fprintf(out, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="%d" fill="#e6edf3">`+"\n", fontSize)
	fmt.Fprintf(out, `<text x="%d" y="22" fill="#9da7b3">%s</text>`+"\n", margin, escape(title))
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(out, `<text x="%d" y="%d"%s>%s</text>`+"\n", margin, titleBar+margin+i*lineHeight+fontSize, style(line), escape(line))
		}
	}
	fmt.Fprintln(out, "</g>\n</svg>")
	return out.Flush()
}

func style(line string) string {
	switch {
	case strings.HasPrefix(strings.TrimLeft(line, " "), "$ "):
		return ` fill="#7ee787" font-weight="bold"`
	case line[0] >= '0' && line[0] <= '9':
		return ` fill="#79c0ff" font-weight="bold"`
	}
	return ""
}

// escape also keeps blanks from being joined, which renderers of SVG don't agree on.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return strings.ReplaceAll(b.String(), " ", "\u00a0")
}
