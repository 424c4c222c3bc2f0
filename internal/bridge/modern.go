package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// metaRevision is the member of params._meta in which each message of revision 2026-07-28 or later names its revision
// (2026-07-28, basic/index). The era is decided for each message alone: there are clients that send initialize after a
// successful server/discover.
const metaRevision = "io.modelcontextprotocol/protocolVersion"

func revisionOf(m message) string {
	if m.method == nil || !m.special {
		return ""
	}
	return unquote(member(member(m.params, "_meta"), metaRevision))
}

func (m *message) isModern() bool { return m.revision != "" }

// setModernHeaders mirrors what servers and proxies want to see without reading the body: the revision, the method, the
// name, and the arguments that the tool's schema marks with x-mcp-header.
func (b *Bridge) setModernHeaders(h http.Header, m message) {
	h.Set(mcp.HeaderProtocolVersion, m.revision)
	method := unquote(m.method)
	for name, value := range mcp.StandardHeaders(m.revision, mcp.MCPMethod(method), json.RawMessage(m.params)) {
		h.Set(name, value)
	}
	if method != methodToolsCall {
		return
	}
	if tool := b.tools.get(unquote(member(m.params, "name"))); tool != nil {
		for name, value := range mcp.GenerateParamHeaders(tool, json.RawMessage(m.params)) {
			h.Set(name, value)
		}
	}
}

// toolCache remembers the tools that a modern server listed, for the headers that their schemas ask for.
type toolCache struct {
	mu    sync.Mutex
	tools map[string]*mcp.Tool
}

func (c *toolCache) get(name string) *mcp.Tool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tools[name]
}

// learn reads the result of tools/list and returns it without the tools that have an invalid x-mcp-header: a client on
// HTTP must not offer these, and a client on stdio can't know. All other bytes stay as they are.
func (c *toolCache) learn(result []byte) []byte {
	if !bytes.Contains(result, []byte("x-mcp-header")) {
		return result
	}
	list := member(result, "tools")
	kept, dropped := [][]byte{}, false
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tools == nil {
		c.tools = map[string]*mcp.Tool{}
	}
	elements(list, func(value []byte) {
		var tool mcp.Tool
		if json.Unmarshal(value, &tool) == nil {
			if mcp.ValidateParamHeaderAnnotations(&tool) != nil {
				dropped = true
				return
			}
			c.tools[tool.Name] = &tool
		}
		kept = append(kept, value)
	})
	if !dropped {
		return result
	}
	start := cap(result) - cap(list)
	return slices.Concat(result[:start], []byte("["), bytes.Join(kept, []byte(",")), []byte("]"), result[start+len(list):])
}

// learnTools takes note of an answer to tools/list, and returns the answer that the client should see.
func (b *Bridge) learnTools(m message) message {
	result := b.tools.learn(m.result)
	if len(result) == len(m.result) {
		return m
	}
	start := cap(m.raw) - cap(m.result)
	edited, err := parse(slices.Concat(m.raw[:start], result, m.raw[start+len(m.result):]))
	if err != nil {
		return m
	}
	return edited
}

// refreshTools lists the tools again after the server refused a call's headers: their schemas may have changed.
func (b *Bridge) refreshTools(ctx context.Context, call *exchange) {
	cursor := ""
	for range 100 {
		params := map[string]any{"_meta": json.RawMessage(member(call.msg.params, "_meta"))}
		if cursor != "" {
			params["cursor"] = cursor
		}
		m, _ := parse(encode(map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "id": "mcpctl-tools", "method": methodToolsList, "params": params}))
		x := newExchange(m, call.handshake)
		r := b.roundTrip(ctx, x)
		if r.msg == nil || r.msg.result == nil {
			return
		}
		b.tools.learn(r.msg.result)
		if cursor = unquote(member(r.msg.result, "nextCursor")); cursor == "" {
			return
		}
	}
}
