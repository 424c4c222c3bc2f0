package oauth

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

// pendingItem is what a store holds of a sign-in that has begun. AI clients end their servers as they like, and the page that is
// open by then would lead nowhere; so the next process takes over port, state and verifier.
type pendingItem struct {
	Version  int            `json:"v"`
	Meta     serverMetadata `json:"server"`
	Resource string         `json:"resource"`
	Scope    string         `json:"scope,omitempty"`
	ClientID string         `json:"client_id"`
	Secret   string         `json:"client_secret,omitempty"`
	Method   string         `json:"client_method"`
	Redirect string         `json:"redirect_uri"`
	State    string         `json:"state"`
	Verifier string         `json:"verifier"`
}

// pendingRecord says, without anything secret, that there is one.
type pendingRecord struct {
	Store   string    `json:"store"`
	BeganAt time.Time `json:"began_at"`
}

func (s *Resource) pendingName() string { return s.name + "-pending" }
func (s *Resource) pendingFile() string { return "oauth/" + s.name + ".pending" }

// Keep lets another process resume the sign-in when this one is gone. The error says that the store doesn't work, so that the
// tokens could not be kept either.
func (l *Login) Keep(ctx context.Context) error {
	s, m := l.a.s, l.a.meta
	text, err := json.Marshal(pendingItem{itemVersion, serverMetadata{Issuer: m.Issuer, Authorize: m.Authorize, Token: m.Token, Revoke: m.Revoke,
		IssInResponse: m.IssInResponse}, l.a.resource, l.a.scope, l.client.id, l.client.secret.Reveal(), l.client.method,
		l.redirect, l.state, l.verifier.Reveal()})
	if err != nil {
		return err
	}
	err = s.o.Store(s.o.Kind).Set(ctx, s.pendingName(), credential.Item{Key: secret.New(string(text)), Origins: []string{web.Origin(s.o.URL)}})
	if kind, _ := credential.KindOf(err); err != nil && kind == credential.TooBig {
		return nil // the tokens find another way
	}
	if err != nil {
		return problem.With(err, "unlock the keyring, or install one; or keep the tokens as plain text: "+s.LoginCommand()+" --insecure-storage")
	}
	return s.o.State.Write(s.pendingFile(), pendingRecord{s.o.Kind, l.began.UTC()})
}

// Abandon ends a sign-in that nobody will resume.
func (l *Login) Abandon(ctx context.Context) {
	l.loop.close(false)
	l.a.s.dropPending(ctx)
}

// Resume returns the sign-in that a process which is gone has begun, listening again where its page leads; nil if there is
// none that could still succeed.
func (s *Resource) Resume(ctx context.Context) *Login {
	var r pendingRecord
	if found, err := s.o.State.Read(s.pendingFile(), &r); !found || err != nil {
		return nil
	}
	if age := time.Since(r.BeganAt); age < 0 || age > LoginTime-time.Minute {
		return nil
	}
	kept, err := s.o.Store(r.Store).Get(ctx, s.pendingName())
	if err != nil {
		return nil
	}
	var i pendingItem
	if json.Unmarshal([]byte(kept.Key.Reveal()), &i) != nil || i.Version != itemVersion {
		return nil
	}
	redirect, err := url.Parse(i.Redirect)
	if err != nil {
		return nil
	}
	port, err := strconv.Atoi(redirect.Port())
	if err != nil || port == 0 {
		return nil
	}
	loop, err := listen(ctx, port)
	if err != nil {
		return nil // another program has the port now, or the process isn't gone
	}
	l := &Login{
		a:      &Server{s: s, meta: i.Meta, resource: i.Resource, scope: i.Scope},
		client: client{i.ClientID, secret.New(i.Secret), i.Method}, loop: loop, redirect: i.Redirect, state: i.State,
		verifier: secret.New(i.Verifier), began: r.BeganAt, resumed: true,
	}
	if l.page, err = s.o.CheckPage(l.address()); err != nil {
		loop.close(false)
		return nil
	}
	loop.serve(l.redirect, l.state)
	return l
}

// dropPending drops what was kept for a process that might have to resume a sign-in.
func (s *Resource) dropPending(ctx context.Context) {
	var r pendingRecord
	if found, err := s.o.State.Read(s.pendingFile(), &r); !found || err != nil {
		return
	}
	os.Remove(s.o.State.Path(s.pendingFile()))
	if err := s.o.Store(r.Store).Delete(ctx, s.pendingName()); err != nil {
		s.o.Log.Debug("what was kept of the login can't be removed", "error", err)
	}
}
