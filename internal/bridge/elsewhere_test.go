package bridge

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// accepting is a server that only accepts calls (202), before it goes on with accepted, and has a listening stream for which
// listen is called with the number of the GET, from 1.
func accepting(t *testing.T, listen func(w http.ResponseWriter, r *http.Request, n int), accepted func(m message)) *client {
	t.Helper()
	var n atomic.Int32
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Method == http.MethodGet:
			listen(w, r, int(n.Add(1)))
		case m.is(methodToolsCall):
			w.WriteHeader(http.StatusAccepted)
			w.(http.Flusher).Flush()
			accepted(m)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	return c
}

// opened begins a stream without saying anything.
func opened(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
}

func elsewhereLine(id string) string { return `{"jsonrpc":"2.0","id":` + id + `,"result":{}}` }

// unanswerable checks that the call id has an error: no answer can come any more.
func unanswerable(t *testing.T, got, id string) {
	t.Helper()
	if !strings.Contains(got, `"id":`+id+`,`) || !strings.Contains(got, `"reason":"no_answer"`) {
		t.Errorf("got %s", got)
	}
}

// TestAnsweredElsewhere: each of many calls has the answer that comes on the listening stream, though the client uses one id twice.
func TestAnsweredElsewhere(t *testing.T) {
	answers := make(chan string, 10)
	c := accepting(t, func(w http.ResponseWriter, r *http.Request, n int) {
		opened(w)
		for {
			select {
			case line := <-answers:
				sendEvent(w, line)
			case <-r.Context().Done():
				return
			}
		}
	}, func(m message) { answers <- elsewhereLine(string(m.id)) })
	c.send(call("1", "x"), call(`"1"`, "x"), call("2", "x"), call("2", "x"))
	got := map[string]int{}
	for range 4 {
		got[c.line()]++
	}
	if got[elsewhereLine("1")] != 1 || got[elsewhereLine(`"1"`)] != 1 || got[elsewhereLine("2")] != 2 {
		t.Errorf("got %v", got)
	}
	c.nothing()
}

// TestAnsweredElsewhereBefore: the answer may be there before the server has said that it accepts the request.
func TestAnsweredElsewhereBefore(t *testing.T) {
	arrived, read := make(chan bool), make(chan bool)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case r.Method == http.MethodGet:
			opened(w)
			<-arrived
			sendEvent(w, "["+elsewhereLine("1")+"]")
			sendEvent(w, noteLine)
			<-r.Context().Done()
		case m.is(methodToolsCall):
			arrived <- true
			<-read
			w.WriteHeader(http.StatusAccepted)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	c.want(noteLine) // it came after the answer
	close(read)
	c.want(elsewhereLine("1"))
	c.nothing()
}

// TestNoAnswerElsewhere: when the stream has ended for good, so has the wait for an answer on it.
func TestNoAnswerElsewhere(t *testing.T) {
	end := make(chan bool)
	c := accepting(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 1 {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		opened(w)
		<-end
		time.Sleep(100 * time.Millisecond) // else the call may not wait yet, and prove less
	}, func(message) { close(end) })
	c.send(call("1", "x"))
	unanswerable(t, c.line(), "1")
	c.nothing()
}

// TestAnsweredByPolling: the stream of a server that polls ends all the time, and brings the answer when it is there. The time
// that it has named once stays in force.
func TestAnsweredByPolling(t *testing.T) {
	var accepted atomic.Int32 // when accepted, the number of GETs until then
	var gets atomic.Int32
	c := accepting(t, func(w http.ResponseWriter, r *http.Request, n int) {
		gets.Store(int32(n))
		w.Header().Set("Content-Type", "text/event-stream")
		if n == 1 {
			io.WriteString(w, "retry: 5\n")
		}
		fmt.Fprintf(w, "id: %d\ndata:\n\n", n)
		if at := accepted.Load(); at > 0 && n > int(at)+3 {
			sendEvent(w, elsewhereLine("1"))
			<-r.Context().Done()
		}
	}, func(message) { accepted.Store(gets.Load()) })
	c.send(call("1", "x"))
	c.want(elsewhereLine("1"))
	c.nothing()
}

// TestNoAnswerAfterSession: a request whose session is replaced gets no answer on that session's stream any more, and what the
// stream of the session before was says nothing about the next one's.
func TestNoAnswerAfterSession(t *testing.T) {
	var mu sync.Mutex
	session := "s-1"
	current := func() string { mu.Lock(); defer mu.Unlock(); return session }
	waits := make(chan bool, 2)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		of := r.Header.Get("Mcp-Session-Id")
		switch {
		case m.is(methodInitialize):
			w.Header().Set("Mcp-Session-Id", current())
			answer(w, m, `{"protocolVersion":"2025-06-18","capabilities":{}}`)
		case r.Method == http.MethodGet && of == "s-1":
			opened(w)
			<-r.Context().Done()
		case r.Method == http.MethodPost && of != current():
			w.WriteHeader(http.StatusNotFound)
		case m.is(methodToolsCall) && string(m.id) != "2":
			w.WriteHeader(http.StatusAccepted)
			waits <- true
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(call("1", "x"))
	<-waits
	mu.Lock()
	session = "s-2"
	mu.Unlock()
	c.send(call("2", "x")) // for which the session is renewed
	got := []string{c.line(), c.line()}
	if strings.Contains(got[0], `"id":2`) {
		got[0], got[1] = got[1], got[0]
	}
	unanswerable(t, got[0], "1")
	if !strings.Contains(got[1], `"id":2,"result"`) {
		t.Error(got[1])
	}
	c.send(call("3", "x")) // in the new session, which has no stream
	unanswerable(t, c.line(), "3")
	c.nothing()
}

// TestListenerPause: a stream that an answer is expected on is opened again soon, a few times; else what it was worth counts.
func TestListenerPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls, open := position{retry: 3 * time.Second}, func(over <-chan struct{}) bool {
			select {
			case <-over:
				return false
			default:
				return true
			}
		}
		for _, tc := range []struct {
			name     string
			expected bool
			at       position
			lasted   time.Duration
			failed   int
			want     time.Duration // less a quarter
			open     bool
		}{
			{"it lasted", false, position{}, 2 * time.Minute, 0, defaultRetry, true},
			{"it lasted for a while", false, position{}, time.Minute, 0, listenPause, false},
			{"it broke", false, position{}, time.Millisecond, 1, listenPause, false},
			{"it can't be had", false, position{}, 0, 1, listenPause, false},
			{"the server polls", false, polls, time.Millisecond, 0, 3 * time.Second, true},
			{"the server polls, and is away", false, polls, 0, 1, listenPause, false},
			{"expected, it lasted", true, position{}, 2 * time.Minute, 0, defaultRetry, true},
			{"expected, it lasted for a while", true, position{}, time.Minute, 0, defaultRetry, true},
			{"expected, it broke", true, position{}, time.Millisecond, 1, defaultRetry, true},
			{"expected, it broke again", true, position{}, time.Millisecond, 3, 4 * defaultRetry, true},
			{"expected, it can't be had", true, position{}, 0, 2, 2 * defaultRetry, true},
			{"expected, and given up", true, position{}, 0, maxResumes + 1, listenPause, false},
			{"expected, the server polls", true, polls, time.Millisecond, 0, 3 * time.Second, true},
			{"expected, the server polls, and is away", true, polls, 0, 1, 3 * time.Second, true},
		} {
			l := newListener(nil, nil)
			l.settle()
			l.opened()
			over := l.over
			if tc.expected {
				l.expect()
			}
			if got := l.pause(tc.at, tc.lasted, tc.failed); got < tc.want*3/4 || got > tc.want*5/4 || open(over) != tc.open {
				t.Errorf("%s: pause %s, open %v", tc.name, got, open(over))
			}
			if open(over) != open(l.expect()) {
				t.Errorf("%s: it ended for some", tc.name)
			}
			if l.shut(); open(over) {
				t.Errorf("%s: open after its end", tc.name)
			}
			if l.opened(); !open(l.expect()) {
				t.Errorf("%s: not open again", tc.name)
			}
		}
	})
}
