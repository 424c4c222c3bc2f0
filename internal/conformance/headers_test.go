package conformance_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestHeaders(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B12 B13 B18 what every legacy POST carries": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"), `{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)
			p.line()
			u.await(t, "notifications/roots/list_changed", 1)
			for _, r := range u.got("POST") {
				want := map[string]string{
					"Accept": "application/json, text/event-stream", "Content-Type": "application/json",
					"Mcp-Protocol-Version": "2025-06-18", "Mcp-Session-Id": "session-1", "Mcp-Method": "", "Mcp-Name": "",
				}
				if r.rpc == "initialize" { // the client asked for 2025-11-25; nothing is agreed yet
					want["Mcp-Protocol-Version"], want["Mcp-Session-Id"] = "", ""
				}
				headers(t, r, want)
			}
		},
		"B14 B15 what a modern request carries": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			for i, tc := range []struct{ method, params, name string }{
				{"tools/call", `"name":"echo"`, "echo"},
				{"tools/call", `"name":"größe"`, "=?base64?Z3LDtsOfZQ==?="},
				{"tools/call", `"name":"=?base64?QQ==?="`, "=?base64?PT9iYXNlNjQ/UVE9PT89?="},
				{"prompts/get", `"name":"p"`, "p"},
				{"resources/read", `"uri":"file:///x"`, "file:///x"},
				{"tools/list", ``, ""},
			} {
				p.send(modern(fmt.Sprint(i), tc.method, tc.params))
				p.line()
				posts := u.got("POST")
				headers(t, posts[len(posts)-1], map[string]string{
					"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": tc.method, "Mcp-Name": tc.name, "Mcp-Session-Id": "",
				})
			}
		},
		"B14 a modern request after initialize": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.handshake() // as clients do that probe first, and send initialize all the same
			p.send(modern("1", "tools/call", `"name":"echo"`), call("2", "a"))
			p.line()
			p.line()
			for _, r := range u.got("tools/call") {
				want := map[string]string{"Mcp-Protocol-Version": "2025-06-18", "Mcp-Method": "", "Mcp-Name": "", "Mcp-Session-Id": "session-1"}
				if strings.Contains(r.body, "2026-07-28") {
					want = map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "echo", "Mcp-Session-Id": ""}
				}
				headers(t, r, want)
			}
		},
		"B16 arguments that a schema wants as headers": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/list" {
					answer(w, m, listed)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(modern("1", "tools/list", ""))
			p.want(reply("1", `{"tools":[`+goodTool+`],"n":1.50}`))
			p.send(modern("2", "tools/call", `"name":"good","arguments":{"region":"eu","n":7,"no":null}`))
			p.line()
			headers(t, u.got("tools/call")[0], map[string]string{
				"Mcp-Param-Region": "eu", "Mcp-Param-N": "7", "Mcp-Param-No": "",
			})
		},
		"B17 refused headers": func(t *testing.T) {
			refusals := 1
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" && refusals > 0 {
					refusals--
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32020,"message":"header mismatch"}}`, m.ID)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(modern("1", "tools/call", `"name":"a"`))
			if m := p.message(); m.Result == nil {
				t.Errorf("%+v", m)
			}
			if lists, calls := len(u.got("tools/list")), len(u.got("tools/call")); lists != 1 || calls != 2 {
				t.Errorf("%d lists, %d calls; want 1, 2", lists, calls)
			}
			refusals = 2
			p.send(modern("2", "tools/call", `"name":"a"`))
			p.want(`{"jsonrpc":"2.0","id":2,"error":{"code":-32020,"message":"header mismatch"}}`)
			if lists, calls := len(u.got("tools/list")), len(u.got("tools/call")); lists != 2 || calls != 4 {
				t.Errorf("%d lists, %d calls; want 2, 4", lists, calls)
			}
		},
	})
}

const (
	goodTool = `{"name":"good","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},` +
		`"n":{"type":"integer","x-mcp-header":"N"},"no":{"type":"string","x-mcp-header":"No"}}}}`
	badTool = `{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":""}}}}`
	listed  = `{"tools":[` + goodTool + `,` + badTool + `],"n":1.50}`
)

func headers(t *testing.T, r seen, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := r.header.Get(name); got != value {
			t.Errorf("%s %s: header %s is %q, want %q", r.http, r.rpc, name, got, value)
		}
	}
}

func TestSessions(t *testing.T) {
	const noSession = `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}`
	run(t, map[string]func(*testing.T){
		"B19 the session id": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.line()
			u.await(t, "GET", 1)
			p.in.Close()
			p.exit()
			for _, r := range append(append(u.got("GET"), u.got("tools/call")...), u.await(t, "DELETE", 1)...) {
				headers(t, r, map[string]string{"Mcp-Session-Id": "session-1", "Mcp-Protocol-Version": "2025-06-18"})
			}
		},
		"B19 the cookie of a load balancer": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "initialize" {
					http.SetCookie(w, &http.Cookie{Name: "lb", Value: "node-1", Path: "/"})
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{flags: []string{"--log-level", "debug"}})
			p.handshake()
			p.send(call("1", "a"))
			p.line()
			u.await(t, "GET", 1)
			p.in.Close()
			p.exit()
			u.await(t, "DELETE", 1)
			for _, r := range u.got("")[1:] {
				headers(t, r, map[string]string{"Cookie": "lb=node-1"})
			}
			if strings.Contains(p.stderr(), "node-1") {
				t.Error("the cookie is in the log")
			}
		},
		"B20 a session lost, 404": func(t *testing.T) {
			s := &forgetful{status: http.StatusNotFound, refuse: []string{"session-1"}}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(called("1", "a"))
			p.nothing()
			order(t, u, "initialize", "notifications/initialized", "tools/call", "initialize", "notifications/initialized", "tools/call")
			headers(t, u.got("initialize")[1], map[string]string{"Mcp-Session-Id": "", "Mcp-Protocol-Version": ""})
			headers(t, u.got("notifications/initialized")[1], map[string]string{"Mcp-Session-Id": "session-2"})
			headers(t, u.got("tools/call")[1], map[string]string{"Mcp-Session-Id": "session-2"})
		},
		"B21 a session lost, 400": func(t *testing.T) {
			s := &forgetful{status: http.StatusBadRequest, body: noSession, refuse: []string{"session-1"}}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(called("1", "a"))
		},
		"B21 another 400": func(t *testing.T) {
			s := &forgetful{status: http.StatusBadRequest, refuse: []string{"session-1"},
				body: `{"jsonrpc":"2.0","error":{"code":-32602,"message":"no such tool"},"id":1}`}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(`{"jsonrpc":"2.0","error":{"code":-32602,"message":"no such tool"},"id":1}`)
			if n := len(u.got("initialize")); n != 1 {
				t.Errorf("%d times initialize, want 1", n)
			}
		},
		"B22 a session lost by five at once": func(t *testing.T) {
			var together gate
			together.need(5)
			s := &forgetful{status: http.StatusNotFound, refuse: []string{"session-1"}, before: together.pass}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			want := map[string]bool{}
			for i := range 5 {
				p.send(call(fmt.Sprint(i+1), "a"))
				want[called(fmt.Sprint(i+1), "a")] = true
			}
			for range 5 {
				if line := p.line(); !want[line] {
					t.Errorf("answer %s", line)
				} else {
					delete(want, line)
				}
			}
			p.nothing()
			if n := len(u.got("initialize")); n != 2 {
				t.Errorf("%d times initialize, want 2", n)
			}
		},
		"B23 the new session lost as well": func(t *testing.T) {
			s := &forgetful{status: http.StatusNotFound, refuse: []string{"session-1", "session-2", "session-3"}}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.failed("1", "session")
			p.send(call("2", "a"))
			p.failed("2", "session")
			if n := len(u.got("initialize")); n != 2 {
				t.Errorf("%d times initialize, want 2", n)
			}
		},
		"B24 404 for an unknown method": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch m.Method {
				case "away": // says nothing of a session, which a modern request doesn't have
					w.WriteHeader(http.StatusNotFound)
					return
				case "unknown":
					w.WriteHeader(http.StatusNotFound)
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, m.ID)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(modern("1", "unknown", ""))
			p.want(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}`)
			p.send(request("2", "unknown"))
			p.want(`{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no such method"}}`)
			p.send(modern("3", "away", ""))
			p.failed("3", "404")
			if n := len(u.got("initialize")); n != 1 {
				t.Errorf("%d times initialize, want 1", n)
			}
		},
		"B25 what a new session is told": func(t *testing.T) {
			s := &forgetful{status: http.StatusNotFound, refuse: []string{"session-1"}}
			u := serve(t, s.serve)
			p := bridge(t, u.URL, options{})
			p.handshake()
			level := `"method":"logging/setLevel","params":{"level":"debug"}}`
			subscribe := func(uri string) string { return `"method":"resources/subscribe","params":{"uri":"` + uri + `"}}` }
			for i, rest := range []string{level, subscribe("a:1"), subscribe("a:2"), `"method":"resources/unsubscribe","params":{"uri":"a:1"}}`} {
				p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,%s`, 10+i, rest))
				p.line()
			}
			p.send(call("1", "a"))
			p.want(called("1", "a"))
			p.nothing()
			again := 0
			for _, r := range append(u.got("logging/setLevel"), u.got("resources/subscribe")...) {
				if r.header.Get("Mcp-Session-Id") == "session-2" {
					again++
					if m := decode([]byte(r.body)); string(m.Params) != `{"level":"debug"}` && string(m.Params) != `{"uri":"a:2"}` {
						t.Errorf("told: %s", r.body)
					}
				}
			}
			if again != 2 {
				t.Errorf("%d messages told again, want 2", again)
			}
		},
		"a second initialize": func(t *testing.T) {
			closed := make(chan string, 2)
			var sessions atomic.Int32
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case m.Method == "initialize":
					w.Header().Set("Mcp-Session-Id", fmt.Sprintf("session-%d", sessions.Add(1)))
					answer(w, m, initializeResult)
				case r.Method == http.MethodGet:
					event(w, note)
					<-r.Context().Done()
					closed <- r.Header.Get("Mcp-Session-Id")
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			for range 2 {
				p.handshake()
				p.want(note)
			}
			select {
			case id := <-closed:
				if id != "session-1" {
					t.Errorf("the stream of %s was closed", id)
				}
			case <-time.After(patience):
				t.Error("the first session's stream stays open")
			}
			headers(t, u.await(t, "DELETE", 1)[0], map[string]string{"Mcp-Session-Id": "session-1"})
			p.send(call("1", "a"))
			p.want(called("1", "a"))
			headers(t, u.got("tools/call")[0], map[string]string{"Mcp-Session-Id": "session-2"})
		},
	})
}

// order checks the JSON-RPC methods of all POSTs but pings.
func order(t *testing.T, u *upstream, want ...string) {
	t.Helper()
	var got []string
	for _, r := range u.got("POST") {
		if r.rpc != "ping" {
			got = append(got, r.rpc)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("posted\n got %q\nwant %q", got, want)
	}
}
