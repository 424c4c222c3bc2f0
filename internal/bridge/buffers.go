package bridge

import (
	"sync"
	"time"
)

const (
	firstBuffer = 16 << 10 // bytes
	// largeBuffer is the size at which a stream's buffer moves to the slab.
	largeBuffer = 1 << 20
	slabSize    = maxMessage + firstBuffer
	// slabTime is how long the memory of a large message is kept for the next one.
	slabTime = 10 * time.Second
)

// buffers lends memory to streams: small buffers from a pool, and to one stream at a time the slab, which is as large as the
// largest message.
//
// The slab lies outside the heap. A growing buffer in the heap is copied and zeroed over and over, and the garbage collector
// lets as much garbage pile up beside it; of the slab only the pages that a message really fills take memory, and they are
// given back when no large message has come for a while.
type buffers struct {
	small sync.Pool // *[]byte

	mu     sync.Mutex
	slab   []byte // nil before the first large message, and where there can be none
	lent   bool
	giveUp *time.Timer
}

// get returns an empty buffer.
func (b *buffers) get() []byte {
	if small, ok := b.small.Get().(*[]byte); ok {
		return *small
	}
	return make([]byte, 0, firstBuffer)
}

// grow returns a buffer with the content of buf and more room.
func (b *buffers) grow(buf []byte) []byte {
	var grown []byte
	if len(buf) >= largeBuffer {
		grown = b.takeSlab()
	}
	if grown == nil {
		grown = make([]byte, 0, max(2*len(buf), firstBuffer))
	}
	return append(grown, buf...)
}

// takeSlab returns the slab, empty, or nil if it is lent or can't be had.
func (b *buffers) takeSlab() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lent {
		return nil
	}
	if b.slab == nil {
		b.slab = newSlab(slabSize)
	}
	if b.slab == nil {
		return nil
	}
	if b.giveUp != nil {
		b.giveUp.Stop()
	}
	b.lent = true
	return b.slab[:0]
}

// put takes a buffer back, which nobody may use any more.
func (b *buffers) put(buf []byte) {
	buf = buf[:0]
	if b.putSlab(buf) {
		return
	}
	if c := cap(buf); c > 0 && c < largeBuffer {
		b.small.Put(&buf)
	}
}

func (b *buffers) putSlab(buf []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lent || cap(buf) != cap(b.slab) || &buf[:1][0] != &b.slab[:1][0] {
		return false
	}
	b.lent = false
	b.giveUp = time.AfterFunc(slabTime, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.lent {
			emptySlab(b.slab)
		}
	})
	return true
}

// swap gives a stream a small buffer for a large one, so that the next stream, which often begins before this one has ended,
// finds it.
func (b *buffers) swap(rd *eventReader) {
	if cap(rd.buf) < largeBuffer {
		return
	}
	large := rd.buf
	rd.buf = append(b.get(), large[rd.pos:]...)
	rd.pos = 0
	b.put(large)
}
