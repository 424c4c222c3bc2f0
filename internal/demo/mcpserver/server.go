// Package mcpserver has the small MCP servers that stand behind the demo's gateway: real tools on data in memory.
package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// Server is an MCP server without a transport. It is safe for concurrent use.
type Server struct {
	info  mcp.Implementation
	tools []tool
}

// Error is a JSON-RPC error.
type Error struct {
	Code    int
	Message string
}

// Versions are the protocol versions that can be negotiated, newest first: those of the MCP TypeScript SDK 1.26, on which
// the gateway is built (SUPPORTED_PROTOCOL_VERSIONS in its src/types.ts).
func Versions() []string {
	return append(mcp.LegacyProtocolVersions(), "2024-10-07")
}

// Tools returns the definitions of the server's tools.
func (s *Server) Tools() []mcp.Tool {
	list := make([]mcp.Tool, len(s.tools))
	for i, t := range s.tools {
		list[i] = t.Tool
	}
	return list
}

// Handle answers one request. params may be nil.
func (s *Server) Handle(ctx context.Context, method string, params json.RawMessage) (any, *Error) {
	switch mcp.MCPMethod(method) {
	case mcp.MethodInitialize:
		return s.initialize(params)
	case mcp.MethodPing:
		return mcp.EmptyResult{}, nil
	case mcp.MethodToolsList:
		return mcp.NewListToolsResult(s.Tools(), ""), nil
	case mcp.MethodToolsCall:
		return s.call(ctx, params)
	case mcp.MethodResourcesList:
		return mcp.NewListResourcesResult([]mcp.Resource{}, ""), nil
	case mcp.MethodResourcesTemplatesList:
		return mcp.NewListResourceTemplatesResult([]mcp.ResourceTemplate{}, ""), nil
	case mcp.MethodResourcesRead:
		return nil, &Error{mcp.RESOURCE_NOT_FOUND, "Resource not found"}
	case mcp.MethodPromptsList:
		return mcp.NewListPromptsResult([]mcp.Prompt{}, ""), nil
	case mcp.MethodPromptsGet:
		return nil, &Error{mcp.INVALID_PARAMS, "Unknown prompt"}
	}
	return nil, &Error{mcp.METHOD_NOT_FOUND, "Method not found"}
}

func (s *Server) initialize(params json.RawMessage) (any, *Error) {
	var p mcp.InitializeParams
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, &Error{mcp.INVALID_PARAMS, "initialize wants params"}
	}
	versions := Versions()
	version := versions[0]
	if slices.Contains(versions, p.ProtocolVersion) {
		version = p.ProtocolVersion
	}
	var able mcp.ServerCapabilities
	type listChanged = struct {
		ListChanged bool `json:"listChanged,omitempty"`
	}
	able.Tools, able.Prompts = &listChanged{}, &listChanged{}
	able.Resources = &struct {
		Subscribe   bool `json:"subscribe,omitempty"`
		ListChanged bool `json:"listChanged,omitempty"`
	}{}
	return mcp.NewInitializeResult(version, able, s.info, ""), nil
}

func (s *Server) call(ctx context.Context, params json.RawMessage) (any, *Error) {
	var p struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if err := json.Unmarshal(params, &p); err != nil || p.Name == "" {
		return nil, &Error{mcp.INVALID_PARAMS, "tools/call wants a name"}
	}
	i := slices.IndexFunc(s.tools, func(t tool) bool { return t.Name == p.Name })
	if i < 0 {
		return nil, &Error{mcp.INVALID_PARAMS, fmt.Sprintf("Unknown tool: %s", p.Name)}
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{mcp.INTERNAL_ERROR, err.Error()}
	}
	return s.tools[i].call(p.Arguments), nil
}
