package configfile

import (
	"encoding/json"
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

// scan finds the comments of a JSONC text. plain is the text with spaces in their place, so that a search for a comma
// can't meet one in a comment; depth is how deep arrays and objects nest. An invalid text gives something harmless.
func scan(text string) (plain string, comments []comment, depth int) {
	b := []byte(text)
	level := 0
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case b[i] == '{' || b[i] == '[':
			level++
			depth = max(depth, level)
		case b[i] == '}' || b[i] == ']':
			level--
		case strings.HasPrefix(text[i:], "//"), strings.HasPrefix(text[i:], "/*"):
			c := comment{start: i, end: len(b), line: text[i+1] == '/'}
			if c.line {
				if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
					c.end = i + n
				}
			} else if n := strings.Index(text[i+2:], "*/"); n >= 0 {
				c.end = i + 2 + n + 2
			}
			for j := c.start; j < c.end; j++ {
				b[j] = ' '
			}
			comments = append(comments, c)
			i = c.end - 1
		}
	}
	return string(b), comments, depth
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
	var v json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal([]byte(d.plain), &v); errors.As(err, &syntax) {
		return d.fault(int(syntax.Offset)-1, "a trailing comma before this, but the program that reads this file takes %s",
			map[bool]string{true: "strict JSON only", false: "none"}[d.format.syntax() == JSON])
	}
	return nil
}
