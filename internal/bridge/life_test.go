package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestHeaders(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL, func(o *Options) { o.Header = http.Header{"X-Team": {"blue"}} })
	c.initialize()
	c.send(call("1", "x"))
	c.line()
	for len(u.got("GET")) == 0 { // the listening stream is opened beside
		time.Sleep(time.Millisecond)
	}
	c.in.Close()
	<-c.done
	c.done <- nil
	for _, r := range append(append(u.got("initialize"), u.got("notifications/initialized")...), u.got("tools/call")...) {
		if r.header.Get("Accept") != "application/json, text/event-stream" || r.header.Get("Content-Type") != "application/json" { // B12
			t.Errorf("%s: %v", r.rpc, r.header)
		}
		if r.header.Get("X-Team") != "blue" || r.header.Get("Mcp-Method") != "" || r.header.Get("Mcp-Name") != "" { // B18
			t.Errorf("%s: %v", r.rpc, r.header)
		}
		version, session := r.header.Get("Mcp-Protocol-Version"), r.header.Get("Mcp-Session-Id")
		if first := r.rpc == "initialize"; first && version+session != "" || !first && (version != "2025-06-18" || session != "s-1") { // B13
			t.Errorf("%s: version %q, session %q", r.rpc, version, session)
		}
	}
	if got := u.got("DELETE"); len(got) != 1 || got[0].header.Get("Mcp-Session-Id") != "s-1" { // B19, B52
		t.Errorf("DELETE: %+v", got)
	}
	if got := u.got("GET"); len(got) != 1 || got[0].header.Get("Mcp-Session-Id") != "s-1" { // B26
		t.Errorf("GET: %+v", got)
	}
}

// TestHandshakeOrder: nothing overtakes initialize, and nothing that came after it overtakes notifications/initialized (B35).
func TestHandshakeOrder(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is("notifications/initialized") {
			<-release
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.send(initLine, initializedLine, call("1", "x"), call("2", "x"))
	c.line()
	for len(u.got("notifications/initialized")) == 0 {
		time.Sleep(time.Millisecond)
	}
	if n := len(u.got("tools/call")); n != 0 {
		t.Errorf("%d calls overtook the handshake", n)
	}
	close(release)
	c.line()
	c.line()
}

func TestSessionLost(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		lost   bool
	}{
		{"B20 404", 404, ``, true},
		{"B21 400 that speaks of the session", 400, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}`, true},
		{"B21 400 of another kind", 400, `{"jsonrpc":"2.0","error":{"code":-32602,"message":"no such tool"},"id":null}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sessions atomic.Int32
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				switch {
				case m.is(methodInitialize):
					n := sessions.Add(1)
					w.Header().Set("Mcp-Session-Id", fmt.Sprintf("s-%d", n))
					answer(w, m, `{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}}}`)
				case m.is(methodToolsCall) && r.Header.Get("Mcp-Session-Id") == "s-1":
					w.WriteHeader(tc.status)
					io.WriteString(w, tc.body)
				default:
					ordinary(w, r, m)
				}
			})
			c := start(t, u.URL)
			c.initialize()
			c.send(`{"jsonrpc":"2.0","id":"l","method":"logging/setLevel","params":{"level":"info"}}`)
			c.line()
			var ids []string
			for i := range 5 { // B22: five at once, one new session
				ids = append(ids, call(fmt.Sprint(i), "x"))
			}
			c.send(ids...)
			answered := map[string]bool{}
			changed := 0
			for len(answered) < 5 {
				line := c.line()
				switch {
				case strings.Contains(line, "list_changed"):
					changed++
				case tc.lost && !strings.Contains(line, `"result"`):
					t.Errorf("refused: %s", line)
				}
				if m, _ := parse([]byte(line)); m.id != nil {
					answered[string(m.id)] = true
				}
			}
			if !tc.lost {
				if sessions.Load() != 1 {
					t.Errorf("%d sessions", sessions.Load())
				}
				return
			}
			if changed != 1 {
				t.Errorf("%d times list_changed", changed)
			}
			if sessions.Load() != 2 {
				t.Errorf("%d sessions, want 2", sessions.Load())
			}
			if got := u.got("logging/setLevel"); len(got) != 2 || got[1].header.Get("Mcp-Session-Id") != "s-2" { // B25
				t.Errorf("setLevel was not repeated: %d", len(got))
			}
			c.nothing()
		})
	}
}

// TestSessionLostAgain: a server that refuses each new session gets no loop (B23).
func TestSessionLostAgain(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			w.WriteHeader(404)
			return
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	if got := c.line(); !strings.Contains(got, "session") || !strings.Contains(got, `"id":1`) {
		t.Error(got)
	}
	c.send(call("2", "x"))
	if got := c.line(); !strings.Contains(got, "session_lost") || !strings.Contains(got, `"id":2`) {
		t.Error(got)
	}
	if n := len(u.got(methodInitialize)); n != 2 {
		t.Errorf("%d times initialize, want 2", n)
	}
}

func TestConcurrency(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if strings.Contains(string(m.params), "slow") {
			<-release
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call(`"slow"`, "slow"))
	c.send(`{"jsonrpc":"2.0","id":"p","method":"ping"}`)
	c.want(`{"jsonrpc":"2.0","id":"p","result":{"echo":null}}`) // B34, B29
	var lines []string
	for range 50 { // B37: the same id twice in flight
		lines = append(lines, call("7", "x"), call("8", "x"))
	}
	c.send(lines...)
	count := map[string]int{}
	for range 100 {
		count[c.line()]++
	}
	for id := 7; id <= 8; id++ {
		if n := count[fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"echo":{"name":"x"}}}`, id)]; n != 50 {
			t.Errorf("id %d: %d answers, want 50", id, n)
		}
	}
	close(release)
	c.want(`{"jsonrpc":"2.0","id":"slow","result":{"echo":{"name":"slow"}}}`)
}

// TestCancel: a legacy server gets the notification, after the request itself; the client gets no answer (B36).
func TestCancel(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			close(arrived)
			<-release
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	<-arrived
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	for len(u.got(methodCancelled)) == 0 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	c.nothing()
	if u.got(methodToolsCall)[0].at.After(u.got(methodCancelled)[0].at) {
		t.Error("the cancellation overtook its request")
	}
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

func modern(id, method, params string) string {
	if params != "" {
		params += ","
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"%s","params":{%s%s}}`, id, method, params, modernMeta)
}

// TestCancelModern: a modern server is told by closing the connection, and by nothing else (B36).
func TestCancelModern(t *testing.T) {
	arrived, closed := make(chan struct{}), make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			close(arrived)
			<-r.Context().Done()
			close(closed)
			return
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.send(modern("1", methodToolsCall, `"name":"x"`))
	<-arrived
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	<-closed
	c.nothing()
	if n := len(u.got(methodCancelled)); n != 0 {
		t.Errorf("%d notifications/cancelled were posted", n)
	}
}

func TestModernHeaders(t *testing.T) {
	tools := `{"tools":[{"name":"größe","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"}}}},` +
		`{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":""}}}}],"n":1.50}`
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsList) {
			answer(w, m, tools)
			return
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.send(modern("1", methodToolsList, ""))
	if got := c.line(); strings.Contains(got, `"bad"`) || !strings.Contains(got, `größe`) || !strings.Contains(got, `"n":1.50`) { // B16
		t.Error(got)
	}
	c.send(modern("2", methodToolsCall, `"name":"größe","arguments":{"region":"eu","n":null}`))
	c.line()
	h := u.got(methodToolsCall)[0].header
	for name, want := range map[string]string{ // B14, B15
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "=?base64?Z3LDtsOfZQ==?=", "Mcp-Param-Region": "eu",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	if _, there := h["Mcp-Param-N"]; there {
		t.Error("a null argument has a header")
	}
}

// TestHeaderMismatch: -32020 → the tools are listed again and the call repeated, once (B17). An unknown method's 404 is an
// answer (B24).
func TestHeaderMismatch(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case m.is(methodToolsCall):
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32020,"message":"mismatch"}}`, m.id)
		case m.is("unknown"):
			w.WriteHeader(404)
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}`, m.id)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.send(modern("1", methodToolsCall, `"name":"x"`))
	c.want(`{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"mismatch"}}`)
	if calls, lists := len(u.got(methodToolsCall)), len(u.got(methodToolsList)); calls != 2 || lists != 1 {
		t.Errorf("%d calls, %d lists", calls, lists)
	}
	c.send(modern("2", "unknown", ""))
	c.want(`{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}`)
}

func TestRepeating(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		status       int
		retryAfter   string
		want         int // requests
	}{
		{"B42 502 to tools/call", "tools/call", 502, "", 1},
		{"B42 502 to tools/list", "tools/list", 502, "", 2},
		{"B43 429 for a second", "tools/call", 429, "1", 2},
		{"B43 429 for long", "tools/call", 429, "120", 1},
		{"B43 429 for ever", "tools/call", 429, "10000000000", 1},
		{"503 without a time", "tools/call", 503, "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if n.Add(1) > 1 {
					ordinary(w, r, m)
					return
				}
				if tc.retryAfter != "" {
					w.Header().Set("Retry-After", tc.retryAfter)
				}
				w.WriteHeader(tc.status)
			})
			c := start(t, u.URL)
			c.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"%s"}`, tc.method))
			got := c.line()
			requests := u.got(tc.method)
			if len(requests) != tc.want {
				t.Errorf("%d requests, want %d: %s", len(requests), tc.want, got)
			}
			if tc.want == 1 && !strings.Contains(got, fmt.Sprintf(`"status":%d`, tc.status)) {
				t.Error(got)
			}
			if tc.retryAfter == "120" && !strings.Contains(got, `"retry_after":120`) {
				t.Error(got)
			}
			if tc.retryAfter == "10000000000" && !strings.Contains(got, `"retry_after":31536000`) {
				t.Error(got)
			}
			if tc.retryAfter == "1" && requests[1].at.Sub(requests[0].at) < time.Second {
				t.Error("repeated too early")
			}
		})
	}
}

// TestServerAway: each request gets an answer, and the same process works once the server is there (B39).
func TestServerAway(t *testing.T) {
	u := newUpstream(t, ordinary)
	var away atomic.Bool
	away.Store(true)
	c := start(t, u.URL, func(o *Options) {
		next := o.Client.Transport
		o.Client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if away.Load() {
				return nil, errors.New("no route to host")
			}
			return next.RoundTrip(r)
		})
	})
	c.send(call("1", "x"))
	if got := c.line(); !strings.Contains(got, `"reason":"unreachable"`) || !strings.Contains(got, "no route to host") {
		t.Error(got)
	}
	away.Store(false)
	c.send(call("2", "x"))
	c.want(`{"jsonrpc":"2.0","id":2,"result":{"echo":{"name":"x"}}}`)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirects(t *testing.T) { // B55
	other := newUpstream(t, ordinary)
	var target string
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if r.URL.Path == "/mcp/" {
			ordinary(w, r, m)
			return
		}
		w.Header().Set("Location", target)
		w.WriteHeader(307)
	})
	c := start(t, u.URL+"/mcp")
	target = other.URL + "/mcp/"
	c.send(call("1", "x"))
	if got := c.line(); !strings.Contains(got, `"reason":"redirected"`) || !strings.Contains(got, other.URL) {
		t.Error(got)
	}
	if len(other.all()) != 0 {
		t.Error("the request went to another origin")
	}
	target = "/mcp/"
	c.send(call("2", "x"))
	c.want(`{"jsonrpc":"2.0","id":2,"result":{"echo":{"name":"x"}}}`)
}

// TestResume: a stream that was primed and closed is resumed after the pause that the server asked for (B30).
func TestResume(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Method == http.MethodGet && r.Header.Get("Last-Event-ID") == "e-1":
			sendEvent(w, `{"jsonrpc":"2.0","id":1,"result":{"resumed":true}}`)
		case m.is(methodToolsCall):
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "id: e-1\nretry: 100\ndata:\n\n")
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"resumed":true}}`)
	for _, g := range u.got("GET") {
		if g.header.Get("Last-Event-ID") == "e-1" && g.at.Sub(u.got(methodToolsCall)[0].at) < 100*time.Millisecond {
			t.Error("resumed too early")
		}
	}
}

// TestServerMessages: requests and notifications of the server pass, on an answer's stream and on the listening stream, and
// the client's responses are posted (B33).
func TestServerMessages(t *testing.T) {
	answered := make(chan string, 2)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Method == http.MethodGet:
			sendEvent(w, `{"jsonrpc":"2.0","id":"srv-1","method":"roots/list"}`)
			<-r.Context().Done()
		case m.is(methodToolsCall):
			sendEvent(w, `{"jsonrpc":"2.0","id":"srv-2","method":"sampling/createMessage","params":{"n":1.0}}`)
			sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{}}`, m.id))
		case m.isResponse():
			answered <- string(m.raw)
			w.WriteHeader(202)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.want(`{"jsonrpc":"2.0","id":"srv-1","method":"roots/list"}`)
	c.send(`{"jsonrpc":"2.0","id":"srv-1","result":{"roots":[]}}`)
	if got := <-answered; got != `{"jsonrpc":"2.0","id":"srv-1","result":{"roots":[]}}` {
		t.Error(got)
	}
	c.send(call("1", "x"))
	c.want(`{"jsonrpc":"2.0","id":"srv-2","method":"sampling/createMessage","params":{"n":1.0}}`)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.nothing()
}

func TestBatches(t *testing.T) { // B11
	for version, posts := range map[string]int{"2025-03-26": 1, "2025-06-18": 2} {
		u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
			switch {
			case m.is(methodInitialize):
				answer(w, m, `{"protocolVersion":"`+version+`","capabilities":{}}`)
			case m.batch:
				io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"result":{}},`+"\n"+`{"jsonrpc":"2.0","id":2,"result":{}}]`)
			default:
				ordinary(w, r, m)
			}
		})
		c := start(t, u.URL)
		c.initialize()
		c.send(`[` + call("1", "x") + `,` + call("2", "x") + `]`)
		got := c.line()
		if posts == 2 {
			got += c.line()
		}
		if !strings.Contains(got, `"id":1`) || !strings.Contains(got, `"id":2`) {
			t.Error(got)
		}
		n := 0
		for _, r := range u.all() {
			if strings.Contains(r.body, "tools/call") {
				n++
			}
		}
		if n != posts {
			t.Errorf("%s: %d POSTs, want %d", version, n, posts)
		}
	}
}

// TestEnd: with a call open, its answer still comes after the end of stdin (B52).
func TestEnd(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			close(arrived)
			<-release
		}
		ordinary(w, r, m)
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	<-arrived
	c.in.Close()
	close(release)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"echo":{"name":"x"}}}`)
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	c.done <- nil
	if n := len(u.got("DELETE")); n != 1 {
		t.Errorf("%d times DELETE", n)
	}
}

// TestStdoutGone: the bridge ends when nobody reads any more (B54).
func TestStdoutGone(t *testing.T) {
	u := newUpstream(t, ordinary)
	r, w := io.Pipe()
	c := start(t, u.URL, func(o *Options) { o.Out = w })
	r.CloseWithError(io.ErrClosedPipe)
	c.send(call("1", "x"))
	select {
	case <-c.done:
		c.done <- nil
	case <-time.After(2 * time.Second):
		t.Fatal("still running")
	}
}

// fakeFlow grants consent when the test says so.
type fakeFlow struct {
	mu      sync.Mutex
	awaited int
	allow   chan struct{}
}

func (f *fakeFlow) Find(_ context.Context, a Answer) (Flow, error) {
	if a.Status == http.StatusUnauthorized && strings.Contains(string(a.Body), "authorizationUrl") {
		return f, nil
	}
	return nil, nil
}
func (f *fakeFlow) waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.awaited
}
func (f *fakeFlow) URL() string    { return "https://gw.example/consent" }
func (f *fakeFlow) Host() string   { return "gw.example" }
func (f *fakeFlow) Granted()       {}
func (f *fakeFlow) Detour() string { return "" }
func (f *fakeFlow) Await(ctx context.Context) error {
	f.mu.Lock()
	f.awaited++
	f.mu.Unlock()
	select {
	case <-f.allow:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestConsent(t *testing.T) {
	var allowed atomic.Bool
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) && !allowed.Load() || m.is(methodDiscover) {
			w.WriteHeader(401)
			io.WriteString(w, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"x","data":{"authorizationUrl":"https://gw.example/consent"}},"id":1}`)
			return
		}
		ordinary(w, r, m)
	})
	flow := &fakeFlow{allow: make(chan struct{})}
	c := start(t, u.URL, func(o *Options) { o.Consent = flow })
	c.initialize()
	// B49: a probe never waits.
	c.send(modern("0", methodDiscover, ""))
	if got := c.line(); !strings.Contains(got, `"consent_required"`) || flow.awaited != 0 {
		t.Error(got)
	}
	// B47: progress while waiting, none after the answer.
	c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":"t-1"}}}`)
	if got := c.line(); !strings.Contains(got, `"progressToken":"t-1"`) || !strings.Contains(got, "gw.example") || !strings.Contains(got, `"progress":0.0001`) {
		t.Error(got)
	}
	// A cancel ends that wait, not the flow.
	c.send(call("2", "x"))
	for start := time.Now(); flow.waits() < 2; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the second call doesn't wait")
		}
	}
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`, `{"jsonrpc":"2.0","id":3,"method":"ping"}`)
	if got := c.line(); !strings.Contains(got, `"id":3,"result"`) { // by now the cancel has been read
		t.Error(got)
	}
	allowed.Store(true)
	close(flow.allow)
	if got := c.line(); !strings.Contains(got, `"id":1,"result"`) {
		t.Error(got)
	}
	c.nothing()
}

// TestSlept: what two clocks tell of a machine's sleep.
func TestSlept(t *testing.T) {
	for _, c := range []struct {
		wall, monotonic time.Duration
		want            bool
	}{
		{time.Second, time.Second, false},
		{80 * time.Second, 80 * time.Second, false}, // a client that had nothing to say
		{20 * time.Second, 5 * time.Second, true},
		{8 * time.Hour, 8 * time.Hour, true}, // on an OS whose clocks go on
		{-time.Hour, time.Second, false},     // somebody has set the clock
	} {
		if got := slept(c.wall, c.monotonic); got != c.want {
			t.Errorf("slept(%v, %v) = %v", c.wall, c.monotonic, got)
		}
	}
}
