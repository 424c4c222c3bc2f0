package bridge

import (
	"encoding/binary"
	"math/bits"
)

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
