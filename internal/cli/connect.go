package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/mcpclient"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

type connectOptions struct {
	server    string
	noBrowser bool
	timeout   time.Duration
}

func newConnectCommand(a *app) *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect SERVER",
		Short: "Give a server your consent now, before a client asks for it",
		Long: `Ask the gateway for the page on which you let it use your account at SERVER, open it in the browser, and wait
until you have allowed access: what the bridge does when an AI client meets a server for the first time, only now.`,
		Example: `  mcpctl connect linear
  mcpctl connect linear --no-browser    # print the page's address, for example over SSH`,
		Args:    exactArgs("SERVER"),
		PreRunE: func(*cobra.Command, []string) error { return checkTimeout(o.timeout) },
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return runConnect(cmd.Context(), a, o)
		},
	}
	cmd.Flags().BoolVar(&o.noBrowser, "no-browser", false, "print the page for consent, but don't open it")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to wait for your consent")
	return cmd
}

func runConnect(ctx context.Context, a *app, o connectOptions) error {
	s, t, g, err := a.serverOf(ctx, o.server)
	if err != nil {
		return err
	}
	stop := a.spin("Asking about the server …")
	open, err := a.consentOpen(ctx, s, t, g)
	stop()
	if err != nil || !open {
		return err
	}
	return a.obtainConsent(ctx, s, t, g, o)
}

// consentOpen reports whether a server may want a consent that the user hasn't given. It says so if not. The error is about a
// server that can't be given one.
func (a *app) consentOpen(ctx context.Context, s config.Settings, t target, g *gateway.Client) (bool, error) {
	server, err := g.Server(ctx, t.slug)
	switch {
	case errors.Is(err, gateway.ErrKeyRefused):
		return false, notLoggedIn(err)
	case errors.Is(err, gateway.ErrNoServer):
		return false, a.noServer(s, t)
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil: // a key that may not read servers: the server itself will tell
		return true, nil
	case server.AuthType != "" && server.AuthType != gateway.AuthPerUser:
		a.talk("%s wants no consent of yours (auth: %s)\n", t.slug, render.Clean(server.AuthType))
		return false, nil
	}
	connected, err := g.Connected(ctx, t.slug)
	switch {
	case err != nil:
		return true, ctx.Err()
	case connected:
		a.talk("%s has your consent already\n", t.slug)
		return false, nil
	}
	// There is nothing to be taken back, so this only tells whether the key names a user.
	if _, err := g.Disconnect(ctx, t.slug); errors.Is(err, gateway.ErrNoUser) {
		return false, noUser(t)
	}
	return true, ctx.Err()
}

func noUser(t target) error {
	return problem.New("log in with a user's key of the workspace: mcpctl login; or as yourself, in the browser: mcpctl login --oauth "+t.loginName(),
		"%s wants each user's consent, and the key is a service key, which belongs to no user", t.slug)
}

// obtainConsent speaks to a server as an AI client does, through the bridge, which asks for the consent that it then needs.
func (a *app) obtainConsent(ctx context.Context, s config.Settings, t target, g *gateway.Client, o connectOptions) error {
	client, hangUp, err := a.speak(ctx, s, t, o)
	if err != nil {
		return err
	}
	defer hangUp()
	_, err = client.Initialize(ctx, mcp.Implementation{Name: "mcpctl", Version: buildInfo().Version})
	if err == nil { // some gateways let the handshake pass, and ask only now
		_, err = client.Call(ctx, mcp.MethodToolsList, nil, nil)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return a.explain(s, t, err, o.timeout)
	}
	connected, err := g.Connected(ctx, t.slug)
	if err == nil && !connected {
		return problem.New("ask for one of its tools: the gateway may want your consent only then",
			"%s answers, but the gateway has no consent of yours on its list", t.slug)
	}
	a.talk("%s has your consent\n", t.slug)
	return ctx.Err()
}

// speak returns a client of a server, with a bridge in between that runs in this process. hangUp ends both.
func (a *app) speak(ctx context.Context, s config.Settings, t target, o connectOptions) (client *mcpclient.Client, hangUp func(), err error) {
	options, err := a.bridgeOptions(ctx, s, t, connection{
		noBrowser: o.noBrowser, consentTimeout: o.timeout, byHand: true, show: func(text string) { a.prompt("%s", text) },
	})
	if err != nil {
		return nil, nil, err
	}
	options.Patience = o.timeout + time.Second // so that the consent's own end comes first, which is taken note of
	client, hangUp = a.converse(ctx, options)
	return client, hangUp, nil
}

func newDisconnectCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "disconnect SERVER",
		Short: "Take your consent back from a server",
		Long: `Let the gateway forget your account at SERVER. A client that uses the server afterwards is asked for consent
anew. The permission that you gave at the service itself is taken back there.`,
		Example: `  mcpctl disconnect linear`,
		Args:    exactArgs("SERVER"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDisconnect(cmd.Context(), a, args[0]) },
	}
}

func runDisconnect(ctx context.Context, a *app, name string) error {
	s, t, g, err := a.serverOf(ctx, name)
	if err != nil {
		return err
	}
	defer a.spin("Asking the gateway …")()
	connected, unknown := g.Connected(ctx, t.slug)
	was, err := g.Disconnect(ctx, t.slug)
	switch {
	case errors.Is(err, gateway.ErrKeyRefused):
		return notLoggedIn(err)
	case errors.Is(err, gateway.ErrNoUser):
		return noUser(t)
	case err != nil:
		return err
	case !was || unknown == nil && !connected:
		if _, err := g.Server(ctx, t.slug); errors.Is(err, gateway.ErrNoServer) {
			return a.noServer(s, t)
		}
		a.talk("%s had no consent of yours\n", t.slug)
	default:
		a.talk("Took your consent back from %s\n", t.slug)
	}
	return nil
}

// offerConsent asks on the terminal whether the user wants to give now the consent that servers will need, and opens the pages
// of those that say yes. It does nothing without a terminal, or where it isn't known what a server wants. What fails is
// told, and is no failure of the command: the bridge asks again.
func (a *app) offerConsent(ctx context.Context, servers []string) {
	if _, ok := a.terminal(); !ok {
		return
	}
	for _, name := range servers {
		s, t, g, err := a.serverOf(ctx, name)
		if err != nil {
			return // without a key there is nothing to consent with
		}
		perUser, err := g.PerUser(ctx, t.slug)
		if err != nil || !perUser {
			continue
		}
		if connected, err := g.Connected(ctx, t.slug); err != nil || connected {
			continue
		}
		a.prompt("%s wants your consent before its first use. Give it now, in the browser? [Y/n] ", t.slug)
		answer, err := wait(ctx, func() (string, error) { return readLine(a.in) })
		if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "" && answer != "y" && answer != "yes" {
			continue
		}
		err = a.obtainConsent(ctx, s, t, g, connectOptions{server: name, timeout: 10 * time.Minute})
		if err != nil && ctx.Err() == nil {
			a.talk("warning: %s\n  later: mcpctl connect %s\n", err, t.slug)
		}
	}
}
