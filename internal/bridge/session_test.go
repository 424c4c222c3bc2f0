package bridge

import (
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
