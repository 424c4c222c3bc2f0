package bridge

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	methodListen       = "subscriptions/listen"
	methodAcknowledged = "notifications/subscriptions/acknowledged"
)

// maxReopens is how often in a row a stream of subscriptions/listen is tried again: for about three minutes.
const maxReopens = 10

// subscription is the state of a subscriptions/listen (2026-07-28, "Subscriptions"): a request whose answer is a stream that
// lives for hours, and that intermediaries cut off before.
type subscription struct {
	// hidden says that the client doesn't know of it, since the bridge has it for itself.
	hidden bool
	// granted is what the server agreed to send, nil before it did, and grantedAt when it last said so.
	granted   []byte
	grantedAt time.Time
	onGrant   func(granted []byte) // may be nil
	// failed counts the tries since the server last agreed, short the streams in a row that didn't live long.
	failed, short int
}

// passes takes note of a notification on the stream, and reports whether it is for the client.
func (s *subscription) passes(b *Bridge, x *exchange, m message) bool {
	if s == nil || !m.is(methodAcknowledged) {
		return true
	}
	granted := append([]byte{}, member(m.params, "notifications")...)
	again, unchanged := s.established(), bytes.Equal(granted, s.granted)
	s.granted, s.grantedAt, s.failed = granted, time.Now(), 0
	if !s.hidden && !(again && unchanged) {
		b.out.write(m.raw, false)
	}
	if s.onGrant != nil {
		s.onGrant(granted)
	}
	if again {
		b.announceAll(x.msg.id, granted)
	}
	return false
}

// changes are the notifications that a subscription may bring, by the name of what was asked for.
var changes = []struct{ asked, method string }{
	{"toolsListChanged", "notifications/tools/list_changed"},
	{"promptsListChanged", "notifications/prompts/list_changed"},
	{"resourcesListChanged", "notifications/resources/list_changed"},
}

// announceAll tells the client that everything it watches may have changed: nobody repeats what was sent while the stream was
// broken, and the client doesn't see that it was.
func (b *Bridge) announceAll(id, granted []byte) {
	meta := property{"_meta", withProperties([]byte("{}"), []property{{mcp.MetaKeySubscriptionID, id}})}
	for _, c := range changes {
		if string(member(granted, c.asked)) == "true" {
			b.out.write(notification(c.method, meta), false)
		}
	}
	elements(member(granted, "resourceSubscriptions"), func(uri []byte) {
		b.out.write(notification("notifications/resources/updated", meta, property{"uri", uri}), false)
	})
}

func notification(method string, params ...property) []byte {
	return withProperties([]byte("{}"), []property{{"jsonrpc", []byte(`"2.0"`)}, {"method", encode(method)},
		{"params", withProperties([]byte("{}"), params)}})
}

// established reports whether the stream was there, so that its end is not the answer to the request.
func (s *subscription) established() bool { return s != nil && s.granted != nil }

// pause is how long to wait before the stream is opened again. It grows while streams fail, and also while they are cut off
// as soon as they are there.
func (s *subscription) pause() time.Duration {
	if s.failed == 0 && s.established() && time.Since(s.grantedAt) > 30*time.Second {
		s.short = 0
	}
	pause := min(jitter(500*time.Millisecond<<min(s.short, 6)), 30*time.Second)
	s.short++
	s.failed++
	return pause
}

var errNewCredential = errors.New("the credential had to be renewed")

// reopen waits for the next try to open a stream that broke, and reports whether there should be one. The request goes out
// again as it was.
func (b *Bridge) reopen(ctx context.Context, x *exchange, r reply) bool {
	if r.status == http.StatusUnauthorized && r.msg == nil && b.Authorizer != nil && b.Authorizer.Refused(ctx, x.request.Load()) {
		r.err = errNewCredential
	}
	if !worthReopening(r) || x.subscription.failed >= maxReopens {
		return false
	}
	wait := x.subscription.pause()
	if after, ok := web.RetryAfter(r.header); ok {
		wait = max(wait, min(after, repeatTime))
	}
	b.Log.Info("a stream of notifications broke; opening it again", "status", r.status, "after", wait, "error", describe(r.err))
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// worthReopening tells what passes by from a refusal.
func worthReopening(r reply) bool {
	return r.err != nil || r.status >= 500 || r.status == http.StatusTooManyRequests || r.status == http.StatusRequestTimeout
}

// listenAgain looks at what became of a client's stream of notifications: it is opened again, or it is over.
func (b *Bridge) listenAgain(ctx context.Context, x *exchange, r reply) bool {
	if b.reopen(ctx, x, r) {
		return true
	}
	b.endSubscription(x, r)
	return false
}

// endUnawaited ends what a bridge that is ending must not wait for: streams of notifications, and requests that the client has
// cancelled.
func (b *Bridge) endUnawaited() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, list := range b.inFlight {
		for _, x := range list {
			if x.subscription != nil || x.cancelled.Load() {
				x.stop()
			}
		}
	}
}

// endSubscription tells the client that its stream is over, in the only way that there is after its beginning
// (2026-07-28, "Cancellation").
func (b *Bridge) endSubscription(x *exchange, r reply) {
	if x.ctx.Err() != nil {
		b.giveUp(x)
		return
	}
	b.deliver(x, cancelled(x.id, strings.TrimPrefix(b.explain(x, r).message(), "mcpctl: ")))
}
