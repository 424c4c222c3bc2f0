package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/problem"
)

func newDemoCommand(a *app) *cobra.Command {
	var o tourOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole journey against an embedded gateway",
		Long: `Show the whole journey in a throw-away home: login, list, install, bridge, consent, call, uninstall, logout. Each
step is a real process of this program against an embedded gateway; nothing is set up, and nothing is left behind.

With a display, the page for consent opens in your browser; without one, or with --headless, the tour presses
Allow by itself.`,
		Example: `  mcpctl demo
  mcpctl demo --headless
  mcpctl demo serve       # the embedded gateway alone`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTour(cmd.Context(), a, o) },
	}
	cmd.Flags().BoolVar(&o.headless, "headless", false, "open no browser, consent by itself")
	cmd.AddCommand(newDemoServeCommand(a))
	return cmd
}

type demoServeOptions struct {
	gateway   demo.Options
	upstreams []string
	json      bool
}

func newDemoServeCommand(a *app) *cobra.Command {
	var o demoServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the embedded gateway alone, until interrupted",
		Long: `Run a stand-in for the Portkey MCP Gateway and its control plane on this machine, until interrupted. It makes new
API keys at each start, and has a workspace with three MCP servers:

  notes    works at once
  linear   asks each user for consent, on a page of its own
  vault    is listed, but closed to all users

It listens on loopback only: it prints its keys, and its page for consent believes whoever opens it.`,
		Example: `  mcpctl demo serve
  mcpctl demo serve --addr 127.0.0.1:8788 --control-plane-addr 127.0.0.1:8789
  mcpctl demo serve --upstream mine=http://127.0.0.1:3000/mcp --consent B`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemoServe(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	g := &o.gateway
	f.StringVar(&g.GatewayAddr, "addr", "127.0.0.1:0", "`HOST:PORT` of the gateway, on loopback; port 0 is a free one")
	f.StringVar(&g.ControlPlaneAddr, "control-plane-addr", "127.0.0.1:0", "`HOST:PORT` of the control plane, on loopback")
	f.StringVar(&g.BasePath, "base-path", "", "`PATH` below which the gateway lives, such as /m")
	f.BoolVar(&o.json, "json", false, "print URLs, keys and servers as one line of JSON")
	f.StringArrayVar(&o.upstreams, "upstream", nil, "put a running MCP server behind the gateway: `NAME=URL` (repeatable)")
	f.StringArrayVar(&g.UpstreamConsent, "upstream-consent", nil, "ask for consent for this upstream: `NAME` (repeatable)")
	f.StringVar(&g.Consent, "consent", "", "`shape` of the demand for consent: A, B, C, C-body, D, F or G (default A; F with generation 2.2)")
	f.StringVar(&g.ConsentPage, "consent-page", "ask", "`answer` of the page for consent: ask, accept, deny or never")
	f.DurationVar(&g.StateLifetime, "state-lifetime", 10*time.Minute, "how long a link for consent is good for")
	f.DurationVar(&g.RegistrationTime, "registration-time", 0, "how long a call without consent takes to fail")
	f.BoolVar(&g.UnclosedQuote, "unclosed-quote", false, "leave out the closing quote in WWW-Authenticate, as old gateways do")
	f.StringVar(&g.Generation, "generation", "2.19", "`generation` to stand in for: 2.19, or 2.2 (no registry, no link for consent)")
	f.StringVar(&g.Issuer, "issuer", "", "`name` of the gateway in OAuth metadata: path, or origin (default path; origin with generation 2.2)")
	f.StringVar(&g.AnswerIssuer, "answer-issuer", "none", "`issuer` in the answer to a login: none, right or wrong")
	f.BoolVar(&g.NullRegistration, "null-registration", false, "refuse OAuth clients with 201 and null, as old gateways do")
	f.DurationVar(&g.TokenLifetime, "token-lifetime", time.Hour, "how long an access token is good for")
	f.StringVar(&g.RefreshRefusal, "refresh-refusal", "", "`status` that refuses a refresh token: 400, 401 or 502 (default 400; 502 with generation 2.2)")
	f.StringVar(&g.KeyHeader, "key-header", "x-portkey-api-key", "`header` that brings the key: x-portkey-api-key or authorization")
	f.IntVar(&g.PageSize, "page-size", 0, "`items` in the largest page of a listing (default 100)")
	f.IntVar(&g.SSESplit, "sse-split", 0, "cut event streams into chunks of this many `bytes`")
	return cmd
}

// demoInfo is what `mcpctl demo serve --json` prints.
type demoInfo struct {
	GatewayURL      string    `json:"gateway_url"`
	ControlPlaneURL string    `json:"control_plane_url"`
	Keys            demo.Keys `json:"keys"`
	Servers         []string  `json:"servers"`
}

// runDemoServe serves until ctx ends, which is no failure.
func runDemoServe(ctx context.Context, a *app, o demoServeOptions) error {
	o.gateway.Upstreams = map[string]string{}
	for _, upstream := range o.upstreams {
		name, url, ok := strings.Cut(upstream, "=")
		if !ok {
			return usage("write it as --upstream NAME=URL", "--upstream %q has no URL", upstream)
		}
		o.gateway.Upstreams[name] = url
	}
	g, err := demo.Start(o.gateway)
	var wrong *demo.OptionError
	switch {
	case errors.As(err, &wrong):
		return usage("see: mcpctl demo serve --help", "%w", err)
	case err != nil:
		return problem.With(err, "choose another address by --addr and --control-plane-addr, or leave them out")
	}
	defer g.Close()
	info := demoInfo{g.GatewayURL(), g.ControlPlaneURL(), g.Keys(), g.Servers()}
	if o.json {
		err = json.NewEncoder(a.out).Encode(info)
	} else {
		err = printDemo(a, info)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func printDemo(a *app, info demoInfo) error {
	_, err := fmt.Fprintf(a.out, `A stand-in for the Portkey MCP Gateway and its control plane, on this machine only.

gateway        %s
control plane  %s
servers        %s

keys of this run
  user       %s
  service    %s
  no list    %s
  no invoke  %s
  expired    %s
  exhausted  %s
  org        %s

To use it, set in another terminal
  MCPCTL_GATEWAY_URL=%[1]s
  MCPCTL_CONTROL_PLANE_URL=%[2]s
  MCPCTL_API_KEY=%[4]s
`, info.GatewayURL, info.ControlPlaneURL, strings.Join(info.Servers, ", "),
		info.Keys.User, info.Keys.Service, info.Keys.NoList, info.Keys.NoInvoke, info.Keys.Expired, info.Keys.Exhausted, info.Keys.Org)
	a.talk("\nCtrl-C stops it\n")
	return err
}
