package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// still is a bridge in a bubble of virtual time (see testing/synctest), whose server is a function.
type still struct {
	t     *testing.T
	in    *io.PipeWriter
	done  chan error
	began time.Time

	mu      sync.Mutex
	out     strings.Builder
	arrived []arrival
}

// arrival is a message at the server.
type arrival struct {
	what    string // its method, "answer to ID", or an HTTP method
	session string
	body    string
	at      time.Duration // after the beginning
}

// stillServer answers a request, of which n-1 of the same kind have come before. A nil response is a request that was refused
// before it was sent.
type stillServer func(s *still, r *http.Request, m message, n int) *http.Response

// inStill runs a test with a bridge of its own.
func inStill(t *testing.T, server stillServer, test func(s *still), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &still{t: t, done: make(chan error, 1), began: time.Now()}
		transport := roundTripper(func(r *http.Request) (*http.Response, error) { return s.roundTrip(r, server) })
		in, client := io.Pipe()
		s.in = client
		u, _ := url.Parse("https://gw.example/mcp")
		o := Options{In: in, Out: s, URL: u, Client: &http.Client{Transport: transport}}
		for _, f := range change {
			f(&o)
		}
		ctx, stop := context.WithCancel(context.Background())
		go func() { s.done <- Run(ctx, o) }()
		defer func() {
			stop()
			s.in.Close()
			<-s.done
		}()
		test(s)
	})
}

func (s *still) roundTrip(r *http.Request, server stillServer) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	m, _ := parse(body)
	a := arrival{r.Method, r.Header.Get("Mcp-Session-Id"), string(body), time.Since(s.began)}
	switch {
	case m.method != nil:
		a.what = unquote(m.method)
	case m.id != nil:
		a.what = "answer to " + string(m.id)
	}
	s.mu.Lock()
	s.arrived = append(s.arrived, a)
	n := 0
	for _, other := range s.arrived {
		if other.what == a.what {
			n++
		}
	}
	s.mu.Unlock()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	resp := server(s, r, m, n)
	if resp == nil {
		return nil, refusedConnection
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp.Request = r
	return resp, nil
}

// Write is the client's end of stdout.
func (s *still) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

// say writes the client's lines, and waits until nothing more comes of them for now.
func (s *still) say(lines ...string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, strings.Join(lines, "\n")+"\n"); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
}

// wait lets time pass.
func (s *still) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// lines are what the client has got since the last look.
func (s *still) lines() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimSuffix(s.out.String(), "\n")
	s.out.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// got returns what has arrived of a kind; "" means everything but GET.
func (s *still) got(what string) (list []arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.arrived {
		if a.what == what || what == "" && a.what != http.MethodGet {
			list = append(list, a)
		}
	}
	return list
}

// order checks what has arrived since the handshake: each as WHAT or WHAT@SESSION.
func (s *still) order(want ...string) {
	s.t.Helper()
	var got []string
	for i, a := range s.got("")[2:] {
		if i < len(want) && strings.Contains(want[i], "@") {
			a.what += "@" + a.session
		}
		got = append(got, a.what)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("arrived\n got %q\nwant %q", got, want)
	}
}

func (s *still) handshake() {
	s.t.Helper()
	s.say(initLine)
	s.say(initializedLine)
	if got := s.lines(); len(got) != 1 {
		s.t.Fatalf("%q", got)
	}
}

// stillOrdinary answers as ordinary does.
func stillOrdinary(session string) stillServer {
	return func(_ *still, r *http.Request, m message, _ int) *http.Response {
		switch {
		case r.Method == http.MethodGet:
			return stillResponse(http.StatusMethodNotAllowed, "")
		case r.Method == http.MethodDelete:
			return stillResponse(http.StatusOK, "")
		case !m.isRequest():
			return stillResponse(http.StatusAccepted, "")
		case m.is(methodInitialize):
			return stillResponse(http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}`, m.id),
				"Mcp-Session-Id", session)
		}
		return stillResponse(http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{}}`, m.id))
	}
}

// stillResponse is an HTTP response in JSON; header is names and values.
func stillResponse(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// openStream is a response that is a stream of events, which go on until the end of the request.
func openStream(r *http.Request, events ...string) *http.Response {
	read, write := io.Pipe()
	go func() {
		for _, e := range events {
			fmt.Fprintf(write, "data: %s\n\n", e)
		}
		<-r.Context().Done()
		write.CloseWithError(r.Context().Err())
	}()
	resp := stillResponse(http.StatusOK, "", "Content-Type", "text/event-stream")
	resp.Body = read
	return resp
}

// hang waits for the end of the request.
func hang(r *http.Request) *http.Response {
	<-r.Context().Done()
	return stillResponse(http.StatusOK, "")
}
