package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/demo/mcpserver"
)

// message is a JSON-RPC message: a request if it has both an id and a method, a notification without id, else a response.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

func (m message) isRequest() bool { return m.Method != nil && m.ID != nil }

// serveTransport is the gateway's side of streamable HTTP: that of the MCP TypeScript SDK 1.26 without sessions
// (src/server/webStandardStreamableHttp.ts), whose order of checks and words it keeps.
func (g *Gateway) serveTransport(w http.ResponseWriter, c *call) {
	switch c.r.Method {
	case http.MethodPost:
		g.post(w, c)
	case http.MethodGet:
		g.listen(w, c)
	case http.MethodDelete:
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		rpcAnswer(http.StatusMethodNotAllowed, notMCP, "Method not allowed.", nil, nil).write(w)
	}
}

func (g *Gateway) post(w http.ResponseWriter, c *call) {
	accept := c.r.Header.Get("Accept")
	if !strings.Contains(accept, "application/json") || !strings.Contains(accept, "text/event-stream") {
		rpcAnswer(http.StatusNotAcceptable, notMCP,
			"Not Acceptable: Client must accept both application/json and text/event-stream", nil, nil).write(w)
		return
	}
	if !strings.Contains(c.r.Header.Get("Content-Type"), "application/json") {
		rpcAnswer(http.StatusUnsupportedMediaType, notMCP,
			"Unsupported Media Type: Content-Type must be application/json", nil, nil).write(w)
		return
	}
	messages, fault := parse(c.body)
	if fault != nil {
		fault.write(w)
		return
	}
	isInitialize := slices.ContainsFunc(messages, func(m message) bool {
		return m.isRequest() && *m.Method == string(mcp.MethodInitialize)
	})
	if isInitialize && len(messages) > 1 {
		rpcAnswer(http.StatusBadRequest, mcp.INVALID_REQUEST, "Invalid Request: Only one initialization request is allowed", nil, nil).write(w)
		return
	}
	if !isInitialize {
		if fault := checkVersion(c.r); fault != nil {
			fault.write(w)
			return
		}
	}
	g.answerAll(w, c, messages)
}

// listen opens a stream on which nothing ever comes: what an upstream sends on its own accord stops at the gateway.
func (g *Gateway) listen(w http.ResponseWriter, c *call) {
	if !strings.Contains(c.r.Header.Get("Accept"), "text/event-stream") {
		rpcAnswer(http.StatusNotAcceptable, notMCP, "Not Acceptable: Client must accept text/event-stream", nil, nil).write(w)
		return
	}
	if fault := checkVersion(c.r); fault != nil {
		fault.write(w)
		return
	}
	startStream(w)
	<-c.r.Context().Done()
}

// parse reads a message or a batch.
func parse(body []byte) ([]message, *answer) {
	if !json.Valid(body) {
		return nil, rpcAnswer(http.StatusBadRequest, mcp.PARSE_ERROR, "Parse error: Invalid JSON", nil, nil)
	}
	parts := []json.RawMessage{body}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		_ = json.Unmarshal(body, &parts) // it is valid JSON
	}
	messages := make([]message, len(parts))
	for i, part := range parts {
		m := &messages[i]
		if json.Unmarshal(part, m) != nil || !m.valid() {
			return nil, rpcAnswer(http.StatusBadRequest, mcp.PARSE_ERROR, "Parse error: Invalid JSON-RPC message", nil, nil)
		}
	}
	return messages, nil
}

// valid reports whether m is a message of the MCP schema, whose ids are strings and whole numbers.
func (m message) valid() bool {
	if m.JSONRPC != mcp.JSONRPC_VERSION || m.ID != nil && !isID(m.ID) {
		return false
	}
	if m.Method != nil {
		return true
	}
	return m.ID != nil && m.Result != nil || m.Error != nil
}

// messageID returns the id of the message in a body, nil if there is none.
func messageID(body []byte) json.RawMessage {
	var m struct{ ID json.RawMessage }
	if json.Unmarshal(body, &m) != nil || string(m.ID) == "null" {
		return nil
	}
	return m.ID
}

func isID(id json.RawMessage) bool {
	return id[0] == '"' || regexp.MustCompile(`^-?[0-9]+$`).Match(id)
}

func checkVersion(r *http.Request) *answer {
	version, known := r.Header.Get("Mcp-Protocol-Version"), mcpserver.Versions()
	if version == "" || slices.Contains(known, version) {
		return nil
	}
	return rpcAnswer(http.StatusBadRequest, notMCP,
		"Bad Request: Unsupported protocol version: "+version+" (supported versions: "+strings.Join(known, ", ")+")", nil, nil)
}

// answerAll answers the requests among messages, each with an event of its own as soon as it is done.
func (g *Gateway) answerAll(w http.ResponseWriter, c *call, messages []message) {
	requests := slices.DeleteFunc(messages, func(m message) bool { return !m.isRequest() })
	if len(requests) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	startStream(w)
	answers := make(chan any, len(requests))
	for _, m := range requests {
		g.running.Go(func() { answers <- respond(c.r.Context(), c.server, m) })
	}
	for range requests {
		writeEvent(w, <-answers)
	}
}

// respond asks the server, and words its errors as the gateway does, which keeps neither their codes nor their data.
func respond(ctx context.Context, s *server, m message) any {
	result, err := s.mcp.Handle(ctx, *m.Method, m.Params)
	if err != nil {
		text := flattened(*m.Method) + "MCP error " + strconv.Itoa(err.Code) + ": " + err.Message
		return rpcFailure{mcp.JSONRPC_VERSION, rpcError{Code: mcp.INTERNAL_ERROR, Message: text}, m.ID}
	}
	if *m.Method == string(mcp.MethodToolsList) {
		s.toolsSeen.Store(true)
	}
	return rpcResult{result, mcp.JSONRPC_VERSION, m.ID}
}

// flattened is what stands before an upstream's error (services/mcpSession.ts); "" for methods that are passed on as they are.
func flattened(method string) string {
	switch mcp.MCPMethod(method) {
	case mcp.MethodToolsCall:
		return "Tool execution failed: "
	case mcp.MethodToolsList:
		return "Failed to get tools: "
	}
	return ""
}
