package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

// built is the program.
var built testbin.Shared

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // most of the time all of them wait
	code := m.Run()
	built.Remove()
	os.Exit(code)
}

// rpc is a message as a test looks at it: the members raw, so that no id changes on the way.
type rpc struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    struct {
			Source     string `json:"source"`
			Reason     string `json:"reason"`
			Status     int    `json:"status"`
			RetryAfter int    `json:"retry_after"`
		} `json:"data"`
	} `json:"error"`
}

func decode(data []byte) (m rpc) {
	_ = json.Unmarshal(data, &m) // an upstream must take anything
	return m
}

// upstream is a scripted MCP server that records what arrives.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
}

type seen struct {
	http, rpc string // methods
	header    http.Header
	body      string
	at        time.Time
}

// handler answers one request, whose body is m.
type handler func(w http.ResponseWriter, r *http.Request, m rpc)

func serve(t *testing.T, h handler) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = httptest.NewUnstartedServer(u.record(h))
	u.Server.Config.ErrorLog = log.New(io.Discard, "", 0) // handlers break connections on purpose
	u.Start()
	// Unlike httptest's Close this doesn't wait for handlers, which a failed test may have left waiting for it.
	t.Cleanup(func() { u.Config.Close() })
	return u
}

func (u *upstream) record(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m := decode(body)
		u.note(seen{r.Method, m.Method, r.Header.Clone(), string(body), time.Now()})
		h(w, r, m)
	})
}

func (u *upstream) note(s seen) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests = append(u.requests, s)
}

// got returns what arrived with the JSON-RPC or HTTP method name, in the order of arrival; "" means all.
func (u *upstream) got(name string) []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []seen
	for _, r := range u.requests {
		if name == "" || r.rpc == name || r.http == name {
			list = append(list, r)
		}
	}
	return list
}

// await waits until n requests with the method name have arrived, and returns them.
func (u *upstream) await(t *testing.T, name string, n int) []seen {
	t.Helper()
	var list []seen
	until(t, fmt.Sprintf("%d × %s at the server", n, name), func() bool {
		list = u.got(name)
		return len(list) >= n
	})
	return list
}

// until waits for a condition.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !met(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// patience is far longer than anything here takes.
const patience = 20 * time.Second

// legacy answers as a server of revision 2025-06-18 with sessions does, in JSON, with the params as the result.
func legacy(w http.ResponseWriter, r *http.Request, m rpc) {
	switch {
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodDelete:
	case m.ID == nil || m.Method == "":
		w.WriteHeader(http.StatusAccepted)
	case m.Method == "initialize":
		w.Header().Set("Mcp-Session-Id", "session-1")
		answer(w, m, initializeResult)
	default:
		answer(w, m, echo(m))
	}
}

const initializeResult = `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"u","version":"1"}}`

func echo(m rpc) string {
	if m.Params == nil {
		return `{}`
	}
	return string(m.Params)
}

func answer(w http.ResponseWriter, m rpc, result string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, reply(string(m.ID), result))
}

func reply(id, result string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result)
}

// event sends one event of a stream.
func event(w http.ResponseWriter, data string) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "event: message\ndata: %s\n\n", data)
	w.(http.Flusher).Flush()
}

// process is a running bridge with the AI client's ends of its pipes.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	lines  chan string // nil if the test reads out itself
	exited chan error

	mu  sync.Mutex
	log bytes.Buffer // stderr
}

// options change how a bridge is started.
type options struct {
	flags []string
	env   []string
	// raw leaves stdout to the test.
	raw bool
	// stderr takes the place of a pipe that is read.
	stderr *os.File
}

// bridge starts `mcpctl bridge target`, in a home of its own and without a keyring.
func bridge(t *testing.T, target string, o options) *process {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command(built.Path(t), append([]string{"bridge", target}, o.flags...)...)
	cmd.Dir = home
	cmd.Env = append([]string{
		"HOME=" + home, "USERPROFILE=" + home, "APPDATA=" + home, "LOCALAPPDATA=" + home, "TMPDIR=" + home, "TMP=" + home, "TEMP=" + home,
		"PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(home, "no-bus"),
	}, o.env...)
	p := &process{t: t, cmd: cmd, exited: make(chan error, 1)}
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out, cmd.Stdout = outRead, outWrite
	if cmd.Stderr = (*logWriter)(p); o.stderr != nil {
		cmd.Stderr = o.stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	outWrite.Close()
	done := make(chan struct{})
	go func() {
		p.exited <- cmd.Wait()
		close(done)
	}()
	if !o.raw {
		p.lines = make(chan string, 4096)
		go p.read()
	}
	t.Cleanup(func() {
		p.in.Close()
		select {
		case <-done:
		case <-time.After(8 * time.Second):
			t.Error("the bridge doesn't end")
			cmd.Process.Kill()
			<-done
		}
		p.out.Close()
	})
	return p
}

// logWriter collects stderr.
type logWriter process

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

// stderr is what the bridge has said so far.
func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *process) read() {
	defer close(p.lines)
	for r := bufio.NewReader(p.out); ; {
		line, err := r.ReadString('\n')
		if line != "" {
			p.lines <- line
		}
		if err != nil {
			return
		}
	}
}

// write writes bytes as they are.
func (p *process) write(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, s); err != nil {
		p.t.Errorf("write to the bridge: %v", err)
	}
}

// send writes one line for each message.
func (p *process) send(lines ...string) {
	p.t.Helper()
	p.write(strings.Join(lines, "\n") + "\n")
}

// line returns the next line of stdout. Each must be one whole JSON-RPC message (B10).
func (p *process) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("stdout ended; stderr: %s", p.stderr())
		}
		text, whole := strings.CutSuffix(line, "\n")
		if !whole || !isMessage(text) {
			p.t.Fatalf("not a JSON-RPC message on a line of its own: %q", line)
		}
		return text
	case <-time.After(patience):
		p.t.Fatalf("no line on stdout; stderr: %s", p.stderr())
	}
	return ""
}

// isMessage reports whether a line is a JSON-RPC message, or an array of them.
func isMessage(line string) bool {
	var one struct{ JSONRPC string }
	if strings.HasPrefix(line, "[") {
		var many []json.RawMessage
		return json.Unmarshal([]byte(line), &many) == nil && len(many) > 0
	}
	return json.Unmarshal([]byte(line), &one) == nil && one.JSONRPC == "2.0"
}

// message returns the next line, decoded.
func (p *process) message() rpc {
	p.t.Helper()
	return decode([]byte(p.line()))
}

func (p *process) want(line string) {
	p.t.Helper()
	if got := p.line(); got != line {
		p.t.Fatalf("stdout\n got %s\nwant %s", got, line)
	}
}

// failed returns the next line, which must be an error of the bridge's own for the request id.
func (p *process) failed(id string, parts ...string) rpc {
	p.t.Helper()
	line := p.line()
	m := decode([]byte(line))
	if m.Error == nil || string(m.ID) != id || !strings.HasPrefix(m.Error.Message, "mcpctl") {
		p.t.Fatalf("want an error of mcpctl's for id %s, got %s", id, line)
	}
	for _, part := range parts {
		if !strings.Contains(m.Error.Message, part) {
			p.t.Errorf("%q lacks %q", m.Error.Message, part)
		}
	}
	return m
}

// nothing checks that stdout holds nothing more by the time that a ping is answered.
func (p *process) nothing() {
	p.t.Helper()
	p.send(`{"jsonrpc":"2.0","id":"nothing","method":"ping"}`)
	if line := p.line(); !strings.Contains(line, `"id":"nothing"`) {
		p.t.Fatalf("a line too much: %s", line)
	}
}

// silent checks that stdout has nothing more to say for a while.
func (p *process) silent(d time.Duration) {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if ok {
			p.t.Fatalf("a line too much: %s", line)
		}
	case <-time.After(d):
	}
}

// exit waits for the process to end by itself, and returns its exit code and how long that took.
func (p *process) exit() (code int, took time.Duration) {
	p.t.Helper()
	began := time.Now()
	select {
	case err := <-p.exited:
		p.exited <- err
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) {
			p.t.Fatal(err)
		}
		return p.cmd.ProcessState.ExitCode(), time.Since(began)
	case <-time.After(patience):
		p.t.Fatalf("still running after %s", patience)
	}
	return 0, 0
}

// rest returns the lines up to the end of stdout.
func (p *process) rest() (lines []string) {
	p.t.Helper()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return lines
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		case <-time.After(patience):
			p.t.Fatal("stdout doesn't end")
		}
	}
}

const (
	initializeLine  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`
	initializedLine = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

// handshake does what a client does first.
func (p *process) handshake() {
	p.t.Helper()
	p.send(initializeLine)
	if m := p.message(); m.Result == nil || string(m.ID) != "0" {
		p.t.Fatalf("initialize: %+v", m)
	}
	p.send(initializedLine)
}

// call is a tools/call of a legacy client.
func call(id, tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"%s"}}`, id, tool)
}

// called is legacy's answer to call.
func called(id, tool string) string { return reply(id, fmt.Sprintf(`{"name":"%s"}`, tool)) }

// request is a request of a legacy client without parameters.
func request(id, method string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"%s"}`, id, method)
}

// modern is a request of revision 2026-07-28; params are members, or "".
func modern(id, method, params string) string {
	if params != "" {
		params += ","
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"%s","params":{%s"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
		`"io.modelcontextprotocol/clientCapabilities":{}}}}`, id, method, params)
}

// rawServer is a server of which a test controls each byte: serve gets each POSTed message and its connection, which is
// closed afterwards.
func rawServer(t *testing.T, serve func(conn net.Conn, m rpc)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { l.Close(); open.Wait() })
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(patience))
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				if r.Method != http.MethodPost {
					io.WriteString(conn, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
					return
				}
				body, _ := io.ReadAll(r.Body)
				serve(conn, decode(body))
			})
		}
	})
	return "http://" + l.Addr().String() + "/mcp"
}
