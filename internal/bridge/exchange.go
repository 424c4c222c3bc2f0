package bridge

import (
	"context"
	"errors"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	methodInitialize  = "initialize"
	methodInitialized = "notifications/initialized"
	methodCancelled   = "notifications/cancelled"
	methodProgress    = "notifications/progress"
	methodDiscover    = "server/discover"
	methodToolsCall   = "tools/call"
	methodToolsList   = "tools/list"
)

const (
	initializeTime = 60 * time.Second
	// discoverTime keeps a client that only probes a server's era from giving it up: the shortest known patience is 10 s.
	discoverTime = 8 * time.Second
	// repeatTime is how long a request that the server turned away unprocessed may take to be repeated, all in all.
	repeatTime = 30 * time.Second
	maxRepeats = 3
	// maxErrorBody is how much of an HTTP error's body is read, and errorBodyTime for how long.
	maxErrorBody  = 1 << 20
	errorBodyTime = 10 * time.Second
)

// exchange is one request of the client on its way to its answer.
type exchange struct {
	msg       message
	id        []byte // as the client wrote it; nil for a batch
	modern    bool   // revision 2026-07-28 and later: each request stands alone
	handshake *handshake
	// waitInitialized says that the client sent notifications/initialized before this request.
	waitInitialized bool

	ctx  context.Context
	stop context.CancelFunc
	// turn is held to decide whether a try or its cancellation comes first. trying is the attempt that is under way, nil if none is;
	// first is the memory of the first one.
	turn      sync.Mutex
	trying    *attempt
	first     attempt
	onceEnded sync.Once
	cancelled atomic.Bool
	answered  bool
	open      [][]byte // of a batch, the ids of the requests in it that have no answer yet
	mailbox   mailbox  // for an answer that comes on the listening stream

	// private marks a request of the bridge's own, whose answer isn't for the client.
	private bool
	// request is the latest HTTP request, usedSession the session that it was sent in.
	request     atomic.Pointer[http.Request]
	usedSession *session

	began     time.Time
	tries     tries
	renewed   bool   // the session was renewed for this request
	refreshed bool   // the tools were listed again for this request
	refused   *reply // the first refusal of the credential
	flow      Flow   // the consent that this request has waited for
	progress  int    // reports of the bridge's own

	subscription *subscription // of subscriptions/listen
	// forward is not nil if the request is translated for the client; asIs is what was sent before the server asked for
	// input, which it has done rounds times.
	forward *forwarding
	asIs    *message
	rounds  int
}

func newExchange(m message, h *handshake) *exchange {
	x := &exchange{msg: m, id: m.id, modern: m.isModern(), handshake: h, began: time.Now()}
	x.waitInitialized = h != nil && h.sawInitialized()
	if x.modern && m.is(methodListen) {
		x.subscription = &subscription{}
	}
	if m.batch {
		x.open = requestIDs(m)
	}
	return x
}

// run takes a request to its answer.
func (b *Bridge) run(x *exchange) {
	if !b.awaitTurn(x) {
		b.giveUp(x)
		return
	}
	defer func() { <-b.slots }()
	if !b.forward(x) {
		return
	}
	x.tries.since = time.Now()
	for {
		x.handshake.awaitListening(x)
		limit, cancel := b.limit(x)
		r := b.try(limit, x)
		cancel()
		if x.cancelled.Load() {
			b.giveUp(x)
			return
		}
		if !b.again(x.ctx, x, r) {
			return
		}
		b.clearMailbox(x)
	}
}

// limit is how long a try may take: tools/call and most others as long as the client is patient, since a server in JSON mode
// holds even its headers back to the end. The handshake's time is that of all tries.
func (b *Bridge) limit(x *exchange) (context.Context, context.CancelFunc) {
	switch {
	case x.msg.is(methodInitialize):
		return context.WithDeadline(x.ctx, x.tries.since.Add(initializeTime))
	case x.msg.is(methodDiscover):
		return context.WithDeadline(x.ctx, x.tries.since.Add(discoverTime))
	}
	return x.ctx, func() {}
}

// awaitTurn holds a request back while the handshake before it isn't done, and while too many are under way. It reports
// whether the request should go out at all.
func (b *Bridge) awaitTurn(x *exchange) bool {
	if !x.modern && !x.msg.is(methodInitialize) && x.handshake != nil {
		if !x.handshake.await(x.ctx, x.waitInitialized) {
			return false
		}
	}
	select {
	case b.slots <- struct{}{}:
	case <-x.ctx.Done():
		return false
	}
	return true
}

// again looks at a reply and either delivers the answer, or does what has to be done and returns true: try again.
func (b *Bridge) again(ctx context.Context, x *exchange, r reply) bool {
	switch {
	case r.delivered:
		return false
	case x.asksInput(r.msg):
		return b.giveInput(ctx, x, r)
	case r.err == nil && r.status < 400 && (r.msg == nil || r.msg.err == nil) && !wantsInput(x, r):
		b.settle(x, r) // the common way
		return false
	case b.sessionLost(x, r):
		return b.renewFor(ctx, x)
	case x.subscription.established():
		return b.listenAgain(ctx, x, r)
	default:
		if done, repeat := b.askConsent(ctx, x, r, false); done {
			return repeat
		}
	}
	if refusedAsModern(x, r) && b.fallForward(ctx, x) {
		return false
	}
	challenged := r.header.Get("WWW-Authenticate") != "" // then a JSON-RPC error in the body says no more
	if r.status == http.StatusUnauthorized && b.Authorizer != nil && (r.msg == nil || challenged) {
		again := b.Authorizer.Refused(ctx, x.request.Load())
		if x.refused == nil && again {
			x.refused = &r
			return true
		}
		if x.refused != nil && r.header.Get("WWW-Authenticate") != "" {
			r = *x.refused // the key was tried as a token as well, and what is said of tokens isn't about it
		}
		if done, repeat := b.askConsent(ctx, x, r, true); done {
			return repeat
		}
	}
	if x.modern && x.msg.is(methodToolsCall) && !x.refreshed && r.msg != nil && errorCode(r.msg) == mcp.HEADER_MISMATCH {
		x.refreshed = true
		b.refreshTools(ctx, x)
		return true
	}
	if wait, ok := b.mayRepeat(&x.msg, &x.tries, r); ok && b.pause(ctx, &x.msg, &x.tries, r, wait) {
		return true
	}
	b.settle(x, r)
	return false
}

// tries are those of one message.
type tries struct {
	repeats int
	since   time.Time // when the first one was made, or the wait for the user's consent was over
}

// mayRepeat says whether, and after which pause, a message may go out once more: if the server did not act on it, or if it
// is one that does no harm twice. A tools/call that may have reached a tool is never repeated.
func (b *Bridge) mayRepeat(m *message, t *tries, r reply) (time.Duration, bool) {
	limit := maxRepeats
	if m.is(methodInitialize) {
		limit = 4 // 0.5, 1, 2, 4 s: a server that is just being restarted
	}
	if b.Attended && r.status == 0 {
		limit = 1
	}
	if t.repeats >= limit || m.is(methodDiscover) {
		return 0, false
	}
	wait := jitter(500 * time.Millisecond << t.repeats)
	after, hasAfter := web.RetryAfter(r.header)
	ok := false
	switch {
	case r.err != nil && !passing(r.err): // the next try would fail as well
	case r.err != nil && r.mayRepeat:
		ok = true
	case errors.Is(r.err, context.DeadlineExceeded): // nor would there be time for it
	case r.err != nil:
		ok = harmlessTwice(*m) && !m.isModern()
	case r.status == http.StatusTooManyRequests, r.status == http.StatusServiceUnavailable && hasAfter:
		ok = true
		if hasAfter {
			wait = after
		}
	case r.status >= 502 && r.status <= 504:
		ok = harmlessTwice(*m)
	}
	return wait, ok && time.Since(t.since)+wait <= repeatTime
}

// pause waits before a message is repeated. It returns false at the end of ctx.
func (b *Bridge) pause(ctx context.Context, m *message, t *tries, r reply, wait time.Duration) bool {
	t.repeats++
	b.Log.Info("a message will be repeated", "method", unquote(m.method), "status", r.status, "after", wait, "error", describe(r.err))
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// harmlessTwice reports whether a request that may have reached the server can be sent again.
func harmlessTwice(m message) bool {
	method := unquote(m.method)
	switch method {
	case methodInitialize, "ping", "prompts/get", "completion/complete":
		return true
	}
	return strings.HasSuffix(method, "/list") || strings.HasSuffix(method, "/read")
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }

// settle gives the client the request's one answer.
func (b *Bridge) settle(x *exchange, r reply) {
	if x.flow != nil && r.err == nil && r.status < 400 {
		x.flow.Granted()
	}
	if x.ctx.Err() != nil && r.err != nil {
		b.giveUp(x)
		return
	}
	switch {
	case r.array != nil:
		b.noteAnswer(x, r)
		b.deliver(x, r.array)
	case r.msg != nil:
		b.noteAnswer(x, r)
		if x.modern && x.msg.is(methodToolsList) {
			m := b.learnTools(*r.msg)
			r.msg = &m
		}
		b.deliver(x, withID(*r.msg, x.id))
	default:
		f, old := b.explainOld(x, r)
		if !old {
			f = b.explain(x, r)
		}
		if b.Redact != nil {
			f.text = b.Redact(f.text)
		}
		b.logFailure(x, r, f)
		b.deliver(x, f.answer(x.id))
	}
}

// giveUp ends a request whose time is over: the client cancelled it, and wants no answer, or the bridge is ending.
func (b *Bridge) giveUp(x *exchange) {
	b.deliver(x, failure{reason: "ended", text: "the client closed its end before the answer was there"}.answer(x.id))
}

// deliver writes a request's one answer, unless the client has cancelled the request. Of a batch it is the answer to each
// request that has none yet.
func (b *Bridge) deliver(x *exchange, line []byte) {
	x.answered = true
	switch {
	case x.cancelled.Load():
	case x.msg.batch:
		b.answerRest(x, line)
	default:
		b.out.write(line, false)
	}
	b.end(x)
}

// try sends the request once.
func (b *Bridge) try(ctx context.Context, x *exchange) reply {
	if !x.begin() {
		return reply{err: context.Canceled}
	}
	defer x.over()
	s := x.handshake.current()
	x.usedSession = s
	resp, err := b.post(ctx, x.msg, s, x)
	if err != nil {
		return reply{err: err, mayRepeat: notSent(err)}
	}
	defer resp.Body.Close()
	if b.Authorizer != nil && resp.StatusCode < 300 {
		b.Authorizer.Accepted()
	}
	if x.msg.is(methodInitialize) && resp.StatusCode < 300 {
		s = x.handshake.noteSession(resp.Header.Get(mcp.HeaderSessionID))
		x.usedSession = nil // what the server asks on the way belongs to the session that it is about to give
	}
	if resp.StatusCode >= 300 {
		return errorReply(resp)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case mediaType == "text/event-stream":
		return b.readStream(ctx, x, s, resp)
	case x.msg.batch && !x.unanswered(): // it has no requests in it (2025-03-26: 202 without a body)
		x.answered = true
		return reply{status: resp.StatusCode, header: resp.Header, delivered: true}
	case resp.StatusCode == http.StatusAccepted || resp.StatusCode == http.StatusNoContent:
		return b.answerElsewhere(ctx, x, resp)
	default:
		return b.readJSON(x, resp, mediaType)
	}
}

func describe(err error) string {
	if err == nil {
		return ""
	}
	return web.Describe(err)
}

// nextStep is the next step that err names, else fallback.
func nextStep(err error, fallback string) string {
	if n := problem.NextStep(err); n != "" {
		return n
	}
	return fallback
}
