package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/mcpctl/mcpctl/internal/pattern"
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
	Err       error  // why it wasn't reached, or why its answer tells nothing of the key
}

// Verification is what is known of a key.
type Verification struct {
	// Header is the header form that the gateway took the key in, or else the control plane: web.PortkeyHeader or
	// web.AuthorizationHeader; "" if neither took it.
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
func (c *Client) Verify(ctx context.Context) (Verification, error) {
	var v Verification
	var plane, gate opinion
	var wg sync.WaitGroup
	wg.Go(func() { plane = c.askControlPlane(ctx) })
	wg.Go(func() { gate = c.askGateway(ctx) })
	wg.Go(func() { v.Gateway = c.health(ctx) })
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return v, err
	}
	v.Header = first(gate.header, plane.header)
	v.CanList, v.CanInvoke = plane.answer, gate.answer
	v.Workspace = first(plane.workspace, gate.workspace)
	v.WorkspaceName = plane.workspaceName
	v.ControlPlane = plane.reach()
	if r := gate.reach(); r.Reachable {
		v.Gateway.Reachable, v.Gateway.Err = true, r.Err
	}
	planeRefused, gateRefused := errors.Is(plane.err, ErrKeyRefused), errors.Is(gate.err, ErrKeyRefused)
	switch {
	case plane.valid && gateRefused:
		v.CanInvoke = No
	case gate.valid && planeRefused:
		v.CanList = No
	case gateRefused:
		return v, advise(gate.err)
	case planeRefused:
		return v, advise(plane.err)
	}
	return v, nil
}

// opinion is what one side says of a key.
type opinion struct {
	valid                    bool // it took the key
	header                   string
	answer                   Answer
	workspace, workspaceName string
	err                      error
}

func newOpinion(header string, err error) opinion {
	return opinion{header: header, err: err, valid: tookKey(err)}
}

func (o opinion) reach() Reach {
	r := Reach{Reachable: o.err == nil || status(o.err) != 0}
	if !o.valid {
		r.Err = advise(o.err)
	}
	return r
}

func (c *Client) askControlPlane(ctx context.Context) opinion {
	query := url.Values{"page_size": {"1"}}
	c.narrow(query, "")
	var list listPage
	header, err := c.list(ctx, query, &list)
	o := newOpinion(header, err)
	switch {
	case err == nil:
		o.answer = Yes
		if len(list.Data) > 0 {
			o.workspace, o.workspaceName = cleaned(list.Data[0].WorkspaceSlug), cleaned(list.Data[0].WorkspaceName)
		}
	case status(err) == http.StatusForbidden && o.valid:
		o.answer = No
	}
	return o
}

// serverNotFound is how the gateway names the key's workspace: Server 'ws-acme/SLUG' not found.
var serverNotFound = pattern.New(`Server '([^/']+)/`)

func (c *Client) askGateway(ctx context.Context) opinion {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	address := Endpoint(c.base(mcpEndpoint), "mcpctl-check-"+hex.EncodeToString(random))
	header, err := c.authorized(mcpEndpoint, func(key web.Key) error {
		ping := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
		return c.send(ctx, key, http.MethodPost, address, ping, nil)
	})
	o := newOpinion(header, err)
	var e *Error
	if !errors.As(err, &e) {
		if err == nil {
			err = &Error{URL: address, Status: http.StatusOK, Message: "a server that doesn't exist has answered: this is no Portkey gateway"}
		}
		return opinion{err: err}
	}
	switch {
	case e.Status == http.StatusNotFound:
		m := serverNotFound().FindStringSubmatch(e.Message)
		if m == nil { // the wrong path, or another program
			return opinion{err: err}
		}
		o.answer, o.workspace = Yes, m[1]
	case e.Status == http.StatusForbidden && (e.Code == "033" || strings.Contains(e.Message, "Error Code: 033")):
		o.answer = No
		// Any other 403 may be how a hosted gateway answers for an unknown server, and 412 and 429 are about a budget or
		// a rate that is used up: the key is good, and more isn't known.
	}
	return o
}

// health asks the gateway for its version, for which it wants no key.
func (c *Client) health(ctx context.Context) Reach {
	var h struct {
		Version string `json:"version"`
	}
	for _, path := range []string{"/health", "/"} {
		if err := c.send(ctx, web.Key{}, http.MethodGet, c.base(mcpEndpoint)+path, nil, &h); err != nil && status(err) == 0 {
			return Reach{Err: err}
		}
		if h.Version != "" {
			break
		}
	}
	return Reach{Reachable: true, Version: cleaned(h.Version)}
}
