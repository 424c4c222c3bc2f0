package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/logfile"
	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// closeTime is how long a log may take for what is still to be written when the bridge ends.
const closeTime = 200 * time.Millisecond

// bridgeLog is where a bridge logs to: the state folder, and beside it stderr or the file that the user named.
type bridgeLog struct {
	*slog.Logger
	closers []func()
}

// openLog returns the log of a bridge to server. Without a level, as it is in settings, the state folder gets more than
// talk, which a client may show to the user. A state folder that can't be written to is no reason to say a word: this is
// the log's second place.
func (a *app) openLog(level, server, file string, talk io.Writer) (*bridgeLog, error) {
	talkLevel, stateLevel := slog.LevelWarn, slog.LevelInfo
	if level != "" {
		var err error
		if talkLevel, err = parseLevel(level); err != nil {
			return nil, err
		}
		stateLevel = talkLevel
	}
	l := &bridgeLog{}
	if file != "" {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, problem.With(fmt.Errorf("open the log: %w", err), "give --log-file a path that you can write to")
		}
		redacted := a.redact.Writer(f)
		talk = redacted
		l.closers = append(l.closers, func() { redacted.Flush(); f.Close() })
	}
	records := logfile.NewWriter(a.state(), server)
	dropping := newDropWriter(records, func() { records.Close() })
	redacted := a.redact.Writer(dropping)
	l.closers = append(l.closers, func() { redacted.Flush(); dropping.close(closeTime) })
	l.Logger = slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(talk, &slog.HandlerOptions{Level: talkLevel}),
		slog.NewJSONHandler(redacted, &slog.HandlerOptions{Level: stateLevel, ReplaceAttr: recordValue}),
	))
	return l, nil
}

func (l *bridgeLog) close() {
	for _, c := range l.closers {
		c()
	}
}

// query matches a URL's query and fragment, which may hold a state or a token.
var query = pattern.New(`(\w+://[^\s"'?#]*)[?#][^\s"']*`)

// recordValue gives values the form that they have in the state folder's records: durations in words, and URLs without
// their queries, wherever they stand.
func recordValue(_ []string, at slog.Attr) slog.Attr {
	switch v := at.Value.Any().(type) {
	case time.Duration:
		at.Value = slog.StringValue(v.Round(time.Millisecond).String())
	case string:
		at.Value = slog.StringValue(query().ReplaceAllString(v, "$1"))
	case error:
		at.Value = slog.StringValue(query().ReplaceAllString(v.Error(), "$1"))
	}
	return at
}

// dropWriter writes in the background and drops what a slow reader leaves no room for: clients that don't read their
// servers' stderr would otherwise block the bridge once the pipe is full.
type dropWriter struct {
	mu     sync.Mutex
	lines  chan []byte
	closed bool
	done   chan struct{}
}

// newDropWriter returns a dropWriter to w. When it has been closed and everything is written, it calls atEnd.
func newDropWriter(w io.Writer, atEnd func()) *dropWriter {
	d := &dropWriter{lines: make(chan []byte, 256), done: make(chan struct{})}
	go func() {
		defer close(d.done)
		defer atEnd()
		for line := range d.lines {
			_, _ = w.Write(line) // a closed stderr, or a full disk, is no reason to stop
		}
	}()
	return d
}

// Write never blocks and never fails.
func (d *dropWriter) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		select {
		case d.lines <- append([]byte(nil), p...):
		default:
		}
	}
	return len(p), nil
}

// close gives what is still waiting a moment to be written.
func (d *dropWriter) close(limit time.Duration) {
	d.mu.Lock()
	d.closed = true
	close(d.lines)
	d.mu.Unlock()
	select {
	case <-d.done:
	case <-time.After(limit):
	}
}
