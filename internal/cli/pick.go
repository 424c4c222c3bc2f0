package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

// askWhatIsMissing lets a person at a terminal choose the client and the servers that the command line doesn't name. Where
// nobody can be asked, the command line was refused before.
func (a *app) askWhatIsMissing(ctx context.Context, o *installOptions) error {
	if o.client == "" {
		id, err := a.askClient(ctx)
		if err != nil {
			return err
		}
		o.client = id
	} else if _, ok := clients.Lookup(o.client); !ok && o.client != "all" {
		return unknownClient(o.client)
	}
	if len(o.servers) > 0 {
		return nil
	}
	var err error
	o.servers, err = a.askServers(ctx)
	return err
}

// choice is a line of a list to choose from.
type choice struct {
	name, text string
}

func (a *app) askClient(ctx context.Context) (string, error) {
	machine := clients.On(a.host)
	var found []choice
	var rest []string
	for _, c := range clients.All() {
		if f := machine.Find(c); f.Detected {
			found = append(found, choice{c.ID, c.Name})
		} else {
			rest = append(rest, c.ID)
		}
	}
	a.prompt("Which AI client?\n")
	a.list(found)
	if len(rest) > 0 {
		a.prompt("Not found here: %s\n", strings.Join(rest, ", "))
	}
	picked, err := a.pick(ctx, "Client", found, append(clientIDs(), "all"), 1)
	if err != nil {
		return "", err
	}
	return picked[0], nil
}

// askServers offers the servers of the workspace. Where they can't be listed, a name can still be typed.
func (a *app) askServers(ctx context.Context) ([]string, error) {
	servers, err := a.listServers(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		a.prompt("Your servers can't be listed: %s\n", err)
		if next := problem.NextStep(err); next != "" {
			a.prompt("  %s\n", strings.ReplaceAll(next, "\n", "\n  "))
		}
	}
	var found []choice
	for _, s := range servers {
		if slug := render.Clean(s.Slug); slug == s.Slug { // another's name can't be typed, nor shown as it is
			found = append(found, choice{slug, fmt.Sprintf("%.60s", render.Clean(s.Name))})
		}
	}
	if len(found) == 0 {
		a.prompt("Type a server's name, as the dashboard's MCP page has it\n")
		return a.pick(ctx, "Server", nil, nil, 0)
	}
	a.prompt("Which servers?\n")
	a.list(found)
	return a.pick(ctx, "Servers, by number or name", found, nil, 0)
}

// listServers asks for the servers of the workspace.
func (a *app) listServers(ctx context.Context) ([]gateway.Server, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	found, err := a.credential(ctx, s)
	if err != nil {
		return nil, err
	}
	g, err := a.gateway(s, found.Key)
	if err != nil {
		return nil, err
	}
	defer a.spin("Asking for the servers of your workspace …")()
	return g.Servers(ctx, "")
}

func (a *app) list(choices []choice) {
	width := 0
	for _, c := range choices {
		width = max(width, len(c.name))
	}
	for i, c := range choices {
		a.prompt("  %2d  %-*s  %s\n", i+1, width, c.name, c.text)
	}
}

// pick asks until the answer is a number of choices or one of names; nil for names allows any. max is how many may be
// chosen, 0 for any number.
func (a *app) pick(ctx context.Context, question string, choices []choice, names []string, max int) ([]string, error) {
	for {
		a.prompt("%s: ", question)
		line, err := wait(ctx, func() (string, error) { return readLine(a.in) })
		if err != nil {
			a.prompt("\n")
			return nil, err
		}
		if line == "" { // the end of the input, where an empty line is "\n"
			a.prompt("\n")
			return nil, usage("say it on the command line: mcpctl install CLIENT SERVER", "nothing was chosen")
		}
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) })
		picked, wrong := resolve(words, choices, names)
		switch {
		case len(words) == 0:
		case wrong != "":
			a.prompt("  %s\n", wrong)
		case max > 0 && len(picked) > max:
			a.prompt("  choose one\n")
		default:
			return picked, nil
		}
	}
}

// resolve turns numbers into names; wrong says what is none.
func resolve(words []string, choices []choice, names []string) (picked []string, wrong string) {
	for _, w := range words {
		n, err := strconv.Atoi(w)
		switch {
		case err == nil && n >= 1 && n <= len(choices):
			w = choices[n-1].name
		case err == nil && len(choices) > 0 && !slices.ContainsFunc(choices, func(c choice) bool { return c.name == w }):
			return nil, fmt.Sprintf("there is no number %d", n)
		case names != nil && !slices.Contains(names, w):
			return nil, nearest(w, names, "that is none of them")
		}
		if !slices.Contains(picked, w) {
			picked = append(picked, w)
		}
	}
	return picked, ""
}
