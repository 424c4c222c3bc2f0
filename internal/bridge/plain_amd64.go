//go:build !purego

package bridge

import "golang.org/x/sys/cpu"

// plain returns how many bytes at the start of b need no closer look, as text does. It leaves the last ones out, that make no block.
func plain(b []byte) int {
	if cpu.X86.HasAVX2 && cpu.X86.HasBMI1 {
		return plainAVX2(b)
	}
	return plainWords(b)
}

// plainAVX2 looks at all of a block at once, a bit for each byte: so the processor need not wait for one quote before it looks for
// the next.
//
//go:noescape
func plainAVX2(b []byte) int
