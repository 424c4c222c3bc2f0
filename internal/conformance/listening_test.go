package conformance_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestListening: the stream on which a server says what belongs to no request.
func TestListening(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B26 no listening stream": func(t *testing.T) {
			for _, status := range []int{400, 404, 405, 406, 500} {
				t.Run(fmt.Sprint(status), func(t *testing.T) {
					t.Parallel()
					u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
						if r.Method == http.MethodGet {
							w.WriteHeader(status)
							io.WriteString(w, "no stream here")
							return
						}
						legacy(w, r, m)
					})
					p := bridge(t, u.URL, options{})
					p.handshake()
					u.await(t, "GET", 1)
					p.silent(quiet)
					p.send(call("1", "a"))
					p.want(called("1", "a"))
					if n := len(u.got("GET")); n != 1 {
						t.Errorf("%d times GET, want 1", n)
					}
					if p.stderr() != "" {
						t.Errorf("stderr: %s", p.stderr())
					}
				})
			}
		},
		"B26 a call waits for the listening stream": func(t *testing.T) {
			late := newLateStream()
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if r.Method == http.MethodGet {
					late.open(w, r)
					return
				}
				late.serve(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
			p.want(reply("2", `{}`))
			wantBoth(t, []string{p.line(), p.line()}, lateQuestion, called("1", "a"))
		},
		"B26 a call opens a listening stream again that was open": func(t *testing.T) {
			questions := make(chan string)
			var gets atomic.Int32
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Method == http.MethodGet:
					n := gets.Add(1) // before the bridge can know, whose call may be here at once
					w.Header().Set("Content-Type", "text/event-stream")
					w.(http.Flusher).Flush()
					if n == 1 {
						time.Sleep(1500 * time.Millisecond) // a proxy whose patience is short
						return
					}
					select {
					case q := <-questions:
						event(w, q)
						<-r.Context().Done()
					case <-r.Context().Done():
					}
				case m.Method == "tools/call":
					if gets.Load() > 1 { // else nobody listens, or not for long, and the question is dropped
						questions <- lateQuestion
					}
					legacy(w, r, m)
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			for n, start := 0, time.Now(); ; n++ { // the first calls come while the first stream is still open
				p.send(call(fmt.Sprint(n), "a"))
				got := []string{p.line()}
				if gets.Load() > 1 {
					wantBoth(t, append(got, p.line()), lateQuestion, called(fmt.Sprint(n), "a"))
					break
				}
				if time.Since(start) > patience {
					t.Fatal("the stream isn't opened again")
				}
			}
			if n := gets.Load(); n != 2 {
				t.Errorf("%d times GET, want 2", n)
			}
		},
		"B26 a call waits for a listening stream that it has opened again": func(t *testing.T) {
			late, again := newLateStream(), make(chan bool)
			var gets atomic.Int32
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Method == http.MethodGet && gets.Add(1) == 1:
					w.Header().Set("Content-Type", "text/event-stream")
					w.(http.Flusher).Flush()
					time.Sleep(1500 * time.Millisecond) // a proxy whose patience is short
				case r.Method == http.MethodGet:
					close(again)
					late.open(w, r)
				case gets.Load() > 1:
					late.serve(w, r, m)
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			for n, start := 0, time.Now(); ; n++ {
				p.send(call(fmt.Sprint(n), "a"))
				select {
				case <-again:
					p.send(`{"jsonrpc":"2.0","id":"p","method":"ping"}`)
					p.want(reply(`"p"`, `{}`))
					wantBoth(t, []string{p.line(), p.line()}, lateQuestion, called(fmt.Sprint(n), "a"))
					return
				case line := <-p.lines:
					if line != called(fmt.Sprint(n), "a")+"\n" {
						t.Fatalf("got %q", line)
					}
				}
				if time.Since(start) > patience {
					t.Fatal("the stream isn't opened again")
				}
			}
		},
		"B44 an answer on the listening stream, before its request is accepted": func(t *testing.T) {
			arrived, read := make(chan bool), make(chan bool)
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Method == http.MethodGet:
					w.Header().Set("Content-Type", "text/event-stream")
					w.(http.Flusher).Flush()
					<-arrived
					event(w, called("1", "a"))
					event(w, lateQuestion)
					<-r.Context().Done()
				case m.Method == "tools/call":
					close(arrived)
					<-read
					w.WriteHeader(http.StatusAccepted)
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(lateQuestion) // which comes after the answer
			close(read)
			p.want(called("1", "a"))
			p.nothing()
		},
		"B44 a listening stream that ends before it has brought the answer": func(t *testing.T) {
			accepted := make(chan bool)
			var gets atomic.Int32
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Method == http.MethodGet && gets.Add(1) > 1:
					w.WriteHeader(http.StatusMethodNotAllowed)
				case r.Method == http.MethodGet:
					w.Header().Set("Content-Type", "text/event-stream")
					io.WriteString(w, "retry: 100\n")
					w.(http.Flusher).Flush()
					<-accepted
					time.Sleep(quiet / 10) // else the request may not wait yet, and prove less
				case m.Method == "tools/call":
					w.WriteHeader(http.StatusAccepted)
					w.(http.Flusher).Flush()
					close(accepted)
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.failed("1", "202")
			p.nothing()
		},
		"B26 a listening stream that nobody answers": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if r.Method == http.MethodGet {
					<-r.Context().Done()
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(called("1", "a"))
		},
	})
}

// lateQuestion is what servers here ask on the stream.
const lateQuestion = `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"sure?"}}`

// lateStream is a listening stream that is there only a while after a ping, which doesn't wait for it.
type lateStream struct {
	ping, there chan bool
	questions   chan string
}

func newLateStream() lateStream {
	return lateStream{make(chan bool, 1), make(chan bool), make(chan string, 1)}
}

func (l lateStream) open(w http.ResponseWriter, r *http.Request) {
	<-l.ping
	time.Sleep(quiet / 10)
	close(l.there) // before the bridge can know, whose call may be here at once
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	event(w, <-l.questions)
	<-r.Context().Done()
}

// serve answers calls, with a question before; one that nobody would hear is dropped, as servers do.
func (l lateStream) serve(w http.ResponseWriter, r *http.Request, m rpc) {
	switch m.Method {
	case "tools/call":
		select {
		case <-l.there:
			l.questions <- lateQuestion
		default:
			answer(w, m, `{"content":[{"type":"text","text":"nobody listens"}]}`)
			return
		}
	case "ping":
		l.ping <- true
	}
	legacy(w, r, m)
}

// wantBoth checks two lines whose order doesn't matter, since they come on two streams.
func wantBoth(t *testing.T, got []string, a, b string) {
	t.Helper()
	if !slices.Contains(got, a) || !slices.Contains(got, b) {
		t.Errorf("got %q", got)
	}
}
