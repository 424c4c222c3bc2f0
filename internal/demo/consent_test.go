package demo_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// authorizationURL makes a call without consent, in shape A, and returns the URL from its answer.
func authorizationURL(t *testing.T, g *demo.Gateway, key string) string {
	t.Helper()
	r := rpc(t, g, key, "/linear/mcp", listCall)
	var answer struct {
		Error struct {
			Data struct{ AuthorizationURL string }
		}
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || answer.Error.Data.AuthorizationURL == "" {
		t.Fatalf("no URL: %d %s", r.status, r.body)
	}
	return answer.Error.Data.AuthorizationURL
}

// press opens an authorization URL, presses a button of the page, and returns the page at the end of the redirects. It
// sends no cookies, and checks that no page lets its address out.
func press(t *testing.T, authorize, button string) string {
	t.Helper()
	r := send(t, "GET", authorize, "")
	checkPage(t, r)
	if !strings.Contains(r.body, `id="`+button+`"`) {
		t.Fatalf("no button %q: %d %s", button, r.status, r.body)
	}
	r = send(t, "POST", authorize, "decision="+button, "Content-Type: application/x-www-form-urlencoded")
	return follow(t, r).body
}

func follow(t *testing.T, r reply) reply {
	t.Helper()
	if r.status != http.StatusFound || r.header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("no redirect: %d %s", r.status, r.body)
	}
	r = send(t, "GET", r.header.Get("Location"), "")
	checkPage(t, r)
	return r
}

func checkPage(t *testing.T, r reply) {
	t.Helper()
	for name, value := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8", "Set-Cookie": "",
	} {
		if r.header.Get(name) != value {
			t.Errorf("%s: %q", name, r.header.Get(name))
		}
	}
	if !strings.HasPrefix(r.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") || strings.Contains(r.body, "<script") {
		t.Errorf("%v", r.header)
	}
}

func TestConsentShapes(t *testing.T) {
	const failed = `,"error":{"code":-32000,"message":"Failed to restore session. Please reinitialize."}`
	for _, c := range []struct {
		options      demo.Options
		status       int
		stream       bool
		body         string // URL is the URL's place
		notification int    // the status of the answer to one
	}{
		{demo.Options{}, 401, false, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Authorization required for ws-acme/linear. Complete it here: URL","data":{"type":"oauth_required","authorizationUrl":"URL"}}}`, 401},
		{demo.Options{Consent: "B"}, 200, true, `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"Authorization required","data":{"serverId":"linear","workspaceId":"ws-acme","authorizationUrl":"URL"}}}`, 202},
		{demo.Options{Consent: "C"}, 200, true, `{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"OAuth required: {\"authorization_url\":\"URL\"}","data":{"authorization_url":"URL"}}}`, 202},
		{demo.Options{Consent: "C-body"}, 401, false, `{"error":"authorization_required","error_description":"Authorize linear first","authorization_url":"URL"}`, 401},
		{demo.Options{Consent: "D"}, 401, false, `{"error":"unauthorized","error_description":"The upstream access token is invalid or has expired"}`, 401},
		{demo.Options{Consent: "F"}, 500, false, `{"jsonrpc":"2.0","id":7` + failed + `}`, 500},
		{demo.Options{Generation: "2.2"}, 500, false, `{"jsonrpc":"2.0","id":7` + failed + `}`, 500},
		{demo.Options{Consent: "G"}, 200, true, `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"Tool execution failed: Streamable HTTP error: Server returned 401 after successful authentication"}}`, 202},
	} {
		t.Run(c.options.Consent+c.options.Generation, func(t *testing.T) {
			g := start(t, c.options)
			key := g.Keys().User
			r := rpc(t, g, key, "/linear/mcp", listCall)
			if r.status != c.status {
				t.Fatalf("%d %s", r.status, r.body)
			}
			body := r.body
			if c.stream {
				body = event(t, r)
			}
			u := regexp.MustCompile(`http://[^"\\]+`).FindString(body)
			if strings.Contains(c.body, "URL") {
				checkAuthorizationURL(t, g, u)
			}
			wantJSON(t, body, strings.ReplaceAll(c.body, "URL", u))

			want := ""
			if c.options.Consent == "D" {
				want = `Bearer resource_metadata="` + g.GatewayURL() + `/.well-known/oauth-protected-resource/ws-acme/linear/mcp"`
			}
			if got := r.header.Get("WWW-Authenticate"); got != want {
				t.Errorf("WWW-Authenticate: %q, want %q", got, want)
			}
			if r := rpc(t, g, key, "/linear/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`); r.status != c.notification {
				t.Errorf("notification: %d %s", r.status, r.body)
			}
			r = send(t, "GET", g.GatewayURL()+"/linear/mcp", "", "Accept: text/event-stream", "x-portkey-api-key: "+key)
			if r.status != 500 || r.body != `{"status":"failure","message":"Unexpected end of JSON input"}` {
				t.Errorf("GET: %d %s", r.status, r.body)
			}
			g.SetConsent(key, "linear", true)
			if got := event(t, rpc(t, g, key, "/linear/mcp", listCall)); !strings.Contains(got, "ENG-1") {
				t.Errorf("with consent: %s", got)
			}
		})
	}
}

// TestConsentLost: the connection that stood before still answers what the upstream isn't asked for.
func TestConsentLost(t *testing.T) {
	g := start(t, demo.Options{Consent: "G"})
	key := g.Keys().User
	if got := event(t, rpc(t, g, key, "/linear/mcp", listTools)); !strings.Contains(got, `"Failed to get tools: `) {
		t.Error(got)
	}
	wantJSON(t, event(t, rpc(t, g, key, "/linear/mcp", ping)), `{"jsonrpc":"2.0","id":7,"result":{}}`)
}

func checkAuthorizationURL(t *testing.T, g *demo.Gateway, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(raw, g.GatewayURL()+"/oauth/") {
		t.Fatalf("%q: %v", raw, err)
	}
	q := u.Query()
	for name, form := range map[string]string{
		"redirect_uri": "^" + regexp.QuoteMeta(g.GatewayURL()+"/oauth/upstream-callback") + "$",
		"state":        "^[0-9a-f]{64}$", "code_challenge": "^[A-Za-z0-9_-]{43}$", "code_challenge_method": "^S256$",
		"response_type": "^code$", "client_id": ".", "resource": "^https://",
	} {
		if !regexp.MustCompile(form).MatchString(q.Get(name)) {
			t.Errorf("%s=%q", name, q.Get(name))
		}
	}
}

func TestConsentPage(t *testing.T) {
	g := start(t, demo.Options{})
	user, other := g.Keys().User, g.Keys().NoList
	first, second := authorizationURL(t, g, user), authorizationURL(t, g, user)
	if first == second || g.AuthorizationURLs() != 2 {
		t.Errorf("each call has its own URL: %d", g.AuthorizationURLs())
	}
	if page := press(t, first, "deny"); !strings.Contains(page, "Access denied") || g.Consented(user, "linear") {
		t.Error(page)
	}
	if r := send(t, "GET", first, ""); r.status != 400 {
		t.Errorf("a denied link works again: %d", r.status)
	}
	for _, wrong := range []string{
		strings.Replace(second, "code_challenge_method=S256&", "", 1),
		strings.Replace(second, "/upstream/linear/", "/upstream/notes/", 1),
		second + "&scope=all",
	} {
		if r := send(t, "GET", wrong, ""); r.status != 400 {
			t.Errorf("%d for %s", r.status, wrong)
		}
	}
	if page := press(t, second, "allow"); !strings.Contains(page, "You can close this window") {
		t.Error(page)
	}
	if !g.Consented(user, "linear") || g.Consented(other, "linear") {
		t.Error("consent is the user's alone")
	}
	if r := rpc(t, g, user, "/linear/mcp", listCall); !strings.Contains(event(t, r), "ENG-1") {
		t.Error(r.body)
	}
	if r := rpc(t, g, other, "/linear/mcp", listCall); r.status != 401 {
		t.Error(r.status)
	}
	if r := send(t, "POST", second, "decision=allow", "Content-Type: application/x-www-form-urlencoded"); r.status != 400 {
		t.Errorf("a used link works again: %d", r.status)
	}
}

func TestConsentPageAlone(t *testing.T) {
	for _, c := range []struct {
		options   demo.Options
		page      string
		consented bool
	}{
		{demo.Options{ConsentPage: "accept"}, "You can close this window", true},
		{demo.Options{ConsentPage: "deny"}, "Access denied", false},
		{demo.Options{ConsentPage: "accept", Consent: "A", Generation: "2.2"}, "Invalid resume state in upstream callback", false},
	} {
		g := start(t, c.options)
		key := g.Keys().User
		r := follow(t, send(t, "GET", authorizationURL(t, g, key), ""))
		if r.status != 200 || !strings.Contains(r.body, c.page) || g.Consented(key, "linear") != c.consented {
			t.Errorf("%+v: %d %s", c.options, r.status, r.body)
		}
	}
	g := start(t, demo.Options{ConsentPage: "never"})
	authorize := authorizationURL(t, g, g.Keys().User)
	if r := send(t, "GET", authorize, ""); r.status != 200 || strings.Contains(r.body, "<button") {
		t.Errorf("%d %s", r.status, r.body)
	}
	r := send(t, "POST", authorize, "decision=allow", "Content-Type: application/x-www-form-urlencoded")
	if r.status != 400 || g.Consented(g.Keys().User, "linear") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestServiceKey: it gets a URL like anybody, but no consent can come of it.
func TestServiceKey(t *testing.T) {
	g := start(t, demo.Options{})
	key := g.Keys().Service
	if page := press(t, authorizationURL(t, g, key), "allow"); !strings.Contains(page, "Authorization Failed") {
		t.Error(page)
	}
	g.SetConsent(key, "linear", true)
	if g.Consented(key, "linear") {
		t.Error("a service key has consent")
	}
}

func TestConsentCallback(t *testing.T) {
	g := start(t, demo.Options{})
	state := func(authorize string) string {
		u, _ := url.Parse(authorize)
		return u.Query().Get("state")
	}
	callback := g.GatewayURL() + "/oauth/upstream-callback?"
	authorize := authorizationURL(t, g, g.Keys().User)
	for _, query := range []string{"", "state=00&code=00", "state=" + state(authorize), "state=" + state(authorize) + "&code=00"} {
		r := send(t, "GET", callback+query, "")
		if r.status != 200 || !strings.Contains(r.body, "Authorization Failed") || g.Consented(g.Keys().User, "linear") {
			t.Errorf("%q: %d %s", query, r.status, r.body)
		}
	}
	r := send(t, "POST", authorize, "decision=allow", "Content-Type: application/x-www-form-urlencoded")
	if page := follow(t, r); !strings.Contains(page.body, "Access granted") {
		t.Fatal(page.body)
	}
	if page := follow(t, r); !strings.Contains(page.body, "Authorization Failed") {
		t.Error("a code works twice")
	}
}

func TestStateExpires(t *testing.T) {
	g := start(t, demo.Options{StateLifetime: time.Nanosecond})
	if r := send(t, "GET", authorizationURL(t, g, g.Keys().User), ""); r.status != 400 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestEagerRetry: a call that started without consent wipes one that is given before it fails.
func TestEagerRetry(t *testing.T) {
	const registration = 400 * time.Millisecond
	g := start(t, demo.Options{RegistrationTime: registration})
	key := g.Keys().User
	for seen := len(g.Requests()); ; seen = len(g.Requests()) {
		g.SetConsent(key, "linear", false)
		began, done := time.Now(), make(chan reply)
		go func() { done <- rpc(t, g, key, "/linear/mcp", listCall) }()
		for len(g.Requests()) == seen {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(registration / 4)
		g.SetConsent(key, "linear", true)
		inTime := time.Since(began) < registration
		if r := <-done; r.status == 200 || !inTime {
			continue // the consent came before the call looked for it, or after it had failed
		}
		if g.Consented(key, "linear") {
			t.Error("the consent is still there")
		}
		return
	}
}

func TestConnections(t *testing.T) {
	g := start(t, demo.Options{})
	k := g.Keys()
	connections := g.ControlPlaneURL() + "/mcp-servers/linear/connections"
	get := func(key, query string) (list struct {
		Data []struct {
			UserID    string `json:"user_id"`
			Connected bool
		}
		Total int
	}) {
		t.Helper()
		r := send(t, "GET", connections+query, "", "x-portkey-api-key: "+key)
		if err := json.Unmarshal([]byte(r.body), &list); err != nil || r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return list
	}
	if l := get(k.User, ""); l.Total != 0 || l.Data == nil {
		t.Errorf("before any call: %+v", l)
	}
	authorizationURL(t, g, k.User)
	if l := get(k.User, ""); l.Total != 1 || l.Data[0].Connected {
		t.Errorf("after a call: %+v", l)
	}
	g.SetConsent(k.User, "linear", true)
	g.SetConsent(k.NoInvoke, "linear", true)
	own := get(k.User, "")
	if own.Total != 1 || !own.Data[0].Connected {
		t.Errorf("with consent: %+v", own)
	}
	if l := get(k.Service, ""); l.Total != 2 || len(l.Data) != 2 {
		t.Errorf("a service key sees all: %+v", l)
	}
	user := "?user_id=" + own.Data[0].UserID
	if l := get(k.Service, user); l.Total != 1 || l.Data[0].UserID != own.Data[0].UserID {
		t.Errorf("of one user: %+v", l)
	}
	if l := get(k.NoInvoke, user); l.Total != 1 || l.Data[0].UserID == own.Data[0].UserID {
		t.Errorf("users see their own: %+v", l)
	}
	if l := get(k.Service, "?current_page=1&page_size=1"); l.Total != 2 || len(l.Data) != 1 {
		t.Errorf("second page: %+v", l)
	}

	if r := send(t, "DELETE", connections, "", "x-portkey-api-key: "+k.Service); r.status != 400 {
		t.Errorf("whose? %d %s", r.status, r.body)
	}
	r := send(t, "DELETE", connections, "", "x-portkey-api-key: "+k.User)
	if r.status != 200 || r.body != `{"success":true}` || g.Consented(k.User, "linear") || !g.Consented(k.NoInvoke, "linear") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := rpc(t, g, k.User, "/linear/mcp", listCall); r.status != 401 {
		t.Errorf("after revocation: %d", r.status)
	}
}
