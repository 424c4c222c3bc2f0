package bridge

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"
)

// orderedTime is how long the server may take to accept a notification or a response.
const orderedTime = 30 * time.Second

// sendOrdered sends a notification or a response of the client. Nobody waits for an answer to it, so a failure is only
// logged.
func (b *Bridge) sendOrdered(ctx context.Context, o outgoing) {
	initialized := o.msg.is(methodInitialized) && o.handshake != nil
	if initialized {
		defer o.handshake.finishInitialized()
	}
	if o.handshake != nil && !o.msg.isModern() && !o.handshake.await(ctx, false) {
		return
	}
	if f := o.handshake.forwarding(); f != nil && !o.msg.isModern() {
		b.forwardNotification(o, f)
		return
	}
	if o.after != nil {
		if !o.after.awaitLead(ctx) {
			return
		}
		defer time.AfterFunc(orderedTime, o.after.stop) // servers needn't answer a cancelled request
	}
	accepted := b.sendMessage(ctx, o)
	if initialized && accepted {
		b.listen(o.handshake)
	}
}

// sendMessage posts until the message is accepted or refused for good. What comes behind it waits that long, so a server that has
// turned one message away to the end, or a kind of message that nobody misses, isn't asked again and again.
func (b *Bridge) sendMessage(ctx context.Context, o outgoing) bool {
	ctx, cancel := context.WithTimeout(ctx, orderedTime)
	defer cancel()
	reauthed, renewed, answers := false, false, o.msg.method == nil
	var asked *question
	if answers {
		o.msg, asked = b.asked.answered(o.msg)
	}
	for {
		s := o.handshake.current()
		if asked != nil && asked.session != s { // the server that is there now may have another question of this id
			b.Log.Info("an answer to a question of a session that is gone was dropped")
			return false
		}
		r, sent := b.postAccepted(ctx, o.msg, s, !b.tired && !o.msg.is(methodProgress))
		b.tired = r.err != nil || r.status == http.StatusTooManyRequests || r.status >= 500
		switch {
		case r.err != nil:
			b.Log.Warn("a message to the server was lost", "method", unquote(o.msg.method), "error", describe(r.err))
			return false
		case r.status < 300:
			return true
		case r.status == http.StatusUnauthorized && !reauthed && b.Authorizer != nil && r.msg == nil:
			reauthed = true
			if b.Authorizer.Refused(ctx, sent) {
				continue
			}
		case s != nil && s.id != "" && isSessionLost(r) && !renewed && !answers && !o.msg.is(methodInitialized):
			renewed = true
			if b.renew(ctx, o.handshake, s) == nil {
				continue
			}
		}
		b.Log.Warn("the server did not accept a message", "method", unquote(o.msg.method), "status", r.status)
		return false
	}
}

// postAccepted posts a message that gets no answer, or one that nobody looks at. With patience it does so again if the server has
// turned it away unprocessed, as a request would be.
func (b *Bridge) postAccepted(ctx context.Context, m message, s *session, patient bool) (reply, *http.Request) {
	t := tries{since: time.Now()}
	for {
		r, sent := b.postOnce(ctx, m, s)
		wait, ok := b.mayRepeat(&m, &t, r)
		if !ok || !patient || !b.pause(ctx, &m, &t, r, wait) {
			return r, sent
		}
	}
}

func (b *Bridge) postOnce(ctx context.Context, m message, s *session) (reply, *http.Request) {
	ctx, cancel := context.WithTimeout(ctx, orderedTime)
	defer cancel()
	resp, err := b.post(ctx, m, s, nil)
	if err != nil {
		return reply{err: err, mayRepeat: notSent(err)}, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return errorReply(resp), resp.Request
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if mediaType != "text/event-stream" || m.isRequest() { // else it may stay open; what has ended lets its connection be used again
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody))
	}
	return reply{status: resp.StatusCode, header: resp.Header}, resp.Request
}
