package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/snippet"
)

type snippetOptions struct {
	server   string
	language string
}

func newSnippetCommand(a *app) *cobra.Command {
	var o snippetOptions
	cmd := &cobra.Command{
		Use:   "snippet SERVER",
		Short: "Print code that connects to a server",
		Long: `Print a small program that connects to a server of the workspace and lists its tools, to build an agent from. It
reads the key from PORTKEY_API_KEY, where mcpctl exec puts it, and sends it in the header that this gateway takes.

"json" is an entry for clients that speak HTTP themselves and replace ${PORTKEY_API_KEY}.`,
		Example: `  mcpctl snippet linear > agent.py && mcpctl exec linear -- python agent.py
  mcpctl snippet linear --lang typescript
  mcpctl snippet linear --lang curl | mcpctl exec linear -- sh`,
		Args: exactArgs("SERVER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return runSnippet(cmd.Context(), a, o)
		},
	}
	languages := languageNames()
	cmd.Flags().StringVar(&o.language, "lang", languages[0], "`language`: "+strings.Join(languages, ", "))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(languages, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func languageNames() []string {
	var names []string
	for _, l := range snippet.Languages() {
		names = append(names, l.Name)
	}
	return names
}

func runSnippet(ctx context.Context, a *app, o snippetOptions) error {
	language, err := findLanguage(o.language)
	if err != nil {
		return err
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	t, err := findTarget(s, o.server)
	if err != nil {
		return err
	}
	if !t.atGateway {
		return usage("name a server of "+s.GatewayURL, "snippet: that server isn't behind the gateway that the key is for")
	}
	code, err := language.Code(t.slug, t.url.String(), a.headerOfKey(ctx, s))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(a.out, code); err != nil {
		return err
	}
	if language.Run != "" {
		a.talk("Run it with the key in its environment: mcpctl exec %s -- %s\n", o.server, language.Run)
	}
	return nil
}

func findLanguage(name string) (snippet.Language, error) {
	for _, l := range snippet.Languages() {
		if l.Name == name {
			return l, nil
		}
	}
	names := languageNames()
	return snippet.Language{}, usage(nearest(name, names, "choose one of: "+strings.Join(names, ", ")), "no snippet in the language %q", name)
}

// headerOfKey returns the header that the settings name, or that login found; "" if neither says one, which is the usual.
func (a *app) headerOfKey(ctx context.Context, s config.Settings) string {
	if s.KeyHeader != "" {
		return s.KeyHeader
	}
	found, err := a.credential(ctx, s)
	if err != nil {
		return "" // who isn't logged in yet may still write an agent
	}
	return found.Header
}
