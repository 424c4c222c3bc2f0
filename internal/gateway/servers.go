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

// Servers returns the workspace's servers, all pages: from the control plane, or, where that is out of reach or the gateway
// alone is at hand, from the gateway's registry. search narrows the list; "" is all.
func (c *Client) Servers(ctx context.Context, search string) ([]Server, error) {
	servers, err := c.fromControlPlane(ctx, search)
	if err == nil || errors.Is(err, ErrKeyRefused) || ctx.Err() != nil || !worthAskingRegistry(err) {
		return servers, advise(err)
	}
	servers, registryErr := c.fromRegistry(ctx, search)
	switch {
	case registryErr == nil:
		return servers, nil
	case status(err) == http.StatusForbidden || status(registryErr) == http.StatusForbidden:
		return nil, problem.New("ask for the scope mcp_servers.list, or look the server's slug up on the dashboard's MCP page: "+
			"mcpctl install CLIENT SLUG and mcpctl bridge SLUG work without it",
			"your key is valid, but may not list servers (it lacks mcp_servers.list)")
	case errors.Is(registryErr, ErrKeyRefused):
		return nil, advise(registryErr)
	}
	return nil, advise(err)
}

// worthAskingRegistry reports whether the registry may know what the control plane didn't tell.
func worthAskingRegistry(err error) bool {
	s := status(err)
	return s == 0 || s == http.StatusForbidden || s == http.StatusNotFound || s >= 500
}

// advise adds the next step to an error of the control plane or the registry.
func advise(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(err, ErrKeyRefused):
		return problem.With(err, "run mcpctl login with a valid key")
	case e.Status == 0:
		return problem.With(err, "check the network, and the control plane's URL (--control-plane)")
	case e.Status == http.StatusForbidden:
		return problem.With(err, "ask for the scope mcp_servers.list, or check the workspace (--workspace)")
	case e.Status == http.StatusNotFound:
		return problem.With(err, "check the control plane's URL (--control-plane)")
	case e.Status == http.StatusTooManyRequests:
		return problem.With(err, "wait a moment, then try again")
	case e.Status == http.StatusPaymentRequired:
		return problem.With(err, "the workspace's plan doesn't cover this: ask its administrator")
	}
	return err
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

func (c *Client) fromControlPlane(ctx context.Context, search string) ([]Server, error) {
	query := url.Values{"page_size": {"100"}}
	c.narrow(query, search)
	servers, seen := []Server{}, map[string]bool{}
	for page := range maxPages {
		query.Set("current_page", strconv.Itoa(page))
		var list listPage
		if err := c.get(ctx, c.o.Key, c.o.ControlPlaneURL+"/mcp-servers", query, &list); err != nil {
			return nil, err
		}
		fresh := false
		for _, s := range list.Data {
			id := s.WorkspaceSlug + "/" + s.Slug
			if seen[id] {
				continue
			}
			seen[id], fresh = true, true
			servers = append(servers, Server{s.Slug, s.Name, s.Description, c.shownURL(s.URL, s.Slug), s.AuthType, s.Status, s.WorkspaceSlug})
		}
		if !fresh || len(servers) >= list.Total {
			break
		}
	}
	return servers, nil
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
	servers, cursors := []Server{}, map[string]bool{}
	for range maxPages {
		var list registryPage
		if err := c.get(ctx, c.o.Key, c.o.GatewayURL+"/v0.1/servers", query, &list); err != nil {
			return nil, err
		}
		for _, item := range list.Servers {
			s := item.Server
			workspace, slug, _ := strings.Cut(strings.TrimPrefix(s.Name, "ai.portkey."), "/")
			listed := ""
			if len(s.Remotes) > 0 {
				listed = s.Remotes[0].URL
			}
			// The registry lists only what is active.
			servers = append(servers, Server{slug, first(s.Title, slug), s.Description, c.shownURL(listed, slug), "", "active", workspace})
		}
		next := list.Metadata.NextCursor
		if next == "" || cursors[next] {
			break
		}
		cursors[next] = true
		query.Set("cursor", next)
	}
	return servers, nil
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

// Connected reports whether the key's user has given consent for a server. It fails where the key may not know.
func (c *Client) Connected(ctx context.Context, slug string) (bool, error) {
	query := url.Values{}
	c.narrow(query, "")
	var list struct {
		Data []struct {
			Connected bool `json:"connected"`
		} `json:"data"`
	}
	address := c.o.ControlPlaneURL + "/mcp-servers/" + url.PathEscape(slug) + "/connections"
	if err := c.send(ctx, c.o.Key, http.MethodGet, address+suffix(query), nil, &list); err != nil {
		return false, err
	}
	// A user's key sees the user's own connection alone; one that sees several belongs to no single user.
	return len(list.Data) == 1 && list.Data[0].Connected, nil
}

func suffix(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}
