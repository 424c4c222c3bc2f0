// Package mcpclient asks one MCP server, over a pair of pipes that carry a JSON message to a line.
//
// It exists beside mcp-go's client because that one links a JSON Schema library whose initialization would slow down every
// start of the program, and because what a server answers has to reach the user as it came. It declares no capabilities:
// there is nobody to answer a server's questions but to a ping.
package mcpclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// Client is a connection to a server. It is safe for concurrent use.
type Client struct {
	writing sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	last    int // the latest id
	pending map[string]*request
	ended   error // why no more answers come
}

// request is one that has no answer yet.
type request struct {
	answer   chan answer // takes one
	progress func(Progress)
}

type answer struct {
	result json.RawMessage
	err    error
}

// Progress is how far a server says that it has come. Total is 0 where it doesn't know.
type Progress struct {
	Done    float64 `json:"progress"`
	Total   float64 `json:"total"`
	Message string  `json:"message"`
}

// Error is a JSON-RPC error.
type Error struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (e *Error) Error() string { return e.Message }

// errEnded is the error of a request whose answer can't come any more.
var errEnded = errors.New("the server closed the connection")

// New returns the client of a server that reads from out and writes to in. It reads until in ends.
func New(in io.Reader, out io.Writer) *Client {
	c := &Client{out: out, pending: map[string]*request{}}
	go c.read(in)
	return c
}

// message is any JSON-RPC message.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method mcp.MCPMethod   `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
}

func (c *Client) read(in io.Reader) {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			c.take(line)
		}
		if err != nil {
			c.end()
			return
		}
	}
}

// end fails the requests that have no answer.
func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = errEnded
	for id, r := range c.pending {
		delete(c.pending, id)
		r.answer <- answer{err: errEnded}
	}
}

// take handles one line of the server's. What isn't a message is skipped.
func (c *Client) take(line []byte) {
	var m message
	if json.Unmarshal(line, &m) != nil {
		return
	}
	switch {
	case m.Method == "" && m.ID != nil:
		c.settle(m)
	case m.Method == mcp.MethodNotificationProgress && m.ID == nil:
		c.report(m.Params)
	case m.ID != nil:
		c.reply(m)
	}
}

func (c *Client) settle(m message) {
	c.mu.Lock()
	r := c.pending[string(m.ID)]
	delete(c.pending, string(m.ID))
	c.mu.Unlock()
	switch {
	case r == nil: // nobody waits for it any more
	case m.Error != nil:
		r.answer <- answer{err: m.Error}
	case m.Result == nil:
		r.answer <- answer{err: errors.New("the server sent an answer without a result")}
	default:
		r.answer <- answer{result: m.Result}
	}
}

func (c *Client) report(params json.RawMessage) {
	var p struct {
		Token json.RawMessage `json:"progressToken"`
		Progress
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	c.mu.Lock()
	r := c.pending[string(p.Token)]
	c.mu.Unlock()
	if r != nil && r.progress != nil {
		r.progress(p.Progress)
	}
}

// reply answers a server's question: a ping, and no other, since no capability was declared.
func (c *Client) reply(m message) {
	answer := map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "id": m.ID}
	if m.Method == mcp.MethodPing {
		answer["result"] = struct{}{}
	} else {
		answer["error"] = map[string]any{"code": mcp.METHOD_NOT_FOUND, "message": "Method not found"}
	}
	_ = c.write(answer) // whoever asked has gone
}

// Call sends a request and waits for its answer, the bytes that came. progress, which may be nil, is called for each report
// of how far it has come. Where ctx ends first the server is told, and the error is ctx's cause; a refusal is an *Error.
func (c *Client) Call(ctx context.Context, method mcp.MCPMethod, params map[string]any, progress func(Progress)) (json.RawMessage, error) {
	r := &request{answer: make(chan answer, 1), progress: progress}
	c.mu.Lock()
	if err := c.ended; err != nil {
		c.mu.Unlock()
		return nil, err
	}
	c.last++
	id := c.last
	c.pending[strconv.Itoa(id)] = r
	c.mu.Unlock()
	if progress != nil {
		params["_meta"] = map[string]any{"progressToken": id}
	}
	call := map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "id": id, "method": method}
	if params != nil {
		call["params"] = params
	}
	if err := c.write(call); err != nil {
		c.forget(id)
		return nil, err
	}
	select {
	case a := <-r.answer:
		return a.result, a.err
	case <-ctx.Done():
	}
	c.forget(id)
	if method != mcp.MethodInitialize { // which MUST NOT be cancelled
		_ = c.Notify(mcp.MethodNotificationCancelled, map[string]any{"requestId": id, "reason": "the user no longer waits"})
	}
	return nil, context.Cause(ctx)
}

func (c *Client) forget(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, strconv.Itoa(id))
}

// Notify sends a notification. params may be nil.
func (c *Client) Notify(method mcp.MCPMethod, params map[string]any) error {
	m := map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "method": method}
	if params != nil {
		m["params"] = params
	}
	return c.write(m)
}

func (c *Client) write(m any) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%w (%w)", errEnded, err)
	}
	return nil
}
