package cli

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// On a terminal a call shows how far it has come, and structured content as an outline.
func TestToolsOnATerminal(t *testing.T) {
	seen := make(chan struct{})
	s := server.NewMCPServer("worker", "1.0", server.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("work", mcp.WithDescription(strings.Repeat("Long words. ", 30)), mcp.WithString("what")),
		func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			_ = server.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", map[string]any{
				"progressToken": r.Params.Meta.ProgressToken, "progress": 2, "total": 4, "message": "half\x1b[2Jway",
			})
			<-seen
			return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(`{"state":"done","parts":[{"n":1}]}`)},
				StructuredContent: map[string]any{"parts": []any{map[string]any{"n": 1}}, "state": "done"}}, nil
		})
	h := httptest.NewServer(server.NewStreamableHTTPServer(s))
	finish := sync.OnceFunc(func() { close(seen) })
	defer func() { finish(); h.CloseClientConnections(); h.Close() }()
	u := newUser(t, "https://gateway.invalid")
	c := u.converse(t.Context(), "tools", "call", h.URL+"/mcp", "work", "what=x")
	c.wait(t, "Calling work … 50% half\ufffd[2Jway")
	finish()
	shown := c.wait(t, "state: done")
	c.wantExit(0)
	if !strings.Contains(shown, "parts:\r\n  - n: 1\r\nstate: done") || strings.Contains(shown, "\x1b") {
		t.Errorf("%q", shown)
	}

	c = u.converse(t.Context(), "tools", "ls", h.URL+"/mcp")
	c.wantExit(0)
	lines := strings.Split(c.wait(t, "Long words"), "\n")
	if !strings.Contains(lines[0], "TOOL  ARGUMENTS  DESCRIPTION") || !strings.Contains(lines[1], "work  [what]") || len(lines[1]) > 90 {
		t.Errorf("%q", lines)
	}
	c = u.converse(t.Context(), "tools", "show", h.URL+"/mcp", "work")
	c.wantExit(0)
	wantAll(t, c.wait(t, "Try: "), "ARGUMENT", "what", "[what=STRING]")
}
