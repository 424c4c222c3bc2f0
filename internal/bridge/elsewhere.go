package bridge

import (
	"bytes"
	"context"
	"net/http"
)

// Some servers only accept a request (202) and answer it on the listening stream. The answer may be there before the 202 is,
// and the stream may break before it brings it.

// answerElsewhere waits for the answer to a request that was only accepted, as long as it can come.
func (b *Bridge) answerElsewhere(ctx context.Context, x *exchange, resp *http.Response) reply {
	r := reply{status: resp.StatusCode, header: resp.Header, err: errOnlyAccepted}
	if x.modern || x.private || x.handshake == nil || x.id == nil {
		return r
	}
	l := x.handshake.listenerOf(x.usedSession)
	over := l.expect()
	defer l.unexpect()
	answer := b.mailbox(x)
	var m message
	select {
	case m = <-answer:
	case <-ctx.Done():
		return r
	case <-over:
		select {
		case m = <-answer: // the stream's last message, or one from before the 202
		default:
			return r
		}
	}
	r.msg, r.body, r.err = &m, m.raw, nil
	return r
}

// listenerOf returns what keeps the listening stream of a session open, nil if nothing does.
func (h *handshake) listenerOf(s *session) *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener == nil || h.listener.session != s {
		return nil
	}
	return h.listener
}

// mailbox is where an answer that came on the listening stream waits for its request. Bridge.mu guards it, but not what is in it.
type mailbox struct {
	answer chan message // nil if nobody has needed it yet
	used   bool         // a request has one answer, and another one is for another request with the same id
}

func (m *mailbox) open() chan message {
	if m.answer == nil {
		m.answer = make(chan message, 1)
	}
	return m.answer
}

func (b *Bridge) mailbox(x *exchange) <-chan message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return x.mailbox.open()
}

// clearMailbox makes room for the answer to a request that is sent again, after the one that came has been taken.
func (b *Bridge) clearMailbox(x *exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(x.mailbox.answer) == 0 {
		x.mailbox = mailbox{}
	}
}

// answerFromStream hands an answer that came on the listening stream to the request that waits for it, or will as soon as it
// has been accepted.
func (b *Bridge) answerFromStream(h *handshake, m message) {
	m, _ = parse(bytes.Clone(m.raw))
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.inFlight[string(m.id)] {
		if x.handshake == h && !x.modern && !x.mailbox.used {
			x.mailbox.used = true
			x.mailbox.open() <- m
			return
		}
	}
	b.Log.Debug("the listening stream brought an answer that nobody waits for")
}

// noStream is closed: nothing can come on a stream that isn't there.
var noStream = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// expect takes note that a request waits for its answer on the stream, and returns what is closed when that can't come any
// more. It may be called on nil, as unexpect may.
func (l *listener) expect() (over <-chan struct{}) {
	if l == nil {
		return noStream
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected++
	return l.over
}

func (l *listener) unexpect() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected--
}

func (l *listener) isExpected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expected > 0
}

// opened says that answers may come on the stream from now on.
func (l *listener) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == noStream {
		l.over = make(chan struct{})
	}
}

// shut lets the requests go whose answers can't come any more.
func (l *listener) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over != noStream {
		close(l.over)
		l.over = noStream
	}
}
