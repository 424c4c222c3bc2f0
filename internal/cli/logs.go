package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/logfile"
	"github.com/mcpctl/mcpctl/internal/render"
)

type logsOptions struct {
	server string
	follow bool
	since  string
	outputOptions
}

func newLogsCommand(a *app) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs [SERVER]",
		Short: "Read what bridges have logged",
		Long: `Print what bridges have logged, to SERVER or to any server, of all their processes in the order of time. A line is
time, level, server and process, words, and details. Messages between client and server are never logged.

Of each server the last 20 processes are remembered, with 2 MiB at most. --log-level, MCPCTL_LOG_LEVEL and log_level in
the settings file say what a bridge logs from its next start on: debug, info (if nobody says otherwise), warn or error.

With --json it is an array of records; with --json and --follow one record to a line, and --jq sees one record at a time.`,
		Example: `  mcpctl logs linear --since 1h
  mcpctl logs -f
  mcpctl logs --jq '.[] | select(.level == "error") | .message'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("try: "+cmd.UseLine(), "logs takes one SERVER at most, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.server = args[0]
			}
			return runLogs(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what is logged from now on, until interrupted")
	f.StringVar(&o.since, "since", "", "only from this `time` on: how long ago (90m, 24h) or a moment (2026-01-31T08:00:00Z)")
	o.add(cmd)
	return cmd
}

// followPause is the time between two looks for new records.
const followPause = 250 * time.Millisecond

func runLogs(ctx context.Context, a *app, o logsOptions) error {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	if o.server, err = a.loggedServer(o.server); err != nil {
		return err
	}
	reader := logfile.NewReader(a.state(), o.server)
	records, err := nextSince(reader, since)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		a.talkOfNoLogs(o)
	}
	if !o.follow {
		return a.printLog(records, o)
	}
	for {
		for _, r := range records {
			if err := a.printRecord(r, o); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followPause):
		}
		if records, err = nextSince(reader, since); err != nil {
			return err
		}
	}
}

func nextSince(r *logfile.Reader, since time.Time) ([]logfile.Record, error) {
	records, err := r.Next()
	return slices.DeleteFunc(records, func(r logfile.Record) bool { return r.Time.Before(since) }), err
}

// parseSince takes a duration or a time as in RFC 3339; nothing is the beginning of time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usage("write it as 90m, 24h, or "+now.UTC().Format(time.RFC3339), "--since %q is neither a duration nor a time", text)
	}
	return t, nil
}

// loggedServer returns the name under which bridges log, of a server or a URL. A name that neither the logs nor the last
// listing has is an error, unless there is nothing to compare it with.
func (a *app) loggedServer(server string) (string, error) {
	if server == "" {
		return "", nil
	}
	s, settingsErr := a.settings()
	if strings.Contains(server, "://") {
		if settingsErr != nil {
			return "", settingsErr
		}
		t, err := findTarget(s, server)
		return t.name, err
	}
	names, err := logfile.Servers(a.state())
	if err != nil {
		return "", err
	}
	if settingsErr == nil { // to read logs, no settings are needed
		for _, known := range a.remembered(s) {
			names = append(names, known.Slug)
		}
	}
	if len(names) == 0 || slices.Contains(names, server) {
		return server, nil
	}
	slices.Sort(names)
	return "", usage(nearest(server, slices.Compact(names), "see: mcpctl logs"), "no bridge has logged anything about a server %q", server)
}

func (a *app) talkOfNoLogs(o logsOptions) {
	who := "No bridge"
	if o.server != "" {
		who += " to " + render.Clean(o.server)
	}
	if o.since != "" {
		a.talk("%s has logged anything since then\n", who)
		return
	}
	a.talk("%s has logged anything yet\n", who)
}

func (a *app) printLog(records []logfile.Record, o logsOptions) error {
	if o.json {
		return render.JSON(a.out, records, o.jq)
	}
	for _, r := range records {
		if err := a.printRecord(r, o); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printRecord(r logfile.Record, o logsOptions) error {
	if o.json {
		return render.JSONLine(a.out, r, o.jq)
	}
	_, err := fmt.Fprintln(a.out, recordLine(r))
	return err
}

// recordLine is a record for people, in their own time zone.
func recordLine(r logfile.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-5s %s[%d] %s", r.Time.Local().Format("2006-01-02T15:04:05.000Z07:00"), strings.ToUpper(render.Clean(r.Level)),
		render.Clean(r.Server), r.PID, render.Clean(r.Message))
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		value := render.Clean(fmt.Sprint(r.Attributes[name]))
		if value == "" || strings.ContainsAny(value, ` ="`) {
			value = strconv.Quote(value)
		}
		b.WriteString(" " + render.Clean(name) + "=" + value)
	}
	return b.String()
}

func (a *app) completeLogged(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := logfile.Servers(a.state())
	return slices.DeleteFunc(names, func(name string) bool { return render.Clean(name) != name }), cobra.ShellCompDirectiveNoFileComp
}
