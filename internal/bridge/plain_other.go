//go:build !amd64 || purego

package bridge

// plain returns how many bytes at the start of b need no closer look, as text does. It leaves the last ones out, that make no block.
func plain(b []byte) int { return plainWords(b) }
