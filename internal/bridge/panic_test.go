package bridge

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { panic("a fault") }

// TestPanicWhileReading: a bridge that can't hear its client ends.
func TestPanicWhileReading(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL, func(o *Options) { o.In = brokenReader{} })
	select {
	case err := <-c.done:
		c.done <- err
	case <-time.After(5 * time.Second):
		t.Fatal("still running, and deaf")
	}
}

// brokenAuthorizer panics at notifications, and at a call of the tool "broken".
type brokenAuthorizer struct{}

func (brokenAuthorizer) Authorize(_ context.Context, r *http.Request) error {
	body, err := r.GetBody()
	if err != nil {
		return err
	}
	defer body.Close()
	text := make([]byte, 200)
	n, _ := body.Read(text)
	if message := string(text[:n]); !strings.Contains(message, `"id"`) || strings.Contains(message, `"broken"`) {
		panic("a fault")
	}
	return nil
}
func (brokenAuthorizer) Refused(context.Context, *http.Request) bool { return false }
func (brokenAuthorizer) Accepted()                                   {}

// TestPanicInOneMessage: a fault costs one message; a request that it hits has an answer, and the next one works.
func TestPanicInOneMessage(t *testing.T) {
	u := newUpstream(t, ordinary)
	c := start(t, u.URL, func(o *Options) { o.Authorizer = brokenAuthorizer{} })
	c.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, call("1", "broken"))
	if got := c.line(); !strings.Contains(got, `"id":1`) || !strings.Contains(got, `"reason":"internal"`) {
		t.Error(got)
	}
	c.nothing()
}
