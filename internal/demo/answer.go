package demo

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// answer is a whole response.
type answer struct {
	status    int
	body      any    // written as JSON; nil is an empty body
	challenge string // WWW-Authenticate
	stream    bool   // the body goes out as one server-sent event
}

func (a *answer) write(w http.ResponseWriter) {
	if a.challenge != "" {
		w.Header().Set("WWW-Authenticate", a.challenge)
	}
	switch {
	case a.body == nil:
		w.WriteHeader(a.status)
	case a.stream:
		startStream(w)
		writeEvent(w, a.body)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write(encode(a.body))
	}
}

// encode is JSON as JavaScript's JSON.stringify writes it: <, > and & stand for themselves.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only values of this package come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// startStream sends the headers of an event stream at once, as the gateway does.
func startStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	flush(w)
}

// writeEvent writes one event in the form of the MCP TypeScript SDK: a type, one line of data, no id.
func writeEvent(w http.ResponseWriter, v any) {
	event := append([]byte("event: message\ndata: "), encode(v)...)
	_, _ = w.Write(append(event, "\n\n"...))
	flush(w)
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// rpcResult and rpcFailure are JSON-RPC responses. Unlike mcp.JSONRPCResponse they keep an id's bytes.
type rpcResult struct {
	Result  any             `json:"result"`
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
}

type rpcFailure struct {
	JSONRPC string          `json:"jsonrpc"`
	Error   rpcError        `json:"error"`
	ID      json.RawMessage `json:"id"` // nil is null
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// notMCP is the code of errors from the gateway and from the transport of the MCP TypeScript SDK, before any MCP server.
const notMCP = -32000

func rpcAnswer(status, code int, message string, id json.RawMessage, data any) *answer {
	return &answer{status: status, body: rpcFailure{mcp.JSONRPC_VERSION, rpcError{code, message, data}, id}}
}

// sessionLost is all that version 2.2.3 says when it can't connect to an upstream, whatever the reason.
func sessionLost(id json.RawMessage) *answer {
	return rpcAnswer(http.StatusInternalServerError, notMCP, "Failed to restore session. Please reinitialize.", id, nil)
}

// keyFailure is the gateway's word on a key.
func keyFailure(f failure) *answer {
	type detail struct {
		Message string `json:"message"`
		Code    string `json:"code"`
	}
	message := "Portkey Error: " + f.message + ". Error Code: " + f.code
	return &answer{status: f.status, body: struct {
		Status  string `json:"status"`
		Message string `json:"message"`
		Error   detail `json:"error"`
	}{"failure", message, detail{message, f.code}}}
}

// oauthFailure has the form of an OAuth error (RFC 6749, section 5.2).
func oauthFailure(status int, code, description string) *answer {
	return &answer{status: status, body: struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description}}
}

// noSuchPath is the gateway's answer to a path that it doesn't know.
func noSuchPath() *answer {
	return &answer{status: http.StatusNotFound, body: struct {
		Status string `json:"status"`
	}{"not found"}}
}
