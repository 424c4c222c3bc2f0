package bridge

import (
	"net/http"
	"testing"
	"time"
)

const (
	rootsChanged = `{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`
	answerToQ    = `{"jsonrpc":"2.0","id":"q","result":{}}`
)

// TestRepeatedMessages: what the client says is sent again, in its order, if the server has turned it away unprocessed, and else not.
func TestRepeatedMessages(t *testing.T) {
	for name, tc := range map[string]struct {
		first  func(r *http.Request) *http.Response
		repeat bool
	}{
		"429":                  {func(*http.Request) *http.Response { return stillResponse(429, "", "Retry-After", "1") }, true},
		"503 with a time":      {func(*http.Request) *http.Response { return stillResponse(503, "", "Retry-After", "1") }, true},
		"a refused connection": {func(*http.Request) *http.Response { return nil }, true},
		"503":                  {func(*http.Request) *http.Response { return stillResponse(503, "") }, false},
		"502":                  {func(*http.Request) *http.Response { return stillResponse(502, "") }, false},
		"429 for long":         {func(*http.Request) *http.Response { return stillResponse(429, "", "Retry-After", "60") }, false},
		"silence":              {hang, false},
	} {
		t.Run(name, func(t *testing.T) {
			inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
				if (m.is("notifications/roots/list_changed") || m.isResponse()) && n == 1 {
					return tc.first(r)
				}
				return stillOrdinary("")(s, r, m, n)
			}, func(s *still) {
				s.handshake()
				s.say(rootsChanged, answerToQ)
				s.wait(2 * time.Minute)
				if changed, answer := "notifications/roots/list_changed", `answer to "q"`; tc.repeat {
					s.order(changed, changed, answer, answer)
				} else {
					s.order(changed, answer)
				}
			})
		})
	}
}

// TestInitializedRepeated: no request overtakes notifications/initialized because a server was busy (B35).
func TestInitializedRepeated(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		if m.is(methodInitialized) && n == 1 {
			return stillResponse(503, "", "Retry-After", "1")
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.say(initLine)
		s.say(initializedLine, call("1", "x"))
		s.wait(time.Minute)
		s.order(methodInitialized, methodToolsCall)
	})
}

// TestStreamForNotification: a server that answers a notification with a stream, and leaves it open, holds nothing up.
func TestStreamForNotification(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		if m.is("notifications/roots/list_changed") || m.is(methodInitialized) {
			return openStream(r)
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.handshake()
		s.say(rootsChanged, answerToQ)
		s.say(call("1", "x"))
		s.wait(time.Minute)
		for _, a := range s.got("") {
			if a.at != 0 {
				t.Errorf("%s came after %v", a.what, a.at)
			}
		}
	})
}
