// Package gateway is a typed client of the Portkey MCP Gateway's control plane and registry.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// requestTime limits one request: nothing here does work that takes longer.
	requestTime = 15 * time.Second
	maxBody     = 8 << 20 // bytes; a page of 100 servers may hold their icons
	// maxRetryAfter is the longest pause that is worth waiting out when the other side is busy.
	maxRetryAfter = 10 * time.Second
	retryDelay    = 500 * time.Millisecond
)

// Options say which gateway, and with what key.
type Options struct {
	GatewayURL      string // base URL of the MCP gateway
	ControlPlaneURL string // base URL of the control plane; may be empty
	Workspace       string // UUID or slug, for organisation keys; may be empty
	HTTP            *http.Client
	Key             web.Key // an empty Header means that the form which works has yet to be found
}

// Client speaks to one gateway. It is safe for concurrent use.
type Client struct {
	o Options

	mu     sync.Mutex
	worked map[side]string // the header form that a side took the key in
}

// New returns a Client.
func New(o Options) *Client { return &Client{o: o, worked: map[side]string{}} }

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

// ServerOf is the inverse of Endpoint: it returns the slug of the server that u leads to at the gateway, whether u is
// {gateway}/SLUG/mcp or {gateway}/WORKSPACE/SLUG/mcp, and false for any other URL.
func ServerOf(gatewayURL string, u *url.URL) (slug string, ok bool) {
	base, err := url.Parse(gatewayURL)
	if err != nil || web.Origin(base) != web.Origin(u) {
		return "", false
	}
	rest, ok := strings.CutPrefix(u.Path, strings.TrimSuffix(base.Path, "/")+"/")
	rest, isMCP := strings.CutSuffix(rest, "/mcp")
	parts := strings.Split(rest, "/")
	slug = parts[len(parts)-1]
	return slug, ok && isMCP && len(parts) <= 2 && slug != ""
}

// side is one of the three that judge a key, each by itself.
type side int

const (
	controlPlane side = iota
	registry
	mcpEndpoint
)

func (c *Client) base(s side) string {
	if s == controlPlane {
		return strings.TrimSuffix(c.o.ControlPlaneURL, "/")
	}
	return strings.TrimSuffix(c.o.GatewayURL, "/")
}

// forms returns the header forms to try at a side, in order. x-portkey-api-key is what the gateway's source wants; older
// documentation shows the key as a bearer token. A form that the options name is the only one at the MCP endpoint, which
// is what it was found for; control plane and registry are documented for x-portkey-api-key alone, so that it is
// tried there even if the endpoint takes the other.
func (c *Client) forms(s side) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch worked := c.worked[s]; {
	case worked != "":
		return []string{worked}
	case c.o.Key.Value.IsZero():
		return []string{""}
	case c.o.Key.Header == "":
		return []string{web.PortkeyHeader, web.AuthorizationHeader}
	case c.o.Key.Header == web.AuthorizationHeader && s != mcpEndpoint:
		return []string{web.AuthorizationHeader, web.PortkeyHeader}
	}
	return []string{c.o.Key.Header}
}

// authorized calls send with the key in one header form, and after a 401 in the other if that may be right. If no form is
// taken, the error is that of the first, whose words are about the key.
func (c *Client) authorized(s side, send func(web.Key) error) (header string, err error) {
	var refused error
	for _, header := range c.forms(s) {
		key := c.o.Key
		key.Header = header
		err := send(key)
		if errors.Is(err, ErrKeyRefused) {
			if refused == nil {
				refused = err
			}
			continue
		}
		if !tookKey(err) {
			return "", err
		}
		c.mu.Lock()
		c.worked[s] = header
		c.mu.Unlock()
		return header, err
	}
	return "", refused
}

// tookKey reports whether an answer other than 401 tells that the key is good: a key is judged before anything else is.
// A refusal without words that can be read is some proxy's.
func tookKey(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return err == nil
	}
	return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusUnauthorized && e.Message != ""
}

func (c *Client) address(s side, path string, query url.Values) string {
	address := c.base(s) + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// get sends a GET with the key, decodes the JSON answer into v, and returns the header form that was taken. One 429 or 503 with a short Retry-After is waited
// out, and one 502 or 504 repeated. An answer of 300 or more is returned as an *Error.
func (c *Client) get(ctx context.Context, s side, path string, query url.Values, v any) (header string, err error) {
	address := c.address(s, path, query)
	return c.authorized(s, func(key web.Key) error {
		err := c.send(ctx, key, http.MethodGet, address, nil, v)
		pause, again := retryPause(err)
		if !again {
			return err
		}
		select {
		case <-time.After(pause):
			return c.send(ctx, key, http.MethodGet, address, nil, v)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// send sends one request; a zero key is left out, one that may not go to the address keeps the request from being sent.
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
	if !key.Authorize(r) && !key.Value.IsZero() {
		where := web.Origin(r.URL)
		return &Error{URL: where, Next: "run mcpctl login with this --gateway and --control-plane",
			cause: &url.Error{Op: method, URL: where, Err: errNotBound}}
	}
	resp, err := c.o.HTTP.Do(r)
	if err != nil {
		return &Error{URL: web.Redact(r.URL), cause: err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	failed := &Error{URL: web.Redact(r.URL), Status: resp.StatusCode}
	switch {
	case err != nil:
		failed.cause = err
	case resp.StatusCode >= 300:
		return newError(r.URL, resp, data[:min(len(data), maxBody)], key)
	case v == nil:
		return nil
	case len(data) > maxBody:
		failed.Message = "the answer is longer than 8 MiB"
	case json.Unmarshal(data, v) != nil:
		failed.Message = "the answer is not the JSON that was expected"
	default:
		return nil
	}
	return failed
}
