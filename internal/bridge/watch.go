package bridge

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// ackTime is how long the answer to resources/subscribe waits for the server to acknowledge.
const ackTime = 20 * time.Second

// watch is the one stream of notifications that a translated client has: a legacy client gets changes of lists unasked, and
// subscribes to resources one by one. Each change of its subscriptions is a new stream in place of the old one.
type watch struct {
	mu   sync.Mutex
	uris [][]byte // JSON strings
	stop context.CancelFunc
}

// beginWatch opens the stream for the changes of lists that the server offers, as a legacy server sends them unasked.
func (b *Bridge) beginWatch(h *handshake, f *forwarding) {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	if f.watch.stop == nil && len(f.offered()) > 0 {
		f.watch.stop = b.openWatch(h, f, nil, func(*failure) {})
	}
}

// endWatch closes the stream. It may be called on nil.
func (f *forwarding) endWatch() {
	if f == nil {
		return
	}
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	if f.watch.stop != nil {
		f.watch.stop()
	}
}

// changeWatch replaces the stream by one that also brings, or no longer brings, the updates of a resource. It waits for the
// server to agree.
func (b *Bridge) changeWatch(x *exchange, f *forwarding) *failure {
	uri := bytes.Clone(member(x.msg.params, "uri"))
	if unquote(uri) == "" {
		return &failure{code: mcp.INVALID_PARAMS, reason: "bad_message", text: "the request names no uri"}
	}
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	uris := slices.DeleteFunc(slices.Clone(f.watch.uris), func(u []byte) bool { return unquote(u) == unquote(uri) })
	if x.msg.is("resources/subscribe") {
		uris = append(uris, uri)
	}
	result := make(chan *failure, 1)
	stop := func() {}
	if len(uris) > 0 || len(f.offered()) > 0 {
		stop = b.openWatch(x.handshake, f, uris, func(fail *failure) {
			select {
			case result <- fail:
			default:
			}
		})
	} else {
		result <- nil
	}
	limit := time.NewTimer(ackTime)
	defer limit.Stop()
	var fail *failure
	select {
	case fail = <-result:
	case <-limit.C:
		fail = &failure{reason: "timeout", text: "the server did not acknowledge the subscription in time", next: "try again"}
	case <-x.ctx.Done():
		fail = &failure{reason: "ended", text: "the request was over before the server acknowledged it"}
	}
	if fail != nil {
		stop()
		return fail
	}
	if f.watch.stop != nil {
		f.watch.stop()
	}
	f.watch.stop, f.watch.uris = stop, uris
	return nil
}

// offered are the changes of lists that the server can notify of, as a filter names them.
func (f *forwarding) offered() []property {
	var list []property
	for _, c := range []struct{ capability, asked string }{
		{"tools", "toolsListChanged"}, {"prompts", "promptsListChanged"}, {"resources", "resourcesListChanged"},
	} {
		if string(member(member(f.capabilities, c.capability), "listChanged")) == "true" {
			list = append(list, property{c.asked, []byte("true")})
		}
	}
	return list
}

func (f *forwarding) filter(uris [][]byte) []byte {
	list := f.offered()
	if len(uris) > 0 {
		list = append(list, property{"resourceSubscriptions", slices.Concat([]byte("["), bytes.Join(uris, []byte(",")), []byte("]"))})
	}
	return withProperties([]byte("{}"), list)
}

// openWatch keeps a stream open until stop is called. It calls result, with nil when the server has agreed to the last of
// uris, which is the new one, or with what stands against that.
func (b *Bridge) openWatch(h *handshake, f *forwarding, uris [][]byte, result func(*failure)) (stop context.CancelFunc) {
	m := withParams(withMeta(ownRequest(methodListen), f.meta()), []property{{"notifications", f.filter(uris)}})
	ctx, stop := context.WithCancel(b.work)
	x := newExchange(m, h)
	x.private, x.ctx, x.stop = true, ctx, stop
	x.subscription.hidden = true
	x.subscription.onGrant = func(granted []byte) {
		if len(uris) > 0 {
			if last := unquote(uris[len(uris)-1]); !contains(member(granted, "resourceSubscriptions"), last) {
				result(&failure{reason: "refused", text: "the server sends no updates of " + shorten(last)})
				return
			}
		}
		result(nil)
	}
	go b.guard("watch", func() {
		defer stop()
		for h == b.currentHandshake() {
			r := b.try(ctx, x)
			if r.msg != nil && r.msg.result != nil {
				r.err = streamCut(io.EOF) // the server has ended the stream, but the client counts on it
			}
			if ctx.Err() == nil && b.reopen(ctx, x, r) {
				continue
			}
			fail := b.explain(x, r)
			if r.msg != nil && r.msg.err != nil {
				fail = failure{reason: "refused", text: "the server refused the subscription: " + shorten(unquote(member(r.msg.err, "message")))}
			}
			result(&fail)
			b.Log.Info("no stream of notifications", "status", r.status, "reason", fail.reason)
			return
		}
		result(&failure{reason: "ended", text: "the client has begun anew"})
	})
	return stop
}
