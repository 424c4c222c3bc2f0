package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/consent"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// loginOAuthOptions are the flags of login that belong to --oauth.
type loginOAuthOptions struct {
	server    string // "" without --oauth
	noBrowser bool
	timeout   time.Duration
	clientID  string
	secret    string // a file
	insecure  bool
}

func (o *loginOAuthOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.server, "oauth", "", "log in to `SERVER|URL` in the browser instead of with a key")
	f.BoolVar(&o.noBrowser, "no-browser", false, "with --oauth: print the page's address, but don't open it")
	f.DurationVar(&o.timeout, "timeout", oauth.LoginTime, "with --oauth: how long to wait for you")
	f.StringVar(&o.clientID, "client-id", "", "with --oauth: `id` of a client that you registered, or the URL of its metadata document")
	f.StringVar(&o.secret, "client-secret-file", "", "with --oauth: `file` that holds the secret of --client-id, if it has one")
}

// runLoginOAuth signs in to one server through the browser, and keeps its tokens.
func runLoginOAuth(ctx context.Context, a *app, o loginOAuthOptions) error {
	s, err := config.Load(a.host, a.flags.settings)
	if err != nil {
		return err
	}
	t, err := findTarget(s, o.server)
	if err != nil {
		return err
	}
	options, err := a.oauthOptions(s, t)
	if err != nil {
		return err
	}
	options.ClientID = o.clientID
	if o.secret != "" {
		if options.ClientSecret, err = credential.ReadFile(ctx, o.secret); err != nil {
			return problem.With(err, "check the path after --client-secret-file")
		}
		a.redact.Hide(options.ClientSecret)
	}
	if o.insecure {
		a.talk("warning: the tokens will be kept as plain text; every program of yours, and every backup, can read them\n")
		options.Kind = credential.FromFile
	}
	tokens := oauth.New(options)
	if err := a.signIn(ctx, tokens, t, o); err != nil {
		return a.explainNoSignIn(ctx, s, t, err)
	}
	if t.atGateway {
		if err := config.SaveLogin(s, config.Login{}); err != nil {
			return err
		}
	}
	r, _ := tokens.Record()
	a.talk("Logged in to %s%s\n", t.loginName(), validity(r))
	a.talk("The tokens are kept in %s\n", a.store(s, r.Store).Place(tokens.Name()))
	return nil
}

// signIn takes the user through the browser.
func (a *app) signIn(ctx context.Context, tokens *oauth.Resource, t target, o loginOAuthOptions) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	login, err := a.beginSignIn(ctx, tokens)
	if err != nil {
		return err
	}
	defer login.Abandon(context.WithoutCancel(ctx)) // Ctrl-C included
	if err := a.patiently(ctx, login.Keep); err != nil {
		return err
	}
	page := login.Page()
	a.prompt("To log in to %s, open this page at %s and allow access:\n  %s\n", t.loginName(), page.Host, page)
	open := consent.Browser(a.host)
	switch {
	case open == nil || o.noBrowser:
		if a.host.Getenv("SSH_CONNECTION") != "" {
			a.prompt("The browser has to reach this machine. On yours, run first:\n  %s\n", a.tunnel(login.Port()))
		}
	default:
		go func() {
			if err := open(page.String()); err != nil {
				a.talk("The browser could not be opened (%s): open the page yourself\n", err)
			}
		}()
	}
	stop := a.spin("Waiting for you to allow access … (Ctrl-C cancels)")
	defer stop()
	err = login.Wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return problem.New("run it again, with a longer --timeout if you need it", "nobody allowed access within %s", o.timeout)
	}
	return err
}

// explainNoSignIn says of a server without a login in the browser what to do instead. Most often there is no such server: a gateway
// has no metadata of it either.
func (a *app) explainNoSignIn(ctx context.Context, s config.Settings, t target, failure error) error {
	switch {
	case !errors.Is(failure, oauth.ErrNotOffered):
		return failure
	case !t.atGateway:
		return problem.With(failure, "hand the credential that it wants to mcpctl tools or mcpctl bridge, by --header")
	}
	if found, err := a.credential(ctx, s); err == nil {
		if g, err := a.gateway(s, found.Key); err == nil {
			if _, err := g.Server(ctx, t.slug); errors.Is(err, gateway.ErrNoServer) {
				return a.noServer(s, t)
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return problem.With(failure, "check the server's name: mcpctl servers ls; or log in with a key: mcpctl login")
}

// beginSignIn finds out where to sign in. A server outside the gateway is asked first, since what it says in refusing may be
// the only place that names its metadata.
func (a *app) beginSignIn(ctx context.Context, tokens *oauth.Resource) (*oauth.Login, error) {
	defer a.spin("Asking where to log in …")()
	challenge, err := tokens.Challenge(ctx)
	if err != nil {
		return nil, err
	}
	server, err := tokens.Discover(ctx, challenge)
	if err != nil {
		return nil, err
	}
	return server.Begin(ctx)
}

// tunnel is what lets a browser on another machine reach a port of this one.
func (a *app) tunnel(port int) string {
	user := a.host.Getenv("USER")
	if user == "" {
		user = "YOU"
	}
	return fmt.Sprintf("ssh -N -L %d:127.0.0.1:%d %s@THIS-MACHINE", port, port, user)
}

// validity says how long tokens are good for.
func validity(r oauth.Record) string {
	switch {
	case r.Renewable:
		return "; the login renews itself"
	case !r.ExpiresAt.IsZero():
		return " until " + r.ExpiresAt.Local().Format("2006-01-02 15:04")
	}
	return ""
}

// checkOAuthFlags refuses what makes sense with --oauth alone, or not with it.
func checkOAuthFlags(cmd *cobra.Command, o loginOAuthOptions) error {
	if o.server != "" {
		for _, name := range []string{"with-key", "skip-verify"} {
			if cmd.Flags().Changed(name) {
				return usage("leave one of them out", "--oauth logs in without a key, so --%s has no meaning", name)
			}
		}
		if o.secret != "" && o.clientID == "" {
			return usage("name it with --client-id", "--client-secret-file belongs to a client that you registered")
		}
		return checkTimeout(o.timeout)
	}
	for _, name := range []string{"no-browser", "timeout", "client-id", "client-secret-file"} {
		if cmd.Flags().Changed(name) {
			return usage("add --oauth SERVER, or leave it out", "--%s belongs to --oauth", name)
		}
	}
	if cmd.Flags().Changed("oauth") {
		return usage("see: mcpctl servers ls", "--oauth wants the name or the URL of a server")
	}
	return nil
}
