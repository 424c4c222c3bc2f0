package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// knock sends a request to a sign-in's listener, follows nothing, and returns the answer.
func knock(t *testing.T, l *Login, method, target, host string) (*http.Response, string) {
	t.Helper()
	base, err := url.Parse(l.redirect)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+base.Host+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

// TestT21: what has the wrong state is turned away with 400, before anything else of it is looked at, and the login still
// completes.
func TestT21WrongStateEndsNothing(t *testing.T) {
	g := gatewayWith(t, demo.Options{ConsentPage: "accept"})
	s := atGateway(t, t.TempDir(), g)
	l := begin(t, s)
	for _, query := range []string{"", "?code=stolen", "?state=&code=x", "?state=wrong&code=x", "?state=wrong&error=access_denied",
		"?state=" + l.state[:len(l.state)-1] + "&code=x", "?state=" + l.state + "x&code=x", "?state=" + l.state + "&state=" + l.state + "&code=x"} {
		if resp, body := knock(t, l, http.MethodGet, callbackPath+query, ""); resp.StatusCode != http.StatusBadRequest || strings.Contains(body, "stolen") {
			t.Errorf("%q: %d %s", query, resp.StatusCode, body)
		}
	}
	go visit(t, l.Page().String())
	if err := l.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if len(l.state) < 43 {
		t.Errorf("a state of %d characters has no 256 bits", len(l.state))
	}
}

// TestT22: a name that was made to resolve to this machine is turned away, as is every other path and method; and the listener is
// gone after its use, and after its time.
func TestT22ForeignHostAndClosing(t *testing.T) {
	g := gatewayWith(t, demo.Options{ConsentPage: "accept"})
	s := atGateway(t, t.TempDir(), g)
	l := begin(t, s)
	good := callbackPath + "?code=x&state=" + l.state
	for _, host := range []string{"evil.example", fmt.Sprint("localhost:", l.Port()), "127.0.0.1", "127.0.0.1:80", "[::1]:80"} {
		if resp, _ := knock(t, l, http.MethodGet, good, host); resp.StatusCode != http.StatusForbidden {
			t.Errorf("Host %s: %d", host, resp.StatusCode)
		}
	}
	for method, status := range map[string]int{http.MethodPost: 405, http.MethodHead: 405, http.MethodOptions: 405} {
		if resp, _ := knock(t, l, method, good, ""); resp.StatusCode != status {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
	for _, path := range []string{"/", "/favicon.ico", "/callback/", "//callback", "/Callback"} {
		if resp, _ := knock(t, l, http.MethodGet, path+"?code=x&state="+l.state, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	status, body := make(chan int, 1), make(chan string, 1)
	go func() { a, b := visit(t, l.Page().String()); status <- a; body <- b }()
	if err := l.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b := <-status, <-body; a != http.StatusOK || b != donePage {
		t.Errorf("the last page: %d %s", a, b)
	}
	closed(t, l)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	l = begin(t, s)
	if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	closed(t, l)
}

// closed waits until nobody listens any more.
func closed(t *testing.T, l *Login) {
	t.Helper()
	u, _ := url.Parse(l.redirect)
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(limit) {
			t.Fatal("it still listens")
		}
	}
}

// TestDonePage: nothing of a request is repeated, stored, framed, or passed on.
func TestDonePage(t *testing.T) {
	g := gatewayWith(t, demo.Options{ConsentPage: "accept"})
	l := begin(t, atGateway(t, t.TempDir(), g))
	resp, body := knock(t, l, http.MethodGet, donePath+"?x=<script>", "")
	if body != donePage || strings.Contains(body, "script") {
		t.Error(body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'"} {
		if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	first, _ := knock(t, l, http.MethodGet, callbackPath+"?error=server_error&error_description=<b>&state="+l.state, "")
	second, _ := knock(t, l, http.MethodGet, callbackPath+"?code=late&state="+l.state, "")
	if first.Header.Get("Location") != donePath || second.Header.Get("Location") != donePath {
		t.Error(first.Header, second.Header)
	}
	if err := l.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "server_error") || strings.Contains(err.Error(), "<b>") {
		t.Errorf("the first answer counts, and its description isn't shown: %v", err)
	}
}

// TestT23: an answer of another authorization server gets no token request, and nothing of it is shown.
func TestT23IssuerMismatch(t *testing.T) {
	g := gatewayWith(t, demo.Options{ConsentPage: "accept", AnswerIssuer: "right"})
	s := atGateway(t, t.TempDir(), g)
	issuer := g.GatewayURL() + "/linear/mcp"
	for _, query := range []url.Values{
		{"code": {"x"}, "iss": {"https://evil.example"}},
		{"code": {"x"}, "iss": {issuer + "/"}},
		{"code": {"x"}, "iss": {strings.ToUpper(issuer)}},
		{"code": {"x"}, "iss": {""}},
		{"code": {"x"}}, // announced, and not there
		{"error": {"shown_error"}, "error_description": {"shown"}, "iss": {"https://evil.example"}},
	} {
		l := begin(t, s)
		query.Set("state", l.state)
		knock(t, l, http.MethodGet, callbackPath+"?"+query.Encode(), "")
		if err := l.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "another authorization server") || strings.Contains(err.Error(), "shown") {
			t.Errorf("%v: %v", query, err)
		}
	}
	if n := requests(g, "/oauth/token"); n != 0 {
		t.Errorf("%d token requests", n)
	}
	login(t, s) // and the right one passes
}

// TestLoopbackClosedAtOnce: the port is free when close returns, also if the server hasn't got to run yet.
func TestLoopbackClosedAtOnce(t *testing.T) {
	for range 100 {
		b, err := listen(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		b.serve(b.redirect("127.0.0.1"), "state")
		b.close(false)
		if err := b.l.(*net.TCPListener).SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Fatal("it listens still:", err)
		}
	}
}
