package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
)

// Tool is a tool as its server describes it. Schemas and annotations are the bytes that came.
type Tool struct {
	Name         string          `json:"name"`
	Title        string          `json:"title,omitempty"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
	Annotations  json.RawMessage `json:"annotations,omitempty"`
}

// Initialize is the handshake, which comes before all else. It returns the server's answer.
func (c *Client) Initialize(ctx context.Context, info mcp.Implementation) (*mcp.InitializeResult, error) {
	raw, err := c.Call(ctx, mcp.MethodInitialize, map[string]any{
		// The newest of the revisions that have a handshake.
		"protocolVersion": mcp.LegacyProtocolVersions()[0],
		"capabilities":    struct{}{},
		"clientInfo":      info,
	}, nil)
	if err != nil {
		return nil, err
	}
	var result mcp.InitializeResult
	if err := json.Unmarshal(raw, &result); err != nil {
		return nil, fmt.Errorf("the server's answer to initialize can't be read: %w", err)
	}
	return &result, c.Notify(mcp.MethodNotificationInitialized, nil)
}

// maxPages is where a listing ends that has no end.
const maxPages = 1000

// Tools returns the server's tools, of all pages.
func (c *Client) Tools(ctx context.Context) ([]Tool, error) {
	tools, seen := []Tool{}, map[string]bool{}
	var params map[string]any
	for range maxPages {
		raw, err := c.Call(ctx, mcp.MethodToolsList, params, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Tools []Tool `json:"tools"`
			Next  string `json:"nextCursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, fmt.Errorf("the server's list of tools can't be read: %w", err)
		}
		tools = append(tools, page.Tools...)
		if page.Next == "" {
			return tools, nil
		}
		if seen[page.Next] {
			return nil, errors.New("the server's list of tools goes round in circles: one of its pages is the next of two others")
		}
		seen[page.Next], params = true, map[string]any{"cursor": page.Next}
	}
	return nil, fmt.Errorf("the server's list of tools has more than %d pages", maxPages)
}

// CallTool calls a tool with arguments, a JSON object. It returns the result as it came; see Call for progress and errors.
func (c *Client) CallTool(ctx context.Context, name string, arguments json.RawMessage, progress func(Progress)) (json.RawMessage, error) {
	return c.Call(ctx, mcp.MethodToolsCall, map[string]any{"name": name, "arguments": arguments}, progress)
}
