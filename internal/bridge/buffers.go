package bridge

import (
	"sync"
	"weak"
)

const (
	firstBuffer = 16 << 10 // bytes
	largeBuffer = 1 << 20
)

// buffers lends memory to streams. Small buffers are kept as a pool keeps them. The last large one is kept until the garbage
// collector wants it: growing one for each large answer would cost more than all the rest that is done with it, and nobody
// should pay for a large answer of an hour ago.
type buffers struct {
	small sync.Pool // *[]byte

	mu    sync.Mutex
	large weak.Pointer[[]byte]
}

// get returns an empty buffer.
func (b *buffers) get() []byte {
	b.mu.Lock()
	large := b.large.Value()
	b.large = weak.Pointer[[]byte]{}
	b.mu.Unlock()
	if large != nil {
		return *large
	}
	return b.getSmall()
}

func (b *buffers) getSmall() []byte {
	if small, ok := b.small.Get().(*[]byte); ok {
		return *small
	}
	return make([]byte, 0, firstBuffer)
}

// put takes a buffer back, which nobody may use any more.
func (b *buffers) put(buf []byte) {
	buf = buf[:0]
	if cap(buf) < largeBuffer {
		b.small.Put(&buf)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.large = weak.Make(&buf)
}

// swap gives a stream a small buffer for a large one, so that the next stream, which often begins before this one has ended,
// finds it.
func (b *buffers) swap(rd *eventReader) {
	if cap(rd.buf) < largeBuffer {
		return
	}
	large := rd.buf
	rd.buf = append(b.getSmall(), large[rd.pos:]...)
	rd.pos = 0
	b.put(large)
}
