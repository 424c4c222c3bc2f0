package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/logfile"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// logged returns what f logs, as records of the state folder and as the text on stderr.
func logged(t *testing.T, u *user, level string, f func(*app, *slog.Logger)) (records []logfile.Record, talk string) {
	t.Helper()
	var text bytes.Buffer
	a := u.app(nil, io.Discard, io.Discard)
	log, err := a.openLog(level, "linear", "", &text)
	if err != nil {
		t.Fatal(err)
	}
	f(a, log.Logger)
	log.close()
	records, err = logfile.NewReader(a.state(), "").Next()
	if err != nil {
		t.Fatal(err)
	}
	return records, text.String()
}

func TestLogLevels(t *testing.T) {
	for _, tt := range []struct{ level, state, talk string }{
		{"", "info warn error", "WARN ERROR"},
		{"debug", "debug info warn error", "DEBUG INFO WARN ERROR"},
		{"error", "error", "ERROR"},
	} {
		records, talk := logged(t, newUser(t, "https://gateway.invalid"), tt.level, func(_ *app, log *slog.Logger) {
			log.Debug("d")
			log.Info("i")
			log.Warn("w")
			log.Error("e")
		})
		var levels []string
		for _, r := range records {
			levels = append(levels, r.Level)
		}
		if got := strings.Join(levels, " "); got != tt.state {
			t.Errorf("level %q: %q is kept, want %q", tt.level, got, tt.state)
		}
		for _, level := range []string{"DEBUG", "INFO", "WARN", "ERROR"} {
			if strings.Contains(talk, "level="+level) != strings.Contains(tt.talk, level) {
				t.Errorf("level %q: stderr has %q", tt.level, talk)
			}
		}
	}
}

func TestRecordsHoldNoSecrets(t *testing.T) {
	records, _ := logged(t, newUser(t, "https://gateway.invalid"), "", func(a *app, log *slog.Logger) {
		a.redact.Hide(secret.New("canary-0123456789"))
		failed := &url.Error{Op: "Get", URL: "https://h.example/a?state=canary", Err: errors.New("refused")}
		log.With("url", "https://h.example/b?token=canary#canary").Info("sent canary-0123456789", "error", failed, "after", 1500*time.Millisecond)
	})
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if got, want := recordLine(r), `sent [redacted] after=1.5s error="Get \"https://h.example/a\": refused" url=https://h.example/b`; !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant …%s", got, want)
	}
}

func TestRecordLine(t *testing.T) {
	r := logfile.Record{Time: time.Now(), Level: "warn", Message: "a\x1b[2J\nb", Server: "lin\u202eear", PID: 7,
		Attributes: map[string]any{"b\x1b": "x\ny", "a": "plain", "c": ""}}
	at := r.Time.Format("2006-01-02T15:04:05.000Z07:00")
	if got, want := recordLine(r), at+" WARN  lin\ufffdear[7] a\ufffd[2J b a=plain b\ufffd=\"x y\" c=\"\""; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "90m": now.Add(-90 * time.Minute), "0s": now, "2026-01-30T09:00:00+01:00": now.Add(-24 * time.Hour),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"1", "-1h", "yesterday", "2026-01-30"} {
		var exit *exitError
		if _, err := parseSince(text, now); !errors.As(err, &exit) || exit.code != exitUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The logs can be read when the settings can't.
func TestLogsWithoutSettings(t *testing.T) {
	u := newUser(t, "no URL")
	logged(t, u, "", func(_ *app, log *slog.Logger) { log.Info("hello") })
	if code, out, text := u.run("", "logs", "linear"); code != 0 || !strings.HasSuffix(out, "] hello\n") || text != "" {
		t.Errorf("%d, %q, %q", code, out, text)
	}
	if code, _, text := u.run("", "logs", "linaer"); code != exitUsage || !strings.Contains(text, "did you mean linear?") {
		t.Errorf("%d, %q", code, text)
	}
}

func TestFollowIsInterrupted(t *testing.T) {
	u := newUser(t, "https://gateway.invalid")
	logged(t, u, "", func(_ *app, log *slog.Logger) { log.Info("hello") })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := writerFunc(func(p []byte) { cancel() })
	var text bytes.Buffer
	if code := u.app(nil, out, &text).run(ctx, []string{"logs", "-f"}); code != exitInterrupted || text.Len() > 0 {
		t.Errorf("%d, %q", code, text.String())
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
