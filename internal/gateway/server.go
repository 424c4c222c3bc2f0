package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// AuthPerUser is the AuthType of a server that wants each user's consent (Portkey-AI/openapi, openapi.yaml).
const AuthPerUser = "oauth_auto"

// ErrNoServer means that the workspace has no server of that name.
var ErrNoServer = errors.New("no such server")

// ErrNoUser means that a key belongs to no user, and so can have nobody's consent: a service key.
var ErrNoUser = errors.New("the key names no user")

// serverPath is the path of a server, or of a part of it, at the control plane.
func (c *Client) serverPath(slug, part string) (path string, query url.Values) {
	query = url.Values{}
	c.narrow(query, "")
	return "/mcp-servers/" + url.PathEscape(slug) + part, query
}

// Server returns one server: from the control plane, or else from the list in the gateway's registry. The error is
// ErrNoServer if there is none of that name.
func (c *Client) Server(ctx context.Context, slug string) (Server, error) {
	var s struct {
		ID            string `json:"id"`
		Slug          string `json:"slug"`
		Name          string `json:"name"`
		Description   string `json:"description"`
		AuthType      string `json:"auth_type"`
		Status        string `json:"status"`
		WorkspaceSlug string `json:"workspace_slug"`
	}
	path, query := c.serverPath(slug, "")
	_, err := c.get(ctx, controlPlane, path, query, &s)
	switch {
	case err == nil && s.Slug != "":
		if s.WorkspaceSlug == "" { // only lists have it
			s.WorkspaceSlug = c.workspaceOf(ctx, s.ID, s.Slug)
		}
		return Server{s.Slug, s.Name, s.Description, Endpoint(c.o.GatewayURL, s.Slug), s.AuthType, s.Status, s.WorkspaceSlug}, nil
	case err == nil:
		return Server{}, &Error{URL: c.base(controlPlane) + path, Status: http.StatusOK, Message: "the answer is not a server"}
	case ctx.Err() != nil || !worthAskingRegistry(err):
		return Server{}, advise(err)
	}
	list, registryErr := c.fromRegistry(ctx, slug)
	for _, s := range list {
		if s.Slug == slug {
			return s, nil
		}
	}
	var e *Error
	if registryErr == nil || errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code != "" {
		return Server{}, ErrNoServer
	}
	if status(err) == http.StatusForbidden {
		return Server{}, problem.New("ask for the scope mcp_servers.read", "your key is valid, but may not read servers (%w)", err)
	}
	return Server{}, advise(err)
}

// workspaceOf returns the slug of a server's workspace from the control plane's list; "" if the key may not list, or the list
// doesn't say: the server itself is known all the same.
func (c *Client) workspaceOf(ctx context.Context, id, slug string) string {
	query := url.Values{"page_size": {"100"}, "id": {first(id, slug)}}
	c.narrow(query, "")
	var list listPage
	if _, err := c.list(ctx, query, &list); err != nil {
		return ""
	}
	for _, s := range list.Data {
		if s.Slug == slug {
			return s.WorkspaceSlug
		}
	}
	return ""
}

// Connected reports whether the key's user has given consent for a server. It fails where the key may not know.
func (c *Client) Connected(ctx context.Context, slug string) (bool, error) {
	list, err := c.connections(ctx, slug)
	// A user's key sees the user's own connection alone; one that sees several belongs to no single user.
	return len(list) == 1 && list[0].Connected, err
}

// NamesNobody reports whether the key is certain to belong to no user: it sees the connections of several. It fails where the key may
// not know.
//
// That misses the service key of a workspace where hardly anybody has consented. Disconnect would tell, but might take back a consent
// that is given at this moment, so it is for commands that the user types.
func (c *Client) NamesNobody(ctx context.Context, slug string) (bool, error) {
	list, err := c.connections(ctx, slug)
	return len(list) > 1, err
}

// connection is a user's consent to a server.
type connection struct {
	Connected bool `json:"connected"`
}

// connections returns those that the key may see.
func (c *Client) connections(ctx context.Context, slug string) ([]connection, error) {
	path, query := c.serverPath(slug, "/connections")
	var list struct {
		Data []connection `json:"data"`
	}
	if _, err := c.get(ctx, controlPlane, path, query, &list); err != nil {
		return nil, err
	}
	return list.Data, nil
}

// PerUser reports whether a server wants each user's consent. It fails where the key may not know.
func (c *Client) PerUser(ctx context.Context, slug string) (bool, error) {
	path, query := c.serverPath(slug, "")
	var server struct {
		AuthType string `json:"auth_type"`
	}
	if _, err := c.get(ctx, controlPlane, path, query, &server); err != nil {
		return false, err
	}
	return server.AuthType == AuthPerUser, nil
}

// Disconnect takes back the consent of the key's user for a server, and reports whether there was one. The error is ErrNoUser
// for a service key, which would have to say whose.
//
// Of a user who isn't connected it takes nothing, which is how to find out whether a key names a user: nothing else tells.
func (c *Client) Disconnect(ctx context.Context, slug string) (was bool, err error) {
	path, query := c.serverPath(slug, "/connections")
	address := c.address(controlPlane, path, query)
	_, err = c.authorized(controlPlane, func(key web.Key) error {
		return c.send(ctx, key, http.MethodDelete, address, nil, nil)
	})
	switch status(err) {
	case http.StatusBadRequest:
		return false, ErrNoUser
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden:
		return false, problem.New("take it back on the gateway's dashboard, or ask for the scope mcp_servers.update",
			"your key is valid, but may not take consent back (%w)", err)
	}
	return err == nil, advise(err)
}

// Capability is what the gateway has last seen of a server: one of its tools, prompts or resources.
type Capability struct {
	Type        string `json:"type"` // tool, prompt, resource, resource_template
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
}

// Capabilities returns what the gateway has last seen of a server, nothing before anybody has listed its tools.
func (c *Client) Capabilities(ctx context.Context, slug string) ([]Capability, error) {
	path, query := c.serverPath(slug, "/capabilities")
	query.Set("page_size", "500")
	all := []Capability{}
	for page := range maxPages {
		query.Set("page", strconv.Itoa(page+1)) // counted from 1
		var list struct {
			Data    []Capability `json:"data"`
			HasMore bool         `json:"has_more"`
		}
		if _, err := c.get(ctx, controlPlane, path, query, &list); err != nil {
			return nil, advise(err)
		}
		all = append(all, list.Data...)
		if !list.HasMore || len(list.Data) == 0 {
			break
		}
	}
	return all, nil
}
