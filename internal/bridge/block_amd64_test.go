//go:build !purego

package bridge

import (
	"math/rand/v2"
	"testing"
)

// TestBlockMarks: the marks say what a look at each byte says, for every byte at every place.
func TestBlockMarks(t *testing.T) {
	likely := []byte("\"\\\x00\x1f\x20\x7f\x80\x9f\xa2\xdc\xff!#[]")
	var b [block]byte
	check := func() {
		var slashes, quotes, controls uint64
		for i, c := range b {
			switch {
			case c == '\\':
				slashes |= 1 << i
			case c == '"':
				quotes |= 1 << i
			case c < 0x20:
				controls |= 1 << i
			}
		}
		if s, q, c := blockMarks(&b); s != slashes || q != quotes || c != controls {
			t.Fatalf("%q: %x %x %x, want %x %x %x", b, s, q, c, slashes, quotes, controls)
		}
	}
	for at := range b {
		for c := range 256 {
			b = [block]byte{}
			for i := range b {
				b[i] = 'x'
			}
			b[at] = byte(c)
			check()
		}
	}
	for range 10_000 {
		for i := range b {
			b[i] = likely[rand.N(len(likely))]
		}
		check()
	}
}

// TestEscapes: bit by bit, a backslash that isn't escaped escapes what follows it.
func TestEscapes(t *testing.T) {
	for range 100_000 {
		slashes := rand.Uint64() | rand.Uint64()
		if rand.N(2) == 0 {
			slashes = ^slashes
		}
		var want uint64
		for i := 1; i < block; i++ {
			before := uint64(1) << (i - 1)
			if slashes&before != 0 && want&before == 0 {
				want |= 1 << i
			}
		}
		if got := escapes(slashes); got != want {
			t.Fatalf("%064b: %064b, want %064b", slashes, got, want)
		}
	}
}
