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
	session *session
	stop    context.CancelFunc

	mu sync.Mutex
	// settled is closed when the stream is open, or can't be had; it is another one when the stream has broken.
	settled chan struct{}
	// wanted has a broken stream opened again before its time.
	wanted  chan struct{}
	opening bool        // or about to
	limit   *time.Timer // settles what is opening
	// expected is how many requests wait for their answers on the stream. over is closed when these can't come any more:
	// when the stream has broken, and isn't about to be opened again.
	expected int
	over     chan struct{}
}

func newListener(s *session, stop context.CancelFunc) *listener {
	l := &listener{session: s, stop: stop, settled: make(chan struct{}), wanted: make(chan struct{}, 1), opening: true, over: noStream}
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
	l := newListener(s, cancel)
	h.listenInstead(l)
	go b.guard("listen", func() {
		defer cancel()
		defer l.shut()
		defer l.settle()
		b.keepListening(ctx, h, l)
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

func (b *Bridge) keepListening(ctx context.Context, h *handshake, l *listener) {
	var at position
	for failed := 0; h == b.currentHandshake() && h.current() == l.session; {
		l.begin()
		lasted := time.Duration(0)
		resp, err := b.get(ctx, l.session, at.lastID)
		switch {
		case err != nil:
			l.settle()
			b.Log.Debug("no listening stream", "error", describe(err))
		case isStream(resp):
			l.opened()
			l.settle()
			at, lasted = b.readListening(h, l.session, resp, at)
		default:
			l.settle()
			_ = errorBody(resp)
			resp.Body.Close()
			b.Log.Debug("no listening stream", "status", resp.StatusCode, "url", web.Redact(b.URL))
			if resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotFound {
				return // not offered; or the session is gone, which the next request will find out
			}
		}
		if failed++; lasted > listenWorth || lasted > 0 && at.retry > 0 {
			failed = 0
		}
		select {
		case <-time.After(l.pause(at, lasted, failed)):
		case <-l.wanted:
		case <-ctx.Done():
			return
		}
	}
}

// pause is how long to wait before the stream is opened again, which has lasted for a while, or could not be had (0); failed
// counts the tries in a row that brought nothing. It takes care of the requests that the stream matters to.
func (l *listener) pause(at position, lasted time.Duration, failed int) time.Duration {
	if failed == 0 && at.retry > 0 {
		return at.retry // a server that polls: it closes streams and wants us back after this time
	}
	if lasted > listenWorth {
		l.miss()
	}
	switch {
	case failed <= maxResumes && l.isExpected(): // as with an answer's own stream
		return max(at.retry, jitter(defaultRetry<<max(0, failed-1)))
	case lasted > listenPause:
		return defaultRetry
	}
	l.shut()
	return listenPause
}

// readListening passes the stream's messages on until it ends, and returns where it can be resumed and how long it lasted.
func (b *Bridge) readListening(h *handshake, s *session, resp *http.Response, at position) (end position, lasted time.Duration) {
	defer resp.Body.Close()
	opened := time.Now()
	rd := b.buffers.reader(resp.Body, b.out.flush)
	defer func() { b.buffers.release(rd) }()
	rd.position = at
	for {
		e, err := rd.next(func([]byte) bool { return false })
		if err != nil {
			b.out.flush()
			if err == errTooLong {
				b.Log.Warn("a message of the server was lost", "error", err)
			}
			return rd.position, max(time.Since(opened), 1)
		}
		m, ok := b.eventMessage(e)
		switch {
		case !ok:
		case m.batch:
			b.passArray(h, s, m, func(m message) { b.answerFromStream(h, m) })
		case m.isResponse():
			b.answerFromStream(h, m)
		default:
			b.relay(m, s, rd.buffered())
		}
	}
}
