package bridge

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestOldTransport: a server that speaks HTTP+SSE is named as such, where the client would be told of a 404 otherwise.
func TestOldTransport(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		event  string
		old    bool
	}{
		{"404", 404, "Cannot POST /sse", "endpoint", true},
		{"405", 405, "", "endpoint", true},
		{"400", 400, "<html>", "endpoint", true},
		{"403", 403, "", "endpoint", false},
		{"404 in JSON-RPC", 404, `{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"no"}}`, "endpoint", false},
		{"a stream of another kind", 404, "", "message", false},
		{"no stream", 404, "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if r.Method == http.MethodGet && tc.event != "" {
					w.Header().Set("Content-Type", "text/event-stream")
					fmt.Fprintf(w, "event: %s\ndata: /messages?sessionId=1\n\n", tc.event)
					return
				}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			c := start(t, u.URL)
			c.send(initLine)
			got := c.line()
			if old := strings.Contains(got, `"reason":"old_transport"`) && strings.Contains(got, "HTTP+SSE"); old != tc.old {
				t.Error(got)
			}
			c.send(call("1", "x")) // only initialize is worth a second look
			c.line()
			if n := len(u.got("GET")); n > 1 {
				t.Errorf("%d times GET", n)
			}
		})
	}
}
