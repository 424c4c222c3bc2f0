package bridge

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

var refusedConnection = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func cancelLine(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}

// TestCancelWhileWaiting: a request that waits isn't sent any more once it is cancelled, the server hears nothing of the
// cancellation, and the client gets no answer (B36).
func TestCancelWhileWaiting(t *testing.T) {
	for name, tc := range map[string]struct {
		server stillServer
		change func(*Options)
		calls  int
	}{
		"because the server is busy": {func(_ *still, r *http.Request, _ message, _ int) *http.Response {
			return stillResponse(http.StatusTooManyRequests, "", "Retry-After", "2")
		}, func(*Options) {}, 1},
		"because the server is away": {func(*still, *http.Request, message, int) *http.Response { return nil }, func(*Options) {}, 1},
		"for consent": {func(_ *still, _ *http.Request, m message, _ int) *http.Response {
			return stillResponse(http.StatusUnauthorized, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x","data":{"authorizationUrl":"https://gw.example/consent"}}}`)
		}, func(o *Options) { o.Consent, o.Patience = &fakeFlow{}, time.Hour }, 1},
		"for the handshake": {nil, func(*Options) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
				switch {
				case m.is(methodToolsCall) && tc.server != nil:
					return tc.server(s, r, m, n)
				case m.is(methodInitialized) && tc.server == nil:
					time.Sleep(2 * time.Second)
				}
				return stillOrdinary("")(s, r, m, n)
			}, func(s *still) {
				s.handshake()
				s.say(call("1", "x"))
				s.wait(100 * time.Millisecond)
				s.say(cancelLine("1"))
				s.say(`{"jsonrpc":"2.0","id":"p","method":"tools/list"}`)
				s.wait(time.Minute)
				if got := s.lines(); len(got) != 1 || got[0] != `{"jsonrpc":"2.0","id":"p","result":{}}` {
					t.Errorf("%q", got)
				}
				if calls, told := len(s.got(methodToolsCall)), len(s.got(methodCancelled)); calls != tc.calls || told != 0 {
					t.Errorf("sent %d times, cancelled %d times", calls, told)
				}
			}, tc.change)
		})
	}
}

// TestCancelSecondTry: a request that is under way for the second time is cancelled as one that is for the first.
func TestCancelSecondTry(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		switch {
		case m.is(methodToolsCall) && n == 1:
			return stillResponse(http.StatusTooManyRequests, "", "Retry-After", "1")
		case m.is(methodToolsCall):
			return hang(r)
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.handshake()
		s.say(call("1", "x"))
		s.wait(2 * time.Second)
		s.say(cancelLine("1"))
		s.wait(time.Minute)
		s.order("tools/call", "tools/call", "notifications/cancelled")
		if got := s.lines(); got != nil {
			t.Errorf("%q", got)
		}
	})
}

// hangingCalls is a server that answers no call.
func hangingCalls(s *still, r *http.Request, m message, n int) *http.Response {
	if m.is(methodToolsCall) {
		return hang(r)
	}
	return stillOrdinary("")(s, r, m, n)
}

// TestManyCancels: the lead that a request has over its cancellation begins when it was sent, so many don't add up, and what the
// client says after them doesn't wait.
func TestManyCancels(t *testing.T) {
	inStill(t, hangingCalls, func(s *still) {
		s.handshake()
		var calls, cancels []string
		for i := range 100 {
			calls = append(calls, call(fmt.Sprint(i), "x"))
			cancels = append(cancels, cancelLine(fmt.Sprint(i)))
		}
		s.say(calls...)
		s.wait(time.Second)
		s.say(append(cancels, `{"jsonrpc":"2.0","id":"q","result":{}}`)...)
		s.wait(time.Minute)
		if got := s.got(methodCancelled); len(got) != 100 || got[99].at != time.Second {
			t.Errorf("%d cancellations, the last at %v", len(got), got[len(got)-1].at)
		}
		if got := s.got(`answer to "q"`); len(got) != 1 || got[0].at != time.Second {
			t.Errorf("%+v", got)
		}
	})
}

// TestCancelLead: a cancellation that comes at once waits for its request to be read.
func TestCancelLead(t *testing.T) {
	inStill(t, hangingCalls, func(s *still) {
		s.handshake()
		s.say(call("1", "x"))
		s.say(cancelLine("1"))
		s.wait(time.Minute)
		if got := s.got(methodCancelled); len(got) != 1 || got[0].at != cancelLead {
			t.Errorf("%+v", got)
		}
	})
}
