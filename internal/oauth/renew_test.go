package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// TestT24: of many that find the token refused at once, at a server that rotates, one renews it, and all go on. Each Resource here
// has what a process of its own would have; that real processes do the same is shown with the built program.
func TestT24OneRenewal(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	login(t, atGateway(t, dir, g))
	for round := range 3 {
		g.ExpireTokens()
		var wg sync.WaitGroup
		for range 8 {
			s := atGateway(t, dir, g)
			for range 4 {
				wg.Go(func() {
					if status, err := call(t, s); status != http.StatusOK || err != nil {
						t.Errorf("%d, %v", status, err)
					}
				})
			}
		}
		wg.Wait()
		if n := requests(g, "/oauth/token"); n != 2+round {
			t.Fatalf("round %d: %d token requests, want %d", round, n, 2+round)
		}
	}
}

// TestAheadOfExpiry: a token is renewed before it expires, so that no call meets a refusal.
func TestAheadOfExpiry(t *testing.T) {
	s := &Resource{jitter: 1}
	now := time.Now()
	token := func(lived, left time.Duration) *tokens {
		return &tokens{access: secret.New("a"), refresh: secret.New("r"), obtained: now.Add(-lived), expires: now.Add(left)}
	}
	for _, tc := range []struct {
		lived, left time.Duration
		due         bool
	}{
		{0, time.Hour, false}, {54 * time.Minute, 6 * time.Minute, false}, {56 * time.Minute, 4 * time.Minute, true}, {time.Hour, 0, true},
		{0, time.Minute, false}, {40 * time.Second, 20 * time.Second, false}, {50 * time.Second, 10 * time.Second, true},
	} {
		if got := s.due(token(tc.lived, tc.left), now); got != tc.due {
			t.Errorf("%v of its life gone, %v left: %v", tc.lived, tc.left, got)
		}
	}
	if s.due(&tokens{refresh: secret.New("r")}, now) || s.due(&tokens{expires: now.Add(-time.Hour)}, now) {
		t.Error("what nobody knows the end of, or how to renew, is due")
	}

	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept", TokenLifetime: time.Second}), t.TempDir()
	u := atGateway(t, dir, g)
	login(t, u)
	time.Sleep(time.Until(u.tokens.expires))
	if status, err := call(t, u); status != http.StatusOK || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	for _, r := range g.Requests() {
		if r.Path == "/linear/mcp" && r.Status == http.StatusUnauthorized {
			t.Error("the server refused an old token")
		}
	}
}

// TestClock: with a clock that is ten minutes off, be it before or after the login, calls go through.
func TestClock(t *testing.T) {
	for name, off := range map[string]time.Duration{"slow": 10 * time.Minute, "fast": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept", TokenLifetime: 8 * time.Minute}), t.TempDir()
			s := atGateway(t, dir, g)
			login(t, s)
			// The tokens as a process with another clock would have written them.
			moved := *s.tokens
			moved.obtained, moved.expires = moved.obtained.Add(off), moved.expires.Add(off)
			if err := s.write(t.Context(), &moved); err != nil {
				t.Fatal(err)
			}
			if off > 0 {
				g.ExpireTokens() // they look good, and aren't
			}
			if status, err := call(t, atGateway(t, dir, g)); status != http.StatusOK || err != nil {
				t.Errorf("%d, %v", status, err)
			}
			if n := requests(g, "/oauth/token"); n != 2 {
				t.Errorf("%d token requests", n)
			}
		})
	}
}

// TestRefusedRenewal: one clear message, whatever form the refusal has, and not a request more for the next call.
func TestRefusedRenewal(t *testing.T) {
	for status, tries := range map[string]int{"400": 1, "401": 1, "502": 2} {
		t.Run(status, func(t *testing.T) {
			g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept", RefreshRefusal: status}), t.TempDir()
			login(t, atGateway(t, dir, g))
			g.ExpireTokens()
			g.RevokeTokens()
			s := atGateway(t, dir, g)
			for range 5 {
				got, err := call(t, s)
				ended := errors.Is(err, ErrEnded) && strings.Contains(problem.NextStep(err), "log in again: mcpctl login --oauth linear")
				// The first call has the token refused. A 502 may pass: the tokens stay, and the server's answer is told.
				if err != nil && !ended || err == nil && got != http.StatusUnauthorized || status == "502" && err != nil {
					t.Errorf("%d, %v", got, err)
				}
			}
			if n := requests(g, "/oauth/token") - 1; n != tries {
				t.Errorf("%d tries to renew, want %d", n, tries)
			}
			if status == "502" {
				return
			}
			if err := atGateway(t, dir, g).Authorize(t.Context(), &http.Request{URL: s.o.URL, Header: http.Header{}}); !errors.Is(err, ErrEnded) {
				t.Errorf("another process: %v", err)
			}
			if r, _ := s.Record(); !r.Ended() {
				t.Errorf("%+v", r)
			}
			login(t, s) // and a new login heals it
			if got, err := call(t, s); got != http.StatusOK {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
}

// TestObstacle: what something on the way answers in place of the authorization server, or an answer that may pass, ends no login.
func TestObstacle(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a firewall": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>Forbidden</html>", http.StatusForbidden)
		},
		"a deployment":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", http.StatusNotFound) },
		"a sign-on page":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sso", http.StatusFound) },
		"a captive portal": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Welcome</html>") },
		"a busy server": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"temporarily_unavailable"}`)
		},
		"a proxy that wants a password": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, dir := newFake(t), t.TempDir()
			s := New(optionsAt(t, dir, f.URL+"/mcp"))
			old := &tokens{resource: f.URL + "/mcp", issuer: f.URL, token: f.URL + "/token", client: client{id: "c", method: methodNone},
				access: secret.New("old-access-token"), refresh: secret.New("old-refresh-token"), obtained: time.Now()}
			if err := s.adopt(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			f.set("/token", answer)
			if _, err := s.renew(t.Context(), old, true); err == nil || errors.Is(err, ErrEnded) || !strings.Contains(problem.NextStep(err), "log in again if it stays so") {
				t.Errorf("%v (%s)", err, problem.NextStep(err))
			}
			f.set("/token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"access_token":"new-access-token","token_type":"bearer"}`)
			}))
			next := New(s.o)
			kept, err := next.read(t.Context())
			if err != nil {
				t.Fatal("the tokens are gone:", err)
			}
			if got, err := next.renew(t.Context(), kept, true); err != nil || got.access.Reveal() != "new-access-token" {
				t.Error(err)
			}
		})
	}
}

// TestT25: one that comes too late with a refresh token, and is refused, keeps its hands off the tokens that the faster one got.
func TestT25LoserKeepsTokens(t *testing.T) {
	f := newFake(t)
	dir := t.TempDir()
	s := New(optionsAt(t, dir, f.URL+"/mcp"))
	old := &tokens{resource: f.URL + "/mcp", issuer: f.URL, token: f.URL + "/token", client: client{id: "c", method: methodNone},
		access: secret.New("old-access-token"), refresh: secret.New("old-refresh-token"), obtained: time.Now()}
	if err := s.adopt(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	// A program that knows nothing of our lock renews while our request is under way, and wins.
	f.set("/token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		winner := *old
		winner.access, winner.refresh = secret.New("new-access-token"), secret.New("new-refresh-token")
		if err := New(s.o).write(context.Background(), &winner); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
	}))
	r, _ := http.NewRequest(http.MethodPost, f.URL+"/mcp", nil)
	if err := s.Authorize(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.Refused(t.Context(), r)
	kept, err := New(s.o).read(t.Context())
	if err != nil || kept.refresh.Reveal() != "new-refresh-token" {
		t.Fatalf("the winner's tokens: %v, %v", kept, err)
	}
	again, _ := http.NewRequest(http.MethodPost, f.URL+"/mcp", nil)
	if err := New(s.o).Authorize(t.Context(), again); err != nil || again.Header.Get("Authorization") != "Bearer new-access-token" {
		t.Errorf("%v, %v", again.Header, err)
	}
}

// TestRenewalOutlivesItsRequest: a client that gives up while the server rotates must not take the new tokens along.
func TestRenewalOutlivesItsRequest(t *testing.T) {
	f := newFake(t)
	s := New(optionsAt(t, t.TempDir(), f.URL+"/mcp"))
	old := &tokens{resource: f.URL + "/mcp", issuer: f.URL, token: f.URL + "/token", client: client{id: "c", method: methodNone},
		access: secret.New("old-access-token"), refresh: secret.New("old-refresh-token"), obtained: time.Now()}
	if err := s.adopt(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	under, goOn := make(chan bool), make(chan bool)
	var form url.Values
	f.set("/token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		close(under)
		<-goOn
		fmt.Fprint(w, `{"access_token":"new-access-token","refresh_token":"new-refresh-token","token_type":"bearer","expires_in":"3600"}`)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := s.renew(ctx, old, true); done <- err }()
	<-under
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(goOn)
	s.Settle(10 * time.Second)
	kept, err := New(s.o).read(t.Context())
	if err != nil || kept.refresh.Reveal() != "new-refresh-token" || time.Until(kept.expires) < time.Minute {
		t.Errorf("%v, %v", kept, err)
	}
	if form.Get("resource") != f.URL+"/mcp" || form.Get("client_id") != "c" {
		t.Errorf("the renewal named %q", form)
	}
}

// locked is a store that answers only once it is unlocked.
type locked struct {
	credential.Store
	open atomic.Bool
}

func (l *locked) Get(ctx context.Context, name string) (credential.Item, error) {
	if !l.open.Load() {
		return credential.Item{}, credential.NewError(credential.Locked, "unlock it", "locked")
	}
	return l.Store.Get(ctx, name)
}

// TestLockedStore: tokens behind a lock are not lost ones, and are there again when it is open.
func TestLockedStore(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	login(t, atGateway(t, dir, g))
	store := &locked{Store: optionsAt(t, dir, g.GatewayURL()).Store("")}
	s := atGateway(t, dir, g, func(o *Options) { o.Store = func(string) credential.Store { return store } })
	if _, err := call(t, s); err == nil || Missing(err) || problem.NextStep(err) != "unlock it" {
		t.Error(err)
	}
	store.open.Store(true)
	if status, err := call(t, s); status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
}

// TestResume: a process that is gone leaves a page that is still good: the next one takes the sign-in over.
func TestResume(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	l := begin(t, atGateway(t, dir, g))
	if err := l.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if atGateway(t, dir, g).Resume(t.Context()) != nil {
		t.Fatal("it was taken from a process that lives")
	}
	l.loop.close(false) // as the end of a process does
	next := atGateway(t, dir, g).Resume(t.Context())
	if next == nil || !next.Resumed() || next.Page().String() != l.Page().String() {
		t.Fatalf("%+v", next)
	}
	go visit(t, l.Page().String())
	if err := next.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if atGateway(t, dir, g).Resume(t.Context()) != nil {
		t.Error("it can be resumed once more")
	}
	if status, err := call(t, atGateway(t, dir, g)); status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
}

// TestNothingSecretInRecords: the state folder holds no token, no state and no verifier.
func TestNothingSecretInRecords(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	s := atGateway(t, dir, g)
	l := begin(t, s)
	if err := l.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pending pendingRecord
	if found, err := s.o.State.Read(s.pendingFile(), &pending); !found || err != nil {
		t.Fatal(err)
	}
	go visit(t, l.Page().String())
	if err := l.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, _ := s.Record()
	text, _ := json.Marshal([]any{r, pending})
	for _, token := range append(g.Tokens(), l.state, l.verifier.Reveal()) {
		if strings.Contains(string(text), token) {
			t.Errorf("%s", text)
		}
	}
}

// TestTokenThatCantBeRenewed: a program isn't handed a token that has expired, while one that is still good needs no other.
func TestTokenThatCantBeRenewed(t *testing.T) {
	for left, want := range map[time.Duration]error{time.Minute: nil, -time.Minute: ErrEnded} {
		s := New(Options{URL: parse(t, "https://mcp.example/mcp"), Server: "linear"})
		s.hold(&tokens{access: secret.New("a"), obtained: time.Now().Add(-time.Hour), expires: time.Now().Add(left)})
		if token, err := s.Token(t.Context()); !errors.Is(err, want) || (want == nil) != (token.Reveal() == "a") {
			t.Errorf("%v left: %v", left, err)
		}
	}
}
