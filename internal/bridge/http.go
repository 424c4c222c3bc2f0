package bridge

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// request builds a request with everything on it that belongs to every request: extra headers, session, revision,
// credential.
func (b *Bridge) request(ctx context.Context, method string, body []byte, s *session) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, "", reader)
	if err != nil {
		return nil, err
	}
	r.URL = b.URL // not parsed again for each request, and nobody changes it
	for name, values := range b.Header {
		r.Header[name] = values
	}
	if s != nil && s.id != "" {
		r.Header.Set(mcp.HeaderSessionID, s.id)
	}
	if s != nil && s.version != "" {
		r.Header.Set(mcp.HeaderProtocolVersion, s.version)
	}
	if b.Authorizer != nil {
		if err := b.Authorizer.Authorize(ctx, r); err != nil {
			return nil, &noCredential{err}
		}
	}
	return r, nil
}

// noCredential is the error of a request that wasn't sent for want of a credential.
type noCredential struct{ err error }

func (e *noCredential) Error() string { return e.err.Error() }
func (e *noCredential) Unwrap() error { return e.err }

// post sends one message. x is the exchange that the message belongs to, nil if none.
func (b *Bridge) post(ctx context.Context, m message, s *session, x *exchange) (*http.Response, error) {
	if m.is(methodInitialize) || m.isModern() {
		s = nil // these know nothing of a session and its revision
	}
	if x != nil {
		ctx = x.trying.trace(ctx)
	}
	r, err := b.request(ctx, http.MethodPost, m.raw, s)
	if err != nil {
		return nil, err
	}
	r.Header["Content-Type"] = contentType
	r.Header["Accept"] = acceptBoth
	if m.isModern() {
		b.setModernHeaders(r.Header, m)
	}
	if x != nil {
		x.request.Store(r)
	}
	resp, err := b.Client.Do(r)
	if err != nil {
		return nil, err
	}
	decode(resp)
	return resp, nil
}

var (
	contentType = []string{"application/json"}
	acceptBoth  = []string{"application/json, text/event-stream"}
	acceptSSE   = []string{"text/event-stream"}
)

// notSent reports whether a request failed before the server can have seen it.
func notSent(err error) bool {
	var (
		opErr  *net.OpError
		dnsErr *net.DNSError
		tlsErr tls.RecordHeaderError
		caErr  x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &dnsErr):
		return true
	case errors.As(err, &opErr):
		return opErr.Op == "dial" || opErr.Op == "proxyconnect"
	case errors.As(err, &tlsErr), errors.As(err, &caErr):
		return false // it didn't get through, and won't on the next try
	}
	return strings.Contains(err.Error(), "TLS handshake timeout")
}

// readStream reads the events of an answer: messages that come before the answer go to the client at once, in order.
func (b *Bridge) readStream(ctx context.Context, x *exchange, s *session, resp *http.Response) reply {
	rd, body := b.buffers.reader(resp.Body, b.out.flush), resp.Body
	defer func() {
		b.buffers.release(rd)
		body.Close()
	}()
	r := reply{status: resp.StatusCode, header: resp.Header}
	tries, resumedAt := 0, ""
	for {
		done, err := b.readEvents(x, rd, &r)
		if done {
			return r
		}
		if rd.lastID != resumedAt {
			tries, resumedAt = 0, rd.lastID
		}
		var next *http.Response
		if passing(err) && rd.lastID != "" && !x.modern {
			next = b.resume(ctx, s, rd.position, &tries)
		}
		if next == nil {
			r.err = streamCut(err)
			return r
		}
		at := rd.position
		b.buffers.release(rd)
		body.Close()
		rd, body = b.buffers.reader(next.Body, b.out.flush), next.Body
		rd.position = at
	}
}

func streamCut(err error) error {
	switch {
	case err == io.EOF:
		return errors.New("the server ended its answer's stream without an answer")
	case !passing(err):
		return err
	}
	return errors.New("the connection broke before the answer was complete")
}

// readEvents passes a stream's messages on until the answer is there, and says that it is done then.
func (b *Bridge) readEvents(x *exchange, rd *eventReader, r *reply) (done bool, err error) {
	whole := func(data []byte) bool { _, err := parse(data); return err == nil }
	for {
		e, err := rd.next(whole)
		if err != nil {
			b.out.flush() // the last message may have counted on another to follow
			return false, err
		}
		m, ok := b.eventMessage(e)
		switch {
		case !ok:
		case x.msg.batch && !(m.isResponse() && !m.hasID()): // such a one is for all of the array
			if b.batchAnswer(x, m) {
				r.delivered = true
				b.rest(x, rd)
				return true, nil
			}
		case m.batch:
			if b.fromBatch(x, r, m) {
				b.out.flush()
				return true, nil
			}
		case !m.isResponse():
			if !x.cancelled.Load() && x.subscription.passes(b, x, m) {
				b.relay(m, x.usedSession, rd.buffered())
			}
		default:
			if b.take(x, r, m); r.delivered {
				b.buffers.swap(rd)
				b.rest(x, rd)
			} else {
				b.out.flush() // what came before it mustn't wait for what has to be done about it
			}
			return true, nil
		}
	}
}

// take makes m the answer to x. Its memory is lent: the answer goes to the client at once, or is copied if something has to be
// made of it first.
func (b *Bridge) take(x *exchange, r *reply, m message) {
	if r.msg, r.body = &m, m.raw; b.isFinal(x, r) {
		b.settle(x, *r)
		*r = reply{status: r.status, header: r.header, delivered: true}
		return
	}
	m, _ = parse(bytes.Clone(m.raw))
	r.body = m.raw
}

// isFinal reports whether the answer in r goes to the client as it is.
func (b *Bridge) isFinal(x *exchange, r *reply) bool {
	return r.msg.err == nil && !x.private && !x.asksInput(r.msg) && !wantsInput(x, *r)
}

// rest reads what follows the answer, for the connection can be used again only after its end.
func (b *Bridge) rest(x *exchange, rd *eventReader) {
	defer time.AfterFunc(2*time.Second, x.stop).Stop()
	for {
		e, err := rd.next(func([]byte) bool { return false })
		if err != nil {
			b.out.flush()
			return
		}
		switch m, ok := b.eventMessage(e); {
		case !ok:
		case m.batch:
			b.passArray(x.handshake, x.usedSession, m, func(message) {})
		case !m.isResponse():
			b.relay(m, x.usedSession, rd.buffered())
		}
	}
}

// eventMessage returns the message in an event, on one line.
func (b *Bridge) eventMessage(e event) (message, bool) {
	if e.name != "" && e.name != "message" {
		return message{}, false
	}
	m, err := e.ahead.end(e.data)
	if err != nil {
		if m, err = parse(bytes.ToValidUTF8(e.data, []byte("\ufffd"))); err != nil {
			b.Log.Warn("the server sent an event that is not JSON-RPC", "bytes", len(e.data), "error", err)
			return message{}, false
		}
	}
	return oneLine(m), true
}

// get opens a stream of the server's own messages, or resumes one after the event lastID.
func (b *Bridge) get(ctx context.Context, s *session, lastID string) (*http.Response, error) {
	r, err := b.request(ctx, http.MethodGet, nil, s)
	if err != nil {
		return nil, err
	}
	r.Header["Accept"] = acceptSSE
	if lastID != "" {
		r.Header.Set(mcp.HeaderLastEventID, lastID)
	}
	resp, err := b.Client.Do(r)
	if err != nil {
		return nil, err
	}
	decode(resp)
	return resp, nil
}
