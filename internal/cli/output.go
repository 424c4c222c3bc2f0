package cli

import (
	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/render"
)

// outputOptions are the flags of every command that lists or shows. The root command sets json if jq is given, and has
// checked jq, before the command runs.
type outputOptions struct {
	json bool
	jq   string
}

func (o *outputOptions) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&o.jq, "jq", "", "print what a jq `expression` makes of the JSON")
}

// checkOutput makes --jq imply --json, and refuses what is not jq before any work is done.
func checkOutput(cmd *cobra.Command) error {
	jq := cmd.Flags().Lookup("jq")
	if jq == nil || !jq.Changed {
		return nil
	}
	if err := render.CheckJQ(jq.Value.String()); err != nil {
		return &exitError{exitUsage, err}
	}
	return cmd.Flags().Set("json", "true")
}

// spin shows that text is being worked on until the returned function is called.
func (a *app) spin(text string) (stop func()) {
	if a.flags.quiet {
		return func() {}
	}
	return render.Spin(a.err, a.host.Getenv("TERM"), text)
}
