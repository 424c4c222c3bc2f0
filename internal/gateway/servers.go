package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// Server is an MCP server of a workspace. Its JSON names are those of mcpctl servers ls --json.
type Server struct {
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`       // as the listing has it, or built from the gateway's URL
	AuthType    string `json:"auth_type"` // none, headers, oauth_auto, …; "" if the listing doesn't say
	Status      string `json:"status"`    // active, archived
	Workspace   string `json:"workspace"` // slug
}

// Servers returns the workspace's servers, all pages: from the control plane, or, where that is out of reach or isn't
// known, from the gateway's registry. search narrows the list; "" is all.
func (c *Client) Servers(ctx context.Context, search string) ([]Server, error) {
	if c.o.ControlPlaneURL == "" {
		servers, err := c.fromRegistry(ctx, search)
		if status(err) == http.StatusForbidden {
			err = mayNotList(err)
		}
		return servers, advise(err)
	}
	servers, err := c.fromControlPlane(ctx, search)
	if err == nil || ctx.Err() != nil || !worthAskingRegistry(err) {
		return servers, advise(err)
	}
	servers, registryErr := c.fromRegistry(ctx, search)
	switch {
	case registryErr == nil:
		return servers, nil
	case status(err) == http.StatusForbidden:
		return nil, mayNotList(err)
	case status(registryErr) == http.StatusForbidden:
		return nil, mayNotList(registryErr)
	case errors.Is(registryErr, ErrKeyRefused):
		return nil, advise(registryErr)
	}
	return nil, advise(err)
}

// worthAskingRegistry reports whether the registry may know what the control plane didn't tell.
func worthAskingRegistry(err error) bool {
	s := status(err)
	return s == 0 || s < 400 || s == http.StatusForbidden || s == http.StatusNotFound || s >= 500
}

// mayNotList is the error for 403, which a key without the scope gets and most keys are: the dashboard's instructions
// for MCP clients tick MCP Invoke alone.
func mayNotList(err error) error {
	return problem.New("ask for the scope mcp_servers.list, or look the server's slug up on the dashboard's MCP page: "+
		"mcpctl install CLIENT SLUG and mcpctl bridge SLUG work without it",
		"your key is valid, but may not list servers: it lacks the scope mcp_servers.list (%w)", err)
}

// advise adds the next step to an error of the control plane or the registry.
func advise(err error) error {
	var e *Error
	if !errors.As(err, &e) || problem.NextStep(err) != "" {
		return err
	}
	next := e.Next
	switch {
	case next != "" && e.Status != http.StatusNotFound:
	case e.Status == 0:
		next = "check the URLs (--control-plane, --gateway) and your network"
	default:
		next = "check the URLs (--control-plane, --gateway)"
	}
	return problem.With(err, next)
}

// listPage is a page of GET {api}/mcp-servers (Portkey-AI/openapi, openapi.yaml). Fields that may be null are "" here.
type listPage struct {
	Total int `json:"total"`
	Data  []struct {
		Slug          string `json:"slug"`
		Name          string `json:"name"`
		Description   string `json:"description"`
		URL           string `json:"url"`
		AuthType      string `json:"auth_type"`
		Status        string `json:"status"`
		WorkspaceSlug string `json:"workspace_slug"`
		WorkspaceName string `json:"workspace_name"`
	} `json:"data"`
}

// maxPages keeps a server that invents pages from being read for ever.
const maxPages = 1000

// list reads one page, and returns the header form that the key was taken in. An answer of another form is an error:
// what takes any key for good must not pass for a control plane.
func (c *Client) list(ctx context.Context, query url.Values, page *listPage) (header string, err error) {
	header, err = c.get(ctx, controlPlane, "/mcp-servers", query, page)
	if err == nil && page.Data == nil {
		return "", &Error{URL: c.base(controlPlane) + "/mcp-servers", Status: http.StatusOK, Message: notAList}
	}
	return header, err
}

const notAList = "the answer is not a list of servers"

func (c *Client) fromControlPlane(ctx context.Context, search string) ([]Server, error) {
	query := url.Values{"page_size": {"100"}}
	c.narrow(query, search)
	all := newListing()
	for page := range maxPages {
		query.Set("current_page", strconv.Itoa(page))
		var list listPage
		if _, err := c.list(ctx, query, &list); err != nil {
			return nil, err
		}
		fresh := false
		for _, s := range list.Data {
			url := c.shownURL(s.URL, s.Slug)
			fresh = all.add(Server{s.Slug, s.Name, s.Description, url, s.AuthType, s.Status, s.WorkspaceSlug}) || fresh
		}
		// A total of 0 beside servers is none.
		if !fresh || list.Total > 0 && len(all.servers) >= list.Total {
			break
		}
	}
	return all.servers, nil
}

// listing collects servers, each once: a list may change, or lie, between two of its pages.
type listing struct {
	servers []Server
	seen    map[string]bool
}

func newListing() *listing { return &listing{[]Server{}, map[string]bool{}} }

// add reports whether s is new.
func (l *listing) add(s Server) bool {
	id := s.Workspace + "/" + s.Slug
	if s.Slug == "" || l.seen[id] {
		return false
	}
	l.seen[id] = true
	l.servers = append(l.servers, s)
	return true
}

// registryPage is a page of GET {mcp}/v0.1/servers (product/mcp-gateway/registry-api in Portkey's documentation).
type registryPage struct {
	Servers []struct {
		Server struct {
			Name        string `json:"name"` // ai.portkey.{workspace}/{slug}
			Title       string `json:"title"`
			Description string `json:"description"`
			Remotes     []struct {
				URL string `json:"url"`
			} `json:"remotes"`
		} `json:"server"`
	} `json:"servers"`
	Metadata struct {
		NextCursor string `json:"nextCursor"`
	} `json:"metadata"`
}

func (c *Client) fromRegistry(ctx context.Context, search string) ([]Server, error) {
	query := url.Values{"limit": {"100"}}
	c.narrow(query, search)
	all := newListing()
	for range maxPages {
		var list registryPage
		if _, err := c.get(ctx, registry, "/v0.1/servers", query, &list); err != nil {
			return nil, err
		}
		if list.Servers == nil {
			return nil, &Error{URL: c.base(registry) + "/v0.1/servers", Status: http.StatusOK, Message: notAList}
		}
		fresh := false
		for _, item := range list.Servers {
			s := item.Server
			workspace, slug, ok := strings.Cut(strings.TrimPrefix(s.Name, "ai.portkey."), "/")
			if !ok {
				workspace, slug = "", s.Name
			}
			listed := ""
			if len(s.Remotes) > 0 {
				listed = s.Remotes[0].URL
			}
			// The registry lists only what is active.
			fresh = all.add(Server{slug, first(s.Title, slug), s.Description, c.shownURL(listed, slug), "", "active", workspace}) || fresh
		}
		if list.Metadata.NextCursor == "" || !fresh {
			break
		}
		query.Set("cursor", list.Metadata.NextCursor)
	}
	return all.servers, nil
}

func (c *Client) narrow(query url.Values, search string) {
	if search != "" {
		query.Set("search", search)
	}
	if c.o.Workspace != "" {
		query.Set("workspace_id", c.o.Workspace)
	}
}

func (c *Client) shownURL(listed, slug string) string {
	if listed != "" {
		return listed
	}
	return Endpoint(c.o.GatewayURL, slug)
}
