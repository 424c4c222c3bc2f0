package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// agreed is a consent that is there as soon as it is asked for.
type agreed struct{}

func (a agreed) Find(_ context.Context, answer Answer) (Flow, error) {
	if strings.Contains(string(answer.Body), "consent") {
		return a, nil
	}
	return nil, nil
}
func (agreed) URL() string                 { return "https://gw.example/consent" }
func (agreed) Host() string                { return "gw.example" }
func (agreed) Detour() string              { return "" }
func (agreed) Await(context.Context) error { return nil }
func (agreed) Granted()                    {}

func wantConsent(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"consent"}}`, id)
}

// TestAnsweredElsewhereAgain: a call that is sent again has its second answer from the listening stream as it had the first.
func TestAnsweredElsewhereAgain(t *testing.T) {
	var answers chan string // of the bubble
	var calls atomic.Int32
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		switch {
		case r.Method == http.MethodGet:
			return streamOf(r, answers)
		case m.is(methodToolsCall) && calls.Add(1) == 1:
			answers <- wantConsent("1")
			return stillResponse(http.StatusAccepted, "")
		case m.is(methodToolsCall):
			answers <- elsewhereLine("1")
			return stillResponse(http.StatusAccepted, "")
		}
		return stillOrdinary("s")(s, r, m, n)
	}, func(s *still) {
		answers = make(chan string, 2)
		s.handshake()
		s.say(call("1", "x"))
		s.wait(time.Minute)
		if got := s.lines(); len(got) != 1 || got[0] != elsewhereLine("1") || calls.Load() != 2 {
			t.Errorf("%q after %d calls", got, calls.Load())
		}
	}, func(o *Options) { o.Consent = agreed{} })
}

// TestArrayIsSentOnce: an array of which a request has been answered isn't sent again, whatever comes after that.
func TestArrayIsSentOnce(t *testing.T) {
	var arrays atomic.Int32
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case m.is(methodInitialize):
			answer(w, m, `{"protocolVersion":"2025-03-26","capabilities":{}}`)
		case m.batch:
			arrays.Add(1)
			sendEvent(w, elsewhereLine("1"))
			sendEvent(w, wantConsent("null"))
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL, func(o *Options) { o.Consent = agreed{} })
	c.initialize()
	c.send("[" + call("1", "x") + "," + call("2", "x") + "]")
	if got := c.line(); got != elsewhereLine("1") {
		t.Errorf("got %s", got)
	}
	if got := c.line(); !strings.Contains(got, `"id":2,"error"`) {
		t.Errorf("got %s", got)
	}
	c.nothing()
	if n := arrays.Load(); n != 1 {
		t.Errorf("%d arrays", n)
	}
}

// TestResponsesInAnArray: a response to a known question goes on alone, to the session and with the id of that.
func TestResponsesInAnArray(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		switch {
		case r.Method == http.MethodGet:
			return openStream(r, `{"jsonrpc":"2.0","id":1,"method":"elicitation/create"}`)
		case m.is(methodInitialize):
			return stillResponse(http.StatusOK, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","capabilities":{}}}`, "Mcp-Session-Id", "s")
		}
		return stillOrdinary("s")(s, r, m, n)
	}, func(s *still) {
		s.say(initLine)
		s.say(initializedLine)
		s.say(`[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":7,"result":{}}]`)
		if got := s.got("answer to 1"); len(got) != 1 || got[0].session != "s" {
			t.Errorf("%+v", s.got(""))
		}
	})
}

// TestCancelWithoutID: a cancellation that says of nothing what it cancels ends no array.
func TestCancelWithoutID(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		switch {
		case m.batch:
			time.Sleep(time.Second)
			return stillResponse(http.StatusOK, "["+elsewhereLine("1")+"]")
		case m.is(methodInitialize):
			return stillResponse(http.StatusOK, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","capabilities":{}}}`)
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.handshake()
		s.say("["+call("1", "x")+"]", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}`)
		s.wait(time.Minute)
		if got := s.lines(); len(got) != 1 || !strings.Contains(got[0], `"id":1,"result"`) {
			t.Errorf("%q", got)
		}
	})
}

// TestTired: a server that turns one kind of message away holds up the others once, and not for each of these.
func TestTired(t *testing.T) {
	const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		if m.is(methodProgress) || m.is("notifications/roots/list_changed") {
			return stillResponse(http.StatusTooManyRequests, "", "Retry-After", "8")
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.handshake()
		began := time.Since(s.began)
		s.say(progress, rootsChanged, rootsChanged, rootsChanged, answerToQ)
		s.wait(5 * time.Minute)
		got := s.got(`answer to "q"`)
		if len(got) != 1 || got[0].at-began > orderedTime {
			t.Errorf("%+v", got)
		}
		if n := len(s.got(methodProgress)); n != 1 {
			t.Errorf("progress was sent %d times", n)
		}
	})
}

// TestUnreadRequest: the cancellation of a request that the server doesn't read ends that, and what comes behind it goes on.
func TestUnreadRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := false
		a := &attempt{stop: func() { stopped = true }, sent: make(chan struct{}), heard: make(chan struct{})}
		began := time.Now()
		if a.awaitLead(t.Context()) || !stopped || time.Since(began) != orderedTime {
			t.Errorf("stopped %v after %v", stopped, time.Since(began))
		}
	})
}

// streamOf is a response that is a stream of what comes out of events, until the end of the request.
func streamOf(r *http.Request, events <-chan string) *http.Response {
	read, write := io.Pipe()
	go func() {
		for {
			select {
			case e := <-events:
				fmt.Fprintf(write, "data: %s\n\n", e)
			case <-r.Context().Done():
				write.CloseWithError(r.Context().Err())
				return
			}
		}
	}()
	resp := stillResponse(http.StatusOK, "", "Content-Type", "text/event-stream")
	resp.Body = read
	return resp
}
