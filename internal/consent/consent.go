// Package consent takes a user from an answer that asks for consent to the consent given: it finds the authorization
// URL, checks it, opens it once, and waits.
package consent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// probePause is the least time between two tries to find out by the request itself. Each failing try makes the
	// gateway start a new authorization and forget stored tokens, so eager ones would wipe a consent just given.
	probePause = 5 * time.Second
	// watchPause is the time between two looks at the gateway's list of connections.
	watchPause = 2 * time.Second
	// stateLife is how long the gateway keeps an authorization's state, and so how long a page stays usable
	// (Portkey-AI/gateway, src/mcp).
	stateLife = 10 * time.Minute
)

// Options configure New.
type Options struct {
	// Gateway is the gateway's base URL. Only what such a gateway itself answers is ever opened unasked; nil, for a
	// server outside any gateway, means never.
	Gateway *url.URL
	// Server is the server's name, for people.
	Server string
	// Timeout is how long a flow lives; 0 means 10 minutes.
	Timeout time.Duration
	// Show prints to the user, on stderr: stdout belongs to the protocol.
	Show func(text string)
	// Open opens a checked URL in a browser; nil means that there is none, or that the user wants none.
	Open func(url string) error
	// Connected asks the control plane whether the user's consent is there. It is nil, or fails, where that can't be
	// known; the requests themselves find out then.
	Connected func(ctx context.Context) (bool, error)
	Log       *slog.Logger
}

// Manager finds and carries out the consent for one server. It implements bridge.Consent.
type Manager struct {
	o Options

	mu       sync.Mutex
	flow     *flow // in progress, or nil
	openedAt time.Time
}

// New returns a Manager.
func New(o Options) *Manager {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Manager{o: o}
}

// Find implements bridge.Consent. A URL that fails the check ends there: nothing is opened or shown, and the server's
// answer passes to the client as it is.
func (m *Manager) Find(a bridge.Answer) bridge.Flow {
	found, ok := find(a)
	if !ok {
		return nil
	}
	u, err := Check(found)
	if err != nil {
		m.o.Log.Warn("an authorization URL was refused", "why", err)
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flow == nil || m.flow.over() {
		m.flow = &flow{m: m, granted: make(chan struct{}), unwatched: make(chan struct{})}
	}
	m.flow.setURL(u) // a newer URL replaces an older one, whose state the gateway has forgotten
	return m.flow
}

// mayOpen reports whether u may be opened unasked: if it is the gateway's own, or leads back to the gateway's callback.
// A page of anybody else could bind another person's account to this user's.
func (m *Manager) mayOpen(u *url.URL) bool {
	if m.o.Gateway == nil || m.o.Open == nil {
		return false
	}
	return web.Origin(u) == web.Origin(m.o.Gateway) ||
		u.Query().Get("redirect_uri") == m.o.Gateway.JoinPath("oauth", "upstream-callback").String()
}

// takeTab reports whether a tab may be opened now: one per authorization's life, however many requests ask.
func (m *Manager) takeTab() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.openedAt.IsZero() && time.Since(m.openedAt) < stateLife {
		return false
	}
	m.openedAt = time.Now()
	return true
}

// flow is one consent in progress.
type flow struct {
	m         *Manager
	once      sync.Once
	granted   chan struct{} // closed when the consent is there
	unwatched chan struct{} // closed when nobody watches the connections: the requests find out themselves

	mu        sync.Mutex
	url       *url.URL
	beganAt   time.Time
	lastProbe time.Time
	isGranted bool
}

func (f *flow) setURL(u *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.url = u
}

func (f *flow) current() *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// URL implements bridge.Flow.
func (f *flow) URL() string { return f.current().String() }

// Host implements bridge.Flow. The host of a URL is ASCII here: Check refuses all else, so that a name in look-alike
// letters shows as punycode.
func (f *flow) Host() string { return f.current().Host }

// Granted implements bridge.Flow.
func (f *flow) Granted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.isGranted {
		f.isGranted = true
		close(f.granted)
		f.m.o.Log.Info("the user's consent is there", "server", f.m.o.Server)
	}
}

// over reports whether the flow has ended, so that the next request starts another.
func (f *flow) over() bool {
	f.mu.Lock()
	granted := f.isGranted
	f.mu.Unlock()
	return granted || f.expired()
}

// expired reports whether the flow's time is over without the consent.
func (f *flow) expired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.isGranted && !f.beganAt.IsZero() && time.Since(f.beganAt) > f.m.o.Timeout
}

// Await implements bridge.Flow.
func (f *flow) Await(ctx context.Context) error {
	f.once.Do(f.begin)
	for {
		wait, probe := f.untilProbe()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-f.granted:
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if f.expired() {
			return fmt.Errorf("no consent within %s", f.m.o.Timeout)
		}
		if probe && f.takeProbe() {
			return nil
		}
	}
}

// untilProbe returns how long to wait before looking again, and whether it may then be this request's turn to find out.
func (f *flow) untilProbe() (wait time.Duration, probe bool) {
	select {
	case <-f.unwatched:
	default:
		return probePause, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(0, time.Until(f.lastProbe.Add(probePause))), true
}

func (f *flow) takeProbe() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.lastProbe) < probePause {
		return false
	}
	f.lastProbe = time.Now()
	return true
}

// begin asks the user: the URL is printed first, since nothing tells whether a browser really showed it.
func (f *flow) begin() {
	u := f.current()
	f.mu.Lock()
	f.beganAt = time.Now()
	f.lastProbe = f.beganAt
	f.mu.Unlock()
	f.m.o.Show(fmt.Sprintf("mcpctl: %s needs your consent at %s. Open this page and allow access:\n  %s\n",
		f.m.o.Server, u.Host, u))
	if f.m.mayOpen(u) && f.m.takeTab() {
		go func() {
			if err := f.m.o.Open(u.String()); err != nil {
				f.m.o.Log.Warn("the browser could not be opened", "error", err)
			}
		}()
	}
	if f.m.o.Connected == nil {
		close(f.unwatched)
		return
	}
	go f.watch()
}

// watch looks at the user's connections until the consent is there. If they can't be read, the requests find out.
func (f *flow) watch() {
	ctx, cancel := context.WithTimeout(context.Background(), f.m.o.Timeout)
	defer cancel()
	for {
		select {
		case <-time.After(watchPause):
		case <-f.granted:
			return
		case <-ctx.Done():
			return
		}
		ok, err := f.m.o.Connected(ctx)
		switch {
		case ok:
			f.Granted()
			return
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			f.m.o.Log.Debug("the connections can't be read; the calls themselves will tell", "error", err)
			close(f.unwatched)
			return
		}
	}
}
