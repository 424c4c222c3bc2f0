package bridge

import (
	"io"
	"slices"
	"sync"
	"time"
)

const (
	firstBuffer = 4 << 10 // bytes; small, since there may be a hundred
	// busyBuffer is what a stream gets that has more to say than fits into its first one.
	busyBuffer = 16 << 10
	// largeBuffer is the size from which on a buffer is a slab.
	largeBuffer = 32 << 10
	slabSize    = maxMessage + firstBuffer
	maxSlabs    = 4
	// slabTime is how long the memory of a large message is kept for the next one.
	slabTime = 30 * time.Second
)

// buffers lends memory to answers: small buffers from a pool, and slabs, each as large as the largest message.
//
// A slab lies outside the heap. A growing buffer in the heap is copied and zeroed over and over, and the garbage collector
// lets as much garbage pile up beside it; of a slab only the pages that a message really fills take memory, and they are
// given back when no large message has come for a while.
type buffers struct {
	small   sync.Pool // *[]byte
	readers sync.Pool // *eventReader

	mu     sync.Mutex
	slabs  []slab
	giveUp *time.Timer
	closed bool
}

type slab struct {
	memory []byte
	lent   bool
}

// get returns an empty buffer.
func (b *buffers) get() []byte {
	if small, ok := b.small.Get().(*[]byte); ok {
		return *small
	}
	return make([]byte, 0, firstBuffer)
}

// grow returns a buffer with the content of buf and more room: for size bytes, if that is more than twice the room of buf.
func (b *buffers) grow(buf []byte, size int) []byte {
	grown := append(b.room(max(2*cap(buf), size, firstBuffer)), buf...)
	b.put(buf)
	return grown
}

// room returns an empty buffer for size bytes.
func (b *buffers) room(size int) []byte {
	if largeBuffer <= size && size <= slabSize {
		if slab := b.takeSlab(); slab != nil {
			return slab
		}
	}
	return make([]byte, 0, size)
}

// takeSlab returns an empty slab, or nil if none is to be had. The first ones are taken first, so that few are in use.
func (b *buffers) takeSlab() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.slabs {
		if s := &b.slabs[i]; !s.lent {
			s.lent = true
			return s.memory[:0]
		}
	}
	if len(b.slabs) == maxSlabs || b.closed {
		return nil
	}
	memory := newSlab(slabSize)
	if memory == nil {
		return nil
	}
	b.slabs = append(b.slabs, slab{memory, true})
	return memory[:0]
}

// put takes a buffer back, which nobody may use any more.
func (b *buffers) put(buf []byte) {
	buf = buf[:0]
	switch c := cap(buf); {
	case c == slabSize && b.putSlab(buf):
	case 0 < c && c < largeBuffer:
		b.small.Put(&buf)
	}
}

func (b *buffers) putSlab(buf []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.slabs {
		if s := &b.slabs[i]; s.lent && &s.memory[0] == &buf[:1][0] {
			if s.lent = false; b.closed {
				b.freeSlabs()
			} else {
				b.emptyLater()
			}
			return true
		}
	}
	return false
}

// close gives all memory back, that of slabs which are lent when they are put. Buffers can still be had.
func (b *buffers) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.giveUp != nil {
		b.giveUp.Stop()
	}
	b.freeSlabs()
}

func (b *buffers) freeSlabs() {
	b.slabs = slices.DeleteFunc(b.slabs, func(s slab) bool {
		if !s.lent {
			freeSlab(s.memory)
		}
		return !s.lent
	})
}

// emptyLater gives the memory of the slabs back that nobody has by then.
func (b *buffers) emptyLater() {
	if b.giveUp != nil {
		b.giveUp.Reset(slabTime)
		return
	}
	b.giveUp = time.AfterFunc(slabTime, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.slabs {
			if !s.lent {
				emptySlab(s.memory)
			}
		}
	})
}

// reader returns a reader of a stream's events, which release takes back. beforeRead is called before each read that may block.
func (b *buffers) reader(stream io.Reader, beforeRead func()) *eventReader {
	rd, ok := b.readers.Get().(*eventReader)
	if !ok {
		rd = &eventReader{}
	}
	*rd = eventReader{r: stream, buf: b.get(), memory: b, beforeRead: beforeRead}
	return rd
}

// release takes back a reader that nobody may use any more, nor an event of it.
func (b *buffers) release(rd *eventReader) {
	b.put(rd.buf)
	*rd = eventReader{}
	b.readers.Put(rd)
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
