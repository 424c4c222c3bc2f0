package consent

import (
	"fmt"
	"time"
)

// hasDetour reports whether there is another way to the consent than the page that an answer names: the gateway's own login.
func (m *Manager) hasDetour() bool {
	return m.o.Gateway != nil && m.o.SignIn != nil && !isRecent(time.Unix(0, m.noLoginAt.Load()), refusalLife)
}

// ledNowhere reports whether the gateway's own page for consent was there to be used and brought nothing. In version 2.2.3 a page
// that a call with an API key leads to ends in an error after the user has allowed access (Portkey-AI/gateway, src/mcp), and only
// the consent within a login counts. Whoever just didn't care gets a login then as well, which leads to the same end.
func (m *Manager) ledNowhere() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	var r record
	if s := m.sharing(); s != nil {
		r = s.read()
	}
	f, now := m.flow, time.Now()
	switch {
	case f != nil && f.attempt == nil && f.expired():
		f.noteIfNowhere()
	case f != nil && f.attempt == nil && !f.isOvertaken():
		return false // it is in progress, or was not in vain
	}
	switch {
	case isRecent(m.nowhereAt, nowhereLife), r.knownNowhere(now):
		return true
	case r.ledNowhere(now), f == nil && m.o.ByHand && r.inVain(now):
		m.noteNowhere() // the tab of the login will take its place in the record
		return true
	}
	return false
}

// noteNowhere takes note that a page has brought nothing, here and for other processes, and that its tab is of no use any more.
// m.mu must be held.
func (m *Manager) noteNowhere() {
	m.nowhereAt = time.Now()
	m.forgetTab()
	if m.shared == nil {
		return
	}
	if err := m.shared.noteNowhere(time.Now()); err != nil {
		m.o.Log.Debug("the other bridges can't be told of the page", "error", err)
	}
}

// timeOver ends a request's wait for a consent that nobody gave.
func (f *flow) timeOver() error {
	if f.Detour() == "" {
		return fmt.Errorf("no consent within %s", f.m.o.Timeout)
	}
	f.m.mu.Lock()
	f.noteIfNowhere()
	f.m.mu.Unlock()
	return fmt.Errorf("no consent within %s; %s", f.m.o.Timeout, f.Detour())
}

// Detour implements bridge.Flow.
func (f *flow) Detour() string {
	if f.attempt != nil || !f.m.hasDetour() || f.m.o.SignInCommand == "" {
		return ""
	}
	return "if the page ended in an error, run " + f.m.o.SignInCommand
}

// noteIfNowhere takes note of a page that has brought nothing, once its time is over: however soon requests stop waiting, the user
// may be busy with it until then. m.mu must be held.
func (f *flow) noteIfNowhere() {
	f.mu.Lock()
	defer f.mu.Unlock()
	since := f.beganAt
	f.m.tab.Lock()
	if at := f.m.openedAt; !at.IsZero() && at.Before(since) {
		since = at
	}
	f.m.tab.Unlock()
	if time.Since(since) < stateLife {
		return
	}
	f.m.noteNowhere()
	f.follow()
}

// overtake ends the flow if another process has found its page to lead nowhere, or if the one that was open when it began has had its
// time: there is another way now. f.mu must be held.
func (f *flow) overtake(r record) bool {
	found := r.NowhereAt.After(f.beganAt) || r.OpenedAt.Before(f.beganAt) && r.ledNowhere(time.Now())
	if found && f.attempt == nil && f.m.hasDetour() {
		f.overtaken = true
		f.m.forgetTab() // else this process, when it is its turn, would open none for the login
		f.follow()
	}
	return f.overtaken
}

func (f *flow) isOvertaken() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.overtaken
}
