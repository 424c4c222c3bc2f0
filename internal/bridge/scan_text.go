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
	n += plain(b[n:])
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

// plainWords is plain for any processor.
func plainWords(b []byte) int {
	n := 0
	for len(b)-n >= block {
		size, more := textBlock((*[block]byte)(b[n:]))
		if n += size; !more {
			break
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
