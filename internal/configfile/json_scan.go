package configfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// comment is where a comment lies, without the newline that ends a line comment.
type comment struct {
	start, end int
	line       bool
}

// scanned is what a scan finds in a text.
type scanned struct {
	// plain is the text with spaces in the place of comments, so that a search for a comma can't meet one in a comment.
	plain    string
	comments []comment
	// depth is how deep arrays and objects nest.
	depth int
	// dangling is the offset of the first bracket that closes after a comma, -1 if there is none.
	dangling int
}

// scan finds the comments of a JSONC text. An invalid text gives something harmless.
func scan(text string) scanned {
	s := scanned{dangling: -1}
	b := []byte(text)
	level := 0
	comma := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			comma = false
		case b[i] == '{' || b[i] == '[':
			level++
			s.depth = max(s.depth, level)
			comma = false
		case b[i] == '}' || b[i] == ']':
			level--
			if comma && s.dangling < 0 {
				s.dangling = i
			}
			comma = false
		case b[i] == '/' && (strings.HasPrefix(text[i:], "//") || strings.HasPrefix(text[i:], "/*")):
			c := commentAt(text, i)
			for j := c.start; j < c.end; j++ {
				b[j] = ' '
			}
			s.comments = append(s.comments, c)
			i = c.end - 1
		case strings.IndexByte(blank, b[i]) < 0:
			comma = b[i] == ','
		}
	}
	s.plain = string(b)
	return s
}

func commentAt(text string, start int) comment {
	c := comment{start: start, end: len(text), line: text[start+1] == '/'}
	if c.line {
		if n := strings.IndexByte(text[start:], '\n'); n >= 0 {
			c.end = start + n
		}
	} else if n := strings.Index(text[start+2:], "*/"); n >= 0 {
		c.end = start + 2 + n + 2
	}
	return c
}

// syntaxError turns hujson's error into ours: the column in characters, and without the text of an invalid literal,
// which may be a secret.
func (d *jsonText) syntaxError(err error) error {
	var line, column int
	if _, scanErr := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &line, &column); scanErr != nil {
		return problem.New(fixFirst, "%s: not valid JSON", d.name)
	}
	offset := 0
	for range line - 1 {
		offset += strings.IndexByte(d.body[offset:]+"\n", '\n') + 1
	}
	offset = min(offset+column-1, len(d.body))
	what := errors.Unwrap(err).Error()
	switch {
	case strings.HasPrefix(what, "invalid literal") && strings.HasPrefix(d.body[offset:], `"`):
		what = "this string isn't valid JSON"
	case strings.HasPrefix(what, "invalid literal"):
		what = "this isn't a JSON value"
	case strings.Contains(what, "unexpected EOF"):
		what = "the file ends too early"
	case strings.HasPrefix(what, `invalid character '\''`):
		what = "JSON strings want double quotes"
	}
	return d.fault(offset, "%s", what)
}

// checkStrict refuses what JSONC has and the reader of this file doesn't take. The owner reads nothing of such a file, so an
// edit of it would have no effect either, and to "repair" it would mean to throw the owner's comments away.
func (d *jsonText) checkStrict() error {
	if d.format.syntax() == JSONC && d.format&NoTrailingComma == 0 {
		return nil
	}
	if d.format.syntax() == JSON && len(d.comments) > 0 {
		return d.fault(d.comments[0].start, "a comment, but the program that reads this file takes strict JSON only")
	}
	if d.dangling < 0 {
		return nil
	}
	takes := "none"
	if d.format.syntax() == JSON {
		takes = "strict JSON only"
	}
	return d.fault(d.dangling, "a trailing comma before this, but the program that reads this file takes %s", takes)
}

// checkComments refuses a line comment with a CR alone in it. For some readers the comment ends there (scanner.ts in
// microsoft/node-jsonc-parser, of VS Code and opencode), for others at the next LF, so that what follows is a member or isn't.
func (d *jsonText) checkComments() error {
	for _, c := range d.comments {
		for at := c.start; c.line && at < c.end; at++ {
			if d.body[at] == '\r' && !strings.HasPrefix(d.body[at+1:], "\n") {
				return problem.New("save the file with line ends of LF or CRLF, then try again (nothing was written)",
					"%s: a CR alone in a // comment, where some programs see its end and others don't", d.position(at))
			}
		}
	}
	return nil
}
