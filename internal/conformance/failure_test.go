package conformance_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	always := func(status int, header, value, body string) handler {
		return func(w http.ResponseWriter, r *http.Request, m rpc) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	const html = "<html><head><title>Please sign in</title></head><body>…</body></html>"
	tests := map[string]func(*testing.T){
		"B39 a server that comes late":                         comesLate,
		"B39 a server that comes while initialize is repeated": comesMeanwhile,
		"B41 an error with the id null": func(t *testing.T) {
			u := serve(t, always(400, "Content-Type", "application/json",
				`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: x"},"id":null}`))
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"))
			p.want(`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: x"},"id":1}`)
		},
		"B45 an error that speaks of authorization": func(t *testing.T) {
			const refused = `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Deployment started, but the webhook is not authorized to notify you. See https://docs.example.com/webhooks"}}`
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, refused)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{flags: []string{"--no-browser"}})
			p.send(call("1", "a"))
			p.want(refused)
			order(t, u, "tools/call")
		},
		"B44 a request that is only accepted": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					w.WriteHeader(http.StatusAccepted)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			u.await(t, "GET", 1) // refused: there is no stream on which the answer could come
			p.send(call("1", "a"))
			if m := p.failed("1", "202"); m.Error.Data.Status != 202 {
				t.Errorf("status %d", m.Error.Data.Status)
			}
		},
	}
	for name, tc := range map[string]struct {
		h    handler
		want []string
	}{
		"B40 HTML with 200":         {always(200, "Content-Type", "text/html", html), []string{"200", "Please sign in"}},
		"B40 HTML with 403":         {always(403, "Content-Type", "text/html", html), []string{"403", "Please sign in"}},
		"B40 413":                   {always(413, "Content-Type", "text/plain", ""), []string{"413"}},
		"B40 an empty 200":          {always(200, "Content-Type", "application/json", ""), []string{"200"}},
		"B42 502 to tools/call":     {always(502, "Content-Type", "text/plain", "no upstream"), []string{"502"}},
		"B43 429 for two minutes":   {always(429, "Retry-After", "120", ""), []string{"429", "2m"}},
		"B43 503 for two minutes":   {always(503, "Retry-After", "120", ""), []string{"503", "2m"}},
		"B43 503 without a time":    {always(503, "Content-Type", "text/plain", ""), []string{"503"}},
		"B42 504 to tools/call":     {always(504, "Content-Type", "text/plain", ""), []string{"504"}},
		"B42 a reset at tools/call": {reset, nil},
	} {
		tests[name] = func(t *testing.T) {
			u := serve(t, tc.h)
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"))
			p.failed("1", tc.want...)
			p.in.Close()
			if more := p.rest(); len(more) > 0 {
				t.Errorf("more lines: %q", more)
			}
			if n := len(u.got("tools/call")); n != 1 {
				t.Errorf("called %d times", n)
			}
		}
	}
	for name, tc := range map[string]struct {
		method string
		pause  time.Duration
		h      handler
	}{
		"B42 502 to tools/list":    {"tools/list", 0, always(502, "Content-Type", "text/plain", "")},
		"B42 a reset at a list":    {"tools/list", 0, reset},
		"B43 429 for a second":     {"tools/call", time.Second, always(429, "Retry-After", "1", "")},
		"B43 503 with Retry-After": {"tools/call", time.Second, always(503, "Retry-After", "1", "")},
	} {
		tests[name] = func(t *testing.T) {
			var tries atomic.Int32
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if tries.Add(1) == 1 {
					tc.h(w, r, m)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(request("1", tc.method))
			p.want(reply("1", `{}`))
			posts := u.got(tc.method)
			if len(posts) != 2 {
				t.Fatalf("%d requests, want 2", len(posts))
			}
			if pause := posts[1].at.Sub(posts[0].at); pause < tc.pause {
				t.Errorf("repeated after %s", pause)
			}
		}
	}
	run(t, tests)
}

// reset breaks the connection after the request has been read.
func reset(w http.ResponseWriter, _ *http.Request, _ rpc) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
}

// unused returns an address on which nobody listens. Linux has loopback addresses to spare: on one that no other test uses nobody
// takes the port away meanwhile.
func unused(t *testing.T, linux string) string {
	t.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = linux
	}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serveAt is serve at an address of one's own.
func serveAt(t *testing.T, address string, h handler) *upstream {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{}
	server := &http.Server{Handler: u.record(h)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return u
}

// comesMeanwhile: initialize is repeated for a while, as for a server that is just being restarted.
func comesMeanwhile(t *testing.T) {
	address := unused(t, "127.0.0.40")
	p := bridge(t, "http://"+address+"/mcp", options{flags: []string{"--log-level", "info"}})
	p.send(initializeLine)
	until(t, "the first failure", func() bool { return strings.Contains(p.stderr(), "will be repeated") })
	u := serveAt(t, address, legacy)
	p.want(reply("0", initializeResult))
	order(t, u, "initialize")
}

// comesLate: every request to a server that is down gets an error, and the same process works once it is up.
func comesLate(t *testing.T) {
	address := unused(t, "127.0.0.39")
	p := bridge(t, "http://"+address+"/mcp", options{})
	p.send(initializeLine)
	if m := p.failed("0", address); m.Error.Data.Reason != "unreachable" {
		t.Errorf("reason %q", m.Error.Data.Reason)
	}
	u := serveAt(t, address, legacy)
	p.handshake()
	p.send(call("1", "a"))
	p.want(called("1", "a"))
	order(t, u, "initialize", "notifications/initialized", "tools/call")
}

// TestSlowHeaders: a server in JSON mode may hold its headers back for as long as the call takes, and write them in pieces.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	u := rawServer(t, func(conn net.Conn, m rpc) {
		body := called("1", "a")
		time.Sleep(500 * time.Millisecond)
		for _, part := range []string{"HTTP/1.1 20", "0 OK\r\nContent-Ty", "pe: application/json\r\n", fmt.Sprintf("Content-Length: %d\r\n\r", len(body)), "\n" + body} {
			io.WriteString(conn, part)
			time.Sleep(5 * time.Millisecond)
		}
	})
	p := bridge(t, u, options{})
	p.send(call("1", "a"))
	p.want(called("1", "a"))
}
