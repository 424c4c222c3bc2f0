package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/web"
)

// directEntries makes the entries of servers that a client is to speak to by itself.
func (a *app) directEntries(s config.Settings, o installOptions) []clients.Entry {
	header := s.KeyHeader
	if header == "" {
		header = web.PortkeyHeader
	}
	var entries []clients.Entry
	lost := map[string]bool{}
	for _, server := range o.servers {
		remote := &clients.Remote{URL: gateway.Endpoint(s.GatewayURL, server), KeyHeader: header, KeyVariable: o.keyEnv}
		entries = append(entries, clients.Entry{Server: server, Name: o.name(server), Remote: remote})
		for _, headers := range []map[string]string{s.Headers, s.ServerHeaders[server]} {
			for name := range headers {
				lost[name] = true
			}
		}
	}
	for what, set := range map[string]bool{"proxy": s.Proxy != "", "ca_file": s.CAFile != ""} {
		if set {
			lost[what] = true
		}
	}
	if len(lost) > 0 {
		a.talk("warning: of the settings, the client by itself doesn't know %s\n", strings.Join(slices.Sorted(maps.Keys(lost)), ", "))
	}
	return entries
}

// linkResult is what install --link --json prints of each entry.
type linkResult struct {
	Client string `json:"client"`
	Server string `json:"server"`
	Name   string `json:"name"`
	Link   string `json:"link"`
}

// printLinks prints the addresses that make a client offer entries to its user.
func (a *app) printLinks(o installOptions) error {
	c, ok := clients.Lookup(o.client)
	switch {
	case o.client == "all":
		return usage("name the client", "--link is one client's")
	case !ok:
		return unknownClient(o.client)
	case c.LinkForm == "":
		return usage("leave out --link: install writes its file", "%s opens no such address; %s do", c.Name, strings.Join(linked(), ", "))
	}
	entries, err := a.entries(o)
	if err != nil {
		return err
	}
	if o.direct {
		if err := c.CheckDirect(*entries[0].Remote); err != nil {
			return err
		}
	}
	results := []linkResult{}
	for _, e := range entries {
		results = append(results, linkResult{c.ID, e.Server, e.Name, c.Link(e)})
		if !o.json {
			if err := a.print(results[len(results)-1].Link + "\n"); err != nil {
				return err
			}
		}
	}
	if o.json {
		return render.JSON(a.out, results, o.jq)
	}
	a.talk("Open it in a browser or from a shell: %s asks before it adds the server. What it adds, mcpctl doesn't know of\n", c.Name)
	return nil
}

// linked returns the ids of the clients that open addresses.
func linked() []string {
	var ids []string
	for _, c := range clients.All() {
		if c.LinkForm != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
