package consent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/fault"
)

// flow is one consent in progress.
type flow struct {
	m         *Manager
	once      sync.Once
	granted   chan struct{} // closed when the consent is there
	unwatched chan struct{} // closed when nobody watches the connections: the requests find out themselves
	refused   chan struct{} // closed when a sign-in has failed
	attempt   Attempt       // how to sign in; nil if an answer named the page

	mu        sync.Mutex
	url       *url.URL // nil before a sign-in's page is made, and where another process makes it
	refusal   error    // why a sign-in failed
	refusedAt time.Time
	beganAt   time.Time
	lastProbe time.Time
	isGranted bool
	confirmed bool // a request went through
	// overtaken says that another process has found the page to lead nowhere (see overtake).
	overtaken bool
	waiting   int // requests in Await
	// leading says that this process is the one that opens the tab and tries the calls; unlock ends that for others to see.
	leading bool
	unlock  func()
}

func newFlow(m *Manager, attempt Attempt) *flow {
	return &flow{m: m, granted: make(chan struct{}), unwatched: make(chan struct{}), refused: make(chan struct{}), attempt: attempt}
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
func (f *flow) URL() string {
	if u := f.current(); u != nil {
		return u.String()
	}
	return ""
}

// Host implements bridge.Flow. The host of a URL is ASCII here: Check refuses all else, so that a name in look-alike
// letters shows as punycode.
func (f *flow) Host() string {
	if u := f.current(); u != nil {
		return u.Host
	}
	return f.attempt.Host()
}

// Granted implements bridge.Flow.
func (f *flow) Granted() {
	f.mu.Lock()
	f.confirmed = true
	f.mu.Unlock()
	f.grant()
}

// grant ends the flow for all requests of this process, and lets the other processes try.
func (f *flow) grant() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isGranted || f.refusal != nil {
		return
	}
	f.isGranted = true
	close(f.granted)
	f.m.o.Log.Info("the user's consent is there", "server", f.m.o.Server)
	f.tellGranted()
	f.closeTab()
	f.follow()
}

// tellGranted lets the other processes know, unless another leads, which will. f.mu must be held.
func (f *flow) tellGranted() {
	if f.m.shared == nil || f.url == nil {
		return
	}
	if f.unlock == nil { // no request waits any longer, but the page has done its work
		unlock, ok, err := f.m.shared.tryLock()
		if err != nil || !ok {
			return
		}
		defer unlock()
	}
	if err := f.m.shared.noteGranted(f.url.Host, time.Now()); err != nil {
		f.m.o.Log.Debug("the other bridges can't be told of the consent", "error", err)
	}
}

// over reports whether the flow has ended, so that the next request starts another.
func (f *flow) over() bool {
	f.mu.Lock()
	ended := f.isGranted || f.overtaken || f.refusal != nil && time.Since(f.refusedAt) >= refusalLife
	f.mu.Unlock()
	return ended || f.expired()
}

// expired reports whether the flow's time is over without the consent.
func (f *flow) expired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.isGranted && !f.beganAt.IsZero() && time.Since(f.beganAt) >= f.m.o.Timeout
}

// failed reports whether the flow has ended without letting any request through.
func (f *flow) failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.confirmed
}

// Await implements bridge.Flow.
func (f *flow) Await(ctx context.Context) error {
	f.enter()
	defer f.leave()
	f.once.Do(f.begin)
	for {
		wait, probe := f.untilTurn()
		if f.isOvertaken() {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-f.granted:
			timer.Stop()
			return nil
		case <-f.refused:
			timer.Stop()
			return f.refusal
		case <-timer.C:
		}
		if f.expired() {
			return f.timeOver()
		}
		if probe && f.takeProbe() {
			return nil
		}
	}
}

func (f *flow) enter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting++
}

// leave hands the lead to another process when no request of this one waits any longer. That takes a while, since the last
// one may have left to try its call, and will be back.
func (f *flow) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting--
	if f.waiting == 0 && f.unlock != nil && f.attempt == nil { // a sign-in's page leads to this process
		time.AfterFunc(probePause, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.waiting == 0 {
				f.follow()
			}
		})
	}
}

// untilTurn returns how long to wait before looking again, and whether it may then be this request's turn to find out.
func (f *flow) untilTurn() (wait time.Duration, probe bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait = probePause
	if f.leading && f.m.shared != nil {
		f.overtake(f.m.shared.read())
	}
	switch {
	case !f.lead():
		wait = followPause
	case f.attempt != nil: // it tells when it is done
	case f.isUnwatched():
		wait, probe = time.Until(f.lastProbe.Add(probePause)), true
	}
	return max(0, min(wait, time.Until(f.beganAt.Add(f.m.o.Timeout)))), probe
}

func (f *flow) isUnwatched() bool {
	select {
	case <-f.unwatched:
		return true
	default:
		return false
	}
}

func (f *flow) takeProbe() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.leading || time.Since(f.lastProbe) < probePause {
		return false
	}
	f.lastProbe = time.Now()
	return true
}

// begin asks the user: the URL is printed first, since nothing tells whether a browser really showed it.
func (f *flow) begin() {
	if f.attempt == nil {
		f.show(f.current())
	}
	f.mu.Lock()
	f.beganAt = time.Now()
	f.lastProbe = f.beganAt
	f.lead()
	f.mu.Unlock()
	if f.m.o.Connected == nil || f.attempt != nil {
		close(f.unwatched)
		return
	}
	fault.Go(f.watch, func(err error) {
		f.m.o.Log.Error("panic", "in", "watch", "error", err)
		close(f.unwatched)
	})
}

func (f *flow) show(u *url.URL) {
	text := fmt.Sprintf("mcpctl: %s needs your consent at %s. Open this page and allow access:\n  %s\n", f.m.o.Server, u.Host, u)
	if detour := f.Detour(); detour != "" {
		text += "  (" + detour + ")\n"
	}
	f.m.o.Show(text)
}

// lead makes this process the one that opens the tab and tries the calls, if no other is, and reports whether it is. f.mu
// must be held.
func (f *flow) lead() bool {
	if f.leading || f.isGranted || f.overtaken || f.refusal != nil {
		return f.leading
	}
	s := f.m.shared
	if s == nil {
		f.takeLead(record{})
		return true
	}
	unlock, ok, err := s.tryLock()
	switch {
	case err != nil: // a folder that can't be written: each process for itself
		f.m.o.Log.Debug("the consent can't be shared with other bridges", "error", err)
		f.takeLead(record{})
	case ok:
		f.unlock = unlock
		f.takeLead(s.read())
	}
	return f.leading
}

// takeLead opens the tab, unless one was opened lately, by whomever. If another process has obtained the consent in the
// meantime, a try may follow at once. f.mu must be held.
func (f *flow) takeLead(r record) {
	f.leading = true
	f.lastProbe = time.Now()
	switch {
	case r.GrantedAt.After(f.beganAt) && f.attempt != nil: // it is in its store
		f.isGranted = true
		close(f.granted)
		f.follow()
		return
	case r.GrantedAt.After(f.beganAt):
		f.lastProbe = time.Time{}
		return
	case f.attempt != nil:
		tabOpen := r.usable(time.Now())
		fault.Go(func() { f.carryOut(tabOpen) }, f.refuse)
		return
	case f.overtake(r):
		return
	}
	u := f.url
	if !f.m.mayOpen(u) || r.usable(time.Now()) || !f.m.takeTab() {
		return
	}
	f.openLocked(u)
}

// open opens a tab, and says so to the other processes.
func (f *flow) open(u *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.openLocked(u)
}

func (f *flow) openLocked(u *url.URL) {
	if f.unlock != nil {
		if err := f.m.shared.noteOpened(u.Host, f.attempt != nil, time.Now()); err != nil {
			f.m.o.Log.Debug("the other bridges can't be told of the tab", "error", err)
		}
	}
	failed := func(err error) { f.m.o.Log.Warn("the browser could not be opened", "error", err) }
	fault.Go(func() {
		if err := f.m.o.Open(u.String()); err != nil {
			failed(err)
		}
	}, failed)
}

// follow gives up the lead. f.mu must be held.
func (f *flow) follow() {
	f.leading = false
	if f.unlock != nil {
		f.unlock()
		f.unlock = nil
	}
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
			f.grant()
			return
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			f.m.o.Log.Debug("the connections can't be read; the calls themselves will tell", "error", err)
			close(f.unwatched)
			return
		}
	}
}
