package bridge

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// checkPlain holds plain, in both of its forms, against a walk from character to character.
func checkPlain(t *testing.T, b []byte) {
	t.Helper()
	begins, end := map[int]bool{}, 0
	for end < len(b) {
		begins[end] = true
		rest := b[end:]
		size := 1
		switch {
		case rest[0] == '"' || rest[0] < 0x20:
			size = 0
		case rest[0] != '\\':
		case len(rest) > 1 && bytes.IndexByte([]byte(`"\/bfnrt`), rest[1]) >= 0:
			size = 2
		case len(rest) > 5 && rest[1] == 'u' && len(bytes.Trim(rest[2:6], "0123456789abcdefABCDEF")) == 0:
			size = 6
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		end += size
	}
	begins[end] = true
	for name, plain := range map[string]func([]byte) int{"plain": plain, "plainWords": plainWords} {
		if n := plain(b); !begins[n] || n > end || n < end && len(b)-n >= block {
			t.Fatalf("%s says %d of %d, the walk %d: %q", name, n, len(b), end, b)
		}
	}
}

// TestPlain: every byte at every place of a block, alone and behind a backslash, and escapes of six with a wrong digit, also where
// blocks meet.
func TestPlain(t *testing.T) {
	base := bytes.Repeat([]byte("x"), 2*block)
	put := func(at int, s string) {
		b := bytes.Clone(base)
		copy(b[at:], s)
		checkPlain(t, b)
	}
	for at := range block + 8 {
		for c := range 256 {
			put(at, string([]byte{byte(c)}))
			put(at, string([]byte{'\\', byte(c)}))
			put(at, string([]byte{'\\', '\\', byte(c)}))
			put(at, string([]byte{'\\', 'u', '0', '9', 'a', 'F', byte(c)}))
			for digit := range 4 {
				escape := []byte(`\u1aB9`)
				escape[2+digit] = byte(c)
				put(at, string(escape))
			}
		}
	}
}

// TestRandomPlain: texts of what is likely to be taken for something else.
func TestRandomPlain(t *testing.T) {
	units := []string{"\\", "\\", `"`, "\x00", "\x1f", " ", "\x7f", "\x80", "\xa2", "\xdc", "\xff", "!", "#", "/", "0", "a", "F", "g", "u", "n", "v",
		`\n`, `\"`, `\\`, `\u00e9`, `\uD83D`, "plain text", "0123456789abcdefghijklmnopqrstuvwxyz"}
	for range 50_000 {
		var b []byte
		common := units[len(units)-1-rand.N(7):]
		for range rand.N(40) {
			from := common
			if rand.N(20) == 0 {
				from = units
			}
			b = append(b, from[rand.N(len(from))]...)
		}
		checkPlain(t, b)
	}
}
