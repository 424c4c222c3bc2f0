package consent

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
)

// SignIn is the way to a credential through the browser (see package oauth).
type SignIn interface {
	// Use puts a credential in force that an earlier sign-in brought, and reports whether the next request will carry another
	// one for that.
	Use(ctx context.Context) bool
	// Prepare finds out where the user would sign in, from the header of an answer. It returns nil if the server offers
	// nothing of the kind.
	Prepare(ctx context.Context, header http.Header) (Attempt, error)
}

// Attempt is a sign-in that could begin.
type Attempt interface {
	// Host is the host of the page, by which the user recognises it.
	Host() string
	// Begin makes the page. It may be one that another process, which is gone, has begun and opened.
	Begin(ctx context.Context) (Login, error)
}

// Login is a sign-in that waits for the user.
type Login interface {
	// Page is the page to open, which has been checked.
	Page() *url.URL
	// Wait returns when the credential is in its store, or can't be got.
	Wait(ctx context.Context) error
}

// wantsSignIn reports whether an answer of a server outside any gateway can be helped by signing in: it wants a credential, or
// more scope than ours has (MCP 2026-07-28, "Scope Challenge Handling").
func wantsSignIn(a bridge.Answer) bool {
	return a.Status == http.StatusUnauthorized && a.Last ||
		a.Status == http.StatusForbidden && strings.Contains(strings.ToLower(a.Header.Get("WWW-Authenticate")), "insufficient_scope")
}

// signIn returns the flow by way of a sign-in, nil if there is no such way.
func (m *Manager) signIn(ctx context.Context, a bridge.Answer) (bridge.Flow, error) {
	if m.o.SignIn.Use(ctx) {
		return again{}, nil
	}
	m.mu.Lock()
	flow := m.flow
	m.mu.Unlock()
	if flow != nil && !flow.over() {
		return flow, nil
	}
	attempt, err := m.o.SignIn.Prepare(ctx, a.Header)
	if attempt == nil || err != nil {
		return nil, err
	}
	return m.join(nil, attempt)
}

// again is the flow of a request that only has to be repeated.
type again struct{}

func (again) URL() string                 { return "" }
func (again) Host() string                { return "" }
func (again) Detour() string              { return "" }
func (again) Await(context.Context) error { return nil }
func (again) Granted()                    {}

// carryOut is the part of a sign-in that one process does for all. tabOpen says that a page was opened lately, by whomever.
func (f *flow) carryOut(tabOpen bool) {
	ctx, cancel := context.WithTimeout(context.Background(), f.m.o.Timeout)
	defer cancel()
	login, err := f.attempt.Begin(ctx)
	if err != nil {
		f.refuse(err)
		return
	}
	u := login.Page()
	f.setURL(u)
	f.show(u)
	if f.m.o.Open != nil && !tabOpen && f.m.takeTab() {
		f.open(u)
	}
	if err := login.Wait(ctx); err != nil {
		f.refuse(err)
		return
	}
	f.grant()
}

// refuse ends a sign-in that brought nothing, for all requests of this process. Another process may try.
func (f *flow) refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isGranted || f.refusal != nil {
		return
	}
	f.refusal, f.refusedAt = err, time.Now()
	f.m.o.Log.Warn("the login failed", "server", f.m.o.Server, "error", err)
	f.closeTab()
	close(f.refused)
	f.follow()
}

// closeTab takes note that the tab of a sign-in has done its work, so that the next one may have another. f.mu must be held.
func (f *flow) closeTab() {
	if f.attempt == nil {
		return
	}
	f.m.forgetTab()
	if f.unlock != nil {
		if err := f.m.shared.noteClosed(time.Now()); err != nil {
			f.m.o.Log.Debug("the other bridges can't be told of the tab", "error", err)
		}
	}
}
