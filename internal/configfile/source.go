package configfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mcpctl/mcpctl/internal/problem"
)

const fixFirst = "correct the file by hand, then try again (nothing was written)"

// blank is JSON's white space (RFC 8259, section 2), which is TOML's and YAML's too.
const blank = " \t\r\n"

// source is a text and what is to be said of it in errors.
type source struct {
	name   string
	format Format
	// body is the text without a byte order mark; offsets count from its start.
	body string
}

func (s source) origin() source { return s }

// with returns s with another body.
func (s source) with(body string) source {
	s.body = body
	return s
}

// newline returns the line ending of the first line.
func (s source) newline() string {
	if i := strings.IndexByte(s.body, '\n'); i > 0 && s.body[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// position returns name:line:column of an offset.
func (s source) position(offset int) string {
	before := s.body[:min(offset, len(s.body))]
	start := strings.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("%s:%d:%d", s.name, 1+strings.Count(before, "\n"), 1+utf8.RuneCountInString(before[start:]))
}

func (s source) fault(offset int, format string, args ...any) error {
	return problem.New(fixFirst, "%s: %s", s.position(offset), fmt.Sprintf(format, args...))
}

func decimal(i int) string { return strconv.Itoa(i) }

// lineStart returns the offset of the start of the line of offset.
func (s source) lineStart(offset int) int { return strings.LastIndexByte(s.body[:offset], '\n') + 1 }

// lineEnd returns the offset after the newline of the line of offset.
func (s source) lineEnd(offset int) int {
	if i := strings.IndexByte(s.body[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(s.body)
}
