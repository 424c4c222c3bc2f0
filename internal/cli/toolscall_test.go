package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// slowServer is an MCP server whose one tool never answers.
type slowServer struct {
	*httptest.Server
	called chan struct{} // closed when the tool is called
	mu     sync.Mutex
	heard  []string // methods, and what is cancelled
}

func newSlowServer(t *testing.T) *slowServer {
	s := &slowServer{called: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *slowServer) serve(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     json.RawMessage
		Method string
		Params struct{ RequestID json.RawMessage }
	}
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.mu.Lock()
	s.heard = append(s.heard, m.Method+string(m.Params.RequestID))
	s.mu.Unlock()
	result := ""
	switch m.Method {
	case "initialize":
		result = `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"slow","version":"1"}}`
	case "tools/list":
		result = `{"tools":[{"name":"sleep","inputSchema":{"type":"object"}}]}`
	case "tools/call":
		close(s.called)
		<-r.Context().Done()
		return
	default:
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result)
}

// heardCancel reports whether the server was told that the call has been given up.
func (s *slowServer) heardCancel() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.HasPrefix(s.heard[len(s.heard)-1], "notifications/cancelled3")
}

func TestToolsCallInterrupted(t *testing.T) {
	s := newSlowServer(t)
	u := newUser(t, "https://gateway.invalid")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-s.called; cancel() }()
	var out, err bytes.Buffer
	code := u.app(strings.NewReader(""), &out, &err).run(ctx, []string{"tools", "call", s.URL + "/mcp", "sleep"})
	if code != exitInterrupted || out.Len() > 0 || err.Len() > 0 || !s.heardCancel() {
		t.Errorf("%d, %q, %q, %q", code, out.String(), err.String(), s.heard)
	}
}

func TestToolsCallTimeout(t *testing.T) {
	s := newSlowServer(t)
	u := newUser(t, "https://gateway.invalid")
	code, out, err := u.run("", "tools", "call", s.URL+"/mcp", "sleep", "--timeout", "500ms")
	if code != exitFailed || out != "" || !strings.Contains(err, "didn't answer in 500ms\n  wait longer with --timeout") || !s.heardCancel() {
		t.Errorf("%d, %q, %q, %q", code, out, err, s.heard)
	}
}

// What can't be reached is told after a second try: the bridge of an AI client would go on for seconds.
func TestToolsUnreachable(t *testing.T) {
	tries := make(chan struct{}, 10)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tries <- struct{}{}
			c.Close()
		}
	}()
	u := newUser(t, "https://gateway.invalid")
	code, out, text := u.run("", "tools", "ls", "http://"+l.Addr().String()+"/mcp")
	if code != exitFailed || out != "" || !strings.Contains(text, "mcpctl: can't reach the server: ") || len(tries) < 2 || len(tries) > 4 {
		t.Errorf("%d, %q, %q after %d connections", code, out, text, len(tries))
	}
}

// A server's words, wherever they stand, can't make a terminal do anything.
func TestToolsHarmless(t *testing.T) {
	const evil = `\u001b[31mevil\u009b2J\u202e`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m struct {
			ID     json.RawMessage
			Method string
		}
		_ = json.Unmarshal(body, &m)
		answer := `"error":{"code":-32000,"message":"` + evil + `"}`
		switch m.Method {
		case "initialize":
			answer = `"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"` + evil + `","version":"1"}}`
		case "tools/list":
			answer = `"result":{"tools":[{"name":"t` + evil + `","title":"` + evil + `","description":"` + evil + `","inputSchema":{"required":["` + evil + `"],"properties":{"` + evil + `":{"enum":["` + evil + `"],"description":"` + evil + `"}}}},` +
				`{"name":"fails","inputSchema":{}},{"name":"says","inputSchema":{}}]}`
		case "tools/call":
			if bytes.Contains(body, []byte(`"says"`)) {
				answer = `"result":{"isError":true,"content":[{"type":"text","text":"` + evil + `"}]}`
			}
		}
		if m.ID == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, m.ID, answer)
	}))
	defer s.Close()
	u := newUser(t, "https://gateway.invalid")
	name := "t\x1b[31mevil\u009b2J\u202e"
	for _, args := range [][]string{
		{"ls"}, {"show", name}, {"call", "fails"}, {"call", "says"}, {"call", "nosuch"}, {"call", name}, {"call", name, "x=y"}, {"call", name, "\x1b[31mevil\u009b2J\u202e=y"},
	} {
		_, out, err := u.run("", append([]string{"tools", args[0], s.URL}, args[1:]...)...)
		if strings.ContainsAny(out+err, "\x1b\u009b\u202e") || !strings.Contains(out+err, "evil") && args[1] != "nosuch" {
			t.Errorf("%q: %q, %q", args, out, err)
		}
	}
	if _, out, _ := u.run("", "__complete", "tools", "call", s.URL, ""); strings.Contains(out, "evil") || !strings.Contains(out, "fails") {
		t.Errorf("%q", out)
	}
}
