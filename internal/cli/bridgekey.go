package cli

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// keyTime is how long a request waits for the keyring: Codex gives a server 10 s to start.
	keyTime = 8 * time.Second
	// rereadPause is the least time between two readings of the key, so that a client that calls in a loop with a key that
	// is missing or refused doesn't become a storm of keyring calls.
	rereadPause = time.Second
)

// bridgeKey is the key of a bridge: read once, from the start of the process on, and again only when there was none or when
// it was refused, so that a login heals running bridges. It implements bridge.Authorizer.
type bridgeKey struct {
	read func(context.Context) (web.Key, error)

	mu       sync.Mutex
	reading  *keyReading // the latest; in progress or done
	accepted bool        // the gateway has taken the key in its present header form
	switched bool        // the other header form is being tried
	tried    bool        // neither form of this key was taken
}

// keyReading is one reading of the key. key, err and at are set when done is closed.
type keyReading struct {
	done chan struct{}
	key  web.Key
	err  error
	at   time.Time
}

func newBridgeKey(a *app, s config.Settings) *bridgeKey {
	k := &bridgeKey{read: func(ctx context.Context) (web.Key, error) {
		// A login may have chosen another store, or found another header, since the bridge began. The gateway stays.
		if now, err := a.settings(); err == nil {
			s.CredentialStore, s.KeyHeader, s.KeyCommand = now.CredentialStore, now.KeyHeader, now.KeyCommand
		}
		found, err := a.credential(ctx, s)
		return found.Key, err
	}}
	k.mu.Lock()
	k.begin()
	k.mu.Unlock()
	return k
}

// begin starts a reading, which goes on for as long as the keyring takes: a later request may profit. k.mu must be held.
func (k *bridgeKey) begin() *keyReading {
	r := &keyReading{done: make(chan struct{})}
	k.reading, k.accepted, k.switched, k.tried = r, false, false, false
	finish := func(key web.Key, err error) {
		r.key, r.err, r.at = key, err, time.Now()
		close(r.done)
	}
	fault.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		finish(k.read(ctx))
	}, func(err error) { finish(web.Key{}, err) })
	return r
}

// current returns the key, waiting for the reading in progress if there is one.
func (k *bridgeKey) current(ctx context.Context) (web.Key, error) {
	key, _, err := k.inForce(ctx)
	return key, err
}

// inForce returns the key and the reading that it comes from, which is done if there is no error.
func (k *bridgeKey) inForce(ctx context.Context) (web.Key, *keyReading, error) {
	k.mu.Lock()
	r := k.reading
	if r.failedLately(rereadPause) {
		r = k.begin()
	}
	k.mu.Unlock()
	if err := r.wait(ctx); err != nil {
		return web.Key{}, r, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := r.key
	if k.switched && k.reading == r {
		key.Header = web.AuthorizationHeader
	}
	return key, r, r.err
}

// failedLately reports whether a reading found no key, and is old enough to be repeated.
func (r *keyReading) failedLately(pause time.Duration) bool {
	select {
	case <-r.done:
		return r.err != nil && time.Since(r.at) > pause
	default:
		return false
	}
}

func (r *keyReading) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return nil
	default:
	}
	limit := time.NewTimer(keyTime)
	defer limit.Stop()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return problem.New("unlock it, then try again; mcpctl status tells more", "the keyring doesn't answer (%s)", keyTime)
	}
}

// Authorize implements bridge.Authorizer.
func (k *bridgeKey) Authorize(ctx context.Context, r *http.Request) error {
	key, err := k.current(ctx)
	if err != nil {
		return err
	}
	if !key.Authorize(r) {
		return problem.New("run mcpctl login for this gateway", "the key was not verified for %s, so it isn't sent there", web.Origin(r.URL))
	}
	return nil
}

// Accepted implements bridge.Authorizer.
func (k *bridgeKey) Accepted() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.accepted = true
}

// Refused implements bridge.Authorizer. The key may have been replaced by a login since it was read; else, if nobody knows
// yet in which header this gateway wants it, the other one is tried once.
func (k *bridgeKey) Refused(ctx context.Context, refused *http.Request) bool {
	old, r, err := k.inForce(ctx)
	if err != nil {
		return false
	}
	if !sent(old, refused) {
		return true // another request was faster
	}
	k.mu.Lock()
	switch {
	case k.reading != r: // another request has it read again
		r = k.reading
	case r.key.Header == "" && !k.accepted && !k.tried:
		k.tried, k.switched = k.switched, !k.switched
		k.mu.Unlock()
		return true // back in the first form for a request that came late and has only seen the second
	case time.Since(r.at) < rereadPause:
		k.mu.Unlock()
		return false
	default:
		r = k.begin()
	}
	k.mu.Unlock()
	return k.isOther(ctx, r, refused)
}

// isOther reports whether a new reading brought another key than the one that was refused.
func (k *bridgeKey) isOther(ctx context.Context, r *keyReading, refused *http.Request) bool {
	if r.wait(ctx) != nil || r.err != nil {
		return false
	}
	if !sent(r.key, refused) {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reading == r {
		k.tried = true
	}
	return false
}

// sent reports whether r carries key in its header form.
func sent(key web.Key, r *http.Request) bool {
	again := r.Clone(context.Background())
	again.Header = http.Header{}
	key.Authorize(again)
	for name, values := range again.Header {
		if r.Header.Get(name) != values[0] {
			return false
		}
	}
	return true
}
