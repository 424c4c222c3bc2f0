package bridge

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	discovered = `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true}},` +
		`"instructions":"Ask \"nicely\".","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"modern","version":"2"}},"ttlMs":0,"cacheScope":"private"}`
	forwardedInit = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"sampling":{},"elicitation":{}},"clientInfo":{"name":"old","version":"1.0"}}}`
	forwardedMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"sampling":{},"elicitation":{}},"io.modelcontextprotocol/clientInfo":{"name":"old","version":"1.0"}`
)

func refuse(w http.ResponseWriter, m message, status int, code int, more string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":"no"%s}}`, orNull(m.id), code, more)
}

// modernOnly answers as a server does that knows revision 2026-07-28 alone, and insists on it.
func modernOnly(w http.ResponseWriter, r *http.Request, m message) {
	h := r.Header
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !m.isModern():
		refuse(w, m, 400, -32022, `,"data":{"supported":["2026-07-28"],"requested":"2025-06-18"}`)
	case h.Get("Mcp-Protocol-Version") != m.revision || h.Get("Mcp-Method") != unquote(m.method) || h.Get("Mcp-Session-Id") != "":
		refuse(w, m, 400, -32020, "")
	case member(member(m.params, "_meta"), "io.modelcontextprotocol/clientCapabilities") == nil:
		refuse(w, m, 400, -32602, "")
	case m.is(methodDiscover):
		answer(w, m, discovered)
	case m.is(methodListen):
		acknowledge(w, m)
		<-r.Context().Done()
	case m.is(methodToolsCall), m.is(methodToolsList):
		answer(w, m, `{"resultType":"complete","content":[]}`)
	default:
		refuse(w, m, 404, -32601, "")
	}
}

func acknowledge(w http.ResponseWriter, m message) {
	sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":%s}}`,
		m.id, member(m.params, "notifications")))
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal(what)
		}
	}
}

// forwarded starts a legacy client on a modern server, past the handshake.
func forwarded(t *testing.T, h handler) (*client, *upstream) {
	t.Helper()
	u := newUpstream(t, h)
	c := start(t, u.URL)
	c.send(forwardedInit)
	c.line()
	c.send(initializedLine)
	return c, u
}

func TestForwardHandshake(t *testing.T) {
	u := newUpstream(t, modernOnly)
	c := start(t, u.URL)
	c.send(forwardedInit)
	c.want(`{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true}},"instructions":"Ask \"nicely\".","protocolVersion":"2025-06-18","serverInfo":{"name":"modern","version":"2"}}}`)
	c.send(initializedLine)
	c.send(`{"jsonrpc":"2.0","id":"p","method":"ping"}`)
	c.want(`{"jsonrpc":"2.0","id":"p","result":{}}`)

	c.send(`{"jsonrpc":"2.0","id":1.50,"method":"tools/call","params":{"name":"größe", "n":1.0,"_meta":{"progressToken":7}}}`)
	c.want(`{"jsonrpc":"2.0","id":1.50,"result":{"resultType":"complete","content":[]}}`)
	got := u.got(methodToolsCall)[0]
	if want := `{"jsonrpc":"2.0","id":1.50,"method":"tools/call","params":{"name":"größe", "n":1.0,"_meta":{` + forwardedMeta + `,"progressToken":7}}}`; got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	for name, want := range map[string]string{ // B14, B15
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "=?base64?Z3LDtsOfZQ==?=", "Mcp-Session-Id": "",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}

	c.send(`{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"warning"}}`)
	c.want(`{"jsonrpc":"2.0","id":2,"result":{}}`)
	c.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, `{"jsonrpc":"2.0","id":"stray","result":{}}`)
	c.send(`{"jsonrpc":"2.0","id":3,"method":"tools/list"}`)
	c.line()
	if want := `{"params":{"_meta":{` + forwardedMeta + `,"io.modelcontextprotocol/logLevel":"warning"}},"jsonrpc":"2.0","id":3,"method":"tools/list"}`; u.got(methodToolsList)[0].body != want {
		t.Errorf("got  %s\nwant %s", u.got(methodToolsList)[0].body, want)
	}
	// B24: an unknown method's 404 is an answer.
	c.send(`{"jsonrpc":"2.0","id":4,"method":"tasks/list"}`)
	c.want(`{"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"no"}}`)

	c.in.Close()
	<-c.done
	c.done <- nil
	counts := map[string]int{"initialize": 1, methodDiscover: 1, "ping": 0, "logging/setLevel": 0, methodInitialized: 0,
		"notifications/roots/list_changed": 0, "GET": 0, "DELETE": 0}
	for method, want := range counts {
		if n := len(u.got(method)); n != want {
			t.Errorf("%s: %d, want %d", method, n, want)
		}
	}
	if n := len(u.got("")); n != 0 {
		t.Errorf("%d responses were posted", n)
	}
}

// TestForwardOnlyAfterRefusal: what decides is how initialize was refused, and then what server/discover says. The client gets
// the refusal itself if that leads nowhere.
func TestForwardOnlyAfterRefusal(t *testing.T) {
	for _, tc := range []struct {
		name      string
		status    int
		code      int
		more      string
		discover  string // the revisions that it answers, "" if it refuses
		probed    int
		forwarded bool
	}{
		{"-32020", 400, -32020, "", `"2026-07-28"`, 1, true},
		{"-32021", 400, -32021, "", `"2026-07-28"`, 1, true},
		{"-32022 with a list", 400, -32022, `,"data":{"supported":["2027-01-01","2026-07-28"]}`, `"2026-07-28"`, 1, true},
		{"-32601 in a 404", 404, -32601, "", `"2026-07-28"`, 1, true},
		{"-32602", 400, -32602, "", `"2026-07-28"`, 1, true},
		{"a list with another code", 200, -32000, `,"data":{"supported":["2026-07-28"]}`, `"2026-07-28"`, 1, true},
		{"-32602 of a legacy server", 200, -32602, "", "", 1, false},
		{"-32602 of a server that is too new", 400, -32602, "", `"2027-01-01"`, 1, false},
		{"a list of legacy revisions", 400, -32022, `,"data":{"supported":["2025-11-25"]}`, `"2026-07-28"`, 0, false},
		{"another code", 400, -32000, "", `"2026-07-28"`, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				switch {
				case m.is(methodInitialize):
					refuse(w, m, tc.status, tc.code, tc.more)
				case m.is(methodDiscover) && tc.discover == "":
					refuse(w, m, 400, -32601, "")
				case m.is(methodDiscover):
					answer(w, m, fmt.Sprintf(`{"supportedVersions":[%s],"capabilities":{}}`, tc.discover))
				default:
					modernOnly(w, r, m)
				}
			})
			c := start(t, u.URL)
			c.send(forwardedInit)
			want := fmt.Sprintf(`"error":{"code":%d,"message":"no"%s}`, tc.code, tc.more)
			if tc.forwarded {
				want = `"protocolVersion":"2025-06-18"`
			}
			if got := c.line(); !strings.Contains(got, want) || !strings.Contains(got, `"id":0`) {
				t.Errorf("got %s, want %s", got, want)
			}
			if n := len(u.got(methodDiscover)); n != tc.probed {
				t.Errorf("%d times server/discover, want %d", n, tc.probed)
			}
		})
	}
}

// TestForwardCostsLegacyNothing: a server that takes initialize sees nothing of all this (B18).
func TestForwardCostsLegacyNothing(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"echo":{"name":"x"}}}`)
	if n := len(u.got(methodDiscover)); n != 0 {
		t.Errorf("%d probes", n)
	}
}

// TestForwardUnknownRevision: a revision that nobody knows is answered with the latest that has initialize.
func TestForwardUnknownRevision(t *testing.T) {
	u := newUpstream(t, modernOnly)
	c := start(t, u.URL)
	c.send(strings.Replace(forwardedInit, "2025-06-18", "2025-09-09", 1))
	if got := c.line(); !strings.Contains(got, `"protocolVersion":"2025-11-25"`) {
		t.Error(got)
	}
}

// TestForwardEarlyRequests: requests that the client sends before it has the answer to initialize are translated as well.
func TestForwardEarlyRequests(t *testing.T) {
	u := newUpstream(t, modernOnly)
	c := start(t, u.URL)
	c.send(forwardedInit, call("1", "x"))
	c.line()
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}`)
}

// TestForwardTools: what x-mcp-header demands is done for the client, who can't know of it (B16), and once more after the
// server found fault with it (B17).
func TestForwardTools(t *testing.T) {
	tools := `{"tools":[{"name":"good","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}},` +
		`{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":""}}}}]}`
	_, u := forwardedTools(t, tools, true)
	if n := len(u.got(methodToolsList)); n != 1 {
		t.Errorf("%d lists", n)
	}
	_, u = forwardedTools(t, tools, false)
	if calls, lists := len(u.got(methodToolsCall)), len(u.got(methodToolsList)); calls != 2 || lists != 1 {
		t.Errorf("%d calls, %d lists", calls, lists)
	}
}

func forwardedTools(t *testing.T, tools string, listFirst bool) (*client, *upstream) {
	t.Helper()
	c, u := forwarded(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case m.is(methodToolsList) && m.isModern():
			answer(w, m, tools)
		case m.is(methodToolsCall) && r.Header.Get("Mcp-Param-Region") != "eu":
			refuse(w, m, 400, -32020, "")
		default:
			modernOnly(w, r, m)
		}
	})
	if listFirst {
		c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		if got := c.line(); strings.Contains(got, `"bad"`) || !strings.Contains(got, `"good"`) {
			t.Error(got)
		}
	}
	c.send(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"good","arguments":{"region":"eu"}}}`)
	c.want(`{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","content":[]}}`)
	return c, u
}

// TestForwardCancel: a cancellation closes the request's connection, and nothing is posted (B36).
func TestForwardCancel(t *testing.T) {
	arrived, closed := make(chan struct{}), make(chan struct{})
	c, u := forwarded(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			close(arrived)
			<-r.Context().Done()
			close(closed)
			return
		}
		modernOnly(w, r, m)
	})
	c.send(call("1", "x"))
	<-arrived
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	<-closed
	c.nothing()
	if n := len(u.got(methodCancelled)); n != 0 {
		t.Errorf("%d notifications/cancelled were posted", n)
	}
}

// TestForwardCancelEarly: so does one that comes before the client has its answer to initialize.
func TestForwardCancelEarly(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodDiscover) {
			<-release
		}
		if m.is(methodToolsCall) {
			<-r.Context().Done()
			return
		}
		modernOnly(w, r, m)
	})
	c := start(t, u.URL)
	c.send(forwardedInit, call("1", "x"), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	close(release)
	c.line()
	c.nothing()
}

var questionID = regexp.MustCompile(`"id":("[^"]+")`)

// TestForwardInput: the server's questions become requests to the client, and its answers go into the same call under a new
// id, as often as the server asks (2026-07-28, "Multi Round-Trip Requests").
func TestForwardInput(t *testing.T) {
	const state = `"a\/b\u00e9 ü"`
	c, u := forwarded(t, func(w http.ResponseWriter, r *http.Request, m message) {
		responses := member(m.params, "inputResponses")
		switch {
		case !m.is(methodToolsCall):
			modernOnly(w, r, m)
		case member(responses, "last") != nil:
			sendEvent(w, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":2}}`)
			sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[]}}`, m.id))
		case responses != nil:
			answer(w, m, `{"resultType":"input_required","inputRequests":{"last":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.example/","message":"m"}}}}`)
		default:
			sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"input_required","requestState":%s,"inputRequests":{"ü1":{"method":"sampling/createMessage","params":{"n":1.0}},"r":{"method":"roots/list"}}}}`,
				m.id, state))
		}
	})
	c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":7}}}`)
	sampling, roots := c.line(), c.line()
	if !strings.Contains(sampling, `"method":"sampling/createMessage"`) || !strings.Contains(sampling, `"params":{"n":1.0}`) || !strings.Contains(roots, `"method":"roots/list"`) {
		t.Fatal(sampling, roots)
	}
	c.send(`{"jsonrpc":"2.0","id":`+questionID.FindStringSubmatch(roots)[1]+`,"result":{"roots":[]}}`,
		`{"jsonrpc":"2.0","id":`+questionID.FindStringSubmatch(sampling)[1]+`,"result":{"model":"m","n":2.50}}`)
	elicit := c.line()
	id := questionID.FindStringSubmatch(elicit)[1]
	if !strings.Contains(elicit, `"method":"elicitation/create"`) || !strings.Contains(elicit, `"elicitationId":`+id) {
		t.Fatal(elicit)
	}
	c.send(`{"jsonrpc":"2.0","id":` + id + `,"result":{"action":"accept"}}`)
	c.want(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":2}}`)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}`)
	c.nothing()

	calls := u.got(methodToolsCall)
	if len(calls) != 3 {
		t.Fatalf("%d calls", len(calls))
	}
	ids := map[string]bool{}
	for i, want := range []string{
		`"params":{"name":"x","_meta":{` + forwardedMeta + `,"progressToken":7}}`,
		`"params":{"inputResponses":{"ü1":{"model":"m","n":2.50},"r":{"roots":[]}},"requestState":` + state + `,"name":"x","_meta":{` + forwardedMeta + `,"progressToken":7}}`,
		`"params":{"inputResponses":{"last":{"action":"accept"}},"name":"x","_meta":{` + forwardedMeta + `,"progressToken":7}}`,
	} {
		if !strings.Contains(calls[i].body, want) {
			t.Errorf("call %d\ngot  %s\nwant %s", i, calls[i].body, want)
		}
		m, _ := parse([]byte(calls[i].body))
		ids[string(m.id)] = true
	}
	if len(ids) != 3 || len(u.got("")) != 0 {
		t.Errorf("ids %v, %d responses posted", ids, len(u.got("")))
	}
}

// TestForwardInputEnds: questions that lead nowhere end in one answer.
func TestForwardInputEnds(t *testing.T) {
	var wanted atomic.Value
	c, u := forwarded(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) {
			answer(w, m, `{"resultType":"input_required",`+wanted.Load().(string)+`}`)
			return
		}
		modernOnly(w, r, m)
	})
	t.Run("more than ten rounds", func(t *testing.T) {
		wanted.Store(`"inputRequests":{"r":{"method":"roots/list"}}`)
		c.send(call("1", "x"))
		for range 10 {
			c.send(`{"jsonrpc":"2.0","id":` + questionID.FindStringSubmatch(c.line())[1] + `,"result":{"roots":[]}}`)
		}
		if got := c.line(); !strings.Contains(got, `"id":1,`) && !strings.Contains(got, "too_many_questions") {
			t.Error(got)
		}
		if n := len(u.got(methodToolsCall)); n != 11 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("the client refuses", func(t *testing.T) {
		c.send(call("2", "x"))
		c.send(`{"jsonrpc":"2.0","id":` + questionID.FindStringSubmatch(c.line())[1] + `,"error":{"code":-32601,"message":"what roots?"}}`)
		if got := c.line(); !strings.Contains(got, `"id":2,`) || !strings.Contains(got, "what roots?") {
			t.Error(got)
		}
	})
	t.Run("a question that servers may not ask", func(t *testing.T) {
		wanted.Store(`"inputRequests":{"r":{"method":"tools/call"}}`)
		c.send(call("3", "x"))
		if got := c.line(); !strings.Contains(got, `"id":3,`) || !strings.Contains(got, "no_input") {
			t.Error(got)
		}
	})
	t.Run("cancelled meanwhile", func(t *testing.T) {
		wanted.Store(`"inputRequests":{"r":{"method":"roots/list"}}`)
		c.send(call("4", "x"))
		id := questionID.FindStringSubmatch(c.line())[1]
		c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":4}}`)
		if got := c.line(); !strings.Contains(got, `"method":"notifications/cancelled","params":{"requestId":`+id) {
			t.Error(got)
		}
		c.send(`{"jsonrpc":"2.0","id":` + id + `,"result":{"roots":[]}}`) // too late
		c.nothing()
		if n := len(u.got("")); n != 0 {
			t.Errorf("%d responses were posted", n)
		}
	})
	t.Run("nothing but a state", func(t *testing.T) {
		var asked int
		wanted.Store(`"requestState":"s"`)
		c.send(call("5", "x"))
		eventually(t, "no second call", func() bool {
			asked = 0
			for _, r := range u.got(methodToolsCall) {
				if strings.Contains(r.body, `"requestState":"s"`) && !strings.Contains(r.body, "inputResponses") {
					asked++
				}
			}
			return asked == 1
		})
		c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}`)
		c.nothing()
	})
}

// TestForwardWatch: a legacy client gets changes of lists unasked, and updates of resources that it subscribes to.
func TestForwardWatch(t *testing.T) {
	events := make(chan string)
	var listening atomic.Int32
	c, u := forwarded(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if !m.is(methodListen) {
			modernOnly(w, r, m)
			return
		}
		listening.Add(1) // before the acknowledgement, so that an old stream doesn't pass for this one
		defer listening.Add(-1)
		if strings.Contains(string(m.params), "unknown") {
			sendEvent(w, `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["file:///ü"]}}}`)
		} else {
			acknowledge(w, m)
		}
		for {
			select {
			case e := <-events:
				sendEvent(w, e)
			case <-r.Context().Done():
				return
			}
		}
	})
	const changed = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
	events <- changed
	c.want(changed)
	filter := func(want string) {
		t.Helper()
		list := u.got(methodListen)
		m, _ := parse([]byte(list[len(list)-1].body))
		if got := string(member(m.params, "notifications")); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		eventually(t, "the old stream is still there", func() bool { return listening.Load() == 1 })
	}
	filter(`{"toolsListChanged":true}`)

	c.send(`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"file:///ü"}}`)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	filter(`{"toolsListChanged":true,"resourceSubscriptions":["file:///ü"]}`)
	events <- `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///ü"}}`
	c.want(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///ü"}}`)

	c.send(`{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"unknown"}}`)
	if got := c.line(); !strings.Contains(got, `"id":2,`) || !strings.Contains(got, "sends no updates of unknown") {
		t.Error(got)
	}
	eventually(t, "two streams", func() bool { return listening.Load() == 1 })

	c.send(`{"jsonrpc":"2.0","id":3,"method":"resources/unsubscribe","params":{"uri":"file:///\u00fc"}}`)
	c.want(`{"jsonrpc":"2.0","id":3,"result":{}}`)
	filter(`{"toolsListChanged":true}`)
	c.nothing()

	n := len(u.got(methodListen))
	c.send(forwardedInit) // a client that begins anew
	c.line()
	c.send(initializedLine)
	eventually(t, "no new stream", func() bool { return len(u.got(methodListen)) == n+1 })
	filter(`{"toolsListChanged":true}`)
}

func TestWithMeta(t *testing.T) {
	list := []property{{"a", []byte("1")}, {"b", []byte(`"x"`)}}
	for in, want := range map[string]string{
		`{"id":1,"method":"m"}`:                              `{"params":{"_meta":{"a":1,"b":"x"}},"id":1,"method":"m"}`,
		` {"id":1.0,"method":"m","params":null}`:             ` {"id":1.0,"method":"m","params":{"_meta":{"a":1,"b":"x"}}}`,
		`{"id":1,"params":{ },"method":"m"}`:                 `{"id":1,"params":{"_meta":{"a":1,"b":"x"} },"method":"m"}`,
		`{"id":1,"params":{"z":1.50},"method":"m"}`:          `{"id":1,"params":{"_meta":{"a":1,"b":"x"},"z":1.50},"method":"m"}`,
		`{"params":{"_meta":{"b":2,"c":3}},"method":"m"}`:    `{"params":{"_meta":{"a":1,"b":2,"c":3}},"method":"m"}`,
		`{"params":{"_meta":{"a":1,"b":2}},"method":"m"}`:    `{"params":{"_meta":{"a":1,"b":2}},"method":"m"}`,
		`{"params":{"z":{"_meta":{}},"_meta":null}}`:         `{"params":{"z":{"_meta":{}},"_meta":{"a":1,"b":"x"}}}`,
		`{"id":1,"method":"m","params":[1]}`:                 `{"id":1,"method":"m","params":[1]}`,
		`{"params":{"_meta":{"\u0061":5}, "y":2}, "id":"ü"}`: `{"params":{"_meta":{"b":"x","\u0061":5}, "y":2}, "id":"ü"}`,
	} {
		m, err := parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(withMeta(m, list).raw); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
}
