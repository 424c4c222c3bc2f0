package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

func newServersCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "servers",
		Aliases: []string{"server"},
		Short:   "See the MCP servers of your workspace",
		Example: `  mcpctl servers ls
  mcpctl servers show github`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newServersListCommand(a), newServersShowCommand(a))
	return cmd
}

type serversListOptions struct {
	search string
	cached bool
	outputOptions
}

func newServersListCommand(a *app) *cobra.Command {
	var o serversListOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the workspace's MCP servers",
		Long: `List the MCP servers of the workspace that the API key belongs to, from the control plane or else from the
gateway's registry. The key needs the scope mcp_servers.list. A listed server may still refuse you: the
list doesn't know what you have been given access to.

With --cached it is the list that was last seen, without a word to the network or the keyring.`,
		Example: `  mcpctl servers ls
  mcpctl servers ls --search github
  mcpctl servers ls --jq '.[] | select(.auth_type == "none") | .slug'`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runServersList(cmd.Context(), a, o) },
	}
	cmd.Flags().StringVar(&o.search, "search", "", "only servers with `text` in their name")
	cmd.Flags().BoolVar(&o.cached, "cached", false, "the list as it was last seen, at once")
	o.add(cmd)
	return cmd
}

func runServersList(ctx context.Context, a *app, o serversListOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if o.cached {
		return runServersCached(a, s, o)
	}
	found, err := a.credential(ctx, s)
	if err != nil {
		return err
	}
	g, err := a.gateway(s, found.Key)
	if err != nil {
		return err
	}
	stop := a.spin("Asking for the servers of your workspace …")
	servers, err := g.Servers(ctx, o.search)
	stop()
	switch {
	case errors.Is(err, gateway.ErrKeyRefused):
		return notLoggedIn(err)
	case err != nil:
		return err
	}
	if o.search == "" {
		a.remember(s, servers)
	}
	return a.showServers(servers, o)
}

// runServersCached prints the listing last seen.
func runServersCached(a *app, s config.Settings, o serversListOptions) error {
	servers, at, ok := a.listing(s)
	if !ok {
		return problem.New("run mcpctl servers ls once", "no list of the servers of %s has been seen yet (profile %s)", s.GatewayURL, s.Profile)
	}
	a.talk("As of %s:\n", at.Local().Format("2006-01-02 15:04"))
	return a.showServers(slices.DeleteFunc(servers, func(s gateway.Server) bool {
		return !strings.Contains(strings.ToLower(s.Name), strings.ToLower(o.search))
	}), o)
}

func (a *app) showServers(servers []gateway.Server, o serversListOptions) error {
	if o.json {
		return render.JSON(a.out, servers, o.jq)
	}
	return a.printServers(servers, o.search)
}

func (a *app) printServers(servers []gateway.Server, search string) error {
	switch {
	case len(servers) == 0 && search != "":
		a.talk("No server of your workspace has %q in its name\n", search)
	case len(servers) == 0:
		a.talk("Your workspace has no MCP servers yet\n")
	}
	t := render.Table{Header: []string{"SERVER", "NAME", "AUTH", "STATUS", "DESCRIPTION"}}
	for _, s := range servers {
		t.Row(s.Slug, s.Name, s.AuthType, s.Status, s.Description)
	}
	return t.Write(a.out, render.IsTerminal(a.out))
}

// listingName is the file in the state folder that holds the listing last seen.
func listingName(s config.Settings) string {
	return "listings/" + credential.Name(s.Profile, s.GatewayURL) + ".json"
}

// remember keeps a listing for completion, which must not wait for a network.
func (a *app) remember(s config.Settings, servers []gateway.Server) {
	_ = a.state().Write(listingName(s), servers) // without it, completion knows less
}

// remembered returns the listing last seen, nil if there is none.
func (a *app) remembered(s config.Settings) []gateway.Server {
	servers, _, _ := a.listing(s)
	return servers
}

// listing returns the listing last seen with its time, and whether there is one.
func (a *app) listing(s config.Settings) (servers []gateway.Server, at time.Time, ok bool) {
	ok, err := a.state().Read(listingName(s), &servers)
	if err != nil || !ok {
		return nil, time.Time{}, false
	}
	if info, err := os.Stat(a.state().Path(listingName(s))); err == nil {
		at = info.ModTime()
	}
	return servers, at, true
}
