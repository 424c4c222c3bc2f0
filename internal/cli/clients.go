package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/render"
)

func newClientsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clients",
		Short: "See the AI clients on this machine",
		Args:  onlyCommands,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClientsListCommand(a))
	return cmd
}

type clientsListOptions struct{ outputOptions }

func newClientsListCommand(a *app) *cobra.Command {
	var o clientsListOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List AI clients, their files, and what is installed in them",
		Long: `List the AI clients that mcpctl knows: whether they are found here, which file holds their MCP servers, and the
entries that install has put in. An entry is

  ok        as it was left
  changed   altered since by someone else
  missing   taken out since, as some clients do when they write their file back
  broken    its program isn't there, or the file can't be read`,
		Example: `  mcpctl clients ls
  mcpctl clients ls --jq '.[] | select(.detected) | .id'`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return runClientsList(a, o) },
	}
	o.add(cmd)
	return cmd
}

func runClientsList(a *app, o clientsListOptions) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	list := clients.NewStore(a.state()).List(clients.On(a.host), folder)
	for _, c := range list {
		if c.Problem != nil {
			a.talk("warning: %s\n", c.Problem)
		}
	}
	if o.json {
		return render.JSON(a.out, list, o.jq)
	}
	// A person looks for what is here.
	slices.SortStableFunc(list, func(x, y clients.Status) int { return cmp.Compare(interest(y), interest(x)) })
	t := render.Table{Header: []string{"CLIENT", "FOUND", "SCOPE", "INSTALLED", "FILE"}}
	for _, c := range list {
		found := "no"
		if c.Detected {
			found = "yes"
		}
		t.Row(c.ID, found, string(c.Scope), installedText(c.Installed), c.ConfigPath)
	}
	return t.Write(a.out, render.IsTerminal(a.out))
}

// interest is greater for a client that has something to be seen.
func interest(c clients.Status) int {
	switch {
	case len(c.Installed) > 0:
		return 2
	case c.Detected:
		return 1
	}
	return 0
}

// installedText is "linear, gh (github, missing)": the name, then the server if it is another, then the state if that
// isn't ok.
func installedText(list []clients.Installed) string {
	if len(list) == 0 {
		return "-"
	}
	var texts []string
	for _, i := range list {
		var notes []string
		if i.Server != i.Name {
			notes = append(notes, i.Server)
		}
		if i.State != clients.OK {
			notes = append(notes, string(i.State))
		}
		text := i.Name
		if len(notes) > 0 {
			text = fmt.Sprintf("%s (%s)", i.Name, strings.Join(notes, ", "))
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}
