package doctor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// endTime is what a server gets to end by itself after its stdin was closed.
const endTime = 2 * time.Second

// maxLine is the longest message that is read, in bytes.
const maxLine = 64 << 20

// server is an MCP server that runs as a child, spoken to over stdio.
type server struct {
	cmd    *exec.Cmd
	kill   func() // ends the process with all that it has started
	in     io.WriteCloser
	lines  chan []byte // of stdout; closed at its end
	stderr *head
	id     int
}

// start starts cmd as the leader of a group of its own.
func start(cmd *exec.Cmd) (*server, error) {
	s := &server{cmd: cmd, lines: make(chan []byte), stderr: &head{}}
	cmd.Stderr = s.stderr
	cmd.WaitDelay = time.Second // something that left the group may hold stderr
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.kill, err = startGroup(cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.lines)
		for scan := newScanner(out); scan.Scan(); {
			s.lines <- bytes.Clone(scan.Bytes())
		}
	}()
	return s, nil
}

func newScanner(r io.Reader) *bufio.Scanner {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	return scan
}

// end closes stdin, as clients do, and makes sure that nothing is left. It returns how the process ended. A server that has
// used up the time of ctx gets none to end by itself.
func (s *server) end(ctx context.Context) error {
	s.in.Close()
	patience := endTime
	if ctx.Err() != nil {
		patience = 0
	}
	go func() {
		for range s.lines {
			// A process that still writes must not wait for a reader.
		}
	}()
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		s.kill()
		return err
	case <-time.After(patience):
		s.kill()
		return <-done
	}
}

// rpcError is an error that the server answered.
type rpcError struct {
	Message string `json:"message"`
	Data    struct {
		Source   string `json:"source"`
		Reason   string `json:"reason"`
		NextStep string `json:"next_step"`
	} `json:"data"`
}

func (e *rpcError) Error() string { return e.Message }

// errEnded is a server that has closed its stdout.
var errEnded = errors.New("it ended before it answered")

// request sends a request and decodes the result of its answer into v.
func (s *server) request(ctx context.Context, method string, params, v any) error {
	s.id++
	if err := s.send(ctx, map[string]any{"id": s.id, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return errEnded
			}
			answered, err := s.read(ctx, line, v)
			if answered || err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", method, ctx.Err())
		}
	}
}

// read takes one line. What the server asks or tells meanwhile is passed over, but for its pings.
func (s *server) read(ctx context.Context, line []byte, v any) (answered bool, err error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return false, nil
	}
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(line, &m) != nil {
		return false, errors.New("it printed something on stdout that is no message, and clients stumble over that")
	}
	switch {
	case m.Method == "ping":
		return false, s.send(ctx, map[string]any{"id": m.ID, "result": map[string]any{}})
	case m.Method != "" || string(m.ID) != fmt.Sprint(s.id):
		return false, nil
	case m.Error != nil:
		e := &rpcError{}
		if json.Unmarshal(m.Error, e) != nil {
			e.Message = "an error without words"
		}
		return true, e
	case json.Unmarshal(m.Result, v) != nil:
		return true, errors.New("its answer isn't what the protocol wants")
	}
	return true, nil
}

// send writes a message. A server that doesn't read must not hold it up for longer than ctx.
func (s *server) send(ctx context.Context, message map[string]any) error {
	message["jsonrpc"] = "2.0"
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.in.Write(append(text, '\n'))
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return errEnded
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listed is what a server says of itself.
type listed struct {
	name, version string
	tools         int
}

// handshake does what a client does first: initialize, then all pages of tools/list.
func (s *server) handshake(ctx context.Context, version string) (listed, error) {
	var hello struct {
		ServerInfo   struct{ Name, Version string }
		Capabilities struct{ Tools json.RawMessage }
	}
	err := s.request(ctx, "initialize", map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "mcpctl-doctor", "version": version},
	}, &hello)
	if err != nil {
		return listed{}, err
	}
	l := listed{name: hello.ServerInfo.Name, version: hello.ServerInfo.Version}
	if err := s.send(ctx, map[string]any{"method": "notifications/initialized"}); err != nil {
		return l, err
	}
	for cursor := any(nil); ; {
		var page struct {
			Tools      []json.RawMessage
			NextCursor string
		}
		params := map[string]any{}
		if cursor != nil {
			params["cursor"] = cursor
		}
		if err := s.request(ctx, "tools/list", params, &page); err != nil {
			return l, err
		}
		l.tools += len(page.Tools)
		if page.NextCursor == "" || page.NextCursor == cursor {
			return l, nil
		}
		cursor = page.NextCursor
	}
}

// head keeps the first bytes of what is written to it: a program says first why it can't go on.
type head struct {
	mu   sync.Mutex
	text []byte
}

func (t *head) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), 4096-min(4096, len(t.text)))]...)
	return len(p), nil
}

func (t *head) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
