package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/mcpclient"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
)

// sessionOptions are the flags of commands that ask a server something themselves.
type sessionOptions struct {
	headers   []string
	noBrowser bool
	timeout   time.Duration
}

func (o *sessionOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.noBrowser, "no-browser", false, "print the page for consent, but don't open it")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to wait for the answer, and for your consent if need be")
	f.StringArrayVar(&o.headers, "header", nil, "extra `'NAME: VALUE'` on every request (not for secrets)")
	cmd.PreRunE = func(*cobra.Command, []string) error { return checkTimeout(o.timeout) }
}

// checkTimeout refuses a time in which nothing can be done.
func checkTimeout(limit time.Duration) error {
	if limit <= 0 {
		return usage("write it as --timeout 10m", "--timeout has to be longer than nothing")
	}
	return nil
}

// session is a conversation with a server. It goes through a bridge within the process, so that headers, consent, sessions
// and errors are those of the bridge that AI clients start.
type session struct {
	*mcpclient.Client
	app      *app
	settings config.Settings
	target   target
	spinner  *render.Spinner
	// ctx ends when the command is interrupted, or its time is up.
	ctx     context.Context
	timeout time.Duration
	// close ends the session. It must be called.
	close func()
}

// hangUpTime is how long a server may take to hear that the user no longer waits.
const hangUpTime = time.Second

// openSession shakes hands with a server. What it is doing is shown as text until something else is.
func (a *app) openSession(ctx context.Context, server, text string, o sessionOptions) (*session, error) {
	settings, err := a.settings()
	if err != nil {
		return nil, err
	}
	target, err := findTarget(settings, server)
	if err != nil {
		return nil, err
	}
	log, err := a.sessionLog(settings)
	if err != nil {
		return nil, err
	}
	s := &session{app: a, settings: settings, target: target, spinner: a.spinner(text), timeout: o.timeout}
	options, err := a.bridgeOptions(ctx, settings, target, connection{
		headers: o.headers, noBrowser: o.noBrowser, consentTimeout: o.timeout, log: log,
		show: func(text string) {
			s.spinner.Print(text)
			s.spinner.Set("Waiting for you to allow access …")
		},
	})
	if err != nil {
		s.spinner.Stop()
		return nil, err
	}
	options.Patience = o.timeout - min(o.timeout/5, 2*time.Second) // so that its words, with the page in them, come in time
	timedOut := problem.New("wait longer with --timeout", "%s didn't answer in %s", target.name, o.timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, timedOut)
	client, hangUp := a.converse(ctx, options)
	s.ctx, s.Client = ctx, client
	s.close = func() { hangUp(); cancel(); s.spinner.Stop() }
	if _, err := s.Initialize(ctx, mcp.Implementation{Name: "mcpctl", Version: buildInfo().Version}); err != nil {
		s.close()
		return nil, s.explain(err)
	}
	return s, nil
}

// converse returns the client of a bridge that runs in this process. The end of ctx doesn't end it, so that the client can
// still say goodbye: hangUp does, and must be called.
func (a *app) converse(ctx context.Context, options bridge.Options) (client *mcpclient.Client, hangUp func()) {
	fromClient, toBridge := io.Pipe()
	fromBridge, toClient := io.Pipe()
	options.In, options.Out, options.Attended = fromClient, toClient, true
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	fault.Go(func() {
		defer close(ended)
		defer fromClient.Close()
		defer toClient.Close()
		_ = bridge.Run(work, options) // the client has every answer by now
	}, func(err error) { a.report(err) })
	return mcpclient.New(fromBridge, toBridge), func() {
		toBridge.Close()
		select {
		case <-ended:
		case <-time.After(hangUpTime):
		}
		stop()
		<-ended
	}
}

func (s *session) explain(err error) error {
	return s.app.explain(s.settings, s.target, err, s.timeout)
}

// sessionLog returns the log of the bridge in a session: nothing, unless a level is given by flag or variable. It isn't
// among those of mcpctl logs, which tell what clients' bridges do.
func (a *app) sessionLog(s config.Settings) (*slog.Logger, error) {
	given, ok := s.Given["log-level"]
	if !ok {
		return slog.New(slog.DiscardHandler), nil
	}
	level, err := parseLevel(given)
	if err != nil {
		return nil, err
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level})), nil
}

// parseLevel returns the log level of a flag or variable.
func parseLevel(text string) (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return 0, usage("use debug, info, warn or error in --log-level or MCPCTL_LOG_LEVEL", "there is no log level %q", text)
	}
	return level, nil
}

// keyReasons are the bridge's words for a key that is missing or no longer good.
var keyReasons = []string{"not_logged_in", "refused", "expired", "token_refused"}

// explain makes an error of the bridge to t, which puts its words into JSON-RPC, what the same error of a command would be. timeout
// is how long it waited for consent, whose page the user has seen already.
func (a *app) explain(s config.Settings, t target, err error, timeout time.Duration) error {
	var refused *mcpclient.Error
	if !errors.As(err, &refused) {
		return err
	}
	var data struct {
		Source   string `json:"source"`
		Reason   string `json:"reason"`
		NextStep string `json:"next_step"`
		Page     string `json:"authorizationUrl"`
	}
	_ = json.Unmarshal(refused.Data, &data)
	text, ours := strings.CutPrefix(refused.Message, "mcpctl: ")
	if !ours || data.Source != "mcpctl" {
		return problem.New("", "%s answered with an error: %s (%d)", t.name, render.Clean(refused.Message), refused.Code)
	}
	if data.Reason == "not_found" && t.atGateway {
		return a.noServer(s, t)
	}
	if data.Reason == "consent_required" && data.Page != "" {
		next := "run it again, and allow access on the page that it opens"
		if t.atGateway {
			next += "; if the page ended in an error, mcpctl login --oauth " + t.loginName()
		}
		return problem.New(next, "no consent was given within %s", timeout)
	}
	if next := []rune(data.NextStep); len(next) > 0 { // it stands at the end of the message as well
		next[0] = unicode.ToUpper(next[0])
		text = strings.TrimSuffix(text, ". "+string(next))
	}
	err = problem.New(data.NextStep, "%s", render.Clean(text))
	if t.atGateway && slices.Contains(keyReasons, data.Reason) {
		return notLoggedIn(err)
	}
	return err
}

// spinner returns one that shows text, or nothing if there is to be no talk.
func (a *app) spinner(text string) *render.Spinner {
	term := a.host.Getenv("TERM")
	if a.flags.quiet {
		term = "dumb"
	}
	return render.NewSpinner(a.err, term, text)
}
