package bridge

import (
	"context"
	"net/http"
	"time"
)

// orderedTime is how long the server may take to accept a notification or a response.
const orderedTime = 30 * time.Second

// sendOrdered sends a notification or a response of the client. Nobody waits for an answer to it, so a failure is only
// logged; of responses to a session that is gone nobody knows any more.
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

// sendMessage posts until the message is accepted or refused for good.
func (b *Bridge) sendMessage(ctx context.Context, o outgoing) bool {
	ctx, cancel := context.WithTimeout(ctx, orderedTime)
	defer cancel()
	reauthed, renewed := false, false
	for {
		s := o.handshake.current()
		resp, err := b.post(ctx, o.msg, s, nil)
		if err != nil {
			b.Log.Warn("a message to the server was lost", "method", unquote(o.msg.method), "error", describe(err))
			return false
		}
		r := errorReply(resp)
		resp.Body.Close()
		switch {
		case r.status < 300:
			return true
		case r.status == http.StatusUnauthorized && !reauthed && b.Authorizer != nil && r.msg == nil:
			reauthed = true
			if b.Authorizer.Refused(ctx, resp.Request) {
				continue
			}
		case s != nil && s.id != "" && isSessionLost(r) && !renewed && !o.msg.isResponse() && !o.msg.is(methodInitialized):
			renewed = true
			if b.renew(ctx, o.handshake, s) == nil {
				continue
			}
		}
		b.Log.Warn("the server did not accept a message", "method", unquote(o.msg.method), "status", r.status)
		return false
	}
}
