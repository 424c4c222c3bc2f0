package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
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

// string goes on to the end of the string that pos is in. It returns cutOff after an error as well.
func (s *scanner) string() step {
	for {
		s.pos += text(s.data[s.pos:])
		switch c := s.peek(); {
		case s.pos >= len(s.data):
			if s.whole {
				s.fail("the message ends inside a string")
			}
			return cutOff
		case c == '"':
			s.pos++
			return ended
		case c == '\\':
			if s.escape() == cutOff {
				return cutOff
			}
		default:
			s.fail("a control character inside a string")
			return cutOff
		}
	}
}

// simpleEscape holds the characters that make an escape of two.
var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape walks over an escape of six characters, or finds that there is no such escape.
func (s *scanner) escape() step {
	rest := s.data[s.pos:]
	switch {
	case len(rest) < 6 && !s.whole && (len(rest) == 1 || rest[1] == 'u'):
		return cutOff // with the backslash still to be read
	case len(rest) < 2:
		s.fail("the message ends inside a string")
		return cutOff
	case rest[1] != 'u':
		s.fail("a bad backslash in a string")
		return cutOff
	case len(rest) < 6 || !isHex(rest[2]) || !isHex(rest[3]) || !isHex(rest[4]) || !isHex(rest[5]):
		s.fail("a bad \\u in a string")
		return cutOff
	}
	s.pos += 6
	return goesOn
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// text returns how many bytes at the start of b need no closer look: they are neither quotes nor control characters, and
// backslashes only as a part of an escape.
func text(b []byte) int {
	n := 0
	for len(b)-n >= 8 && n < 32 { // most strings are short
		found := marks(binary.LittleEndian.Uint64(b[n:]))
		if found != 0 {
			if n += bits.TrailingZeros64(found) / 8; b[n] != '\\' {
				return n
			}
			break
		}
		n += 8
	}
	for len(b)-n >= block {
		size, more := textBlock((*[block]byte)(b[n:]))
		if n += size; !more {
			return n
		}
	}
	for n < len(b) {
		switch c := b[n]; {
		case c == '\\' && n+1 < len(b) && simpleEscape[b[n+1]]:
			n += 2
		case c == '"' || c == '\\' || c < 0x20:
			return n
		default:
			n++
		}
	}
	return n
}

// block is how many bytes textBlock looks at: as many as a word has bits.
const block = 64

// textBlock is text for a block, without an escape that the block's end may cut off; more says that nothing else ended it. It first
// finds all characters that matter, a bit for each: so a processor need not wait for one before it looks for the next.
func textBlock(b *[block]byte) (size int, more bool) {
	found := gather(b[0:]) |
		gather(b[8:])<<8 |
		gather(b[16:])<<16 |
		gather(b[24:])<<24 |
		gather(b[32:])<<32 |
		gather(b[40:])<<40 |
		gather(b[48:])<<48 |
		gather(b[56:])<<56
	for found != 0 {
		i := bits.TrailingZeros64(found) % block
		switch left := block - i; {
		case b[i] != '\\':
			return i, false
		case left >= 2 && simpleEscape[b[i+1]]:
			found &^= 3 << i // the second may be one of those, too
		case left >= 6 && b[i+1] == 'u' && isHex(b[i+2]) && isHex(b[i+3]) && isHex(b[i+4]) && isHex(b[i+5]):
			found &^= 1 << i
		default:
			return i, left < 6 // the next block begins with it
		}
	}
	return block, true
}

// gather returns the marks of the first eight bytes of b side by side: the factor shifts each to its place in the product's highest byte.
func gather(b []byte) uint64 { return marks(binary.LittleEndian.Uint64(b)) * 0x0002040810204081 >> 56 }

// marks sets the highest bit of each byte of w that is a quote, a backslash or a control character, and no other bits.
func marks(w uint64) uint64 {
	const ones, lows, highs = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f, 0x8080808080808080
	low := w & lows
	// Adding 0x7f to seven bits carries into the eighth unless they are 0.
	none := (low ^ ones*'"') + lows
	none &= (low ^ ones*'\\') + lows
	none &= low&(ones*0x60) + lows
	return ^(none | w) & highs
}
