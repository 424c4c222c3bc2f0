package bridge

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestErrorBodyWithoutEnd: an HTTP error is an answer even if its body never ends.
func TestErrorBodyWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, server := io.Pipe()
		go io.WriteString(server, "oops")
		r := errorReply(&http.Response{StatusCode: 500, Body: body})
		if r.status != 500 || string(r.body) != "oops" {
			t.Errorf("%d %q", r.status, r.body)
		}
	})
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	z.Close()
	return b.String()
}

// TestEncodings: an answer that is compressed though nobody asked for that is read if it can be, whatever the case of the
// coding's name. Else it is an answer that can't be read, which is not the same as a server that can't be reached.
func TestEncodings(t *testing.T) {
	const result = `{"jsonrpc":"2.0","id":1,"result":{}}`
	const stream = "text/event-stream"
	for name, tc := range map[string]struct {
		coding, method, contentType, body string
		status                            int
		want                              []string
	}{
		"gzip":           {"gzip", "tools/call", "", zipped(result), 200, []string{result}},
		"GZIP":           {"GZIP", "tools/call", "", zipped(result), 200, []string{result}},
		"x-gzip":         {"X-Gzip", "tools/call", "", zipped(result), 200, []string{result}},
		"identity":       {"Identity", "tools/call", "", result, 200, []string{result}},
		"a stream":       {"x-gzip", "tools/call", stream, zipped("data: " + result + "\n\n"), 200, []string{result}},
		"br":             {"br", "tools/call", "", "x", 200, []string{`"no_answer"`, `"status":200`, `encoded as \"br\"`, "look before"}},
		"br, a list":     {"br", "tools/list", "", "x", 200, []string{`"no_answer"`, `"status":200`, `encoded as \"br\"`}},
		"br, a stream":   {"br", "tools/call", stream, "x", 200, []string{`"no_answer"`, `"status":200`, `encoded as \"br\"`}},
		"br, an error":   {"br", "tools/call", "", "x", 403, []string{`"http_status"`, `"status":403`}},
		"gzip, an error": {"GZIP", "tools/call", "", zipped("no entry"), 403, []string{`"http_status"`, `"status":403`, "no entry"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if m.is("ping") {
					ordinary(w, r, m)
					return
				}
				w.Header().Set("Content-Encoding", tc.coding)
				w.Header().Set("Content-Type", tc.contentType)
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			c := start(t, u.URL)
			c.send(`{"jsonrpc":"2.0","id":1,"method":"` + tc.method + `"}`)
			got := c.line()
			for _, part := range tc.want {
				if !strings.Contains(got, part) {
					t.Errorf("%s\nlacks %s", got, part)
				}
			}
			c.nothing()
			if n := len(u.got(tc.method)); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}
