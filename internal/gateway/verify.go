package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/mcpctl/mcpctl/internal/web"
)

// Answer is what is known of a permission.
type Answer int

// The answers. Unknown is the zero value.
const (
	Unknown Answer = iota
	Yes
	No
)

// Reach says whether a part of the gateway answered.
type Reach struct {
	Reachable bool
	Version   string // "" if it doesn't say
	Err       error  // why it wasn't reached
}

// Verification is what is known of a key.
type Verification struct {
	// Header is the header form that worked: web.PortkeyHeader or web.AuthorizationHeader; "" if neither was tried with
	// success.
	Header string
	// CanList and CanInvoke tell about the scopes mcp_servers.list and mcp.invoke.
	CanList, CanInvoke Answer
	// Workspace is the slug of the key's workspace, WorkspaceName its name; "" where no answer names them.
	Workspace, WorkspaceName string
	Gateway, ControlPlane    Reach
}

// Verify finds out whether a key is good, and what for. There is no endpoint for that, so both sides are asked something
// harmless: the control plane for one server, the gateway for a ping at a server that doesn't exist. The error is
// ErrKeyRefused if a side refused the key and none took it; an unreachable side is no error, see the Reach.
//
// A key goes out as x-portkey-api-key, as the gateway's source wants it, and after a 401 once as a bearer token, as older
// documentation shows it, unless Options.Key names a header.
func (c *Client) Verify(ctx context.Context) (Verification, error) {
	headers := []string{web.PortkeyHeader, web.AuthorizationHeader}
	if c.o.Key.Header != "" {
		headers = []string{c.o.Key.Header}
	}
	var v Verification
	var err error
	for _, h := range headers {
		key := c.o.Key
		key.Header = h
		if v, err = c.verifyAs(ctx, key); !errors.Is(err, ErrKeyRefused) {
			return v, err
		}
	}
	return v, err
}

func (c *Client) verifyAs(ctx context.Context, key web.Key) (Verification, error) {
	var v Verification
	var fromPlane, fromGateway side
	var wg sync.WaitGroup
	wg.Go(func() { fromPlane = c.askControlPlane(ctx, key) })
	wg.Go(func() { fromGateway = c.askGateway(ctx, key) })
	wg.Go(func() { v.Gateway = c.health(ctx) })
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return v, err
	}
	v.CanList, v.ControlPlane = fromPlane.answer, fromPlane.reach
	v.CanInvoke = fromGateway.answer
	if fromGateway.reach.Reachable {
		v.Gateway.Reachable, v.Gateway.Err = true, nil
	}
	v.Workspace = first(fromPlane.workspace, fromGateway.workspace)
	v.WorkspaceName = fromPlane.workspaceName
	if fromPlane.valid || fromGateway.valid {
		v.Header = key.Header
		return v, nil
	}
	for _, s := range []side{fromPlane, fromGateway} {
		if errors.Is(s.err, ErrKeyRefused) {
			return v, s.err
		}
	}
	return v, nil
}

// side is what one side says of a key.
type side struct {
	valid                    bool // it took the key
	answer                   Answer
	workspace, workspaceName string
	reach                    Reach
	err                      error
}

func newSide(err error) side {
	if status(err) == 0 && err != nil {
		return side{err: err, reach: Reach{Err: err}}
	}
	return side{err: err, reach: Reach{Reachable: true}}
}

func (c *Client) askControlPlane(ctx context.Context, key web.Key) side {
	query := url.Values{"page_size": {"1"}}
	c.narrow(query, "")
	var list listPage
	err := c.get(ctx, key, c.o.ControlPlaneURL+"/mcp-servers", query, &list)
	s := newSide(err)
	switch status(err) {
	case http.StatusForbidden:
		s.valid, s.answer = true, No
	case 0:
		if err == nil {
			s.valid, s.answer = true, Yes
			if len(list.Data) > 0 {
				s.workspace, s.workspaceName = list.Data[0].WorkspaceSlug, list.Data[0].WorkspaceName
			}
		}
	}
	return s
}

// serverNotFound is how the gateway names the key's workspace: Server 'ws-acme/SLUG' not found.
var serverNotFound = regexp.MustCompile(`Server '([^/']+)/`)

func (c *Client) askGateway(ctx context.Context, key web.Key) side {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	ping := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	err := c.send(ctx, key, http.MethodPost, Endpoint(c.o.GatewayURL, "mcpctl-check-"+hex.EncodeToString(random)), ping, nil)
	s := newSide(err)
	var e *Error
	if !errors.As(err, &e) {
		return s
	}
	switch {
	case e.Status == http.StatusNotFound && e.Message != "":
		if m := serverNotFound.FindStringSubmatch(e.Message); m != nil {
			s.valid, s.answer, s.workspace = true, Yes, m[1]
		}
	case e.Status == http.StatusForbidden && (e.Code == "033" || strings.Contains(e.Message, "Error Code: 033")):
		s.valid, s.answer = true, No
	case e.Status == http.StatusForbidden: // hosted gateways may answer so for an unknown server
		s.valid = true
	case e.Status == http.StatusPreconditionFailed, e.Status == http.StatusTooManyRequests: // a budget or rate used up
		s.valid = true
	}
	return s
}

// health asks the gateway for its version, for which it wants no key.
func (c *Client) health(ctx context.Context) Reach {
	var h struct {
		Version string `json:"version"`
	}
	for _, path := range []string{"/health", "/"} {
		if err := c.send(ctx, web.Key{}, http.MethodGet, c.o.GatewayURL+path, nil, &h); err != nil && status(err) == 0 {
			return Reach{Err: err}
		}
		if h.Version != "" {
			break
		}
	}
	return Reach{Reachable: true, Version: cleaned(h.Version)}
}
