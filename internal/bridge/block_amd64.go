//go:build !purego

package bridge

import "math/bits"

// textBlock is text for a block, without an escape that the block's end may cut off; more says that nothing else ended it. It
// looks at all of the block at once, a bit for each byte: so a processor need not wait for one quote before it looks for the next.
func textBlock(b *[block]byte) (size int, more bool) {
	slashes, quotes, controls := blockMarks(b)
	if slashes == 0 {
		i := bits.TrailingZeros64(quotes | controls)
		return i, i == block
	}
	escaped := escapes(slashes)
	end := bits.TrailingZeros64((quotes|controls)&^escaped | slashes&^escaped&(1<<(block-1)))
	// An escaped quote or backslash needs no closer look.
	for odd := escaped &^ (slashes | quotes) & (1<<end - 1); odd != 0; odd &= odd - 1 {
		i := bits.TrailingZeros64(odd) % block
		switch left := block - i; {
		case simpleEscape[b[i]]:
		case b[i] == 'u' && left >= 5 && isHex(b[i+1]) && isHex(b[i+2]) && isHex(b[i+3]) && isHex(b[i+4]):
		default:
			return i - 1, left < 5 // the next block begins with it
		}
	}
	return end, end == block || end == block-1 && b[end] == '\\'
}

// escapes returns which bytes a backslash before them escapes: the second of each two backslashes that follow each other, and what
// follows an odd number of them. Subtraction carries through a row of bits (as simdjson does it, Langdale and Lemire 2019).
func escapes(slashes uint64) uint64 {
	const odd = 0xaaaaaaaaaaaaaaaa
	return (slashes<<1 | odd) - slashes ^ odd ^ slashes
}

// blockMarks returns which bytes of a block are backslashes, quotes and control characters. It takes nothing that not every
// processor of this kind has (SSE2).
//
//go:noescape
func blockMarks(b *[block]byte) (slashes, quotes, controls uint64)
