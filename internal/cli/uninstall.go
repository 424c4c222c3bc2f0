package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
)

type uninstallOptions struct {
	editOptions
	all bool
}

func newUninstallCommand(a *app) *cobra.Command {
	var o uninstallOptions
	cmd := &cobra.Command{
		Use:   "uninstall CLIENT SERVER...",
		Short: "Take servers out of an AI client again",
		Long: `Take out of CLIENT's file what install has put in, and give back what install --force has replaced.
Entries that aren't mcpctl's stay. CLIENT "all" is every client found here.`,
		Example: `  mcpctl uninstall claude-desktop linear
  mcpctl uninstall cursor --all
  mcpctl uninstall all --all --dry-run    # show what would go, write nothing`,
		Args: func(cmd *cobra.Command, args []string) error {
			if !o.all {
				return clientAndServers(1)(cmd, args)
			}
			if len(args) > 1 {
				return usage("leave one of the two out", "%s takes servers or --all, not both", commandName(cmd))
			}
			return clientAndServers(0)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.client, o.servers = args[0], args[1:]
			return runUninstall(cmd.Context(), a, o)
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "all servers")
	return cmd
}

func runUninstall(ctx context.Context, a *app, o uninstallOptions) error {
	targets, err := a.targets(o.editOptions, true)
	if err != nil {
		return err
	}
	store := clients.NewStore(a.state())
	machine := clients.On(a.host)
	named := len(targets)
	if o.configPath == "" {
		for _, t := range targets {
			targets = append(targets, store.Further(machine, t, o.servers, o.all)...)
		}
	}
	return a.edit(o.editOptions, targets, func(t clients.Target) (clients.Outcome, error) {
		a.warnIfRunning(t)
		outcome, err := store.Uninstall(ctx, t, o.servers, o.all, o.dryRun)
		// That a server isn't in a file where nobody expected it is no news.
		if further := !slices.ContainsFunc(targets[:named], func(n clients.Target) bool { return n.Path == t.Path }); further {
			outcome.Changes = slices.DeleteFunc(outcome.Changes, func(c clients.Change) bool { return c.Action == clients.Absent })
		}
		return outcome, err
	})
}
