package bridge

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// listenPause is the least time between two tries to open the listening stream after it was refused or broke.
const listenPause = time.Minute

// listenLead is the most that requests wait for the listening stream to be open. A server that says nothing at all before it has
// something to send costs a client this once, if it calls a tool as soon as that.
const listenLead = 5 * time.Second

// listen opens the stream on which the server sends messages of its own accord, and keeps it open as long as the session
// is in force. Servers that have none answer 405, others 400, 404 or 500; none of that concerns the client.
func (b *Bridge) listen(h *handshake) {
	s := h.current()
	if s == nil || s.version == "2024-11-05" || s.id == "" && b.Stateless {
		h.listenInstead(nil, nil)
		return
	}
	ctx, cancel := context.WithCancel(b.work)
	opening, opened := context.WithTimeout(ctx, listenLead)
	h.listenInstead(cancel, opening)
	go b.guard("listen", func() {
		defer cancel()
		b.keepListening(ctx, h, s, opened)
	})
}

// listenInstead closes the stream of the session before, whose messages are nothing for the client any more. stop closes the
// one that takes its place, opening ends when that is open, or will not be; both nil if none does.
func (h *handshake) listenInstead(stop context.CancelFunc, opening context.Context) {
	h.mu.Lock()
	old := h.stopListening
	h.stopListening, h.opening = stop, opening
	h.mu.Unlock()
	if old != nil {
		old()
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
	opening := h.opening
	h.mu.Unlock()
	if opening == nil {
		return
	}
	select {
	case <-opening.Done():
	case <-x.ctx.Done():
	}
}

// keepListening calls opened when the server has answered for the first time.
func (b *Bridge) keepListening(ctx context.Context, h *handshake, s *session, opened func()) {
	lastID := ""
	defer opened()
	for h == b.currentHandshake() && h.current() == s {
		pause := listenPause
		resp, err := b.get(ctx, s, lastID)
		switch {
		case err != nil:
			b.Log.Debug("no listening stream", "error", describe(err))
			opened()
		case isStream(resp):
			h.setListening(s, true)
			opened()
			lastID, pause = b.readListening(resp, lastID)
			h.setListening(s, false)
		default:
			opened()
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody))
			resp.Body.Close()
			b.Log.Debug("no listening stream", "status", resp.StatusCode, "url", web.Redact(b.URL))
			if resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotFound {
				return // not offered; or the session is gone, which the next request will find out
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// readListening passes the stream's messages on until it ends, and returns its last event id and the pause before it
// should be opened again.
func (b *Bridge) readListening(resp *http.Response, lastID string) (string, time.Duration) {
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
		case m.isResponse():
			b.answerFromStream(m)
		default:
			b.out.write(m.raw, rd.buffered())
		}
	}
	switch {
	case rd.retry > 0: // a server that polls: it closes streams and wants us back after this time
		return rd.lastID, rd.retry
	case time.Since(opened) > listenPause:
		return rd.lastID, defaultRetry
	}
	return rd.lastID, listenPause
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
