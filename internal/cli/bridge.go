package cli

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/polled"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/web"
)

type bridgeOptions struct {
	server         string
	noBrowser      bool
	consentTimeout time.Duration
	headers        []string
	logFile        string
}

func newBridgeCommand(a *app) *cobra.Command {
	var o bridgeOptions
	cmd := &cobra.Command{
		Use:   "bridge SERVER|URL",
		Short: "Be a stdio MCP server that forwards to SERVER (AI clients start this)",
		Long: `Be an MCP server on stdin and stdout that forwards to a server of the workspace, or to the
MCP server at any URL. The API key goes to the gateway that it was verified for and nowhere else.

When the server asks for your consent, or for a login in the browser, bridge prints the page's address on
stderr, opens it, waits until you have allowed access, and then finishes the call.`,
		Example: `  mcpctl bridge linear
  mcpctl bridge https://mcp.example.com/mcp --header 'X-Team: blue'`,
		Args: exactArgs("SERVER or URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.server = args[0]
			return runBridge(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.noBrowser, "no-browser", false, "print the page for consent, but don't open it")
	f.DurationVar(&o.consentTimeout, "consent-timeout", 10*time.Minute, "how long to wait for your consent")
	f.StringArrayVar(&o.headers, "header", nil, "extra `'NAME: VALUE'` on every request (not for secrets)")
	f.StringVar(&a.flags.settings.LogLevel, "log-level", "", "`level` of what to log: debug, info, warn or error (by default warn, and info for mcpctl logs)")
	f.StringVar(&o.logFile, "log-file", "", "write the log to `file` instead of stderr")
	return cmd
}

func runBridge(ctx context.Context, a *app, o bridgeOptions) error {
	// The client's end of a pipe may go at any time. Without this a write to a closed stdout or stderr would kill the
	// process before it has ended the session.
	signal.Ignore(syscall.SIGPIPE)
	ctx, caught, stop := bridgeSignals(context.WithoutCancel(ctx))
	defer stop()

	settings, err := a.settings()
	if err != nil {
		return err
	}
	target, err := findTarget(settings, o.server)
	if err != nil {
		return err
	}
	talk := newDropWriter(a.err, func() {})
	defer talk.close(closeTime)
	log, err := a.openLog(settings.LogLevel, target.name, o.logFile, talk)
	if err != nil {
		return err
	}
	defer log.close()
	options, err := a.bridgeOptions(ctx, settings, target, connection{
		headers: o.headers, noBrowser: o.noBrowser, consentTimeout: o.consentTimeout, log: log.Logger,
		show: func(text string) { _, _ = talk.Write([]byte(render.CleanLines(text))) },
	})
	if err != nil {
		return err
	}
	options.In, options.Out = a.in, a.out
	if in := polled.Input(a.in); in != nil {
		defer in.Close()
		options.In = in
		a.useOneProcessor()
	}
	if out := polled.Output(a.out); out != nil {
		defer out.Close()
		options.Out = out
	}
	a.useLittleMemory()
	if parent := os.Getppid(); a.host.OS != "windows" { // where a process keeps the number of a parent that is gone
		options.ParentGone = func() bool { return os.Getppid() != parent }
	}
	log.Info("the bridge starts", "version", buildInfo().Version, "url", web.Redact(target.url))
	err = bridge.Run(ctx, options)
	if sig := caught(); sig != 0 {
		log.Info("the bridge has ended", "why", syscall.Signal(sig).String())
		return &exitError{128 + sig, errSilent}
	}
	log.Info("the bridge has ended", "why", "the client closed its end")
	return err
}

// useOneProcessor makes do with one processor, unless the user has said how many (GOMAXPROCS, see package runtime). A bridge hardly
// computes: a message is a dozen short turns of five goroutines, and for each of them the runtime would wake a thread on
// another processor, in the hope of more work. Without that a call takes a quarter less processor time, and no longer.
func (a *app) useOneProcessor() {
	if a.host.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
}

// useLittleMemory has garbage collected sooner than by default, unless the user has said when (GOGC, see package runtime). A bridge
// stays for as long as its client, and there are as many as the client has servers; what it holds on to is so little that
// collecting costs it little.
func (a *app) useLittleMemory() {
	if a.host.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// bridgeSignals returns a context that ends at the first SIGINT, SIGTERM or SIGHUP, and lets a second one end the process at
// once. caught returns the first one's number, 0 if there was none.
func bridgeSignals(parent context.Context) (ctx context.Context, caught func() int, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	got := make(chan int, 1)
	go func() {
		select {
		case s := <-signals:
			signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			if n, ok := s.(syscall.Signal); ok {
				got <- int(n)
			}
			cancel(errors.New("stopped by a signal"))
		case <-ctx.Done():
		}
	}()
	caught = func() int {
		select {
		case n := <-got:
			return n
		default:
			return 0
		}
	}
	return ctx, caught, func() { cancel(nil); signal.Stop(signals) }
}

// target is the server that a bridge forwards to.
type target struct {
	url       *url.URL
	name      string // for people
	slug      string // at the gateway
	atGateway bool   // the server is behind the configured gateway: the key may go there
}

// findTarget takes a server's name, WORKSPACE/NAME, or a URL.
func findTarget(s config.Settings, server string) (target, error) {
	if !strings.Contains(server, "://") {
		u, err := url.Parse(gateway.Endpoint(s.GatewayURL, server))
		if err != nil {
			return target{}, usage("see: mcpctl servers ls", "that is not a server's name")
		}
		return target{url: u, name: server, slug: server[strings.LastIndexByte(server, '/')+1:], atGateway: true}, nil
	}
	u, err := url.Parse(server)
	if err != nil {
		return target{}, usage("write it as https://HOST/mcp", "that is not a URL") // not shown: it may hold a token
	}
	if u.User != nil {
		return target{}, usage("use --header, or mcpctl login", "a URL with a password in it is not taken")
	}
	if err := web.CheckURL(u, s.AllowHTTP); err != nil {
		return target{}, err
	}
	t := target{url: u, name: u.Host}
	if slug, ok := gateway.ServerOf(s.GatewayURL, u); ok {
		t.slug, t.name, t.atGateway = slug, slug, true
	}
	return t, nil
}
