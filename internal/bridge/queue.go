package bridge

import (
	"context"
	"sync"
)

// outgoing is a notification or response of the client on its way to the server.
type outgoing struct {
	msg       message
	handshake *handshake
	// after is the request that has to have gone out before; nil if none.
	after *attempt
}

// queue hands items to one goroutine, in order. put never waits.
type queue struct {
	mu     sync.Mutex
	items  []outgoing
	closed bool
	wakeup chan struct{}
	done   chan struct{}
}

func (q *queue) start(ctx context.Context, send func(context.Context, outgoing)) {
	q.wakeup = make(chan struct{}, 1)
	q.done = make(chan struct{})
	go func() {
		defer close(q.done)
		for {
			item, ok, closed := q.take()
			switch {
			case ok:
				send(ctx, item)
				continue
			case closed:
				return
			}
			select {
			case <-q.wakeup:
			case <-ctx.Done():
				return
			}
		}
	}()
}

func (q *queue) put(item outgoing) {
	q.mu.Lock()
	q.items = append(q.items, item)
	q.mu.Unlock()
	q.ring()
}

func (q *queue) ring() {
	select {
	case q.wakeup <- struct{}{}:
	default:
	}
}

func (q *queue) take() (item outgoing, ok, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		q.items = nil
		return outgoing{}, false, q.closed
	}
	item = q.items[0]
	q.items[0] = outgoing{}
	q.items = q.items[1:]
	return item, true, q.closed
}

// close waits until everything that was put has been sent.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ring()
	<-q.done
}
