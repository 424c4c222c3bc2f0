package bridge

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	one      = `{"jsonrpc":"2.0","id":1,"result":{}}`
	two      = `{"jsonrpc":"2.0","id":"zwei ü","result":{}}`
	noteLine = `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`
)

// batched starts a bridge to a server of a revision, and sends it a line.
func batched(t *testing.T, version, line string, h handler) (*client, *upstream) {
	t.Helper()
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case m.is(methodInitialize):
			answer(w, m, `{"protocolVersion":"`+version+`","capabilities":{}}`)
		case r.Method == http.MethodPost && (m.batch || m.is(methodToolsCall)):
			h(w, r, m)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(line)
	return c, u
}

// TestBatchesAreAnswered: each request of an array gets one answer, whatever happens to the array.
func TestBatchesAreAnswered(t *testing.T) {
	status := func(status int, body string) handler {
		return func(w http.ResponseWriter, r *http.Request, m message) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	stream := func(events ...string) handler {
		return func(w http.ResponseWriter, r *http.Request, m message) {
			for _, e := range events {
				sendEvent(w, e)
			}
		}
	}
	const refusal = `{"jsonrpc":"2.0","error":{"code":-32600,"message":"no batches"},"id":null}`
	const escaped = `[` + one + `,{"jsonrpc":"2.0","id":"zwei \u00fc","result":{}}]`
	reset := func(http.ResponseWriter, *http.Request, message) { panic(http.ErrAbortHandler) }
	refused := []string{strings.Replace(refusal, "null", "1", 1), strings.Replace(refusal, "null", `"zwei ü"`, 1)}
	for name, tc := range map[string]struct {
		h    handler
		want []string // whole lines, or "failed REASON ID"
	}{
		"500":                     {status(500, "oops"), []string{"failed http_status 1", `failed http_status "zwei ü"`}},
		"202":                     {status(202, ""), []string{"failed no_answer 1", `failed no_answer "zwei ü"`}},
		"an error, 400":           {status(400, refusal), refused},
		"an error, 200":           {status(200, refusal), refused},
		"an error on a stream":    {stream(refusal), refused},
		"a reset":                 {reset, []string{"failed unreachable 1", `failed unreachable "zwei ü"`}},
		"HTML":                    {status(200, "<html>"), []string{"failed bad_answer 1", `failed bad_answer "zwei ü"`}},
		"a stream, in part":       {stream(noteLine, two), []string{noteLine, two, "failed no_answer 1"}},
		"an array, in part":       {status(200, "["+one+"]"), []string{"[" + one + "]", `failed no_answer "zwei ü"`}},
		"one of two":              {status(200, one), []string{one, `failed no_answer "zwei ü"`}},
		"a stream with an array":  {stream("[" + two + ",\ndata: " + one + "]"), []string{"[" + two + "," + one + "]"}},
		"a stream with one each":  {stream("["+two+"]", one), []string{"[" + two + "]", one}},
		"an id in other letters":  {status(200, escaped), []string{escaped}},
		"an array with something": {status(200, `[1,`+one+`,[],`+two+`]`), []string{one, two}},
		"an array with nothing":   {status(200, `[]`), []string{"failed no_answer 1", `failed no_answer "zwei ü"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, u := batched(t, "2025-03-26", "["+call("1", "x")+","+noteLine+","+call(`"zwei ü"`, "x")+"]", tc.h)
			for _, want := range tc.want {
				got := c.line()
				if rest, failed := strings.CutPrefix(want, "failed "); failed {
					reason, id, _ := strings.Cut(rest, " ")
					if !strings.Contains(got, `"id":`+id+`,`) || !strings.Contains(got, `"reason":"`+reason+`"`) {
						t.Errorf("got %s\nwant %s", got, want)
					}
				} else if got != want {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
			c.nothing()
			posts := u.all()
			if n := len(slices.DeleteFunc(posts, func(s seen) bool { return !strings.HasPrefix(s.body, "[") })); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestBatchWithoutRequests: nobody answers notifications and responses (2025-03-26: 202 without a body).
func TestBatchWithoutRequests(t *testing.T) {
	for _, status := range []int{202, 200, 204, 500} {
		arrived := make(chan bool)
		c, _ := batched(t, "2025-03-26", "["+noteLine+`,{"jsonrpc":"2.0","id":"s","result":{}}]`,
			func(w http.ResponseWriter, r *http.Request, m message) {
				w.WriteHeader(status)
				arrived <- true
			})
		<-arrived
		c.in.Close()
		for line := range c.lines {
			t.Errorf("%d: %s", status, line)
		}
	}
}

// TestBatchAtTheEnd: the requests of an array that is under way have their answers when the bridge ends.
func TestBatchAtTheEnd(t *testing.T) {
	arrived := make(chan bool)
	c, _ := batched(t, "2025-03-26", "["+call("1", "x")+","+call("2", "x")+"]",
		func(w http.ResponseWriter, r *http.Request, m message) {
			arrived <- true
			<-r.Context().Done()
		})
	<-arrived
	c.stop()
	for _, id := range []string{"1", "2"} {
		if got := c.line(); !strings.Contains(got, `"id":`+id+`,`) || !strings.Contains(got, `"reason":"ended"`) {
			t.Error(got)
		}
	}
}

// TestArraysOnStreams: a client of revision 2025-03-26 gets arrays as they are, any other gets one line for each message; and
// in either case the answer in one is the answer.
func TestArraysOnStreams(t *testing.T) {
	const refusal = `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`
	const both = "[" + noteLine + "," + one + "]"
	for name, tc := range map[string]struct {
		events       []string
		whole, split []string // what clients get that take arrays, and others
	}{
		"an answer": {[]string{both}, []string{both}, []string{noteLine, one}},
		"messages before it": {[]string{"[" + noteLine + "," + noteLine + "]", one},
			[]string{"[" + noteLine + "," + noteLine + "]", one}, []string{noteLine, noteLine, one}},
		"messages after it":  {[]string{one, "[" + noteLine + "]"}, []string{one, "[" + noteLine + "]"}, []string{one, noteLine}},
		"an answer after it": {[]string{one, both}, []string{one, noteLine}, []string{one, noteLine}},
		"an error":           {[]string{"[" + noteLine + "," + refusal + "]"}, []string{noteLine, refusal}, []string{noteLine, refusal}},
		"an answer without its id": {[]string{`[{"jsonrpc":"2.0","id":null,"result":{}},` + noteLine + "]"},
			[]string{noteLine, one}, []string{noteLine, one}},
		"several lines": {[]string{"[" + noteLine + ",\ndata: " + one + "]"}, []string{both}, []string{noteLine, one}},
		"nothing in it": {[]string{"[]", one}, []string{one}, []string{one}},
	} {
		for version, want := range map[string][]string{"2025-03-26": tc.whole, "2025-06-18": tc.split} {
			t.Run(name+", "+version, func(t *testing.T) {
				t.Parallel()
				c, _ := batched(t, version, call("1", "x"), func(w http.ResponseWriter, r *http.Request, m message) {
					for _, e := range tc.events {
						sendEvent(w, e)
					}
				})
				for _, line := range want {
					c.want(line)
				}
				c.nothing()
			})
		}
	}
}

// TestArraysInJSON: a server that answers one request by an array is understood as well where it doesn't stream.
func TestArraysInJSON(t *testing.T) {
	for version, want := range map[string][]string{
		"2025-03-26": {"[" + noteLine + "," + one + "]"}, "2025-06-18": {noteLine, one},
	} {
		c, _ := batched(t, version, call("1", "x"), func(w http.ResponseWriter, r *http.Request, m message) {
			fmt.Fprintf(w, "[%s,\n%s]", noteLine, one)
		})
		for _, line := range want {
			c.want(line)
		}
		c.nothing()
	}
}

// TestArraysWhileListening: the same holds for the stream of the server's own messages.
func TestArraysWhileListening(t *testing.T) {
	const question = `{"jsonrpc":"2.0","id":"q","method":"roots/list"}`
	for version, want := range map[string][]string{
		"2025-03-26": {"[" + noteLine + "," + question + "]", noteLine}, "2025-06-18": {noteLine, question, noteLine},
	} {
		u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
			switch {
			case m.is(methodInitialize):
				w.Header().Set("Mcp-Session-Id", "s-1")
				answer(w, m, `{"protocolVersion":"`+version+`","capabilities":{}}`)
			case r.Method == http.MethodGet:
				sendEvent(w, "["+noteLine+","+question+"]")
				sendEvent(w, "["+noteLine+","+one+"]") // an answer that nobody waits for
				<-r.Context().Done()
			default:
				ordinary(w, r, m)
			}
		})
		c := start(t, u.URL)
		c.initialize()
		for _, line := range want {
			c.want(line)
		}
		c.nothing()
	}
}
