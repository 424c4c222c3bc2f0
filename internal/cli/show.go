package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

// serverInfo is what `mcpctl servers show --json` prints.
type serverInfo struct {
	gateway.Server
	Connected    *bool                `json:"connected"`    // null: not known, or the server wants no consent
	Capabilities []gateway.Capability `json:"capabilities"` // null: not known
	InstalledIn  []installedIn        `json:"installed_in"`
}

// installedIn is an entry in a client's file.
type installedIn struct {
	Client string        `json:"client"`
	Name   string        `json:"name"` // of the entry
	Scope  clients.Scope `json:"scope"`
	Path   string        `json:"path"`
	State  clients.State `json:"state"`
}

func newServersShowCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "show SERVER",
		Short: "Show one server: address, consent, tools, and where it is installed",
		Long: `Show what the control plane knows of one server, and the clients here that it is installed in. The tools are
those that the gateway saw when somebody last listed them.`,
		Example: `  mcpctl servers show linear
  mcpctl servers show linear --jq '.capabilities[] | select(.type == "tool") | .name'`,
		Args: exactArgs("SERVER"),
		RunE: func(cmd *cobra.Command, args []string) error { return runServersShow(cmd.Context(), a, o, args[0]) },
	}
	o.add(cmd)
	return cmd
}

func runServersShow(ctx context.Context, a *app, o outputOptions, name string) error {
	s, t, g, err := a.serverOf(ctx, name)
	if err != nil {
		return err
	}
	stop := a.spin("Asking about the server …")
	info, err := a.serverInfo(ctx, s, t, g)
	stop()
	if err != nil {
		return err
	}
	if o.json {
		return render.JSON(a.out, info, o.jq)
	}
	return a.printServer(info)
}

// serverOf returns the settings, the server behind the gateway that name stands for, and the client of the gateway.
func (a *app) serverOf(ctx context.Context, name string) (config.Settings, target, *gateway.Client, error) {
	s, err := a.settings()
	if err != nil {
		return s, target{}, nil, err
	}
	t, err := findTarget(s, name)
	if err != nil {
		return s, t, nil, err
	}
	if !t.atGateway {
		return s, t, nil, usage("name one of mcpctl servers ls", "that server isn't behind the gateway %s", s.GatewayURL)
	}
	found, err := a.credential(ctx, s)
	if err != nil {
		return s, t, nil, err
	}
	g, err := a.gateway(s, found.Key)
	return s, t, g, err
}

// serverInfo asks for all that can be known of a server. A key that may not read servers still shows where it is installed.
func (a *app) serverInfo(ctx context.Context, s config.Settings, t target, g *gateway.Client) (serverInfo, error) {
	server, err := g.Server(ctx, t.slug)
	switch {
	case errors.Is(err, gateway.ErrKeyRefused):
		return serverInfo{}, notLoggedIn(err)
	case errors.Is(err, gateway.ErrNoServer):
		return serverInfo{}, a.noServer(s, t)
	case ctx.Err() != nil:
		return serverInfo{}, ctx.Err()
	case err != nil:
		a.talk("warning: %s\n", err)
		server = gateway.Server{Slug: t.slug, URL: t.url.String()}
	}
	info := serverInfo{Server: server, InstalledIn: a.installedIn(t.slug)}
	if server.AuthType == gateway.AuthPerUser || server.AuthType == "" {
		if connected, err := g.Connected(ctx, t.slug); err == nil {
			info.Connected = &connected
		}
	}
	if capabilities, err := g.Capabilities(ctx, t.slug); err == nil {
		info.Capabilities = capabilities
	}
	return info, ctx.Err()
}

// noServer is the error for a server that the workspace lacks, with the nearest ones of the listing last seen.
func (a *app) noServer(s config.Settings, t target) error {
	var slugs []string
	for _, server := range a.remembered(s) {
		if server.Slug != t.slug { // it was there once
			slugs = append(slugs, server.Slug)
		}
	}
	next := nearest(t.slug, slugs, "see: mcpctl servers ls")
	if len(t.slug) > 50 { // longer than a slug may be (Portkey-AI/openapi, CreateMcpServer), and maybe a key
		return problem.New(next, "the workspace has no such server")
	}
	return problem.New(next, "the workspace has no server %q", t.slug)
}

func (a *app) installedIn(slug string) []installedIn {
	folder, err := os.Getwd()
	if err != nil {
		folder = ""
	}
	list := []installedIn{}
	for _, c := range clients.NewStore(a.state()).List(clients.On(a.host), folder) {
		for _, i := range c.Installed {
			if i.Server == slug {
				list = append(list, installedIn{c.ID, i.Name, c.Scope, c.ConfigPath, i.State})
			}
		}
	}
	return list
}

func (a *app) printServer(info serverInfo) error {
	t := render.Table{}
	t.Row("server", info.Slug)
	t.Row("name", info.Name)
	t.Row("description", info.Description)
	t.Row("url", info.URL)
	t.Row("auth", orUnknown(info.AuthType))
	t.Row("status", orUnknown(info.Status))
	t.Row("your consent", consentText(info))
	t.Row("tools", toolsText(info.Capabilities))
	var places []string
	for _, i := range info.InstalledIn {
		place := i.Client
		if i.State != clients.OK {
			place += " (" + string(i.State) + ")"
		}
		places = append(places, place)
	}
	if len(places) == 0 {
		places = []string{"no client"}
	}
	t.Row("installed in", strings.Join(places, ", "))
	return t.Write(a.out, render.IsTerminal(a.out))
}

func consentText(info serverInfo) string {
	switch {
	case info.AuthType != "" && info.AuthType != gateway.AuthPerUser:
		return "not wanted"
	case info.Connected == nil:
		return "not known"
	case *info.Connected:
		return "given"
	}
	return "not given; mcpctl connect " + info.Slug
}

func toolsText(list []gateway.Capability) string {
	var names []string
	for _, c := range list {
		switch {
		case c.Type != "tool":
		case c.Enabled:
			names = append(names, c.Name)
		default:
			names = append(names, c.Name+" (off)")
		}
	}
	switch {
	case list == nil:
		return "not known"
	case len(names) == 0:
		return "not seen yet"
	}
	return strings.Join(names, ", ")
}
