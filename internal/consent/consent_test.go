package consent

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
)

const page = "https://linear.app/oauth/authorize?client_id=c&redirect_uri=https%3A%2F%2Fmcp.portkey.ai%2Foauth%2Fupstream-callback&state=s"

func TestFind(t *testing.T) {
	const elicited = `{"mode":"url","elicitationId":"550e8400","url":"` + page + `","message":"x"}`
	m := (&asker{}).manager(false)
	foreign := "https://linear.app/oauth/authorize?redirect_uri=https%3A%2F%2Felsewhere.example%2Foauth%2Fupstream-callback"
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"A", 401, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Authorization required for ws/linear. Complete it here: https://x.example/","data":{"type":"oauth_required","authorizationUrl":"` + page + `"}},"id":1}`, page},
		{"A of a gateway with another public name", 401, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"x","data":{"type":"oauth_required","authorizationUrl":"` + foreign + `"}},"id":1}`, foreign},
		{"B", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Authorization required","data":{"serverId":"linear","workspaceId":"ws","authorizationUrl":"` + page + `"}}}`, page},
		{"B of a gateway with another public name", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Authorization required","data":{"serverId":"linear","workspaceId":"ws","authorizationUrl":"` + foreign + `"}}}`, foreign},
		{"C in data", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"x","data":{"authorization_url":"` + page + `"}}}`, page},
		{"C in the message", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"OAuth required: {\"authorization_url\":\"` + page + `\"} now"}}`, page},
		{"a URL in a message about consent", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Please authorize at ` + page + `."}}`, page},
		{"the gateway's page in a message", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Please authorize: https://mcp.portkey.ai/oauth/linear/authorize"}}`, "https://mcp.portkey.ai/oauth/linear/authorize"},
		{"a URL in another message", 401, `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"see ` + "https://docs.example/errors" + `"}}`, ""},
		{"a plain body", 401, `{"error":"authorization_required","error_description":"…","authorization_url":"` + page + `"}`, page},
		{"a nested plain body", 401, `{"error":{"message":"x","auth_url":"` + page + `"}}`, page},
		{"what the upstream says", 200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"Tool execution failed: authorize at ` + page + `","data":{"authorizationUrl":"` + page + `"}}}`, ""},
		{"a tool's error", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Deployment started, but the webhook is not authorized to notify you. See https://docs.example.com/webhooks"}}`, ""},
		{"a tool's error about the gateway", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Done, but not authorized to tell you. See https://mcp.portkey.ai/docs"}}`, ""},
		{"a tool's error with a page", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Created. To get mails, authorize them","data":{"authorizationUrl":"` + foreign + `"}}}`, ""},
		{"a tool's error with a page in JSON", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Created {\"auth_url\":\"` + foreign + `\"}"}}`, ""},
		{"a tool's error with a code of its own", 200, `{"jsonrpc":"2.0","id":1,"error":{"code":17,"message":"authorize at ` + page + `","data":{"authorizationUrl":"` + page + `"}}}`, ""},
		{"a server's trouble", 500, `{"error":{"message":"x","auth_url":"` + foreign + `"}}`, ""},
		{"a tool's result", 200, `{"jsonrpc":"2.0","id":2,"result":{"isError":true,"content":[{"type":"text","text":"Authorization required: ` + page + `"}]}}`, ""},
		{"HTML", 401, `<a href="` + page + `">authorize</a>`, ""},
	} {
		asked, got := find(bridge.Answer{Status: tc.status, Header: http.Header{}, Body: []byte(tc.body)}, m.isOwn)
		if got != tc.want || (asked == ownPage) != (tc.want != "") || asked != ownPage && asked != nothing {
			t.Errorf("%s: %q, %v", tc.name, got, asked)
		}
	}
	for _, tc := range []struct {
		name, challenge, body string
		status                int
		last                  bool
		asked                 asking
	}{
		{"D", metadata + `"`, `{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`, 401, true, withoutPage},
		{"D without the closing quote", metadata, `{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`, 401, true, withoutPage},
		{"D while the key may be the trouble", metadata, `{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`, 401, false, nothing},
		{"E, the key isn't seen", metadata, `{"error":"unauthorized","error_description":"Authentication required to access this resource"}`, 401, true, nothing},
		{"E, a dead token", metadata, `{"error":"unauthorized","error_description":"The access token is invalid or has expired"}`, 401, true, nothing},
		{"a bad key", "", `{"status":"failure","message":"Portkey Error: Invalid API Key. Error Code: 03"}`, 401, true, nothing},
		{"F", "", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Failed to restore session. Please reinitialize."},"id":1}`, 500, false, perhapsWithoutPage},
		{"G", "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Tool execution failed: Streamable HTTP error: Server returned 401 after successful authentication"}}`, 200, false, perhapsWithoutPage},
		{"G in other words", "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Failed to get tools: Authorization required for ws-acme/linear"}}`, 200, false, perhapsWithoutPage},
		{"H", "", `{"jsonrpc":"2.0","id":2,"error":{"code":-32042,"message":"x","data":{"elicitations":[` + elicited + `]}}}`, 200, false, foreignPage},
		{"I", "", `{"jsonrpc":"2.0","id":2,"result":{"isError":true,"content":[{"type":"text","text":"Authorization required: ` + page + `"}]}}`, 200, false, nothing},
		{"K", "", `{"jsonrpc":"2.0","id":2,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":` + elicited + `}}}}`, 200, false, foreignPage},
		{"K, a form", "", `{"jsonrpc":"2.0","id":2,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"form"}}}}}`, 200, false, nothing},
	} {
		asked, _ := find(bridge.Answer{Status: tc.status, Header: http.Header{"Www-Authenticate": {tc.challenge}}, Body: []byte(tc.body), Last: tc.last}, m.isOwn)
		if asked != tc.asked {
			t.Errorf("%s: %v, want %v", tc.name, asked, tc.asked)
		}
	}
}

// TestOutsideGateway: what asks for consent at a gateway is an answer like any other at a server that is behind none: its tool
// may have run.
func TestOutsideGateway(t *testing.T) {
	m := New(Options{Server: "x.example", Open: func(string) error { t.Error("opened"); return nil }, Show: func(text string) { t.Error(text) }})
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Deployment started, but the webhook is not authorized to notify you. See https://docs.example.com/webhooks"}}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Authorization required","data":{"serverId":"linear","workspaceId":"ws","authorizationUrl":"` + page + `"}}}`,
		`{"error":"authorization_required","authorization_url":"` + page + `"}`,
	} {
		for _, status := range []int{200, 401, 500} {
			if flow, err := m.Find(t.Context(), bridge.Answer{Status: status, Header: http.Header{}, Body: []byte(body), Last: true}); flow != nil || err != nil {
				t.Errorf("%d %s: %v, %v", status, body, flow, err)
			}
		}
	}
}

const metadata = `Bearer resource_metadata="https://mcp.portkey.ai/.well-known/oauth-protected-resource/ws/linear/mcp`

// TestWithoutPage: answers that have another meaning pass, unless the control plane is sure that consent is what is missing.
func TestWithoutPage(t *testing.T) {
	say := func(ok bool, err error) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) { return ok, err }
	}
	for _, tc := range []struct {
		name               string
		perUser, connected func(context.Context) (bool, error)
		asks               bool
	}{
		{"the consent is missing", say(true, nil), say(false, nil), true},
		{"it is there, and the server down", say(true, nil), say(true, nil), false},
		{"the server wants none", say(false, nil), say(false, nil), false},
		{"nobody can tell of the server", say(true, errors.New("403")), say(false, nil), false},
		{"nobody can tell of the consent", say(true, nil), say(false, errors.New("403")), false},
		{"there is no control plane", nil, nil, false},
	} {
		gateway, _ := url.Parse("https://mcp.portkey.ai")
		m := New(Options{Gateway: gateway, Server: "linear", PerUser: tc.perUser, Connected: tc.connected})
		flow, err := m.Find(t.Context(), bridge.Answer{Status: 500, Body: []byte(`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Failed to restore session. Please reinitialize."},"id":1}`)})
		if flow != nil || (err != nil) != tc.asks || tc.asks && !strings.Contains(problem.NextStep(err), "dashboard") {
			t.Errorf("%s: %v, %v", tc.name, flow, err)
		}
	}
}

// TestForeignPage: a page of the server's own is named with its host, and a hostile one isn't even that.
func TestForeignPage(t *testing.T) {
	gateway, _ := url.Parse("https://mcp.portkey.ai")
	m := New(Options{Gateway: gateway, Open: func(string) error { t.Error("opened"); return nil }})
	elicit := func(u string) (bridge.Flow, error) {
		return m.Find(t.Context(), bridge.Answer{Status: 200, Body: []byte(`{"jsonrpc":"2.0","id":2,"error":{"code":-32042,"message":"x","data":{"elicitations":[{"mode":"url","url":"` + u + `"}]}}}`)})
	}
	flow, err := elicit(page)
	if flow != nil || err == nil || !strings.Contains(err.Error(), "a page at linear.app") || !strings.HasSuffix(err.Error(), page) || !strings.Contains(problem.NextStep(err), "trust") {
		t.Error(flow, err)
	}
	if flow, err := elicit("javascript:alert(1)"); flow != nil || err != nil {
		t.Error(flow, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, raw := range []string{
		"", " ", "x", "/a", "//h/a", "https:", "https://", "https:///a", "https:h", "https://?a", "https://#a",
		"http://mcp.portkey.ai/a", "http://10.0.0.1/", "http://host.docker.internal/", "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
		"file:///etc/passwd", "file://h/share", "javascript:alert(1)", "JavaScript://h/%0aalert(1)", "data:text/html,x", "vscode://h/a",
		"ms-msdt:/id", "mailto:a@b", "ftp://h/", "smb://h/a", "view-source:https://h/", "-https://h/", "--help",
		"https://u@h/", "https://u:p@h/", "https://mcp.portkey.ai@evil.example/", "https://h/#frag",
		"https://h/\n", "https://h/\r\nX: y", "https://h/\x00", "https://h/\x1b[31m", "https://h/ a", "https://h/\u00e9", "https://pörtkey.ai/",
		`https://h/"`, `https://h/<script>`, "https://h/`id`", `https://h/a|calc`, `https://h/\..\`, `https://h/{a}`, "https://h/^",
		"https://h\\@evil.example/", "https://[::1/", "https://h:port/", "https://h$(id)/", "https://h;id/", "https://h&id/", "https://h%0a/",
		"https://h/" + strings.Repeat("a", 4096),
	} {
		if u, err := Check(raw); err == nil {
			t.Errorf("%q was taken as %s", raw, u)
		}
	}
}

func TestCheckTakes(t *testing.T) {
	for raw, want := range map[string]string{
		page:                          page,
		"http://127.0.0.1:8080/a?b=c": "http://127.0.0.1:8080/a?b=c",
		"http://localhost/a":          "http://localhost/a",
		"http://[::1]:80/":            "http://[::1]:80/",
		"https://xn--prtkey-wxa.ai/":  "https://xn--prtkey-wxa.ai/",
		"https://h/a?x=$(calc)&y='z'": "https://h/a?x=%24%28calc%29&y=%27z%27",
	} {
		if u, err := Check(raw); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", raw, u, err)
		}
	}
}

// TestMayOpen: unasked, only what is the gateway's own, or leads back to it.
func TestMayOpen(t *testing.T) {
	gateway, _ := url.Parse("https://gw.example:8443/m")
	m := New(Options{Gateway: gateway, Open: func(string) error { return nil }})
	for raw, want := range map[string]bool{
		"https://gw.example:8443/oauth/x": true,
		"https://gw.example/oauth/x":      false, // another port
		"https://sub.gw.example:8443/":    false,
		"https://linear.app/a?redirect_uri=https%3A%2F%2Fgw.example%3A8443%2Fm%2Foauth%2Fupstream-callback":  true,
		"https://linear.app/a?redirect_uri=https%3A%2F%2Fgw.example%3A8443%2Foauth%2Fupstream-callback":      false,
		"https://linear.app/a?redirect_uri=https%3A%2F%2Fgw.example%3A8443%2Fm%2Foauth%2Fupstream-callback2": false,
		"https://evil.example/": false,
	} {
		u, err := Check(raw)
		if err != nil {
			t.Fatal(err)
		}
		if m.mayOpen(u) != want {
			t.Errorf("%s: %v", raw, !want)
		}
	}
	u, _ := Check("https://gw.example:8443/oauth/x")
	if New(Options{Open: func(string) error { return nil }}).mayOpen(u) {
		t.Error("without a gateway")
	}
}

// asker is a user and a gateway in one.
type asker struct {
	mu        sync.Mutex
	shown     []string
	opened    []string
	connected atomic.Bool
}

func (a *asker) manager(watch bool) *Manager {
	gateway, _ := url.Parse("https://mcp.portkey.ai")
	o := Options{
		Gateway: gateway, Server: "linear",
		Show: func(text string) { a.mu.Lock(); a.shown = append(a.shown, text); a.mu.Unlock() },
		Open: func(u string) error { a.mu.Lock(); a.opened = append(a.opened, u); a.mu.Unlock(); return nil },
		Connected: func(context.Context) (bool, error) {
			if !watch {
				return false, errors.New("403")
			}
			return a.connected.Load(), nil
		},
	}
	return New(o)
}

// seen returns what was shown and opened by now.
func (a *asker) seen() (shown, opened []string) {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.shown), slices.Clone(a.opened)
}

func ask(m *Manager) bridge.Flow {
	flow, _ := m.Find(context.Background(), bridge.Answer{Status: 401, Body: []byte(`{"error":"x","authorization_url":"` + page + `"}`)})
	return flow
}

// TestWatching: many requests wait for one page, until the connections show the consent.
func TestWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		m := a.manager(true)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := ask(m).Await(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(3 * time.Minute)
		a.connected.Store(true)
		began := time.Now()
		wg.Wait()
		if d := time.Since(began); d > watchPause {
			t.Errorf("noticed after %s", d)
		}
		shown, opened := a.seen()
		if len(shown) != 1 || len(opened) != 1 || opened[0] != page {
			t.Fatalf("shown %q, opened %q", shown, opened)
		}
		if !strings.HasPrefix(shown[0], "mcpctl: linear needs your consent at linear.app.") || !strings.Contains(shown[0], "\n  "+page+"\n") {
			t.Error(shown[0])
		}
	})
}

// TestProbing: where the connections can't be read, the requests find out: one at a time, 5 s apart, and no second tab.
func TestProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		m := a.manager(false)
		flow := ask(m)
		var mu sync.Mutex
		var probes []time.Duration
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for flow.Await(ctx) == nil {
					mu.Lock()
					probes = append(probes, time.Since(began))
					mu.Unlock()
					ask(m) // still not
				}
			})
		}
		wg.Wait()
		if len(probes) < 10 || len(probes) > 12 {
			t.Errorf("%d probes in a minute: %v", len(probes), probes)
		}
		for i := 1; i < len(probes); i++ {
			if probes[i]-probes[i-1] < probePause {
				t.Errorf("probes %v", probes)
			}
		}
		if _, opened := a.seen(); len(opened) != 1 {
			t.Errorf("%d tabs", len(opened))
		}
	})
}

// TestEnd: a flow ends with its time; the next one opens no tab before the first page is certainly dead.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		m := a.manager(true)
		m.o.Timeout = time.Minute
		if err := ask(m).Await(t.Context()); err == nil || !strings.Contains(err.Error(), "no consent within 1m0s") {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := ask(m).Await(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		if shown, opened := a.seen(); len(shown) != 2 || len(opened) != 1 {
			t.Errorf("shown %d, opened %d", len(shown), len(opened))
		}
		time.Sleep(stateLife)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		_ = ask(m).Await(ctx)
		cancel()
		time.Sleep(time.Minute) // let the watchers end
		if _, opened := a.seen(); len(opened) != 2 {
			t.Errorf("opened %d, want a second tab after %s", len(opened), stateLife)
		}
	})
}

// TestRounds: a server that asks on and on is believed three times.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		a.connected.Store(true)
		m := a.manager(true)
		for range maxRounds {
			if err := ask(m).Await(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		broken := func() bool {
			flow, err := m.Find(t.Context(), bridge.Answer{Status: 401, Body: []byte(`{"authorization_url":"` + page + `"}`)})
			return flow == nil && err != nil && strings.Contains(err.Error(), page)
		}
		if !broken() || !broken() {
			t.Error("a fourth round")
		}
		time.Sleep(roundLife)
		flow := ask(m)
		if flow == nil || flow.Await(t.Context()) != nil {
			t.Fatal("broken for good")
		}
		flow.Granted() // and this time a call went through
		for range maxRounds {
			if broken() {
				t.Fatal("rounds with effect were counted")
			}
			flow := ask(m)
			_ = flow.Await(t.Context())
			flow.Granted()
		}
		if _, opened := a.seen(); len(opened) != 2 {
			t.Errorf("%d tabs", len(opened))
		}
	})
}

// fleet is some managers, each like a process of its own, with one state folder and one user.
func fleet(a *asker, n int, dir string, watch bool) []*Manager {
	var all []*Manager
	for range n {
		m := a.manager(watch)
		m.o.State, m.o.Identity = state.At(dir), func() string { return "gateway linear user" }
		all = append(all, m)
	}
	return all
}

// TestProcesses: however many processes meet it, one tab is opened, one of them tries at a time, and all get through.
func TestProcesses(t *testing.T) {
	for _, watch := range []bool{true, false} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			a := &asker{}
			began := time.Now()
			var mu sync.Mutex
			var probes []time.Duration
			var wg sync.WaitGroup
			for _, m := range fleet(a, 5, dir, watch) {
				wg.Go(func() {
					for {
						flow := ask(m)
						if err := flow.Await(t.Context()); err != nil {
							t.Error(err)
							return
						}
						if a.connected.Load() {
							flow.Granted()
							return
						}
						mu.Lock()
						probes = append(probes, time.Since(began))
						mu.Unlock()
					}
				})
			}
			time.Sleep(33 * time.Second)
			a.connected.Store(true)
			wg.Wait()
			if d := time.Since(began) - 33*time.Second; d > probePause+6*followPause {
				t.Errorf("watching %v: the last was through after %s", watch, d)
			}
			if shown, opened := a.seen(); len(shown) != 5 || len(opened) != 1 {
				t.Errorf("watching %v: shown %d times, opened %d", watch, len(shown), len(opened))
			}
			for i := 1; i < len(probes); i++ {
				if probes[i]-probes[i-1] < probePause {
					t.Errorf("probes %v", probes)
				}
			}
			if watch != (len(probes) == 0) || !watch && len(probes) < 3 {
				t.Errorf("watching %v: probes %v", watch, probes)
			}
			time.Sleep(2 * probePause) // for the timers
		})
		files := 0
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), "client_id") || strings.Contains(string(data), "state") || strings.Contains(string(data), "/oauth") {
				t.Errorf("%s holds a part of the URL: %s", path, data)
			}
			return err
		})
		if files != 2 {
			t.Errorf("%d files, want a lock and a record", files)
		}
	}
}

// browserLogin is a SignIn whose user logs in a while after the page is there.
type browserLogin struct {
	a     *asker
	after time.Duration
}

const loginPage = "https://mcp.portkey.ai/oauth/linear/authorize?client_id=c&state=s"

func (l browserLogin) Use(context.Context) bool                              { return false }
func (l browserLogin) Prepare(context.Context, http.Header) (Attempt, error) { return l, nil }
func (l browserLogin) Host() string                                          { return "mcp.portkey.ai" }
func (l browserLogin) Begin(context.Context) (Login, error)                  { return l, nil }
func (l browserLogin) Page() *url.URL                                        { u, _ := url.Parse(loginPage); return u }
func (l browserLogin) Wait(ctx context.Context) error {
	select {
	case <-time.After(l.after):
		l.a.connected.Store(true)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beside is a few processes whose calls get through when the user has logged in, a minute after the login's page is open.
func beside(t *testing.T, a *asker, dir string, watch bool) (all []*Manager, call func(ctx context.Context, m *Manager) error) {
	all = fleet(a, 3, dir, watch)
	for _, m := range all {
		m.o.SignIn, m.o.SignInCommand = browserLogin{a, time.Minute}, "mcpctl login --oauth linear"
	}
	return all, func(ctx context.Context, m *Manager) error {
		for !a.connected.Load() {
			flow := ask(m)
			if err := flow.Await(ctx); err != nil {
				return err
			}
			if a.connected.Load() {
				flow.Granted()
			}
		}
		return nil
	}
}

func (a *asker) wantOpened(t *testing.T, want ...string) {
	t.Helper()
	if _, opened := a.seen(); !slices.Equal(opened, want) {
		t.Errorf("opened %q, want %q", opened, want)
	}
}

// TestNowhere: a page that has brought nothing in its time isn't opened again; the login is, once, by all processes, also by one that
// waits with the page when that is noticed.
func TestNowhere(t *testing.T) {
	for _, watch := range []bool{true, false} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			a := &asker{}
			all, call := beside(t, a, dir, watch)
			var wg sync.WaitGroup
			wg.Go(func() {
				err := call(t.Context(), all[0])
				if err == nil || !strings.Contains(err.Error(), "no consent within 10m0s; if the page ended in an error, run mcpctl login --oauth linear") {
					t.Error(err)
				}
			})
			time.Sleep(5 * time.Minute)
			wg.Go(func() {
				began := time.Now()
				if err := call(t.Context(), all[1]); err != nil || time.Since(began) > 6*time.Minute+2*probePause {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
			})
			wg.Wait()
			a.wantOpened(t, page, loginPage)
			a.connected.Store(false) // somebody has taken it back
			for _, m := range []*Manager{all[2], all[0]} {
				if err := call(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
			a.wantOpened(t, page, loginPage, loginPage)
			time.Sleep(2 * probePause) // for the timers
		})
	}
}

// TestOvertaken: the process that leads hears of it as well.
func TestOvertaken(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		all, call := beside(t, a, dir, true)
		impatient, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := call(impatient, all[0]); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			time.Sleep(4*time.Minute + time.Second)
			if err := call(t.Context(), all[0]); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(5 * time.Minute)
		wg.Go(func() {
			if err := call(t.Context(), all[1]); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		wg.Wait()
		if d := time.Since(began); d > 6*time.Minute+4*probePause {
			t.Errorf("after %s", d)
		}
		a.wantOpened(t, page, loginPage)
		time.Sleep(2 * probePause)
	})
}

// TestImpatience: a call that waits shorter than the page is good for says nothing of the page, and nothing else is opened while the
// user may be busy with it.
func TestImpatience(t *testing.T) {
	for _, shared := range []bool{true, false} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			a := &asker{}
			all, call := beside(t, a, dir, true)
			m := all[0]
			m.o.Timeout = 2 * time.Minute
			if !shared {
				m.o.Identity = nil
			}
			for range 2 {
				if err := call(t.Context(), m); err == nil || !strings.Contains(err.Error(), "within 2m0s") {
					t.Error(err)
				}
			}
			a.wantOpened(t, page)
			time.Sleep(stateLife - 3*time.Minute) // the tab is eleven minutes old, the latest call's wait began nine minutes ago
			if err := call(t.Context(), m); err != nil {
				t.Error(err)
			}
			a.wantOpened(t, page, loginPage)
			time.Sleep(2 * probePause)
		})
	}
}

// TestLateConsent: a consent that comes when no call waits any longer speaks for the page all the same.
func TestLateConsent(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		all, call := beside(t, a, dir, true)
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := call(soon, all[0]); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		a.connected.Store(true)
		time.Sleep(stateLife)
		a.connected.Store(false)
		soon, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := call(soon, all[1]); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		a.wantOpened(t, page, page)
		time.Sleep(stateLife)
	})
}

// TestByHand: who asks by a command of its own has done with a page that was opened before; both get through by one login.
func TestByHand(t *testing.T) {
	for _, watch := range []bool{true, false} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			a := &asker{}
			all, call := beside(t, a, dir, watch)
			all[1].o.ByHand, all[2].o.ByHand = true, true
			var wg sync.WaitGroup
			for i, m := range all {
				wg.Go(func() {
					time.Sleep(time.Duration(i) * 20 * time.Second)
					if err := call(t.Context(), m); err != nil {
						t.Error(i, err)
					}
				})
			}
			wg.Wait()
			a.wantOpened(t, page, loginPage)
			time.Sleep(2 * probePause)
		})
	}
}

// noLogin is a gateway that offers no login.
type noLogin struct{}

func (noLogin) Use(context.Context) bool                              { return false }
func (noLogin) Prepare(context.Context, http.Header) (Attempt, error) { return nil, nil }

// TestNoLogin: where there is no login to take over, the page is opened again, and the calls aren't repeated for that.
func TestNoLogin(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		all, _ := beside(t, a, dir, true)
		for _, m := range all {
			m.o.SignIn = noLogin{}
		}
		if err := ask(all[0]).Await(t.Context()); err == nil {
			t.Error("there is no consent")
		}
		time.Sleep(time.Minute)
		soon, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		times := 0
		for soon.Err() == nil {
			times++
			if err := ask(all[1]).Await(soon); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		a.wantOpened(t, page, page)
		if times > 6 {
			t.Errorf("sent %d times in 5 minutes", times)
		}
		time.Sleep(stateLife)
	})
}

// TestNobody: a key that belongs to no user is told before any page is shown. Once a page is open, the user is the one who is asked.
func TestNobody(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		all, _ := beside(t, a, dir, true)
		asked := 0
		nobody := func(yes bool, err error) func(context.Context) (bool, error) {
			return func(context.Context) (bool, error) { asked++; return yes, err }
		}
		all[0].o.Nobody = nobody(true, nil)
		all[1].o.Nobody = nobody(false, nil)
		all[2].o.Nobody = nobody(true, nil)
		answer := bridge.Answer{Status: 401, Body: []byte(`{"authorization_url":"` + page + `"}`)}
		flow, err := all[0].Find(t.Context(), answer)
		if flow != nil || err == nil || !strings.Contains(err.Error(), "service key") || !strings.Contains(problem.NextStep(err), "mcpctl login --oauth linear") {
			t.Error(flow, err)
		}
		a.wantOpened(t)
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				flow := ask(all[1])
				if flow == nil {
					t.Error("a user's key was refused")
					return
				}
				_ = flow.Await(soon)
			})
		}
		wg.Wait()
		if flow := ask(all[2]); flow == nil {
			t.Error("asked while a page is open")
		}
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		a.wantOpened(t, page)
		time.Sleep(stateLife)
	})
}

// TestLoginInVain: a login in which nobody has done anything says nothing of the gateway's other pages.
func TestLoginInVain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		all, _ := beside(t, a, dir, true)
		all[0].o.SignIn = browserLogin{a, 30 * time.Minute}
		flow, err := all[0].Find(t.Context(), bridge.Answer{Status: 401, Last: true, Header: http.Header{"Www-Authenticate": {metadata}},
			Body: []byte(`{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`)})
		if err != nil || flow == nil {
			t.Fatal(flow, err)
		}
		if err := flow.Await(t.Context()); err == nil || strings.Contains(err.Error(), "run mcpctl") {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := ask(all[1]).Await(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		a.wantOpened(t, loginPage, page)
		time.Sleep(time.Hour)
	})
}

func TestLedNowhere(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, tc := range map[string]struct {
		r    record
		want bool
	}{
		"no record":                {record{}, false},
		"it is open":               {record{OpenedAt: ago(time.Minute), ExpiresAt: ago(-9 * time.Minute)}, false},
		"nobody saw what became":   {record{OpenedAt: ago(11 * time.Minute), ExpiresAt: ago(time.Minute)}, true},
		"nobody saw it yesterday":  {record{OpenedAt: ago(25 * time.Hour), ExpiresAt: ago(24 * time.Hour)}, false},
		"the consent was there":    {record{OpenedAt: ago(11 * time.Minute), ExpiresAt: ago(time.Minute), GrantedAt: ago(9 * time.Minute)}, false},
		"one before was there":     {record{OpenedAt: ago(11 * time.Minute), ExpiresAt: ago(time.Minute), GrantedAt: ago(12 * time.Minute)}, true},
		"it was a login":           {record{OpenedAt: ago(11 * time.Minute), ExpiresAt: ago(time.Minute), Login: true}, false},
		"a login, but it is known": {record{OpenedAt: ago(11 * time.Minute), ExpiresAt: ago(time.Minute), Login: true, NowhereAt: ago(time.Hour)}, true},
		"it was known last month":  {record{NowhereAt: ago(30 * 24 * time.Hour)}, false},
		"the clock was wrong":      {record{NowhereAt: ago(-time.Hour)}, false},
	} {
		if got := tc.r.knownNowhere(now) || tc.r.ledNowhere(now); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestOwnerGone: when the leader stops, whatever the reason, another takes over, and opens nothing.
func TestOwnerGone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		both := fleet(a, 2, dir, false)
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() { first <- ask(both[0]).Await(ctx) }()
		synctest.Wait()
		second := make(chan time.Time)
		go func() {
			if err := ask(both[1]).Await(t.Context()); err != nil {
				t.Error(err)
			}
			second <- time.Now()
		}()
		time.Sleep(probePause / 2)
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		gone := time.Now()
		if d := (<-second).Sub(gone); d < 2*probePause || d > 2*probePause+2*followPause {
			t.Errorf("the second tried %s after the first had gone", d)
		}
		if _, opened := a.seen(); len(opened) != 1 {
			t.Errorf("%d tabs", len(opened))
		}
		time.Sleep(2 * probePause)
	})
}

// TestUnwritableState: where nothing can be shared, each process does what it would do alone.
func TestUnwritableState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		a := &asker{}
		a.connected.Store(true)
		if err := ask(fleet(a, 1, file, true)[0]).Await(t.Context()); err != nil {
			t.Error(err)
		}
		if _, opened := a.seen(); len(opened) != 1 {
			t.Errorf("%d tabs", len(opened))
		}
	})
}

func TestBrowser(t *testing.T) {
	const none, native = "none", "native"
	for _, tc := range []struct {
		os   string
		wsl  bool
		env  string
		has  string
		want string
	}{
		{"linux", false, "", "", none},
		{"linux", false, "DISPLAY", "", native},
		{"linux", false, "WAYLAND_DISPLAY", "", native},
		{"linux", false, "BROWSER", "", native},
		{"linux", false, "SSH_CONNECTION", "", none},
		{"linux", false, "SSH_CONNECTION DISPLAY", "", native},
		{"linux", true, "", "wslview rundll32.exe", "/bin/wslview"},
		{"linux", true, "DISPLAY", "rundll32.exe", "/bin/rundll32.exe url.dll,FileProtocolHandler"},
		{"linux", true, "BROWSER", "rundll32.exe", native},
		{"linux", false, "BROWSER", "x", "/bin/x"},
		{"linux", true, "BROWSER", "x rundll32.exe", "/bin/x"},
		{"linux", false, "SSH_CONNECTION BROWSER", "x", "/bin/x"},
		{"freebsd", false, "BROWSER", "x", "/bin/x"},
		{"darwin", false, "BROWSER", "x", native},
		{"linux", true, "DISPLAY", "", native}, // a container on Windows
		{"linux", true, "SSH_CONNECTION", "wslview", none},
		{"darwin", false, "", "", native},
		{"darwin", false, "SSH_CONNECTION", "", none},
		{"windows", false, "", "", native},
	} {
		d := desktop{os: tc.os, wsl: tc.wsl,
			getenv: func(name string) string {
				if slices.Contains(strings.Fields(tc.env), name) {
					return "x"
				}
				return ""
			},
			find: func(program string) (string, error) {
				if slices.Contains(strings.Fields(tc.has), program) {
					return "/bin/" + program, nil
				}
				return "", exec.ErrNotFound
			},
		}
		isNative, command := d.choose()
		got := strings.Join(command, " ")
		switch {
		case isNative:
			got = native
		case command == nil:
			got = none
		}
		if got != tc.want {
			t.Errorf("%s wsl=%v env %q has %q: %s, want %s", tc.os, tc.wsl, tc.env, tc.has, got, tc.want)
		}
	}
}

// TestNamedBrowser: BROWSER is a list, whose commands may say where the URL goes.
func TestNamedBrowser(t *testing.T) {
	for value, want := range map[string]string{
		"b": "/bin/b URL", "a:b -n:c": "/bin/b -n URL", " :b": "/bin/b URL", "b %s -n": "/bin/b URL -n", "c --url=%s": "/bin/c --url=URL", "a": "", "": "",
	} {
		d := desktop{getenv: func(string) string { return value }, find: func(program string) (string, error) {
			if program == "a" {
				return "", exec.ErrNotFound
			}
			return "/bin/" + program, nil
		}}
		got := ""
		if command := d.named(); command != nil {
			got = strings.Join(withURL(command, "URL"), " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}
