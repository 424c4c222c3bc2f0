//go:build !amd64 || purego

package bridge

import (
	"encoding/binary"
	"math/bits"
)

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
