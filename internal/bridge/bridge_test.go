package bridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// upstream is a scripted MCP server: it records what arrives and answers as a test tells it.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
}

type seen struct {
	method string // HTTP
	rpc    string // JSON-RPC
	header http.Header
	body   string
	at     time.Time
}

// handler answers one request; body is what arrived, m the same parsed.
type handler func(w http.ResponseWriter, r *http.Request, m message)

func newUpstream(t *testing.T, h handler) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, _ := parse(body)
		u.mu.Lock()
		u.requests = append(u.requests, seen{r.Method, unquote(m.method), r.Header.Clone(), string(body), time.Now()})
		u.mu.Unlock()
		h(w, r, m)
	}))
	t.Cleanup(u.Close)
	return u
}

// all returns everything that arrived.
func (u *upstream) all() []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.requests)
}

// got returns what arrived with the JSON-RPC method rpc, or with the HTTP method rpc.
func (u *upstream) got(rpc string) []seen {
	var list []seen
	for _, r := range u.all() {
		if r.rpc == rpc || r.method == rpc {
			list = append(list, r)
		}
	}
	return list
}

// ordinary answers as an ordinary legacy server with sessions does, in JSON.
func ordinary(w http.ResponseWriter, r *http.Request, m message) {
	switch {
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodDelete:
	case m.id == nil || m.isResponse():
		w.WriteHeader(http.StatusAccepted)
	case m.is(methodInitialize):
		w.Header().Set("Mcp-Session-Id", "s-1")
		answer(w, m, `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"u","version":"1"}}`)
	default:
		answer(w, m, fmt.Sprintf(`{"echo":%s}`, orNull(m.params)))
	}
}

func orNull(b []byte) []byte {
	if b == nil {
		return []byte("null")
	}
	return b
}

func answer(w http.ResponseWriter, m message, result string) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.id, result)
}

func sendEvent(w http.ResponseWriter, data string) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "event: message\ndata: %s\n\n", data)
	w.(http.Flusher).Flush()
}

// client is the AI client's end of a running bridge.
type client struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	done  chan error
	stop  context.CancelFunc
}

func start(t *testing.T, address string, change ...func(*Options)) *client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	httpClient, err := web.New(web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	o := Options{In: inR, Out: outW, URL: u, Client: httpClient}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{t: t, in: inW, lines: make(chan string, 1000), done: make(chan error, 1), stop: cancel}
	go func() {
		c.done <- Run(ctx, o)
		outW.Close()
	}()
	go func() {
		r := bufio.NewReader(outR)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				close(c.lines)
				return
			}
			c.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	t.Cleanup(func() {
		cancel()
		inW.Close()
		select {
		case <-c.done:
		case <-time.After(20 * time.Second):
			t.Error("the bridge didn't end")
		}
		httpClient.CloseIdleConnections()
	})
	return c
}

func (c *client) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, strings.Join(lines, "\n")+"\n"); err != nil {
		c.t.Error(err)
	}
}

// line returns the bridge's next line.
func (c *client) line() string {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			c.t.Fatal("the bridge closed its output")
		}
		if !json.Valid([]byte(line)) {
			c.t.Fatalf("not JSON: %q", line)
		}
		return line
	case <-time.After(20 * time.Second):
		c.t.Fatal("no answer in 20 s")
		return ""
	}
}

func (c *client) want(line string) {
	c.t.Helper()
	if got := c.line(); got != line {
		c.t.Fatalf("got  %s\nwant %s", got, line)
	}
}

// nothing checks that the bridge has nothing more to say by the time that it answers a ping.
func (c *client) nothing() {
	c.t.Helper()
	c.send(`{"jsonrpc":"2.0","id":"nothing","method":"ping"}`)
	if got := c.line(); !strings.Contains(got, `"id":"nothing"`) {
		c.t.Fatalf("an answer too much: %s", got)
	}
}

const initLine = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`
const initializedLine = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

func (c *client) initialize() {
	c.t.Helper()
	c.send(initLine)
	c.line()
	c.send(initializedLine)
}

func call(id, tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"%s"}}`, id, tool)
}

func TestFraming(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL)
	one := `{"jsonrpc":"2.0","id":1,"method":"a"}`
	two := `{"jsonrpc":"2.0","id":"2","method":"a","params":{"x":1.50}}`
	t.Run("B1 two in one write, one in three", func(t *testing.T) {
		io.WriteString(c.in, one+"\n"+two+"\n")
		c.line()
		c.line()
		for _, part := range []string{two[:5], two[5:20], two[20:] + "\n"} {
			io.WriteString(c.in, part)
		}
		c.want(`{"jsonrpc":"2.0","id":"2","result":{"echo":{"x":1.50}}}`)
	})
	t.Run("B2 blank lines and CRLF", func(t *testing.T) {
		io.WriteString(c.in, "\r\n\n  \n"+one+"\r\n")
		c.line()
	})
	t.Run("B3 B4 B5 malformed lines", func(t *testing.T) {
		c.send(`{oops`, `{"jsonrpc":"2.0","id":7,"method":"a",}`)
		if got := c.line(); !strings.Contains(got, `"id":7`) || !strings.Contains(got, "-32700") {
			t.Fatal(got)
		}
		c.send("{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"\xff\"}")
		if got := c.line(); !strings.Contains(got, `"id":8`) {
			t.Fatal(got)
		}
		c.nothing()
	})
	for _, r := range u.got("a") {
		if r.body != one && r.body != two {
			t.Errorf("body changed: %q", r.body)
		}
	}
	if n := len(u.got("a")); n != 4 {
		t.Errorf("%d requests arrived, want 4", n)
	}
}

func TestByteOrderMarkAndLastLine(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL)
	io.WriteString(c.in, "\ufeff"+call("1", "x"))
	c.in.Close() // B6: no newline at the end
	c.want(`{"jsonrpc":"2.0","id":1,"result":{"echo":{"name":"x"}}}`)
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	c.done <- nil
	if got := u.got("tools/call"); len(got) != 1 || got[0].body != call("1", "x") {
		t.Errorf("%+v", got)
	}
}

func TestLongLines(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) { answer(w, m, fmt.Sprint(len(m.raw))) })
	c := start(t, u.URL)
	long := `{"jsonrpc":"2.0","id":1,"method":"a","params":"` + strings.Repeat("x", 8<<20) + `"}`
	c.send(long)
	c.want(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":%d}`, len(long)))
	go c.send(`{"jsonrpc":"2.0","id":2,"method":"a","params":"` + strings.Repeat("x", maxMessage) + `"}`)
	if got := c.line(); !strings.Contains(got, `"id":2`) || !strings.Contains(got, "64 MiB") {
		t.Fatal(got)
	}
	c.nothing()
}

func TestIDsComeBackAsTheyWere(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		w.Header().Set("Content-Type", "application/json")
		var id any
		d := json.NewDecoder(bytes.NewReader(m.id))
		_ = d.Decode(&id) // float64: what careless servers do to ids
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": id, "result": 1})
	})
	c := start(t, u.URL)
	for _, id := range []string{`"1"`, `1`, `9007199254740993`, `1.50`, `"ü"`, `"\u00fc"`, `-0`} {
		c.send(call(id, "x"))
		if got := c.line(); !strings.Contains(got, `"id":`+id+`,`) {
			t.Errorf("id %s: %s", id, got)
		}
	}
}

func TestAnswersOfEveryShapeBecomeOneAnswer(t *testing.T) {
	for _, tc := range []struct {
		name string
		h    handler
		want []string // parts of the one line
	}{
		{"B9 pretty JSON", func(w http.ResponseWriter, r *http.Request, m message) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1,\n  \"result\": {\"a\": \"b  c\"}\n}\n")
		}, []string{`{"jsonrpc":"2.0","id":1,"result":{"a":"b  c"}}`}},
		{"B40 HTML with 200", func(w http.ResponseWriter, r *http.Request, m message) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html><title>Sign in &amp; go</title>")
		}, []string{`"id":1`, `answered 200`, `Sign in & go`}},
		{"B40 HTML with 403", func(w http.ResponseWriter, r *http.Request, m message) {
			w.WriteHeader(403)
			io.WriteString(w, "<html><body>no <b>entry</b></body>")
		}, []string{`"id":1`, `answered 403 Forbidden: no entry`}},
		{"B40 413", func(w http.ResponseWriter, r *http.Request, m message) { w.WriteHeader(413) }, []string{`answered 413`}},
		{"B40 empty 200", func(w http.ResponseWriter, r *http.Request, m message) {}, []string{`answered 200`, `no body`}},
		{"B41 error with id null", func(w http.ResponseWriter, r *http.Request, m message) {
			w.WriteHeader(400)
			io.WriteString(w, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: x"},"id":null}`)
		}, []string{`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: x"},"id":1}`}},
		{"B41 result without id", func(w http.ResponseWriter, r *http.Request, m message) {
			io.WriteString(w, `{"jsonrpc":"2.0","result":{}}`)
		}, []string{`{"jsonrpc":"2.0","result":{},"id":1}`}},
		{"B44 202 to a request", func(w http.ResponseWriter, r *http.Request, m message) { w.WriteHeader(202) }, []string{`answered 202`}},
		{"an array for one", func(w http.ResponseWriter, r *http.Request, m message) {
			io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"result":{}}]`)
		}, []string{`{"jsonrpc":"2.0","id":1,"result":{}}`}},
		{"B31 a stream cut off", func(w http.ResponseWriter, r *http.Request, m message) {
			sendEvent(w, `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		}, []string{`notifications/message`}},
		{"B32 an unfinished last event", func(w http.ResponseWriter, r *http.Request, m message) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":{}}")
		}, []string{`{"jsonrpc":"2.0","id":1,"result":{}}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if m.is("ping") {
					ordinary(w, r, m)
					return
				}
				tc.h(w, r, m)
			})
			c := start(t, u.URL)
			c.send(call("1", "x"))
			got := c.line()
			for _, part := range tc.want {
				if !strings.Contains(got, part) {
					t.Errorf("%s\nlacks %s", got, part)
				}
			}
			if strings.Contains(got, "notifications/message") {
				if got := c.line(); !strings.Contains(got, `without an answer`) || !strings.Contains(got, `"id":1`) {
					t.Error(got)
				}
			}
			c.nothing()
			if n := len(u.got("tools/call")); n != 1 {
				t.Errorf("tools/call was sent %d times", n)
			}
		})
	}
}

func TestSSEAtEveryCut(t *testing.T) {
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"text":"ü"}}`
	result := `{"jsonrpc":"2.0","id":1,"result":{"a":"b"}}`
	for _, end := range []string{"\n", "\r\n", "\r"} {
		stream := "\ufeff: hello\nretry: 10\ndata\n\nevent: ping\ndata: {}\n\nid: 4\ndata:\n\nevent: message\ndata: " + progress +
			"\n\ndata:{\"jsonrpc\":\"2.0\",\ndata:\"id\":1,\"result\":{\"a\":\"b\"}}\n\n"
		stream = strings.ReplaceAll(stream, "\n", end)
		for cut := range len(stream) {
			r := io.MultiReader(strings.NewReader(stream[:cut]), strings.NewReader(stream[cut:]))
			rd := new(buffers).reader(r, func() {})
			var got []string
			for {
				e, err := rd.next(func([]byte) bool { return false })
				if err != nil {
					break
				}
				if e.name == "" || e.name == "message" {
					m, err := e.ahead.end(e.data)
					if err != nil {
						t.Fatalf("line end %q, cut at %d: %v", end, cut, err)
					}
					got = append(got, string(oneLine(m).raw))
				}
			}
			if want := progress + "|" + result; strings.Join(got, "|") != want {
				t.Fatalf("line end %q, cut at %d: %q", end, cut, got)
			}
			if rd.lastID != "4" || rd.retry != 10*time.Millisecond {
				t.Fatalf("id %q, retry %s", rd.lastID, rd.retry)
			}
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("data: {}\n\n", 3)
	f.Add("id: 1\r\ndata: a\r\ndata: b\r\n\r\n", 9)
	f.Add("\ufeff:c\rdata:x\r\r", 1)
	f.Add("data: {\"id\":1,\ndata: \"a\":2}\n\n", 9)
	f.Add("data: {\"id\":1}\n\ndata: {\"id\":2}\n\n", 9)
	f.Fuzz(func(t *testing.T, stream string, cut int) {
		read := func(r io.Reader) string {
			rd := new(buffers).reader(r, func() {})
			var got strings.Builder
			for {
				e, err := rd.next(func([]byte) bool { return true })
				if err != nil {
					return got.String() + rd.lastID
				}
				// What was seen of the data before its end was there doesn't change what becomes of it.
				m, err := e.ahead.end(e.data)
				fmt.Fprintf(&got, "%q %q %q %v|", e.name, e.data, m.id, err)
			}
		}
		if cut < 0 || cut > len(stream) {
			cut = 0
		}
		whole := read(strings.NewReader(stream))
		if parts := read(io.MultiReader(strings.NewReader(stream[:cut]), strings.NewReader(stream[cut:]))); parts != whole {
			t.Fatalf("whole %s, in parts %s", whole, parts)
		}
	})
}

// TestNothingHeldBack: a message that counted on another one to follow goes out when what follows is nothing for the client,
// be it that the stream goes on or that it ends there.
func TestNothingHeldBack(t *testing.T) {
	const note = `{"jsonrpc":"2.0","method":"notifications/message"}`
	const stream = "id: 1\ndata: " + note + "\n\nevent: ping\ndata: {}\n\n"
	for name, h := range map[string]handler{
		"an answer's stream that goes on": func(w http.ResponseWriter, r *http.Request, m message) {
			io.WriteString(w, stream)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		// With its length known the end comes with the last bytes, not after them. The bridge resumes after a second.
		"an answer's stream that ends": func(w http.ResponseWriter, r *http.Request, m message) {
			w.Header().Set("Content-Length", fmt.Sprint(len(stream)))
			io.WriteString(w, stream)
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
				if !m.is(methodToolsCall) {
					ordinary(w, r, m)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				h(w, r, m)
			})
			c := start(t, u.URL)
			c.send(call("1", "x"))
			c.want(note)
			if n := len(u.got("GET")); n != 0 {
				t.Error("it came only when the stream was resumed")
			}
		})
	}
}

// TestBatchStream: the answers of a batch pass as they come, and nothing else does.
func TestBatchStream(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, m message) {
		switch {
		case m.is(methodInitialize):
			answer(w, m, `{"protocolVersion":"2025-03-26","capabilities":{}}`)
		case m.batch:
			sendEvent(w, `{"jsonrpc":"2.0","id":2,"result":{}}`)
			sendEvent(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
		default:
			ordinary(w, r, m)
		}
	})
	c := start(t, u.URL)
	c.initialize()
	c.send(`[` + call("1", "x") + `,` + call("2", "x") + `]`)
	c.want(`{"jsonrpc":"2.0","id":2,"result":{}}`)
	c.want(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.nothing()
}

// FuzzLines: whatever a client writes and however it is cut, each line comes out once, as it was.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{}\n{}\r\n\n  \n{\"a\":1}"), 3)
	f.Add([]byte("\xef\xbb\xbf{}\n"), 1)
	f.Add([]byte("\r\n\r\r\n x"), 2)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		read := func(r io.Reader) (lines []string) {
			in := newLineReader(r, &buffers{})
			for {
				line, err := in.next()
				if err != nil {
					return lines
				}
				m, err := in.message(line)
				if whole, wholeErr := parse(line); (err == nil) != (wholeErr == nil) || string(m.id) != string(whole.id) {
					t.Fatalf("%q: %v, as a whole %v", line, err, wholeErr)
				}
				lines = append(lines, string(line))
			}
		}
		if cut < 0 || cut > len(data) {
			cut = 0
		}
		got := read(io.MultiReader(bytes.NewReader(data[:cut]), bytes.NewReader(data[cut:])))
		var want []string
		for _, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
			if line = strings.TrimSuffix(line, "\r"); strings.TrimSpace(line) != "" {
				want = append(want, line)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q became %q, want %q", data, got, want)
		}
	})
}
