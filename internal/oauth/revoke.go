package oauth

import (
	"context"
	"errors"
	"net/url"
	"os"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/state"
)

// Records returns what is known of all tokens, sorted by their names.
func Records(dir state.Dir) []Record {
	var list []Record
	for _, name := range dir.List("oauth", "*.json") {
		var r Record
		if found, err := dir.Read(name, &r); found && err == nil && r.Resource != "" {
			list = append(list, r)
		}
	}
	return list
}

// Forget revokes the tokens at the authorization server (RFC 7009), and removes them from this machine. unrevoked says why
// they may still be good there; err, why they are still here.
func (s *Resource) Forget(ctx context.Context) (unrevoked, err error) {
	unlock, err := s.o.State.Lock(ctx, s.lockName())
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.dropPending(ctx)
	r, found := s.Record()
	if !found {
		return nil, ErrNone
	}
	t, err := s.read(ctx)
	var damaged damagedError
	switch {
	case err == nil:
		unrevoked = s.revoke(ctx, t)
	case errors.As(err, &damaged):
		unrevoked = damaged
	case !Missing(err):
		return nil, err
	}
	if err := s.remove(ctx, r.Store); err != nil && !r.Ended() {
		return unrevoked, err
	}
	s.mu.Lock()
	s.tokens = nil
	s.mu.Unlock()
	return unrevoked, os.Remove(s.o.State.Path(s.recordName()))
}

// revoke asks for both tokens, since a server needn't end one with the other.
func (s *Resource) revoke(ctx context.Context, t *tokens) error {
	if t.revoke == "" {
		return problem.New("end the session on the server's own pages", "the authorization server %s has no way to revoke tokens", cleanHost(t.issuer))
	}
	var failures []error
	for _, one := range []struct {
		hint  string
		token secret.Secret
	}{{"refresh_token", t.refresh}, {"access_token", t.access}} {
		if one.token.IsZero() {
			continue
		}
		status, _, err := s.post(ctx, t.revoke, t.client, url.Values{"token": {one.token.Reveal()}, "token_type_hint": {one.hint}})
		if err == nil && status != 200 {
			err = &tokenError{cleanHost(t.revoke), status, ""}
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
