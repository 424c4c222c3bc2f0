package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/child"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/render"
)

type execOptions struct {
	server    string
	program   []string
	noMasking bool
}

func newExecCommand(a *app) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [SERVER] -- PROGRAM [ARGUMENT...]",
		Short: "Run a program that gets the API key, or a token, in its environment",
		Long: `Run a program, such as an agent in Python or TypeScript, with these variables in its environment alone:

  PORTKEY_API_KEY   the API key
  MCP_ACCESS_TOKEN  where there is no key, the token of mcpctl login --oauth SERVER, for the header Authorization: Bearer
  MCP_GATEWAY_URL   base URL of the gateway
  MCP_SERVER_URL    MCP endpoint of SERVER, if one is given
  PORTKEY_TRACE_ID  the setting trace_id, if there is one, for the header x-portkey-trace-id of the program's own calls
  PORTKEY_METADATA  the settings metadata.NAME, if there are any, as JSON for the header x-portkey-metadata

SERVER may also be the URL of a server outside the gateway that you have logged in to: the program gets its
MCP_SERVER_URL and MCP_ACCESS_TOKEN alone. A token is renewed before the program starts if it is about to expire, and
not while it runs.

There is no shell in between, signals reach the program, and its exit code is that of mcpctl exec. Where stdout or
stderr is no terminal, the key or token is blanked in what the program writes there. What a process that the program
leaves behind writes later is lost then; --no-masking lets it have the output itself.`,
		Example: `  mcpctl exec linear -- python agent.py
  mcpctl exec -- npx tsx agent.ts --verbose
  mcpctl exec linear -- sh -c 'curl -H "x-portkey-api-key: $PORTKEY_API_KEY" "$MCP_SERVER_URL"'`,
		Args: func(cmd *cobra.Command, args []string) error { return o.take(args, cmd.ArgsLenAtDash()) },
		RunE: func(cmd *cobra.Command, _ []string) error { return runExec(cmd.Context(), a, o) },
	}
	cmd.Flags().BoolVar(&o.noMasking, "no-masking", false, "leave the program's output as it is, the key or token included")
	return cmd
}

// take splits the arguments at the --, before which dash of them stand; -1 if there is none.
func (o *execOptions) take(args []string, dash int) error {
	const write = "write it as: mcpctl exec [SERVER] -- PROGRAM [ARGUMENT...]"
	switch {
	case dash < 0 && len(args) > 0:
		return usage(write, "exec: the -- before the program is missing")
	case dash < 0 || len(args) == dash || args[dash] == "":
		return usage(write, "exec: PROGRAM is missing")
	case dash > 1:
		return usage(write, "exec takes one server at most before the --, not %d", dash)
	case dash == 1:
		o.server = args[0]
	}
	o.program = args[dash:]
	return nil
}

func runExec(ctx context.Context, a *app, o execOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	var env []string
	t := target{atGateway: true}
	if o.server != "" {
		if t, err = findTarget(s, o.server); err != nil {
			return err
		}
		env = append(env, "MCP_SERVER_URL="+t.url.String())
	}
	if t.atGateway {
		env = append(env, "MCP_GATEWAY_URL="+s.GatewayURL)
	}
	trace, err := a.traceEnv(ctx, s, t)
	if err != nil {
		return err
	}
	env = append(env, trace...)
	secrets, err := a.credentialEnv(ctx, s, t)
	if err != nil {
		return err
	}
	var keys []string
	if t.atGateway {
		keys = []string{"MCPCTL_API_KEY"} // for a program that may run mcpctl in turn
	}
	c := child.Options{Args: o.program, Env: slices.Concat(withoutToken(a.environ(keys...)), env, secrets)}
	if !o.noMasking && !render.IsTerminal(os.Stdout) {
		masked := a.redact.Writer(os.Stdout)
		defer masked.Flush()
		c.Stdout = masked
	}
	if !o.noMasking && !render.IsTerminal(os.Stderr) {
		masked := a.redact.Writer(os.Stderr)
		defer masked.Flush()
		c.Stderr = masked
	}
	a.handOver()
	code, err := child.Run(c)
	switch {
	case err != nil:
		return &exitError{code, err}
	case code != 0:
		return &exitError{code, errSilent}
	}
	return nil
}

// credentialEnv is the environment by which a program gets a credential: the key of the settings, or where there is none, and
// outside the gateway, the token of a login to the server. t is the target of no server for the key alone.
func (a *app) credentialEnv(ctx context.Context, s config.Settings, t target) ([]string, error) {
	missing := usage("name a server of "+s.GatewayURL, "exec: that server isn't behind the gateway that the key is for")
	if t.atGateway {
		found, err := a.credential(ctx, s)
		if err == nil {
			return []string{"PORTKEY_API_KEY=" + found.Value.Reveal()}, nil
		}
		if t.url == nil || !isKeyMissing(err) {
			return nil, err
		}
		missing = err
	}
	o, err := a.oauthOptions(s, t)
	if err != nil {
		return nil, err
	}
	tokens := a.tokens(o)
	token, err := tokens.Token(ctx)
	switch {
	case err == nil:
		return []string{tokenVariable + "=" + token.Reveal()}, nil
	case errors.Is(err, oauth.ErrEnded):
		return nil, notLoggedIn(err)
	case !oauth.Missing(err):
		return nil, err
	}
	return nil, orSignIn(missing, tokens)
}

// tokenVariable holds the token of a login in the browser.
const tokenVariable = "MCP_ACCESS_TOKEN"

// withoutToken leaves out a token that an exec around this one has put there: it is for another server.
func withoutToken(env []string) []string {
	return slices.DeleteFunc(env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.EqualFold(name, tokenVariable) // as Windows compares
	})
}

// environ is the environment that mcpctl was started with. Keys were taken out of it: those of keys are put back.
func (a *app) environ(keys ...string) []string {
	env := os.Environ()
	for _, name := range keys {
		if key := a.host.Getenv(name); key != "" {
			env = append(env, name+"="+key)
		}
	}
	return env
}

// handOver readies the process for a program that takes its place.
func (a *app) handOver() {
	if stderr, ok := a.err.(interface{ Flush() error }); ok {
		_ = stderr.Flush()
	}
	if a.restore != nil {
		a.restore()
	}
}
