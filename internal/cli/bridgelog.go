package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// openLog returns the bridge's log: on talk, or in the file that the user named.
func (a *app) openLog(o bridgeOptions, talk io.Writer) (log *slog.Logger, closeLog func(), err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, nil, usage("use debug, info, warn or error", "there is no log level %q", o.logLevel)
	}
	closeLog = func() {}
	if o.logFile != "" {
		f, err := os.OpenFile(o.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, problem.With(fmt.Errorf("open the log: %w", err), "give --log-file a path that you can write to")
		}
		redacted := a.redact.Writer(f)
		talk, closeLog = redacted, func() { redacted.Flush(); f.Close() }
	}
	return slog.New(slog.NewTextHandler(talk, &slog.HandlerOptions{Level: level})), closeLog, nil
}

// dropWriter writes in the background and drops what a slow reader leaves no room for: clients that don't read their
// servers' stderr would otherwise block the bridge once the pipe is full.
type dropWriter struct {
	mu     sync.Mutex
	lines  chan []byte
	closed bool
	done   chan struct{}
}

func newDropWriter(w io.Writer) *dropWriter {
	d := &dropWriter{lines: make(chan []byte, 256), done: make(chan struct{})}
	go func() {
		defer close(d.done)
		for line := range d.lines {
			_, _ = w.Write(line) // a closed stderr is no reason to stop
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
