// Package gateway is a typed client of the Portkey MCP Gateway's control plane and registry.
package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// requestTime limits one request: nothing here does work that takes longer.
	requestTime = 15 * time.Second
	maxBody     = 8 << 20
	// maxRetryAfter is the longest pause that is worth waiting out when the control plane is busy.
	maxRetryAfter = 10 * time.Second
)

// Options say which gateway, and with what key.
type Options struct {
	GatewayURL      string // base URL of the MCP gateway
	ControlPlaneURL string // base URL of the control plane
	Workspace       string // UUID or slug, for organisation keys; may be empty
	HTTP            *http.Client
	Key             web.Key
}

// Client speaks to one gateway. It is safe for concurrent use.
type Client struct{ o Options }

// New returns a Client.
func New(o Options) *Client { return &Client{o} }

// Endpoint returns the URL at which the gateway serves an MCP server, named by its slug or as WORKSPACE/SLUG
// ({gateway}/{slug}/mcp; product/mcp-gateway in Portkey's documentation). It is always built from the configured gateway:
// a URL that a listing names may lead elsewhere.
func Endpoint(gatewayURL, server string) string {
	parts := strings.Split(server, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.TrimSuffix(gatewayURL, "/") + "/" + strings.Join(parts, "/") + "/mcp"
}

// get sends a GET and decodes the JSON answer into v. One 429 with a short Retry-After is waited out, and one 502, 503 or
// 504 repeated. An answer of 400 or more is returned as an *Error.
func (c *Client) get(ctx context.Context, key web.Key, address string, query url.Values, v any) error {
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	err := c.send(ctx, key, http.MethodGet, address, nil, v)
	if pause, again := retryPause(err); again {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		return c.send(ctx, key, http.MethodGet, address, nil, v)
	}
	return err
}

func (c *Client) send(ctx context.Context, key web.Key, method, address string, body io.Reader, v any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json, text/event-stream")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	key.Authorize(r)
	resp, err := c.o.HTTP.Do(r)
	if err != nil {
		return &Error{URL: web.Redact(r.URL), cause: err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return &Error{URL: web.Redact(r.URL), Status: resp.StatusCode, cause: err}
	case resp.StatusCode >= 300:
		return newError(r.URL, resp, data)
	case v == nil:
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return &Error{URL: web.Redact(r.URL), Status: resp.StatusCode, Message: "the answer is not the JSON that was expected"}
	}
	return nil
}
