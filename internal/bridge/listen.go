package bridge

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// listenPause is the least time between two tries to open the listening stream after it was refused, or broke early.
	listenPause = time.Minute
	// listenWorth is how long a stream has to last to be missed: one that a proxy or a server ends while nothing happens (after
	// half a minute, say) is opened again as soon as a request wants it.
	listenWorth = time.Second
	// listenLead is the most that requests wait for the stream. A server that says nothing at all before it has something to
	// send costs a client this once, if it calls a tool as soon as that.
	listenLead = 5 * time.Second
)

// listener keeps the stream open on which a session's server sends messages of its own accord.
type listener struct {
	stop context.CancelFunc

	mu sync.Mutex
	// settled is closed when the stream is open, or can't be had; it is another one when the stream has broken.
	settled chan struct{}
	// wanted has a broken stream opened again before its time.
	wanted  chan struct{}
	opening bool        // or about to
	limit   *time.Timer // settles what is opening
}

func newListener(stop context.CancelFunc) *listener {
	l := &listener{stop: stop, settled: make(chan struct{}), wanted: make(chan struct{}, 1), opening: true}
	l.limit = time.AfterFunc(listenLead, l.settle)
	return l
}

// begin takes note that the stream is being opened, whoever wanted it.
func (l *listener) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opening {
		l.opening = true
		l.limit.Reset(listenLead)
	}
	select {
	case <-l.wanted:
	default:
	}
}

// settle lets the requests go that wait for the stream.
func (l *listener) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = false
	l.limit.Stop()
	select {
	case <-l.settled:
	default:
		close(l.settled)
	}
}

// miss has the next request ask for the stream, which has broken.
func (l *listener) miss() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settled = make(chan struct{})
}

// ask returns what is closed when the stream is open, or can't be had.
func (l *listener) ask() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.settled: // nearly always
		return l.settled
	default:
	}
	if !l.opening {
		l.opening = true
		l.limit.Reset(listenLead)
		l.wanted <- struct{}{}
	}
	return l.settled
}

// listen opens the stream on which the server sends messages of its own accord, and keeps it open as long as the session
// is in force. Servers that have none answer 405, others 400, 404 or 500; none of that concerns the client.
func (b *Bridge) listen(h *handshake) {
	s := h.current()
	if s == nil || s.version == "2024-11-05" || s.id == "" && b.Stateless {
		h.listenInstead(nil)
		return
	}
	ctx, cancel := context.WithCancel(b.work)
	l := newListener(cancel)
	h.listenInstead(l)
	go b.guard("listen", func() {
		defer cancel()
		defer l.settle()
		b.keepListening(ctx, h, s, l)
	})
}

// listenInstead closes the stream of the session before, whose messages are nothing for the client any more. l keeps the one
// that takes its place; nil if none does.
func (h *handshake) listenInstead(l *listener) {
	h.mu.Lock()
	old := h.listener
	h.listener = l
	h.mu.Unlock()
	if old != nil {
		old.stop()
	}
}

// awaitListening holds a request back that may make the server ask the client something, until the question has a stream
// to come on: servers drop what they send to a client that isn't listening, and then wait in vain (the TypeScript SDK's
// transport does so with all that isn't sent as part of a request).
func (h *handshake) awaitListening(x *exchange) {
	if h == nil || x.modern || harmlessTwice(x.msg) {
		return
	}
	h.mu.Lock()
	l := h.listener
	h.mu.Unlock()
	if l == nil {
		return
	}
	select {
	case <-l.ask():
	case <-x.ctx.Done():
	}
}

func (b *Bridge) keepListening(ctx context.Context, h *handshake, s *session, l *listener) {
	lastID := ""
	for h == b.currentHandshake() && h.current() == s {
		l.begin()
		pause := listenPause
		resp, err := b.get(ctx, s, lastID)
		switch {
		case err != nil:
			l.settle()
			b.Log.Debug("no listening stream", "error", describe(err))
		case isStream(resp):
			h.setListening(s, true)
			l.settle()
			var missed bool
			lastID, pause, missed = b.readListening(resp, lastID)
			h.setListening(s, false)
			if missed {
				l.miss()
			}
		default:
			l.settle()
			_ = errorBody(resp)
			resp.Body.Close()
			b.Log.Debug("no listening stream", "status", resp.StatusCode, "url", web.Redact(b.URL))
			if resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotFound {
				return // not offered; or the session is gone, which the next request will find out
			}
		}
		select {
		case <-time.After(pause):
		case <-l.wanted:
		case <-ctx.Done():
			return
		}
	}
}

// readListening passes the stream's messages on until it ends, and returns its last event id, the pause before it should be
// opened again, and whether a request may be waiting for that.
func (b *Bridge) readListening(resp *http.Response, lastID string) (last string, pause time.Duration, missed bool) {
	defer resp.Body.Close()
	opened := time.Now()
	rd := b.buffers.reader(resp.Body, b.out.flush)
	defer func() { b.buffers.release(rd) }()
	rd.lastID = lastID
	for {
		e, err := rd.next(func([]byte) bool { return false })
		if err != nil {
			b.out.flush()
			break
		}
		m, ok := b.eventMessage(e)
		switch {
		case !ok:
		case m.batch:
			b.passArray(b.currentHandshake(), m, b.answerFromStream)
		case m.isResponse():
			b.answerFromStream(m)
		default:
			b.out.write(m.raw, rd.buffered())
		}
	}
	lasted := time.Since(opened)
	switch {
	case rd.retry > 0: // a server that polls: it closes streams and wants us back after this time
		return rd.lastID, rd.retry, false
	case lasted > listenPause:
		return rd.lastID, defaultRetry, true
	}
	return rd.lastID, listenPause, lasted > listenWorth
}

// answerElsewhere waits for the answer to a request that was only accepted (202): it may come on the listening stream. If
// there is none, no answer can come.
func (b *Bridge) answerElsewhere(ctx context.Context, x *exchange, resp *http.Response) reply {
	r := reply{status: resp.StatusCode, header: resp.Header, err: errOnlyAccepted}
	if x.modern || x.handshake == nil || x.id == nil {
		return r
	}
	answer := x.handshake.expect(string(x.id))
	if answer == nil {
		return r
	}
	defer x.handshake.unexpect(string(x.id))
	select {
	case m := <-answer:
		r.msg, r.body, r.err = &m, m.raw, nil
	case <-ctx.Done():
	}
	return r
}

// expect registers a request whose answer should come on the listening stream; nil if that isn't open.
func (h *handshake) expect(id string) <-chan message {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.listening {
		return nil
	}
	c := make(chan message, 1)
	if h.expected == nil {
		h.expected = map[string]chan message{}
	}
	h.expected[id] = c
	return c
}

func (h *handshake) unexpect(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.expected, id)
}

func (h *handshake) setListening(s *session, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.session == s {
		h.listening = on
	}
}

// answerFromStream hands an answer that came on the listening stream to the request that waits for it.
func (b *Bridge) answerFromStream(m message) {
	h := b.currentHandshake()
	h.mu.Lock()
	c := h.expected[string(m.id)]
	h.mu.Unlock()
	if c == nil {
		b.Log.Debug("the listening stream brought an answer that nobody waits for")
		return
	}
	m, _ = parse(append([]byte(nil), m.raw...))
	select {
	case c <- m:
	default:
	}
}
