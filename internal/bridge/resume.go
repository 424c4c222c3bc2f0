package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// maxResumes is how often a stream that was cut off is resumed without progress.
const maxResumes = 5

// defaultRetry is the pause before a stream is resumed, if the server names none.
const defaultRetry = time.Second

// position is where a stream can be resumed: after its last whole event, and no sooner than the server asked for.
type position struct {
	lastID string
	retry  time.Duration // 0 if it didn't ask
}

// resume opens a stream that was cut off again, after the pause that the server asked for (2025-11-25, "Resumability and
// Redelivery"). It tries again what passes by: the server, or what is before it, may just be restarting. tries counts all
// tries since the stream last made progress. It returns nil if the stream can't be had.
func (b *Bridge) resume(ctx context.Context, s *session, at position, tries *int) *http.Response {
	pause := at.pause()
	for *tries < maxResumes {
		*tries++
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
		resp, err := b.get(ctx, s, at.lastID)
		r := reply{err: err}
		if err == nil {
			if isStream(resp) {
				return resp
			}
			resp.Body.Close()
			r.status, r.header = resp.StatusCode, resp.Header
		}
		b.Log.Info("a stream could not be resumed", "status", r.status, "error", describe(err))
		if !worthReopening(r) || !passing(err) {
			return nil
		}
		pause = max(at.pause(), jitter(defaultRetry<<(*tries-1)))
		if after, ok := web.RetryAfter(r.header); ok {
			pause = max(at.pause(), min(after, repeatTime))
		}
	}
	return nil
}

// passing reports whether an error may not be there at the next try.
func passing(err error) bool {
	var (
		missing     *noCredential
		certificate *tls.CertificateVerificationError
		encoding    *badEncoding
	)
	return !errors.Is(err, errTooLong) && !errors.As(err, &missing) && !errors.As(err, &certificate) && !errors.As(err, &encoding)
}

// pause is the time before a stream is resumed.
func (p position) pause() time.Duration {
	if p.retry > 0 {
		return p.retry
	}
	return defaultRetry
}
