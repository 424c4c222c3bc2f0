package bridge

import (
	"bytes"
	"fmt"
)

// syntaxError is a fault in JSON at a byte offset.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.what, e.offset+1) }

// span is a part of some bytes. One that ends at 0 is nothing.
type span struct{ start, end int }

func (p span) of(data []byte) []byte {
	if p.end == 0 {
		return nil
	}
	return data[p.start:p.end]
}

// maxDepth is the deepest nesting that is read, as in encoding/json: it keeps a hostile message from using up memory.
const maxDepth = 10000

// blanks are the characters that may stand between two tokens of JSON.
const blanks = " \t\r\n"

// scanner walks over JSON (RFC 8259) and checks it, as far as it is there: it stops at the end of data, and goes on when
// data has grown. After an error it stays where it is.
type scanner struct {
	data  []byte
	whole bool // nothing will be added to data
	pos   int
	err   error

	state state
	// depth is how many objects and arrays are open, kinds tells for the innermost 64 which are objects (the lowest bit is
	// the innermost), and outer the same for those around them.
	depth int
	kinds uint64
	outer []uint64
	top   byte // what the outermost value begins with

	// name and value are the member of the outermost object, or the element of the outermost array, that next has found.
	name, value span
	// nameStart is where the latest name began, and special says that a member of one of the outermost value's members may have
	// a name that routing looks for. Hardly a message has one, and a large one need not be searched for it.
	nameStart int
	special   bool
	// lineBreak is where the first line break between two tokens ends, 0 if there is none.
	lineBreak int
	// enough is how much data must be there before a token that was cut off is looked at again.
	enough int
}

// state is what a scanner expects next.
type state uint8

const (
	atValue   state = iota
	atElement       // the first element of an array, or the array's end
	atMember        // the name of an object's first member, or the object's end
	atName          // the name of a further member
	inName          // the rest of a name
	atColon
	inString    // the rest of a string that is a value
	atSeparator // a comma, or the end of an array or object
	atEnd       // nothing
)

// step is what came of one step of a scanner.
type step uint8

const (
	goesOn step = iota
	ended       // a value
	cutOff      // by the end of data, to which more may be added
)

// object reports whether the outermost value is an object, array whether it is an array.
func (s *scanner) object() bool { return s.top == '{' }
func (s *scanner) array() bool  { return s.top == '[' }

func (s *scanner) fail(what string) step {
	s.err = &syntaxError{s.pos, what}
	return goesOn
}

// next goes on to the end of the next member or element of the outermost value. It returns false at the end of data, at the
// end of the outermost value, and after an error.
func (s *scanner) next() bool {
	if len(s.data) < s.enough && !s.whole {
		return false
	}
	for s.err == nil {
		if s.state != inName && s.state != inString {
			s.space()
		}
		if s.pos >= len(s.data) && (!s.whole || s.state == atEnd) {
			return false
		}
		switch s.step(s.peek()) {
		case ended:
			if s.close() {
				return true
			}
		case cutOff:
			return false
		}
	}
	return false
}

// step takes the next token, which begins with c, or a string as far as it is there, and goes on with what has to follow it
// if that is there: a step for each member or element.
func (s *scanner) step(c byte) step {
	switch s.state {
	case atElement:
		if c == ']' {
			return s.leave()
		}
		return s.begin(c)
	case atValue:
		return s.begin(c)
	case atMember:
		if c == '}' {
			return s.leave()
		}
		return s.beginName(c)
	case atName:
		return s.beginName(c)
	case inName:
		return s.endName()
	case atColon:
		return s.colon(c)
	case inString:
		return s.string()
	case atSeparator:
		return s.separator(c)
	}
	return s.fail("something follows the message")
}

// close takes note of the end of a value, and reports whether next has found what it looks for.
func (s *scanner) close() bool {
	if s.depth == 0 {
		s.state = atEnd
		return false
	}
	s.state = atSeparator
	if s.depth == 1 {
		s.value.end = s.pos
		return true
	}
	return false
}

func (s *scanner) beginName(c byte) step {
	if c != '"' {
		return s.fail("no name of a member")
	}
	s.nameStart = s.pos
	s.pos++
	s.state = inName
	return s.endName()
}

func (s *scanner) endName() step {
	if s.string() != ended {
		return cutOff
	}
	switch s.depth {
	case 1:
		s.name = span{s.nameStart, s.pos}
	case 2:
		s.special = s.special || isSpecial(s.data[s.nameStart:s.pos])
	}
	s.state = atColon
	if s.space(); s.pos >= len(s.data) {
		return goesOn
	}
	return s.colon(s.data[s.pos])
}

// isSpecial reports whether a name is one of those that routing looks for in params and results. One with an escape in it may be.
func isSpecial(name []byte) bool {
	switch string(name) {
	case `"_meta"`, `"resultType"`:
		return true
	}
	return bytes.IndexByte(name, '\\') >= 0
}

func (s *scanner) colon(c byte) step {
	if c != ':' {
		return s.fail("no colon after a name")
	}
	s.pos++
	s.state = atValue
	if s.space(); s.pos >= len(s.data) {
		return goesOn
	}
	return s.begin(s.data[s.pos])
}

func (s *scanner) begin(c byte) step {
	switch s.depth {
	case 0:
		s.top = c
	case 1:
		s.value.start = s.pos
	}
	switch {
	case c == '"':
		s.pos++
		s.state = inString
		return s.string()
	case c == '{' || c == '[':
		return s.enter(c)
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case s.pos >= len(s.data):
		return s.fail("the message ends too early")
	}
	return s.fail("no JSON value")
}

func (s *scanner) enter(c byte) step {
	if s.depth == maxDepth {
		return s.fail("nested too deep")
	}
	if s.depth > 0 && s.depth%64 == 0 {
		s.outer = append(s.outer, s.kinds)
	}
	s.depth++
	s.kinds <<= 1
	s.pos++
	if s.state = atElement; c == '{' {
		s.kinds |= 1
		s.state = atMember
	}
	return goesOn
}

func (s *scanner) leave() step {
	s.pos++
	s.kinds >>= 1
	if s.depth--; s.depth > 0 && s.depth%64 == 0 {
		last := len(s.outer) - 1
		s.kinds, s.outer = s.outer[last], s.outer[:last]
	}
	return ended
}

func (s *scanner) separator(c byte) step {
	object := s.kinds&1 == 1
	switch {
	case c == ',':
		s.pos++
		if s.state = atValue; object {
			s.state = atName
		}
		if s.space(); s.pos >= len(s.data) {
			return goesOn
		}
		if c = s.data[s.pos]; object {
			return s.beginName(c)
		}
		return s.begin(c)
	case c == '}' && object, c == ']' && !object:
		return s.leave()
	}
	return s.fail("no comma and no closing bracket")
}

func (s *scanner) peek() byte {
	if s.pos >= len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) space() {
	if s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		s.blank()
	}
}

func (s *scanner) blank() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t':
			s.pos++
		case '\n', '\r':
			s.pos++
			if s.lineBreak == 0 {
				s.lineBreak = s.pos
			}
		default:
			return
		}
	}
}

// again says that a token was cut off, and is to be looked at as a whole once twice as much of it may be there: so a token that
// comes in a thousand pieces isn't read a thousand times.
func (s *scanner) again() step {
	s.enough = s.pos + 2*(len(s.data)-s.pos)
	return cutOff
}

func (s *scanner) literal(word string) step {
	rest := s.data[s.pos:]
	if n := len(rest); n < len(word) && !s.whole && string(rest) == word[:n] {
		return s.again()
	}
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.fail("no JSON value")
	}
	s.pos += len(word)
	return ended
}

func (s *scanner) number() step {
	rest := s.data[s.pos:]
	n := 0
	if rest[0] == '-' {
		n = 1
	}
	n, ok := integer(rest, n)
	if ok && n < len(rest) && rest[n] == '.' {
		n, ok = digitsAfter(rest, n+1)
	}
	if ok && n < len(rest) && rest[n]|0x20 == 'e' {
		if n++; n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
			n++
		}
		n, ok = digitsAfter(rest, n)
	}
	switch {
	case n == len(rest) && !s.whole:
		return s.again()
	case !ok:
		s.pos += n
		return s.fail("no digit in a number")
	}
	s.pos += n
	return ended
}

// integer returns the end of the integer that begins at n, and whether there is one: a 0 is its only digit.
func integer(b []byte, n int) (end int, ok bool) {
	if n < len(b) && b[n] == '0' {
		return n + 1, true
	}
	return digitsAfter(b, n)
}

// digitsAfter returns the end of the digits that begin at n, and whether there are any.
func digitsAfter(b []byte, n int) (end int, ok bool) {
	end = n
	for end < len(b) && '0' <= b[end] && b[end] <= '9' {
		end++
	}
	return end, end > n
}
