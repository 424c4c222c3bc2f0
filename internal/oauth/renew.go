package oauth

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/problem"
)

const (
	// lockTime is how long a process waits for another that renews the same tokens. It is longer than a request for tokens.
	lockTime = 20 * time.Second
	// ahead is how long before its expiry a token is renewed, if it lives long enough for that.
	ahead = 5 * time.Minute
	// againTime is the least time between two renewals by this process: tokens that are refused at once are refused for
	// another reason than their age.
	againTime = 15 * time.Second
	// storeTime is how long a store may take for tokens that exist nowhere else.
	storeTime = 10 * time.Second
)

// jitter is a factor of the time ahead, so that processes don't come all at once.
func jitter() float64 { return 0.8 + 0.4*rand.Float64() }

// due reports whether t should be renewed by now. Its whole life counts, not the time of day alone: one that lives for
// a minute is good for most of it.
func (s *Resource) due(t *tokens, now time.Time) bool {
	if t.expires.IsZero() || t.refresh.IsZero() {
		return false
	}
	margin := min(ahead, t.expires.Sub(t.obtained)/5)
	return now.After(t.expires.Add(-time.Duration(float64(margin) * s.jitter)))
}

// fresh returns tokens whose access token is good, as far as the clock tells.
func (s *Resource) fresh(ctx context.Context) (*tokens, error) {
	s.mu.Lock()
	t := s.tokens
	s.mu.Unlock()
	if t == nil {
		var err error
		if t, err = s.read(ctx); err != nil {
			return nil, err
		}
		s.hold(t)
	}
	if !s.due(t, time.Now()) {
		return t, nil
	}
	renewed, err := s.renew(ctx, t, false)
	switch {
	case err == nil:
		return renewed, nil
	case Missing(err), time.Now().After(t.expires):
		return nil, err
	}
	return t, nil // it is good for a while, and there will be another try
}

func (s *Resource) hold(t *tokens) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdLocked(t)
}

// maxPast is how many used access tokens are remembered: requests with older ones have their answers by now.
const maxPast = 4

// holdLocked makes t the tokens that this process uses. s.mu must be held.
func (s *Resource) holdLocked(t *tokens) {
	s.tokens = t
	s.past = append(s.past[max(0, len(s.past)-maxPast+1):], t.access)
}

// renewal is a renewal in progress in this process. tokens and err are set when done is closed.
type renewal struct {
	done   chan struct{}
	tokens *tokens
	err    error
}

// renew replaces old, once for all requests of this process that want it, and once for all processes. refused says that the
// server has refused the access token, whatever its age. The work goes on when ctx ends: half done it would lose the tokens.
func (s *Resource) renew(ctx context.Context, old *tokens, refused bool) (*tokens, error) {
	s.mu.Lock()
	r := s.current
	if r == nil {
		r = &renewal{done: make(chan struct{})}
		s.current = r
		fault.Go(func() {
			work, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockTime+2*tokenTime+storeTime)
			defer cancel()
			fresh, err := s.renewAlone(work, old, refused)
			s.finish(r, fresh, err)
		}, func(err error) { s.finish(r, nil, err) })
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.tokens, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// finish ends a renewal for all who wait for it.
func (s *Resource) finish(r *renewal, fresh *tokens, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(r.done)
	r.tokens, r.err = fresh, err
	s.current = nil
	if err == nil {
		s.holdLocked(fresh)
	} else if Missing(err) {
		s.tokens = nil
	}
}

// Settle waits for a renewal in progress, for limit at most: a process that ended in the middle of one would take the tokens
// along that the server has just made.
func (s *Resource) Settle(limit time.Duration) {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	if r == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
	}
}

// renewAlone does it under the lock: read, look whether it is still to be done, ask, keep.
func (s *Resource) renewAlone(ctx context.Context, old *tokens, refused bool) (*tokens, error) {
	wait, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	unlock, err := s.o.State.Lock(wait, s.lockName())
	if err != nil {
		return nil, problem.With(err, "try again in a moment: another mcpctl renews the same tokens")
	}
	defer unlock()
	now, err := s.read(ctx)
	switch {
	case err != nil:
		return nil, err
	case now.access.Reveal() != old.access.Reveal() && !s.due(now, time.Now()):
		return now, nil // another process was faster
	case now.refresh.IsZero():
		return nil, s.endedNow(ctx, now, errors.New("its token has expired, and there is none to renew it with"))
	}
	s.mu.Lock()
	since, last := time.Since(s.renewedAt), s.renewErr
	s.mu.Unlock()
	if since < againTime && (refused || last != nil) {
		if last == nil {
			last = errors.New("the token was renewed a moment ago, and is refused")
		}
		return nil, last
	}
	t, err := s.exchange(ctx, now)
	if errors.Is(err, errTurnedDown) {
		err = s.endedNow(ctx, now, err)
	}
	s.mu.Lock()
	s.renewedAt, s.renewErr = time.Now(), err
	s.mu.Unlock()
	return t, err
}

func (s *Resource) lockName() string { return s.name }

// errTurnedDown says that the authorization server won't renew these tokens, now or later.
var errTurnedDown = errors.New("the authorization server turned it down")

// exchange asks for new tokens and keeps them. The lock must be held.
func (s *Resource) exchange(ctx context.Context, old *tokens) (*tokens, error) {
	form := func() url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.refresh.Reveal()}, "resource": {old.resource}}
	}
	g, err := s.request(ctx, old.token, old.client, form())
	var refused *tokenError
	if errors.As(err, &refused) && !refused.final() {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		g, err = s.request(ctx, old.token, old.client, form())
	}
	switch {
	case errors.As(err, &refused) && refused.final():
		return nil, errors.Join(errTurnedDown, err)
	case errors.As(err, &refused):
		return nil, problem.With(err, "log in again if it stays so: "+s.LoginCommand())
	case err != nil:
		return nil, err
	}
	t := *old
	t.access, t.obtained, t.expires = g.access, g.obtained, g.expires
	if !g.refresh.IsZero() { // else it didn't rotate
		t.refresh = g.refresh
	}
	if g.scope != "" {
		t.scope = g.scope
	}
	// The old refresh token may be worth nothing any more: what is new must be kept, whatever ended the wish for it.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if err := s.write(keep, &t); err != nil {
		s.o.Log.Error("the renewed tokens can't be kept, so the next process will have to log in again", "server", s.o.Server, "error", err)
	}
	s.o.Log.Info("the tokens were renewed", "server", s.o.Server)
	return &t, nil
}

// endedNow forgets tokens that can't be renewed, unless there are others in their place by now, and returns the error that says
// what to do. The lock must be held; a process that knows no locks may have been at work all the same.
func (s *Resource) endedNow(ctx context.Context, t *tokens, cause error) error {
	now, err := s.read(ctx)
	if err == nil && (now.access.Reveal() != t.access.Reveal() || now.refresh.Reveal() != t.refresh.Reveal()) {
		return problem.New("try again", "the tokens for %s have just been replaced", s.o.Server)
	}
	s.o.Log.Warn("the login has ended", "server", s.o.Server, "why", cause.Error())
	if r, found := s.Record(); found && err == nil {
		if err := s.remove(ctx, r.Store); err != nil {
			s.o.Log.Warn("the dead tokens can't be removed", "error", err)
		}
		r.EndedAt = time.Now().UTC()
		if err := s.o.State.Write(s.recordName(), r); err != nil {
			s.o.Log.Warn("the end can't be recorded", "error", err)
		}
	}
	return s.ended(cause)
}

// adopt keeps the tokens of a new sign-in in place of those before.
func (s *Resource) adopt(ctx context.Context, t *tokens) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockTime+promptTime)
	defer cancel()
	unlock, err := s.o.State.Lock(ctx, s.lockName())
	if err != nil {
		return err
	}
	defer unlock()
	old, hadOld := s.Record()
	err = s.writeTo(ctx, s.o.Kind, t)
	if err != nil && !s.o.MayForget {
		return err
	}
	if err != nil {
		s.o.Log.Warn("the tokens can't be kept, so this process alone has them", "server", s.o.Server, "error", err)
		hadOld = false
	}
	if hadOld && old.Store != s.o.Kind && !old.Ended() { // no copy stays behind in the other place
		if err := s.o.Store(old.Store).Delete(ctx, s.name); err != nil {
			s.o.Log.Warn("the tokens before may be left where they were", "error", err)
		}
	}
	s.dropPending(ctx)
	s.mu.Lock()
	s.holdLocked(t)
	s.renewErr, s.renewedAt = nil, time.Time{}
	s.mu.Unlock()
	return nil
}

// promptTime is how long a person gets to unlock the keyring.
const promptTime = 60 * time.Second
