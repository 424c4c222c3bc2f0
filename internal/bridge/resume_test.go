package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// primed sends the beginning of a stream that can be resumed at once.
func primed(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, "id: e-0\nretry: 1\ndata:\n\n")
}

// resuming starts a bridge to a server that answers calls with a primed stream, which then ends. n is the number of the try
// to resume it, from 1.
func resuming(t *testing.T, resumed func(w http.ResponseWriter, r *http.Request, n int)) (*client, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Header.Get("Last-Event-ID") != "":
			resumed(w, r, int(n.Add(1)))
		case m.is(methodToolsCall):
			primed(w)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	return c, &n
}

const resumedLine = `{"jsonrpc":"2.0","id":1,"result":{"resumed":true}}`

// TestResumeAgain: what passes by doesn't end the tries to resume a stream.
func TestResumeAgain(t *testing.T) {
	c, n := resuming(t, func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Retry-After", "0")
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler)
		case 4:
			primed(w) // no progress
		default:
			sendEvent(w, resumedLine)
		}
	})
	c.want(resumedLine)
	if n := n.Load(); n != 5 {
		t.Errorf("%d tries", n)
	}
}

// TestResumeGivenUp: a server that can't go on gets a few tries, one that refuses gets one.
func TestResumeGivenUp(t *testing.T) {
	for status, want := range map[int]int32{503: maxResumes, 429: maxResumes, 404: 1, 405: 1, 202: 1} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			c, n := resuming(t, func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
			})
			if got := c.line(); !strings.Contains(got, `"id":1`) || !strings.Contains(got, `"reason":"no_answer"`) {
				t.Error(got)
			}
			if n := n.Load(); n != want {
				t.Errorf("%d tries, want %d", n, want)
			}
		})
	}
}

// TestResumeProgress: tries are counted anew when a stream has brought something.
func TestResumeProgress(t *testing.T) {
	c, _ := resuming(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 3*maxResumes {
			sendEvent(w, resumedLine)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: e-%d\ndata:\n\n", n)
	})
	c.want(resumedLine)
}

// TestResumeInitialize: the session that the headers of an answer to initialize name is in force for its stream already.
func TestResumeInitialize(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Header.Get("Last-Event-ID") == "e-0" && r.Header.Get("Mcp-Session-Id") == "s-2":
			sendEvent(w, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
		case m.is(methodInitialize):
			w.Header().Set("Mcp-Session-Id", "s-2")
			primed(w)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.send(initLine)
	c.want(`{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
}

// TestEventTooLong: an event that is longer than anything may be is no cut. To resume its stream would bring it again.
func TestEventTooLong(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if !m.is(methodToolsCall) {
			ordinary(w, r, m)
			return
		}
		primed(w)
		fmt.Fprintf(w, "id: e-1\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"%s\"}\n\n", strings.Repeat("x", maxMessage))
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	if got := c.line(); !strings.Contains(got, `"reason":"too_long"`) || !strings.Contains(got, `"id":1`) {
		t.Error(got)
	}
	for _, r := range u.got("GET") {
		if r.header.Get("Last-Event-ID") != "" {
			t.Error("the stream was resumed")
		}
	}
}

// countedBody is the body of a stream that may not have been closed yet.
type countedBody struct {
	io.ReadCloser
	once func()
}

func (b countedBody) Close() error {
	b.once()
	return b.ReadCloser.Close()
}

// TestResumedStreamsAreClosed: of a call whose stream is resumed again and again only the last response stays open.
func TestResumedStreamsAreClosed(t *testing.T) {
	const polls = 20
	var n, open, most atomic.Int32
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Header.Get("Last-Event-ID") != "" && n.Add(1) == polls:
			sendEvent(w, resumedLine)
		case r.Header.Get("Last-Event-ID") != "":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "id: e-%d\ndata:\n\n", n.Load())
		case m.is(methodToolsCall):
			primed(w)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL, func(o *Options) {
		next := o.Client.Transport
		o.Client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && isStream(resp) {
				most.Store(max(most.Load(), open.Add(1)))
				resp.Body = countedBody{resp.Body, sync.OnceFunc(func() { open.Add(-1) })}
			}
			return resp, err
		})
	})
	c.send(call("1", "x"))
	c.want(resumedLine)
	if n := most.Load(); n > 2 {
		t.Errorf("%d responses were open at once", n)
	}
}

// pageFlow asks for consent wherever a page is named.
type pageFlow struct{ *fakeFlow }

func (f pageFlow) Find(_ context.Context, a Answer) (Flow, error) {
	if strings.Contains(string(a.Body), "authorizationUrl") {
		return f.fakeFlow, nil
	}
	return nil, nil
}

// TestNothingHeldBackWhileWaiting: what came before an answer that the user has to do something about is there while the user
// does it.
func TestNothingHeldBackWhileWaiting(t *testing.T) {
	const note = `{"jsonrpc":"2.0","method":"notifications/message"}`
	var calls atomic.Int32
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if m.is(methodToolsCall) && calls.Add(1) == 1 {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: "+note+"\n\n"+
				`data: {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x","data":{"authorizationUrl":"https://gw.example/consent"}}}`+"\n\n")
			return
		}
		ordinary(w, r, m)
	})
	flow := pageFlow{&fakeFlow{allow: make(chan struct{})}}
	c := start(t, u.URL, func(o *Options) { o.Consent = flow })
	c.initialize()
	c.send(call("1", "x"))
	c.want(note)
	close(flow.allow)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"echo":{"name":"x"}}}`)
}
