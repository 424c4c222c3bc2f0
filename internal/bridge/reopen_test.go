package bridge

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const listenFilter = `"notifications":{"toolsListChanged":true,"resourceSubscriptions":["file:///a"]}`

// listening answers subscriptions/listen try by try.
func listening(t *testing.T, tries ...handler) *upstream {
	var n atomic.Int32
	return newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		if !m.is(methodListen) {
			ordinary(w, r, m)
			return
		}
		tries[min(int(n.Add(1)), len(tries))-1](w, r, m)
	})
}

func acked(w http.ResponseWriter, r *http.Request, m message) { acknowledge(w, m) }

const (
	ackLine     = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["file:///a"]}}}`
	changedLine = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"}}}`
	updatedLine = `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"uri":"file:///a"}}`
)

// TestListenReopened: a stream of notifications that breaks is opened again with the same body. The client sees one
// acknowledgement, and learns what it may have missed.
func TestListenReopened(t *testing.T) {
	u := listening(t,
		acked,
		func(w http.ResponseWriter, r *http.Request, m message) { w.WriteHeader(502) },
		func(w http.ResponseWriter, r *http.Request, m message) {
			acknowledge(w, m)
			sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete"}}`, m.id))
		})
	c := start(t, u.URL)
	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(ackLine)
	c.want(changedLine)
	c.want(updatedLine)
	c.want(`{"jsonrpc":"2.0","id":"s","result":{"resultType":"complete"}}`)
	c.nothing()
	got := u.got(methodListen)
	if len(got) != 3 || got[0].body != got[1].body || got[0].body != got[2].body {
		t.Errorf("%+v", got)
	}
	if first, second := got[1].at.Sub(got[0].at), got[2].at.Sub(got[1].at); first < 300*time.Millisecond || second < 700*time.Millisecond {
		t.Errorf("pauses of %v and %v", first, second)
	}
}

// TestListenReopenedDifferently: an acknowledgement of something else is for the client to know.
func TestListenReopenedDifferently(t *testing.T) {
	const less = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{"toolsListChanged":true}}}`
	u := listening(t, acked, func(w http.ResponseWriter, r *http.Request, m message) {
		sendEvent(w, less)
		<-r.Context().Done()
	})
	c := start(t, u.URL)
	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(ackLine)
	c.want(less)
	c.want(changedLine)
	c.nothing()
}

// TestListenGivenUp: a stream that was there and can't be had again ends by a cancellation, the only one that a server may
// send; one that never was there by an error.
func TestListenGivenUp(t *testing.T) {
	gone := func(w http.ResponseWriter, r *http.Request, m message) { refuse(w, m, 404, -32601, "") }
	c := start(t, listening(t, acked, gone).URL)
	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(ackLine)
	if got := c.line(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s","reason":"mcpctl: `) || !strings.Contains(got, "404") {
		t.Error(got)
	}
	c.nothing()

	c = start(t, listening(t, gone).URL)
	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(`{"jsonrpc":"2.0","id":"s","error":{"code":-32601,"message":"no"}}`)
	c.nothing()
}

// TestListenEnds: neither a client that has had enough of it, nor one that leaves, is kept waiting by such a stream (B36, B52).
func TestListenEnds(t *testing.T) {
	u := listening(t, func(w http.ResponseWriter, r *http.Request, m message) {
		acknowledge(w, m)
		<-r.Context().Done()
	})
	c := start(t, u.URL)
	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(ackLine)
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s"}}`)
	c.nothing()
	if n := len(u.got(methodCancelled)); n != 0 {
		t.Errorf("%d notifications/cancelled were posted", n)
	}

	c.send(modern(`"s"`, methodListen, listenFilter))
	c.want(ackLine)
	began := time.Now()
	c.in.Close()
	if err := <-c.done; err != nil || time.Since(began) > drainTime/2 {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	c.done <- nil
}

// TestListenPause: pauses grow while nothing gets better, and shrink after a stream that lived.
func TestListenPause(t *testing.T) {
	s := &subscription{}
	last := time.Duration(0)
	for range 4 {
		p := s.pause()
		if p <= last {
			t.Errorf("%v after %v", p, last)
		}
		last = p
	}
	s.granted, s.grantedAt, s.failed = []byte("{}"), time.Now(), 0
	if p := s.pause(); p <= last {
		t.Errorf("%v after a short stream, and %v before", p, last)
	}
	s.grantedAt, s.failed = time.Now().Add(-time.Minute), 0
	if p := s.pause(); p > time.Second {
		t.Errorf("%v after a long stream", p)
	}
	for range 100 {
		if p := s.pause(); p > 30*time.Second {
			t.Fatal(p)
		}
	}
}
