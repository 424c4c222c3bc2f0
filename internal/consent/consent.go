// Package consent takes a user from an answer that asks for consent to the consent given: it finds the authorization
// URL, checks it, opens it once, and waits.
package consent

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// probePause is the least time between two tries to find out by the request itself. Each failing try makes the
	// gateway start a new authorization and forget stored tokens, so eager ones would wipe a consent just given.
	probePause = 5 * time.Second
	// watchPause is the time between two looks at the gateway's list of connections.
	watchPause = 2 * time.Second
	// followPause is the time between two looks at whether the process that leads is done, or dead.
	followPause = time.Second
	// checkTime is how long the control plane may take to say what an unclear answer means.
	checkTime = 5 * time.Second
	// stateLife is how long the gateway keeps an authorization's state, and so how long a page stays usable
	// (Portkey-AI/gateway, src/mcp).
	stateLife = 10 * time.Minute
	// After maxRounds flows without effect, each within roundLife of the one before, nothing is opened or awaited for
	// roundLife: a client that calls in a loop would otherwise open a tab every ten minutes all night.
	maxRounds = 3
	roundLife = time.Hour
	// nowhereLife is how long it is remembered that a gateway's pages for consent lead nowhere: until somebody has renewed it.
	nowhereLife = 7 * 24 * time.Hour
	// refusalLife is how long a sign-in that failed, or that the user refused, is answered without another.
	refusalLife = time.Minute
)

// Options configure New.
type Options struct {
	// Gateway is the gateway's base URL. Only what such a gateway itself answers is ever opened unasked, and only its errors ask
	// for consent; nil is for a server outside any gateway, whose errors pass.
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
	// PerUser asks the control plane whether the server wants each user's consent. It may be nil, and fail, as Connected.
	PerUser func(ctx context.Context) (bool, error)
	// Nobody asks the control plane whether the key is certain to belong to no user, and so to nobody who could consent. It
	// may be nil, and fail, as Connected.
	Nobody func(ctx context.Context) (bool, error)
	// SignIn is the way through the browser for answers that name no page, or one that has led nowhere; nil means that there
	// is none. SignInCommand is how the user takes it at once.
	SignIn        SignIn
	SignInCommand string
	// ByHand says that the user asks for the consent now, by a command of its own. They have done with a page that was opened
	// before.
	ByHand bool
	// State is where the processes that want the same consent find each other. Identity says whose consent for which
	// server that is; it isn't secret, and is asked for when the first flow begins. Without Identity nothing is shared.
	State    state.Dir
	Identity func() string
	Log      *slog.Logger
}

// Manager finds and carries out the consent for one server. It implements bridge.Consent.
type Manager struct {
	o Options

	mu     sync.Mutex
	shared *shared // nil without Options.Identity, and before the first flow
	flow   *flow   // the latest, or nil
	// rounds is how many flows in a row were without effect, and roundAt when the last of them was noticed.
	rounds    int
	roundAt   time.Time
	nowhereAt time.Time // when a page was found to lead nowhere, zero if none was

	noLoginAt atomic.Int64 // when the gateway offered no login, in Unix nanoseconds

	asking     sync.Mutex // taken while Nobody is asked; somebodyAt is when it last found a user, or couldn't tell
	somebodyAt time.Time

	tab      sync.Mutex // taken while a flow's own is held, where mu must not be
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
func (m *Manager) Find(ctx context.Context, a bridge.Answer) (bridge.Flow, error) {
	asked, found := find(a, m.isOwn)
	switch {
	case m.o.SignIn != nil && m.o.Gateway == nil && wantsSignIn(a):
		return m.signIn(ctx, a)
	case m.o.Gateway == nil && asked != foreignPage: // the error of a tool that has run may look like a gateway's
		return nil, nil
	case asked == nothing, asked == perhapsWithoutPage && !m.lacksConsent(ctx):
		return nil, nil
	case asked == withoutPage, asked == perhapsWithoutPage:
		if m.o.SignIn != nil {
			if flow, err := m.signIn(ctx, a); flow != nil || err != nil {
				return flow, err
			}
		}
		return nil, problem.New("give it on the gateway's dashboard, with the account that the key belongs to (a service key has none), then ask again",
			"this server needs your consent first, and the gateway names no page where to give it")
	}
	u, err := Check(found)
	if err != nil {
		m.o.Log.Warn("a URL for consent was refused", "why", err)
		return nil, nil
	}
	if asked == foreignPage {
		return nil, problem.New("if you know "+u.Host+" and trust it, open the page yourself, then ask again",
			"this server wants you to visit a page at %s, which mcpctl doesn't open by itself: %s", u.Host, u)
	}
	if m.hasDetour() && m.o.SignIn.Use(ctx) { // the user has logged in to this very server
		return again{}, nil
	}
	if err := m.refuseNobody(ctx); err != nil {
		return nil, err
	}
	if m.hasDetour() && m.ledNowhere() {
		flow, err := m.signIn(ctx, a)
		if flow != nil {
			return flow, nil
		}
		m.noLoginAt.Store(time.Now().UnixNano())
		m.o.Log.Debug("there is no login instead of the page for consent", "error", err)
	}
	return m.join(u, nil)
}

func isRecent(t time.Time, life time.Duration) bool { return !t.IsZero() && time.Since(t) < life }

// sharing returns what is shared with other processes, nil if nothing is. m.mu must be held.
func (m *Manager) sharing() *shared {
	if m.shared == nil && m.o.Identity != nil {
		m.shared = newShared(m.o.State, m.o.Identity())
	}
	return m.shared
}

// lacksConsent reports whether it is certain that the server wants the user's consent and hasn't got it.
func (m *Manager) lacksConsent(ctx context.Context) bool {
	if m.o.PerUser == nil || m.o.Connected == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if perUser, err := m.o.PerUser(ctx); err != nil || !perUser {
		return false
	}
	connected, err := m.o.Connected(ctx)
	return err == nil && !connected
}

// refuseNobody returns an error if the key is certain to belong to no user. It finds out before the first page is opened, by whichever
// process: the user is asked then.
func (m *Manager) refuseNobody(ctx context.Context) error {
	if m.o.Nobody == nil || m.o.Gateway == nil {
		return nil
	}
	m.mu.Lock()
	s := m.sharing()
	begun := m.flow != nil || s != nil && s.read().usable(time.Now())
	m.mu.Unlock()
	m.asking.Lock()
	defer m.asking.Unlock()
	if begun || isRecent(m.somebodyAt, stateLife) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if nobody, err := m.o.Nobody(ctx); err != nil || !nobody {
		m.somebodyAt = time.Now()
		return nil
	}
	next := "log in with a user's key of the workspace: mcpctl login"
	if m.o.SignInCommand != "" {
		next += "; or as yourself, in the browser: " + m.o.SignInCommand
	}
	return problem.New(next, "%s wants each user's consent, and the key is a service key, which belongs to no user", m.o.Server)
}

// join returns the flow in progress, or a new one: to the page at u, or by a sign-in.
func (m *Manager) join(u *url.URL, attempt Attempt) (bridge.Flow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.flow == nil:
		m.sharing()
		m.flow = newFlow(m, attempt)
	case m.flow.over():
		if m.tooManyRounds() {
			where := ""
			if u != nil {
				where = ". The page is " + u.String()
			}
			return nil, problem.New("look at the server on the gateway's dashboard, or open the page once more and then ask again",
				"this server keeps asking for your consent: %d rounds had no effect%s", maxRounds, where)
		}
		m.flow = newFlow(m, attempt)
	}
	if u != nil && m.flow.attempt == nil {
		m.flow.setURL(u) // a newer URL replaces an older one, whose state the gateway has forgotten
	}
	return m.flow, nil
}

// tooManyRounds takes note of how the latest flow, which is over, ended. m.mu must be held.
func (m *Manager) tooManyRounds() bool {
	since := time.Since(m.roundAt)
	switch {
	case m.rounds >= maxRounds && since < roundLife:
		return true
	case !m.flow.failed():
		m.rounds = 0
		return false
	case since >= roundLife:
		m.rounds = 0
	}
	m.rounds++
	m.roundAt = time.Now()
	return m.rounds >= maxRounds
}

// mayOpen reports whether u may be opened unasked: if it is the gateway's own, or leads back to the gateway's callback.
// A page of anybody else could bind another person's account to this user's.
func (m *Manager) mayOpen(u *url.URL) bool {
	return m.o.Gateway != nil && m.o.Open != nil && (web.Origin(u) == web.Origin(m.o.Gateway) || m.leadsBack(u))
}

// leadsBack reports whether a page leads back to the gateway's callback, as those of servers do that it sends the user to.
func (m *Manager) leadsBack(u *url.URL) bool {
	return u.Query().Get("redirect_uri") == m.o.Gateway.JoinPath("oauth", "upstream-callback").String()
}

// isOwn reports whether a URL, unchecked, is one at which the gateway wants the user to consent. It has pages to read as well.
func (m *Manager) isOwn(raw string) bool {
	u, err := Check(raw)
	if err != nil || m.o.Gateway == nil {
		return false
	}
	return m.leadsBack(u) || web.Origin(u) == web.Origin(m.o.Gateway) && forConsent().MatchString(u.Path)
}

// forConsent fits the paths of pages at which a user consents or logs in.
var forConsent = pattern.New(`(?i)authori[sz]e|oauth|consent|connect|log-?in|sign-?in`)

// takeTab reports whether this process may open a tab now: one per authorization's life, however many requests ask.
func (m *Manager) takeTab() bool {
	m.tab.Lock()
	defer m.tab.Unlock()
	if !m.openedAt.IsZero() && time.Since(m.openedAt) < stateLife {
		return false
	}
	m.openedAt = time.Now()
	return true
}

// forgetTab takes note that the tab which this process has opened is of no use any more.
func (m *Manager) forgetTab() {
	m.tab.Lock()
	defer m.tab.Unlock()
	m.openedAt = time.Time{}
}
