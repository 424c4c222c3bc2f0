package conformance_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const note = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"message":"ü"}}`

func TestStreams(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B27 B28 a stream in two pieces": pieces,
		"B29 order": func(t *testing.T) {
			first := make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case m.Method != "tools/call":
					legacy(w, r, m)
				case string(m.ID) == "1":
					event(w, note)
					w.Header().Set("Content-Type", "text/event-stream")
					fmt.Fprintf(w, "data: %s\n\nevent: message\n", note) // and another one has begun
					w.(http.Flusher).Flush()
					<-first
					fmt.Fprintf(w, "data: %s\n\n", note)
					for range 50 {
						event(w, note)
					}
					event(w, reply("1", `{}`))
				default:
					answer(w, m, echo(m))
				}
			})
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"))
			p.want(note)
			p.want(note)
			p.send(call("2", "b"))
			p.want(called("2", "b"))
			close(first)
			for range 51 {
				p.want(note)
			}
			p.want(reply("1", `{}`))
		},
		"B30 a stream that wants to be resumed": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Header.Get("Last-Event-ID") == "e-1":
					event(w, reply("1", `{"resumed":true}`))
				case m.Method == "tools/call":
					w.Header().Set("Content-Type", "text/event-stream")
					io.WriteString(w, "id: e-1\nretry: 1500\ndata:\n\n") // longer than anybody waits unasked
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(reply("1", `{"resumed":true}`))
			gets := u.got("GET")
			last := gets[len(gets)-1]
			headers(t, last, map[string]string{"Last-Event-ID": "e-1", "Accept": "text/event-stream", "Mcp-Session-Id": "session-1"})
			if pause := last.at.Sub(u.got("tools/call")[0].at); pause < 1500*time.Millisecond || pause > 5*time.Second {
				t.Errorf("resumed after %s", pause)
			}
		},
		"B31 B32 a stream that breaks off": breaks,
		"B31 nothing to resume from": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					event(w, note)
					panic(http.ErrAbortHandler)
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"))
			p.want(note)
			p.failed("1", "broke")
			if gets, calls := len(u.got("GET")), len(u.got("tools/call")); gets != 0 || calls != 1 {
				t.Errorf("%d times GET and %d calls, want 0 and 1", gets, calls)
			}
		},
		"B31 a JSON answer that breaks off": func(t *testing.T) {
			body := called("1", "a")
			u := rawServer(t, func(conn net.Conn, m rpc) {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)-3])
			})
			p := bridge(t, u, options{})
			p.send(call("1", "a"))
			p.failed("1", "answered 200")
		},
		"B32 an unfinished last event": func(t *testing.T) {
			u := rawServer(t, func(conn net.Conn, m rpc) {
				io.WriteString(conn, streamHead+"data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":1,\"result\":{}}")
			})
			p := bridge(t, u, options{})
			p.send(call("1", "a"))
			p.want(reply("1", `{}`))
		},
		"B33 the server's own requests": func(t *testing.T) {
			var answered sync.WaitGroup
			answered.Add(3)
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Method == http.MethodGet:
					event(w, `{"jsonrpc":"2.0","id":"g","method":"roots/list"}`)
					<-r.Context().Done()
				case m.Method == "tools/call":
					event(w, `{"jsonrpc":"2.0","id":7,"method":"ping"}`)
					event(w, `{"jsonrpc":"2.0","id":8,"method":"sampling/createMessage","params":{"n":1.0}}`)
					answered.Wait()
					event(w, reply(string(m.ID), `{}`))
				case r.Method == http.MethodPost && m.Method == "":
					answered.Done()
					w.WriteHeader(http.StatusAccepted)
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.want(`{"jsonrpc":"2.0","id":"g","method":"roots/list"}`)
			p.send(call("1", "a"))
			p.want(`{"jsonrpc":"2.0","id":7,"method":"ping"}`)
			p.want(`{"jsonrpc":"2.0","id":8,"method":"sampling/createMessage","params":{"n":1.0}}`)
			responses := []string{reply(`"g"`, `{"roots":[]}`), reply("7", `{}`),
				`{"jsonrpc":"2.0","id":8,"error":{"code":-1,"message":"no"}}`}
			p.send(responses...)
			p.want(reply("1", `{}`))
			p.nothing()
			bodies(t, u, append(responses, initializeLine, initializedLine, call("1", "a"), request(`"nothing"`, "ping"))...)
		},
	})
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

// pieces: wherever the network cuts a stream in two, and however its lines end, the same messages come out. The stream has
// what servers put between messages: comments, events of other names, events without data, a byte order mark.
func pieces(t *testing.T) {
	stream := func(id string) string {
		return "\ufeff: hello\nretry: 10\ndata\n\nevent: ping\ndata: {}\n\n:\nid: 4\ndata:\n\nevent: message\ndata: " + note +
			"\n\ndata:{\"jsonrpc\":\"2.0\",\ndata:\"id\":" + id + ",\"result\":{}}\n\n"
	}
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := len(strings.ReplaceAll(stream("100"), "\n", end))
			u := rawServer(t, func(conn net.Conn, m rpc) {
				s := strings.ReplaceAll(stream(string(m.ID)), "\n", end)
				cut, _ := strconv.Atoi(string(m.ID))
				io.WriteString(conn, streamHead+s[:cut-100])
				time.Sleep(2 * time.Millisecond) // else both pieces may arrive as one, and prove less
				io.WriteString(conn, s[cut-100:])
			})
			p := bridge(t, u, options{})
			for cut := range size {
				id := strconv.Itoa(100 + cut)
				p.send(call(id, "a"))
				p.want(note)
				p.want(`{"jsonrpc":"2.0","id":` + id + `,"result":{}}`)
			}
			p.in.Close()
			if more := p.rest(); len(more) > 0 {
				t.Errorf("more lines: %q", more)
			}
		})
	}
}

// breaks: a stream without event ids can't be resumed. Wherever it breaks off, the request gets one answer soon, and
// nothing is called twice.
func breaks(t *testing.T) {
	const stream = "event: message\ndata: " + note + "\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"
	var mu sync.Mutex
	calls := 0
	cut := 0
	u := rawServer(t, func(conn net.Conn, m rpc) {
		mu.Lock()
		calls++
		at := cut
		mu.Unlock()
		// The piece is well-formed, the last one is missing.
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", at, stream[:at])
	})
	p := bridge(t, u, options{})
	for at := 1; at < len(stream); at += 7 {
		mu.Lock()
		cut = at
		mu.Unlock()
		began := time.Now()
		p.send(call("1", "a"))
		line := p.line()
		if line == note {
			line = p.line()
		}
		m := decode([]byte(line))
		if whole := strings.Contains(stream[:at], "\"result\":{}}\n\n"); string(m.ID) != "1" || (m.Result != nil) != whole {
			t.Errorf("cut at %d: %s", at, line)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("cut at %d: answered after %s", at, took)
		}
		mu.Lock()
		if calls != 1 {
			t.Errorf("cut at %d: called %d times", at, calls)
		}
		calls = 0
		mu.Unlock()
	}
	p.in.Close()
	if more := p.rest(); len(more) > 0 {
		t.Errorf("more lines: %q", more)
	}
}
