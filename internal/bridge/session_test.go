package bridge

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestInitializeInTime: an initialize that isn't answered ends in an error after its time, however often it was tried.
func TestInitializeInTime(t *testing.T) {
	for name, tc := range map[string]struct {
		first func(r *http.Request) *http.Response
		posts int
	}{
		"silence": {hang, 1},
		"a cut, then silence": {func(*http.Request) *http.Response {
			time.Sleep(20 * time.Second)
			return stillResponse(502, "")
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
				if n == 1 {
					return tc.first(r)
				}
				return hang(r)
			}, func(s *still) {
				s.say(initLine)
				s.wait(initializeTime - time.Second)
				if got := s.lines(); got != nil {
					t.Errorf("early: %q", got)
				}
				s.wait(time.Second)
				if got := s.lines(); len(got) != 1 || !strings.Contains(got[0], `"reason":"timeout"`) {
					t.Errorf("%q", got)
				}
				s.wait(10 * time.Minute)
				if n := len(s.got(methodInitialize)); n != tc.posts {
					t.Errorf("sent %d times, want %d", n, tc.posts)
				}
			})
		})
	}
}

// TestRenewalOrder: in a new session nothing overtakes what brings it to where the old one was, and nobody who gives up takes the
// session from the others.
func TestRenewalOrder(t *testing.T) {
	for name, cancelled := range map[string]bool{"all wait": false, "the first gives up": true} {
		t.Run(name, func(t *testing.T) {
			inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
				session := r.Header.Get("Mcp-Session-Id")
				switch {
				case m.is(methodInitialize):
					return stillOrdinary(fmt.Sprintf("s-%d", n))(s, r, m, n)
				case session == "s-1" && m.is(methodToolsCall):
					return stillResponse(http.StatusNotFound, "")
				case session == "s-2" && m.is(methodInitialized):
					select {
					case <-time.After(2 * time.Second):
					case <-r.Context().Done():
					}
				}
				return stillOrdinary("")(s, r, m, n)
			}, func(s *still) {
				s.handshake()
				s.say(call("1", "x"))
				s.wait(time.Second)
				s.say(call("2", "x"))
				if cancelled {
					s.say(cancelLine("1"))
				}
				s.wait(500 * time.Millisecond)
				s.order("tools/call@s-1", "initialize@", "notifications/initialized@s-2", "tools/call@s-1")
				s.wait(time.Second)
				if got := s.got(methodToolsCall)[2:]; len(got) == 0 || got[0].session != "s-2" || got[0].at != 2*time.Second {
					t.Errorf("%+v", got)
				}
				if got := s.lines(); cancelled != (len(got) == 1) || !strings.Contains(strings.Join(got, " "), `"id":2,"result"`) {
					t.Errorf("%q", got)
				}
			})
		})
	}
}

// TestReplayInStreams: what the client had set up is there again before its requests are, also at a server that answers in streams.
func TestReplayInStreams(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		session := r.Header.Get("Mcp-Session-Id")
		switch {
		case m.is(methodInitialize):
			return stillOrdinary(fmt.Sprintf("s-%d", n))(s, r, m, n)
		case session == "s-1" && m.is(methodToolsCall):
			return stillResponse(http.StatusNotFound, "")
		case session == "s-2" && m.is("logging/setLevel"):
			read, write := io.Pipe()
			go func() {
				time.Sleep(time.Second)
				fmt.Fprintf(write, "data: %s\n\n", response(m.id, []byte("{}")))
				write.Close()
			}()
			resp := stillResponse(http.StatusOK, "", "Content-Type", "text/event-stream")
			resp.Body = read
			return resp
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.handshake()
		s.say(`{"jsonrpc":"2.0","id":"l","method":"logging/setLevel","params":{"level":"info"}}`)
		s.say(call("1", "x"))
		s.wait(time.Minute)
		if got := s.got(methodToolsCall); len(got) != 2 || got[1].session != "s-2" || got[1].at != time.Second {
			t.Errorf("%+v", got)
		}
	})
}

// TestBusyAfterTheHandshake: the time that a request had to wait for its turn isn't taken from the tries.
func TestBusyAfterTheHandshake(t *testing.T) {
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		switch {
		case m.is(methodInitialize):
			time.Sleep(50 * time.Second)
		case m.is(methodToolsCall) && n == 1:
			return stillResponse(429, "", "Retry-After", "1")
		}
		return stillOrdinary("")(s, r, m, n)
	}, func(s *still) {
		s.say(initLine, initializedLine, call("1", "x"))
		s.wait(time.Minute)
		if got := s.lines(); len(got) != 2 || got[1] != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("%q", got)
		}
	})
}

// TestBegunAnew: a client that initializes once more leaves no session behind, whatever is under way.
func TestBegunAnew(t *testing.T) {
	const second = `{"jsonrpc":"2.0","id":"second","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`
	for name, tc := range map[string]struct {
		late  string // what is answered late
		first []string
	}{
		"a call in flight":            {methodToolsCall, []string{initLine, initializedLine, call("1", "x")}},
		"an initialize in flight":     {methodInitialize, []string{initLine}},
		"a renewal in flight":         {methodInitialized, []string{initLine, initializedLine, call(`"lost"`, "x")}},
		"an initialize that is there": {"", []string{initLine}},
	} {
		t.Run(name, func(t *testing.T) {
			live := map[string]bool{}
			inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
				session := r.Header.Get("Mcp-Session-Id")
				if late := m.is(tc.late) && n == 1; late && !m.is(methodInitialized) || m.is(tc.late) && session == "s-2" {
					time.Sleep(time.Second)
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				switch {
				case m.is(methodInitialize):
					session = fmt.Sprintf("s-%d", n)
					live[session] = true
					return stillOrdinary(session)(s, r, m, n)
				case r.Method == http.MethodDelete:
					delete(live, session)
				case session != "" && !live[session], string(m.id) == `"lost"` && session == "s-1":
					return stillResponse(http.StatusNotFound, "")
				}
				return stillOrdinary("")(s, r, m, n)
			}, func(s *still) {
				for _, line := range tc.first {
					s.say(line)
				}
				s.wait(100 * time.Millisecond)
				s.say(second)
				s.wait(time.Minute)
				if len(live) != 1 {
					t.Errorf("sessions at the server: %v", live)
				}
				requests := 0
				for _, line := range append(tc.first, second) {
					if strings.Contains(line, `"id"`) {
						requests++
					}
				}
				if got := s.lines(); len(got) != requests {
					t.Errorf("%q", got)
				}
			})
			if len(live) != 0 {
				t.Errorf("at the end: %v", live)
			}
		})
	}
}
