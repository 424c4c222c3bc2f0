package bridge

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// message is one JSON-RPC message as its bytes, with the members that routing needs located in them. The bytes are
// never decoded and encoded again: ids such as 9007199254740993 or 1.50 would not survive it.
type message struct {
	raw []byte
	// The members as JSON, nil where absent. For a batch (a JSON array, revision 2025-03-26) all are nil.
	id, method, params, result, err []byte
	batch                           bool
	// revision is what a message of revision 2026-07-28 or later names in its params._meta; "" in older ones.
	revision string
}

// isRequest reports whether the message expects an answer.
func (m *message) isRequest() bool { return m.method != nil && m.id != nil }

// isResponse reports whether the message is an answer. Gateways have errors of their own that look alike, but whose code
// is no number (JSON-RPC 2.0, section 5.1).
func (m *message) isResponse() bool {
	return m.method == nil && (m.result != nil || m.err != nil && isNumber(member(m.err, "code")))
}

func isNumber(b []byte) bool { return len(b) > 0 && (b[0] == '-' || '0' <= b[0] && b[0] <= '9') }

// is reports whether the message's method is name. Methods hold no characters that JSON has to escape; one that is
// escaped all the same is decoded first.
func (m *message) is(name string) bool { return unquote(m.method) == name }

// unquote decodes a JSON string; of anything else it returns "".
func unquote(s []byte) string {
	if len(s) < 2 || s[0] != '"' {
		return ""
	}
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s[1 : len(s)-1])
	}
	var v string
	_ = json.Unmarshal(s, &v)
	return v
}

// syntaxError is a fault in JSON at a byte offset.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.what, e.offset+1) }

var errNotMessage = errors.New("not a JSON-RPC message: neither an object nor an array")

// parse checks that raw is exactly one JSON value in UTF-8 and finds its members. On an error the message still holds
// the id, if one could be read before the fault.
//
// It exists beside encoding/json because it runs on every byte of both directions: json.Valid alone costs more than the
// rest of the bridge, and doesn't check UTF-8.
func parse(raw []byte) (message, error) {
	m := message{raw: raw}
	s := scanner{data: raw}
	s.space()
	switch s.peek() {
	case '[':
		m.batch = true
		s.value(0)
	case '{':
		s.members(0, m.note)
	default:
		s.value(0)
	}
	s.space()
	if s.err == nil && s.pos != len(raw) {
		s.fail("something follows the message")
	}
	if s.err != nil {
		return m, s.err
	}
	if !utf8.Valid(raw) {
		return m, errors.New("not UTF-8")
	}
	if first := bytes.TrimLeft(raw, " \t\r\n")[0]; first != '{' && first != '[' {
		return m, errNotMessage
	}
	m.revision = revisionOf(m)
	return m, nil
}

// note remembers a top-level member. Of a name that stands twice the last counts, as most JSON readers have it.
func (m *message) note(name, value []byte) {
	switch string(name) {
	case `"id"`:
		m.id = value
	case `"method"`:
		m.method = value
	case `"params"`:
		m.params = value
	case `"result"`:
		m.result = value
	case `"error"`:
		m.err = value
	}
}

// member returns the JSON of one member of the JSON object in data, nil if it isn't there.
func member(data []byte, name string) []byte {
	var found []byte
	s := scanner{data: data}
	s.space()
	if s.peek() != '{' {
		return nil
	}
	s.members(0, func(n, value []byte) {
		if unquote(n) == name {
			found = value
		}
	})
	return found
}

// elements calls each for every element of the JSON array in data.
func elements(data []byte, each func(value []byte)) {
	s := scanner{data: data}
	s.space()
	if s.peek() == '[' {
		s.elements(0, each)
	}
}

// maxDepth is the deepest nesting that is read, as in encoding/json: it keeps a hostile message from using up the stack.
const maxDepth = 10000

// scanner walks over JSON (RFC 8259) and checks it. After an error it stays where it is.
type scanner struct {
	data []byte
	pos  int
	err  error
}

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = &syntaxError{s.pos, what}
	}
}

func (s *scanner) peek() byte {
	if s.err != nil || s.pos >= len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) value(depth int) {
	if depth > maxDepth {
		s.fail("nested too deep")
		return
	}
	switch c := s.peek(); {
	case c == '"':
		s.string()
	case c == '{':
		s.members(depth, nil)
	case c == '[':
		s.elements(depth, nil)
	case c == '-' || '0' <= c && c <= '9':
		s.number()
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	case c == 'n':
		s.literal("null")
	case s.pos >= len(s.data):
		s.fail("the message ends too early")
	default:
		s.fail("no JSON value")
	}
}

// members walks over an object, and calls note with the JSON of each name and value.
func (s *scanner) members(depth int, note func(name, value []byte)) {
	s.pos++ // {
	s.space()
	if s.peek() == '}' {
		s.pos++
		return
	}
	for s.err == nil {
		start := s.pos
		if s.peek() != '"' {
			s.fail("no name of a member")
			return
		}
		s.string()
		name := s.data[start:s.pos]
		s.space()
		if s.peek() != ':' {
			s.fail("no colon after a name")
			return
		}
		s.pos++
		s.space()
		start = s.pos
		s.value(depth + 1)
		if s.err != nil {
			return
		}
		if note != nil {
			note(name, s.data[start:s.pos])
		}
		if s.separator('}') {
			return
		}
	}
}

// elements walks over an array, and calls each with the JSON of each element.
func (s *scanner) elements(depth int, each func(value []byte)) {
	s.pos++ // [
	s.space()
	if s.peek() == ']' {
		s.pos++
		return
	}
	for s.err == nil {
		start := s.pos
		s.value(depth + 1)
		if s.err != nil {
			return
		}
		if each != nil {
			each(s.data[start:s.pos])
		}
		if s.separator(']') {
			return
		}
	}
}

// separator walks over a comma, or over the closing bracket, of which it returns true.
func (s *scanner) separator(closing byte) bool {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return false
	case closing:
		s.pos++
		return true
	}
	s.fail("no comma and no closing bracket")
	return true
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail("no JSON value")
		return
	}
	s.pos += len(word)
}

func (s *scanner) number() {
	if s.peek() == '-' {
		s.pos++
	}
	switch c := s.peek(); {
	case c == '0':
		s.pos++
	case '1' <= c && c <= '9':
		s.digits()
	default:
		s.fail("no digit in a number")
		return
	}
	if s.peek() == '.' {
		s.pos++
		s.digits()
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		s.digits()
	}
}

func (s *scanner) digits() {
	start := s.pos
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.pos++
	}
	if s.pos == start {
		s.fail("no digit in a number")
	}
}

func (s *scanner) string() {
	s.pos++ // "
	for {
		s.pos += plain(s.data[s.pos:])
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return
		case c == '\\' && s.pos+1 < len(s.data) && simpleEscape[s.data[s.pos+1]]: // most: worth a way of their own
			s.pos += 2
		case c == '\\':
			if s.escape(); s.err != nil {
				return
			}
		case s.pos >= len(s.data):
			s.fail("the message ends inside a string")
			return
		default:
			s.fail("a control character inside a string")
			return
		}
	}
}

// simpleEscape holds the characters that make an escape of two.
var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape walks over an escape of six characters, or finds that there is no such escape.
func (s *scanner) escape() {
	rest := s.data[s.pos:]
	if len(rest) < 2 {
		s.fail("the message ends inside a string")
		return
	}
	switch rest[1] {
	case 'u':
		if len(rest) < 6 || !isHex(rest[2]) || !isHex(rest[3]) || !isHex(rest[4]) || !isHex(rest[5]) {
			s.fail("a bad \\u in a string")
			return
		}
		s.pos += 6
	default:
		s.fail("a bad backslash in a string")
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// plain returns how many bytes at the start of b are neither a quote, nor a backslash, nor a control character. It looks
// at eight bytes at once: in a word where a byte is to be found the expression sets that byte's highest bit (and perhaps
// those of bytes after it, never before), see "Determine if a word has a byte less than n" in Bit Twiddling Hacks.
func plain(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote := w ^ ones*'"'
		slash := w ^ ones*'\\'
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w) & highs
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(b); n++ {
		if c := b[n]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return n
}
