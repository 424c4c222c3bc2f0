package bridge

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// cancelLead is the most that a request which has been written has as its lead over its own cancellation.
//
// On HTTP/1.1 the two travel on different connections, and nothing orders these at the server but what the server itself says:
// once it has begun to answer, it has read the request. One that answers in JSON says nothing before it is done, so for it a
// lead has to do, and under load a cancellation may still be read first. Servers ignore one for a request that they don't know
// (MCP, "Cancellation"), and the client has no use for the answer any more: then the call just runs to its end.
const cancelLead = 100 * time.Millisecond

// attempt is one HTTP request of an exchange.
type attempt struct {
	stop context.CancelFunc // of the exchange
	// sent is closed when the request has been written, or never will be. By then out says which of the two, and writtenAt when.
	sent      chan struct{}
	onceSent  sync.Once
	out       bool
	writtenAt time.Time
	// heard is closed when the server has begun to answer, or never will.
	heard     chan struct{}
	onceHeard sync.Once
}

// begin takes note that the exchange is about to send a request. It returns false if the client has cancelled it meanwhile.
func (x *exchange) begin() bool {
	x.turn.Lock()
	defer x.turn.Unlock()
	if x.cancelled.Load() {
		return false
	}
	a := &x.first
	if a.sent != nil { // what belongs to an earlier request may still come
		a = &attempt{}
	}
	a.stop, a.sent, a.heard = x.stop, make(chan struct{}), make(chan struct{})
	x.trying = a
	return true
}

// over takes note that the request has been dealt with, however that went.
func (x *exchange) over() {
	x.turn.Lock()
	a := x.trying
	x.trying = nil
	x.turn.Unlock()
	a.onceSent.Do(func() { close(a.sent) })
	a.noteHeard()
}

// cancel makes the exchange drop its answer, and send nothing more. It returns the attempt that is under way, nil if there is
// none: then the server has nothing to do with the request.
func (x *exchange) cancel() *attempt {
	x.turn.Lock()
	defer x.turn.Unlock()
	x.cancelled.Store(true)
	return x.trying
}

// trace makes the attempt hear of what becomes of its request.
func (a *attempt) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest:         a.noteWritten, // or failed to
		GotFirstResponseByte: a.noteHeard,
	})
}

func (a *attempt) noteWritten(httptrace.WroteRequestInfo) {
	a.onceSent.Do(func() {
		a.out, a.writtenAt = true, time.Now()
		close(a.sent)
	})
}

func (a *attempt) noteHeard() { a.onceHeard.Do(func() { close(a.heard) }) }

// awaitLead waits until a cancellation may follow the request, and reports whether it should: a request that never left needs
// none.
func (a *attempt) awaitLead(ctx context.Context) bool {
	written := time.NewTimer(orderedTime)
	defer written.Stop()
	select {
	case <-a.sent:
	case <-written.C: // the server doesn't read it; what the client says next mustn't wait any longer
		a.stop()
		return false
	case <-ctx.Done():
		return false
	}
	if !a.out {
		return false
	}
	lead := time.NewTimer(cancelLead - time.Since(a.writtenAt))
	defer lead.Stop()
	select {
	case <-a.heard:
	case <-lead.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// cancel handles the client's notifications/cancelled. The request gets no answer, and isn't sent (again) from here on: a wait
// ends at once, be it for a handshake, for consent, or because the server was busy. A modern server is told by closing the
// request's connection (2026-07-28, "Cancellation"), a legacy server by the notification, after the request itself.
func (b *Bridge) cancel(m message, h *handshake) {
	id := member(m.params, "requestId")
	b.mu.Lock()
	var list []*exchange
	if id != nil { // an array has none
		list = b.inFlight[string(id)]
	}
	var x *exchange
	var initialize, modern bool
	if len(list) > 0 {
		x = list[len(list)-1]
		initialize, modern = x.msg.is(methodInitialize), x.modern
	}
	b.mu.Unlock()
	switch {
	case x == nil:
		if !m.isModern() {
			b.ordered.put(outgoing{m, h, nil}) // the server may know what it is about
		}
	case initialize: // MUST NOT be cancelled
	default:
		if a := x.cancel(); modern || a == nil {
			x.stop()
		} else {
			b.ordered.put(outgoing{m, h, a})
		}
	}
}
