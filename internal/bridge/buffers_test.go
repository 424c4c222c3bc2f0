package bridge

import (
	"bytes"
	"testing"
)

func TestBuffers(t *testing.T) {
	var b buffers
	large := b.grow(make([]byte, largeBuffer), 0)
	if cap(large) < maxMessage {
		return // a system without a slab
	}
	copy(large, "first")
	other := b.grow(make([]byte, largeBuffer), 0)
	if &other[0] == &large[0] {
		t.Fatal("the slab was lent twice")
	}
	// A stream that has been served gives the slab back, and keeps what it has yet to read.
	rd := b.reader(nil, nil)
	rd.buf, rd.pos = append(large[:0], "used rest"...), 5
	b.swap(rd)
	if string(rd.buf) != "rest" || rd.pos != 0 {
		t.Errorf("%q at %d", rd.buf, rd.pos)
	}
	again := b.grow(bytes.Repeat([]byte{'x'}, largeBuffer), 0)
	if &again[0] != &large[0] {
		t.Error("the slab did not come back")
	}
	if string(rd.buf) != "rest" {
		t.Error("the rest was overwritten")
	}
	b.put(again)
	emptySlab(again[:cap(again)])
	if large = b.grow(make([]byte, largeBuffer), 0); len(large) != largeBuffer || large[0] != 0 {
		t.Error("the emptied slab can't be used")
	}
	// In the end all memory goes back, as soon as nobody has it any more.
	b.put(other)
	if n := cap(b.room(slabSize + 1)); n <= slabSize {
		t.Errorf("room for %d bytes, want more than a slab's", n)
	}
	b.close()
	if n := len(b.slabs); n != 1 {
		t.Errorf("%d slabs are left, want the one that is lent", n)
	}
	b.put(large)
	if n := len(b.slabs); n != 0 {
		t.Errorf("%d slabs are left", n)
	}
}
