package bridge

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/pattern"
)

// initializedTime is how long the first requests wait for the server to accept notifications/initialized.
const initializedTime = 5 * time.Second

// handshake is one initialize of the client and what came of it.
type handshake struct {
	request message

	// answered is closed when the client has its answer to initialize, initialized when the server has accepted
	// notifications/initialized, or has had its time to.
	answered, initialized chan struct{}
	once                  struct{ answered, initialized sync.Once }

	mu        sync.Mutex
	sawIt     bool // the client has sent notifications/initialized
	pendingID string
	session   *session
	retired   bool // the client has begun anew

	// forward is not nil if the server knows no handshake, and the bridge translates.
	forward *forwarding

	// renewing is held while the session is renewed; renewedAt is when that last happened.
	renewing  chan struct{}
	renewedAt time.Time
	// level and subscriptions are the client's last logging/setLevel and its live resources/subscribe, to be repeated in
	// a new session.
	level         *message
	subscriptions map[string]message
	listChanged   bool

	// listener keeps the stream of the server's own messages open, nil if there is none.
	listener *listener
}

// session is what the server gave us at initialize. It never changes; a new session is a new value.
type session struct {
	id      string // Mcp-Session-Id, a secret; "" if the server keeps no sessions
	version string // the revision that the server chose
}

func (b *Bridge) currentHandshake() *handshake {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.handshake
}

// beginHandshake starts over: a second initialize is a new session, and the old one is ended.
func (b *Bridge) beginHandshake(m message) *handshake {
	h := &handshake{
		request:       m,
		answered:      make(chan struct{}),
		initialized:   make(chan struct{}),
		renewing:      make(chan struct{}, 1),
		subscriptions: map[string]message{},
	}
	b.mu.Lock()
	old := b.handshake
	b.handshake = h
	b.mu.Unlock()
	b.logClient(m)
	if old != nil {
		old.listenInstead(nil)
		gone := old.retire()
		go b.guard("delete", func() { b.deleteSession(gone) })
		go b.guard("watch", old.forwarding().endWatch)
	}
	return h
}

// retire ends the handshake, and returns the session in force, which has to be ended at the server as well.
func (h *handshake) retire() *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retired = true
	return h.session
}

// current returns the session in force, nil before there is one. It may be called on nil.
func (h *handshake) current() *session {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.session
}

func (h *handshake) version() string {
	if s := h.current(); s != nil {
		return s.version
	}
	return ""
}

func (h *handshake) noteInitialized() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sawIt = true
}

func (h *handshake) sawInitialized() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sawIt
}

// noteSession remembers the session id that came with the headers of the answer to initialize. It returns the session as far
// as it is known before the answer itself.
func (h *handshake) noteSession(id string) *session {
	if !isVisible(id) {
		id = ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pendingID = id
	return &session{id: id}
}

// isVisible reports whether a session id has the characters that it may have (0x21 to 0x7E).
func isVisible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e }) < 0
}

// newSession makes a session of the answer to initialize. It isn't in force yet.
func (h *handshake) newSession(result []byte) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	tools := member(member(result, "capabilities"), "tools")
	h.listChanged = string(member(tools, "listChanged")) == "true"
	return &session{id: h.pendingID, version: unquote(member(result, "protocolVersion"))}
}

// putInForce makes s the session in force, unless the client has begun anew meanwhile: then nobody else would end it at the server.
func (b *Bridge) putInForce(h *handshake, s *session) error {
	h.mu.Lock()
	h.session = s
	retired := h.retired
	h.mu.Unlock()
	if !retired {
		return nil
	}
	go b.guard("delete", func() { b.deleteSession(s) })
	return errBegunAnew
}

var errBegunAnew = errors.New("the client has begun anew")

// finish lets the messages go that waited for the answer to initialize.
func (h *handshake) finish() { h.once.answered.Do(func() { close(h.answered) }) }

// finishInitialized lets the requests go that waited for notifications/initialized.
func (h *handshake) finishInitialized() { h.once.initialized.Do(func() { close(h.initialized) }) }

// await waits for the answer to initialize and, if it was sent before, for notifications/initialized to have arrived:
// a request that overtakes it is refused by strict servers. It returns false at the end of ctx.
func (h *handshake) await(ctx context.Context, initialized bool) bool {
	select {
	case <-h.answered:
	case <-ctx.Done():
		return false
	}
	if !initialized {
		return true
	}
	select {
	case <-h.initialized: // the common case, without a timer
		return true
	default:
	}
	limit := time.NewTimer(initializedTime)
	defer limit.Stop()
	select {
	case <-h.initialized:
	case <-limit.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// noteAnswer keeps what later messages depend on.
func (b *Bridge) noteAnswer(x *exchange, r reply) {
	if r.msg.result == nil || x.handshake == nil {
		return
	}
	h := x.handshake
	switch unquote(x.msg.method) {
	case methodInitialize:
		_ = b.putInForce(h, h.newSession(r.msg.result))
	case "logging/setLevel":
		h.mu.Lock()
		h.level = &x.msg
		h.mu.Unlock()
	case "resources/subscribe":
		h.mu.Lock()
		h.subscriptions[string(member(x.msg.params, "uri"))] = x.msg
		h.mu.Unlock()
	case "resources/unsubscribe":
		h.mu.Lock()
		delete(h.subscriptions, string(member(x.msg.params, "uri")))
		h.mu.Unlock()
	}
}

// sessionGone matches what servers say of a session that they no longer know, where they say it with a status other than
// 404, which the specification wants.
var sessionGone = pattern.New(`(?i)no valid session|invalid session|session (id )?(is )?(not found|expired|invalid|terminated|unknown|does not exist)|unknown session`)

// sessionLost reports whether a reply means that the server no longer knows our session.
func (b *Bridge) sessionLost(x *exchange, r reply) bool {
	s := x.usedSession
	if x.modern || r.err != nil || s == nil || s.id == "" || x.msg.is(methodInitialize) {
		return false
	}
	return isSessionLost(r)
}

func isSessionLost(r reply) bool {
	switch r.status {
	case http.StatusNotFound:
		return r.msg == nil || errorCode(r.msg) != mcp.METHOD_NOT_FOUND
	case http.StatusBadRequest, http.StatusGone, http.StatusServiceUnavailable:
		return sessionGone().Match(r.body)
	}
	return false
}

// renewFor gets a new session for a request that was refused for the old one, and says whether to send it again. If the
// new session is refused too, the request gets an error.
func (b *Bridge) renewFor(ctx context.Context, x *exchange) bool {
	err := errors.New("the server refuses the session that it has just given")
	if !x.renewed {
		x.renewed = true
		if err = b.renew(ctx, x.handshake, x.usedSession); err == nil {
			return true
		}
	}
	if x.ctx.Err() != nil {
		b.giveUp(x)
		return false
	}
	b.deliver(x, failure{reason: "session_lost", text: "the server lost the session, and a new one failed: " + describe(err),
		next: "try again; if it stays so, restart the server, or this client"}.answer(x.id))
	return false
}

// renewPause is the time in which a session is renewed once at most.
const renewPause = 10 * time.Second

// renew replaces the session lost by a new one, once for all requests that lost it. The work doesn't end with ctx: the others
// count on it.
func (b *Bridge) renew(ctx context.Context, h *handshake, lost *session) error {
	select {
	case h.renewing <- struct{}{}:
		defer func() { <-h.renewing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case h != b.currentHandshake():
		return errBegunAnew
	case h.current() != lost:
		return nil // another request was faster
	case time.Since(h.renewedAt) < renewPause:
		return errors.New("it was renewed a moment ago")
	}
	h.renewedAt = time.Now()
	b.Log.Info("the server lost the session; starting a new one")
	s, err := b.initializeAgain(b.work, h)
	if err != nil {
		return err
	}
	b.replay(b.work, h, s)
	if err := b.putInForce(h, s); err != nil { // not before: a new request would overtake what was replayed
		return err
	}
	for _, id := range b.asked.of(lost) { // they stay known, since a response may be on its way
		b.out.write(cancelled([]byte(id), "the server has lost the session in which it asked this"), false)
	}
	b.listen(h)
	if h.listsChange() { // the server may have restarted with other tools
		b.out.write([]byte(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`), false)
	}
	return nil
}

// initializeAgain gets a new session by the client's own initialize, with an id of ours.
func (b *Bridge) initializeAgain(ctx context.Context, h *handshake) (*session, error) {
	init := newExchange(message{raw: withID(h.request, []byte(`"mcpctl-renew"`))}, h)
	init.msg, _ = parse(init.msg.raw)
	init.id = init.msg.id
	r := b.roundTrip(ctx, init)
	switch {
	case r.err != nil:
		return nil, r.err
	case r.msg == nil || r.msg.result == nil:
		return nil, errors.New("the server answered " + strconv.Itoa(r.status) + " to initialize")
	}
	return h.newSession(r.msg.result), nil
}

func (h *handshake) listsChange() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listChanged
}

// replay brings the new session s to where the old one was: notifications/initialized, and what the client had set up.
func (b *Bridge) replay(ctx context.Context, h *handshake, s *session) {
	initialized, _ := parse([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	b.sendQuietly(ctx, initialized, s)
	h.mu.Lock()
	var messages []message
	if h.level != nil {
		messages = append(messages, *h.level)
	}
	for _, m := range h.subscriptions {
		messages = append(messages, m)
	}
	h.mu.Unlock()
	for _, m := range messages {
		m, _ = parse(withID(m, []byte(`"mcpctl-replay"`)))
		b.sendQuietly(ctx, m, s)
	}
}

// roundTrip sends a request of our own, whose answer isn't for the client.
func (b *Bridge) roundTrip(ctx context.Context, x *exchange) reply {
	x.ctx, x.stop = context.WithTimeout(ctx, initializeTime)
	defer x.stop()
	x.private = true
	return b.try(x.ctx, x)
}

// sendQuietly sends a message and drops what comes back.
func (b *Bridge) sendQuietly(ctx context.Context, m message, s *session) {
	ctx, cancel := context.WithTimeout(ctx, initializedTime)
	defer cancel()
	r, _ := b.postAccepted(ctx, m, s, true)
	if r.err != nil || r.status >= 300 {
		b.Log.Info("a message was not accepted", "method", unquote(m.method), "status", r.status, "error", describe(r.err))
	}
}

// endSession tells the server that the client is gone (2025-11-25, "Session Management").
func (b *Bridge) endSession() {
	if h := b.currentHandshake(); h != nil {
		b.deleteSession(h.current())
	}
}

func (b *Bridge) deleteSession(s *session) {
	if s == nil || s.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	r, err := b.request(ctx, http.MethodDelete, nil, s)
	if err != nil {
		return
	}
	if resp, err := b.Client.Do(r); err == nil {
		resp.Body.Close()
	}
}
