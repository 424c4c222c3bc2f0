package consent

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpctl/mcpctl/internal/bridge"
)

const page = "https://linear.app/oauth/authorize?client_id=c&redirect_uri=https%3A%2F%2Fmcp.portkey.ai%2Foauth%2Fupstream-callback&state=s"

func TestFind(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"A", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Authorization required for ws/linear. Complete it here: https://x.example/","data":{"type":"oauth_required","authorizationUrl":"` + page + `"}},"id":1}`, page},
		{"B", `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Authorization required","data":{"serverId":"linear","authorizationUrl":"` + page + `"}}}`, page},
		{"C in data", `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"x","data":{"authorization_url":"` + page + `"}}}`, page},
		{"C in the message", `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"OAuth required: {\"authorization_url\":\"` + page + `\"} now"}}`, page},
		{"a URL in a message about consent", `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Please authorize at ` + page + `."}}`, page},
		{"a URL in another message", `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"see ` + "https://docs.example/errors" + `"}}`, ""},
		{"a plain body", `{"error":"authorization_required","error_description":"…","authorization_url":"` + page + `"}`, page},
		{"a nested plain body", `{"error":{"message":"x","auth_url":"` + page + `"}}`, page},
		{"what the upstream says", `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"Tool execution failed: authorize at ` + page + `","data":{"authorizationUrl":"` + page + `"}}}`, ""},
		{"URL elicitation", `{"jsonrpc":"2.0","id":2,"error":{"code":-32042,"message":"authorize","data":{"elicitations":[{"mode":"url","url":"` + page + `"}],"authorizationUrl":"` + page + `"}}}`, ""},
		{"a tool's result", `{"jsonrpc":"2.0","id":2,"result":{"isError":true,"content":[{"type":"text","text":"Authorization required: ` + page + `"}]}}`, ""},
		{"HTML", `<a href="` + page + `">authorize</a>`, ""},
	} {
		got, ok := find(bridge.Answer{Status: 401, Header: http.Header{}, Body: []byte(tc.body)})
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, %v", tc.name, got, ok)
		}
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
	return m.Find(bridge.Answer{Status: 401, Body: []byte(`{"error":"x","authorization_url":"` + page + `"}`)})
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

func TestBrowser(t *testing.T) {
	if Browser(func(string) string { return "" }) != nil && runtime.GOOS == "linux" {
		t.Error("a browser without a display")
	}
	if Browser(func(name string) string { return map[string]string{"DISPLAY": ":0"}[name] }) == nil {
		t.Error("no browser with a display")
	}
}
