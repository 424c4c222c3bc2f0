// Package bridge carries MCP messages between a client on stdio and a server on streamable HTTP.
//
// Messages pass as the bytes that they are. Each request of the client goes out at once as an HTTP request of its own and
// gets exactly one answer, whatever happens to the server, the network or the credential; only the handshake is kept in
// order. What the bridge has to say for itself it says in JSON-RPC errors that begin with "mcpctl:".
package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Options say what to bridge, and with what. In, Out, URL and Client are required.
type Options struct {
	In  io.Reader // the client's messages
	Out io.Writer // the bridge's answers; nothing else may write there

	// URL is the server's MCP endpoint.
	URL *url.URL
	// Client sends the requests. It must not follow a redirect to another origin (see package web).
	Client *http.Client
	// Header goes out with every request.
	Header http.Header
	// Stateless says that the server is known to keep no sessions, as the Portkey gateway: no stream is opened to listen
	// for its messages then, unless it gives a session id after all.
	Stateless bool

	Authorizer Authorizer
	Consent    Consent
	// Patience is how long a request may wait for the user's consent; 0 means as long as its client is known to wait.
	Patience time.Duration
	// Attended says that a person waits, who can ask again: what fails before it has reached the server is tried twice at most.
	Attended bool
	// Explain says what an HTTP error of this server means: a stable word, and what to do next; both "" if it can't tell.
	Explain func(status int, header http.Header, body []byte) (reason, next string)
	// Redact returns text without secrets. It is applied to the bridge's own words, which may quote a server that quotes the
	// credential; nil leaves them as they are. A server's answers pass untouched.
	Redact func(text string) string
	Log    *slog.Logger
	// ParentGone reports whether the process that started this one has ended; nil means that nobody can tell.
	ParentGone func() bool
}

// Authorizer puts a credential on requests. It must be safe for concurrent use.
type Authorizer interface {
	// Authorize puts the credential on r. Its error (see package problem) is what the client is told if there is none.
	Authorize(ctx context.Context, r *http.Request) error
	// Refused says that the server answered 401 to a request that Authorize prepared, and returns true if that request
	// should be sent again, since Authorize would now put another credential on it.
	Refused(ctx context.Context, r *http.Request) bool
	// Accepted says that the server took the credential.
	Accepted()
}

// Consent recognises answers by which a server asks for the user's consent, and obtains it.
type Consent interface {
	// Find returns the flow that an answer asks for, or nil if it doesn't ask for consent. An error is what to tell the client
	// (see package problem), at once, where an answer asks for something that can't be waited for.
	Find(context.Context, Answer) (Flow, error)
}

// Answer is what came back to a request, if it is an error of some kind: an HTTP response with a status of 400 or more,
// or a JSON-RPC error. To a client of an older revision a result that asks for more input (2026-07-28) is one too.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Last says that there is no other credential, nor another form of it, to be tried: what a 401 says now is said of
	// something else.
	Last bool
}

// Flow is the way to a user's consent. All requests that need the same consent share one.
type Flow interface {
	// URL is where the user consents, safe to show.
	URL() string
	// Host is the URL's host, by which a user recognises it.
	Host() string
	// Detour is what else to do if the page leads to nothing; "" if there is nothing else.
	Detour() string
	// Await asks the user, unless that is under way, and returns nil when the request should be sent again: when the
	// consent is known to be given, or when it is this request's turn to find out. It returns ctx's error at the end of
	// ctx, after which the flow goes on, or an error that says why there will be no consent.
	Await(ctx context.Context) error
	// Granted says that a request that had waited went through.
	Granted()
}

// maxInFlight is how many requests are under way to the server at once; more wait their turn. Notifications and the
// client's responses pass them.
const maxInFlight = 256

// drainTime is how long calls in flight may go on when the client has closed stdin.
const drainTime = 5 * time.Second

// Bridge is a client's connection to a server.
type Bridge struct {
	Options
	work  context.Context // ends when the bridge ends
	out   *lineWriter
	slots chan struct{}
	// ordered takes the client's notifications and responses, which go out one after the other.
	ordered queue
	tools   toolCache
	// questions are what the bridge itself has asked the client.
	questions questions
	asked     asked // what the server has asked the client
	tired     bool  // the server has turned away what was last sent in order; its sender's alone
	buffers   buffers

	mu        sync.Mutex
	handshake *handshake // of the latest initialize; nil before the first
	inFlight  map[string][]*exchange
	exchanges sync.WaitGroup
	ending    bool // no new exchanges
	lastUse   time.Time
}

// Run bridges until the client closes In (then it lets calls in flight finish for a while, ends the session and returns
// nil), until Out is gone (the same, at once), or until ctx ends (the same, and it returns ctx's error).
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Client = web.WithCookies(o.Client, o.URL)
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	b := &Bridge{
		Options:  o,
		work:     work,
		slots:    make(chan struct{}, maxInFlight),
		inFlight: map[string][]*exchange{},
		lastUse:  time.Now(),
	}
	defer b.buffers.close()
	outGone := make(chan struct{})
	b.out = newLineWriter(o.Out, func(err error) {
		o.Log.Info("the client no longer reads", "error", err)
		close(outGone)
	})
	b.ordered.start(work, func(ctx context.Context, o outgoing) {
		b.guard("ordered", func() { b.sendOrdered(ctx, o) })
	})

	ended := make(chan struct{})
	go func() {
		defer close(ended) // after a panic as well: a bridge that no longer hears its client is none
		b.guard("read", func() { b.read(work) })
	}()
	var err error
	select {
	case <-ended:
		b.drain(ctx, outGone)
	case <-outGone:
	case <-b.orphaned(work):
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	stop(errors.New("the bridge is ending"))
	b.settleAll(outGone)
	b.endSession()
	return err
}

// settleAll lets the requests that are still open get their last answer.
func (b *Bridge) settleAll(outGone <-chan struct{}) {
	b.mu.Lock()
	b.ending = true
	b.mu.Unlock()
	done := make(chan struct{})
	go func() {
		b.exchanges.Wait()
		close(done)
	}()
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case <-done:
	case <-outGone:
	case <-limit.C:
	}
}

// drain waits for the calls in flight.
func (b *Bridge) drain(ctx context.Context, outGone <-chan struct{}) {
	b.endUnawaited()
	done := make(chan struct{})
	go func() {
		b.ordered.close()
		b.exchanges.Wait()
		close(done)
	}()
	limit := time.NewTimer(drainTime)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	case <-outGone:
	case <-ctx.Done():
	}
}

// read takes the client's messages until there are no more. It must never wait for the server or for Out.
func (b *Bridge) read(ctx context.Context) {
	in := newLineReader(b.In, &b.buffers)
	defer in.free()
	for {
		line, err := in.next()
		switch {
		case err == io.EOF:
			return
		case errors.Is(err, errTooLong):
			m, _ := parse(line)
			b.reject(ctx, m, mcp.INVALID_REQUEST, "the message is "+err.Error()+", the most that mcpctl takes")
			continue
		case err != nil:
			b.Log.Error("reading from the client failed", "error", err)
			return
		}
		b.wake()
		m, err := in.message(line)
		if err != nil {
			b.reject(ctx, m, mcp.PARSE_ERROR, err.Error())
			continue
		}
		b.dispatch(ctx, m)
	}
}

// reject answers a line that is not a message, if its id could be read. It is not forwarded: malformed JSON was seen to
// crash servers. Without an id there is no answer, since MCP has no error with the id null.
//
// A malformed response has no answer either, which would hit the client's own request of that id. It is replaced by an error, so
// that the server doesn't wait on.
func (b *Bridge) reject(ctx context.Context, m message, code int, what string) {
	b.Log.Warn("a line from the client was rejected", "why", what)
	if m.id == nil || string(m.id) == "null" {
		return
	}
	f := failure{code: code, reason: "bad_message", text: "can't read this message: " + what}
	if looksLikeResponse(m.raw) {
		f.text = "can't read what the client has answered: " + what
		if answer, err := parse(f.answer(m.id)); err == nil {
			b.dispatch(ctx, answer)
		}
		return
	}
	if !b.enter() {
		return
	}
	go b.guard("reject", func() {
		defer b.exchanges.Done()
		b.out.write(f.answer(m.id), false)
	})
}

// enter counts something that has to be done before the bridge ends. It returns false if the bridge is ending.
func (b *Bridge) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ending {
		b.exchanges.Add(1)
	}
	return !b.ending
}

// dispatch decides by kind where a message goes.
func (b *Bridge) dispatch(ctx context.Context, m message) {
	h := b.currentHandshake()
	switch {
	case m.batch:
		b.dispatchBatch(ctx, m, h)
	case m.isRequest():
		if m.is(methodInitialize) {
			h = b.beginHandshake(m)
		}
		b.startExchange(ctx, newExchange(m, h))
	case m.is(methodCancelled):
		b.cancel(m, h)
	case b.questions.answer(m): // it was ours
	default:
		if m.is(methodInitialized) && h != nil {
			h.noteInitialized()
		}
		b.ordered.put(outgoing{m, h, nil})
	}
}

// dispatchBatch sends an array on as one POST where revision 2025-03-26 was negotiated, the only one that has batches,
// and otherwise message by message, since every other revision wants them so.
func (b *Bridge) dispatchBatch(ctx context.Context, m message, h *handshake) {
	if h.batches() && !b.asked.answeredIn(m) {
		b.startExchange(ctx, newExchange(m, h))
		return
	}
	elements(m.raw, func(value []byte) {
		one, err := parse(bytes.Clone(value))
		if err != nil {
			b.reject(ctx, one, mcp.INVALID_REQUEST, err.Error())
			return
		}
		b.dispatch(ctx, one)
	})
}

func (b *Bridge) startExchange(ctx context.Context, x *exchange) {
	x.ctx, x.stop = context.WithCancel(ctx)
	b.mu.Lock()
	if b.ending {
		b.mu.Unlock()
		x.stop()
		return
	}
	b.inFlight[string(x.id)] = append(b.inFlight[string(x.id)], x)
	b.exchanges.Add(1)
	b.mu.Unlock()
	go b.guard("exchange", func() {
		defer b.end(x)
		defer x.stop()
		defer func() {
			if !x.answered { // a panic
				b.deliver(x, failure{reason: "internal", text: "a fault in mcpctl lost this request",
					next: "please report it, with mcpctl's log"}.answer(x.id))
			}
		}()
		b.run(x)
	})
}

// end takes a request off the books: it has its answer, or needs none.
func (b *Bridge) end(x *exchange) {
	x.onceEnded.Do(func() {
		if x.msg.is(methodInitialize) {
			x.handshake.finish()
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if left := slices.DeleteFunc(b.inFlight[string(x.id)], func(y *exchange) bool { return x == y }); len(left) > 0 {
			b.inFlight[string(x.id)] = left
		} else {
			delete(b.inFlight, string(x.id))
		}
		b.exchanges.Done()
	})
}

// wake drops connections that a sleeping machine has probably lost: net/http doesn't repeat a POST that died on a stale one.
func (b *Bridge) wake() {
	now := time.Now()
	b.mu.Lock()
	before := b.lastUse
	b.lastUse = now
	b.mu.Unlock()
	if slept(now.Round(0).Sub(before.Round(0)), now.Sub(before)) {
		b.Client.CloseIdleConnections()
	}
}

// slept reports whether the machine has probably slept, by how much the wall clock and the monotonic one have moved: the latter stands
// still meanwhile, but not on every OS. Where it doesn't, the time is long, and connections that nobody has used for so long
// would be closed anyway (see package web).
func slept(wall, monotonic time.Duration) bool {
	return wall-monotonic > 10*time.Second || wall > 90*time.Second
}

// guard keeps a panic in one goroutine from taking the bridge along. Its value isn't logged: it may quote a message.
func (b *Bridge) guard(what string, f func()) {
	defer fault.Catch(func(err error) {
		var f *fault.Fault
		_ = errors.As(err, &f) // it always is
		b.Log.Error("panic", "in", what, "type", f.Type, "stack", f.Stack)
	})
	f()
}
