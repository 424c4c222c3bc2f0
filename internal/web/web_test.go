package web

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

const testKey = "pk-test-0123456789abcdef"

func newClient(t *testing.T, o Options) *http.Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// post sends a POST with a key for every origin that is given, and returns the answer's status and body.
func post(t *testing.T, c *http.Client, address string, origins ...string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("the body"))
	if err != nil {
		t.Fatal(err)
	}
	Key{Value: secret.New(testKey), Origins: origins}.Authorize(r)
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// echo answers with what it got: the method, the key and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Method+" "+r.Header.Get(PortkeyHeader)+" "+string(body))
}

func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed to another origin, with key %q", r.Header.Get(PortkeyHeader))
	}))
	defer other.Close()
	port := parse(t, other.URL).Port()
	targets := map[string]string{
		"same":   "/echo",
		"port":   other.URL + "/",
		"scheme": "https://127.0.0.1:" + port + "/",
		"host":   "http://localhost:" + port + "/",
		"loop":   "/loop/307",
	}
	var looped atomic.Int32
	statuses := map[string]int{"301": 301, "302": 302, "303": 303, "307": 307, "308": 308}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		where, code, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if where == "echo" {
			echo(w, r)
			return
		}
		if where == "loop" {
			looped.Add(1)
		}
		w.Header().Set("Location", targets[where])
		w.WriteHeader(statuses[code])
	}))
	defer s.Close()
	c := newClient(t, Options{})
	for where := range targets {
		for code, number := range statuses {
			looped.Store(0)
			status, body, err := post(t, c, s.URL+"/"+where+"/"+code, s.URL)
			followed := where == "same" && (number == 307 || number == 308)
			switch {
			case err != nil:
				t.Errorf("%s %s: %v", where, code, err)
			case followed && (status != 200 || body != "POST "+testKey+" the body"):
				t.Errorf("%s %s: %d %q, want the same request again", where, code, status, body)
			case !followed && where != "loop" && status != number:
				t.Errorf("%s %s: %d %q, want the redirect itself", where, code, status, body)
			case where == "loop" && (status < 300 || status > 399 || looped.Load() > 1+maxRedirects):
				t.Errorf("%s %s: %d after %d requests, want a redirect in the end", where, code, status, looped.Load())
			}
		}
	}
}

func TestKeyGoesOnlyToItsOrigins(t *testing.T) {
	for _, tt := range []struct {
		address string
		goes    bool
	}{
		{"https://mcp.example/linear/mcp", true},
		{"https://MCP.example:443/", true},
		{"https://mcp.example:8443/", false},
		{"http://mcp.example/", false},
		{"https://mcp.example.evil.example/", false},
		{"https://evil.example/https://mcp.example", false},
		{"https://mcp.example@evil.example/", false},
		{"http://[::1]:8788/", true},
	} {
		for _, header := range []string{"", PortkeyHeader, AuthorizationHeader} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL = parse(t, tt.address)
			k := Key{Value: secret.New(testKey), Header: header, Origins: []string{"https://mcp.example", "http://[::1]:8788"}}
			went := k.Authorize(r)
			raw, bearer := "", ""
			if tt.goes {
				raw = testKey
				if header == AuthorizationHeader {
					raw, bearer = "", "Bearer "+testKey
				}
			}
			if went != tt.goes || k.MayGoTo(r.URL) != tt.goes || r.Header.Get(PortkeyHeader) != raw || r.Header.Get("Authorization") != bearer {
				t.Errorf("%s as %q: %v, %q", tt.address, header, went, r.Header)
			}
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://mcp.example/", nil)
	if (Key{Origins: []string{"https://mcp.example"}}).Authorize(r) || len(r.Header) > 0 {
		t.Error("an empty key was sent")
	}
	if got := (Key{Value: secret.New(testKey)}).Redact("a " + testKey + "b"); got != "a [redacted]b" {
		t.Errorf("Redact: %q", got)
	}
	if got := (Key{}).Redact("abc"); got != "abc" {
		t.Errorf("Redact without a key: %q", got)
	}
}

func TestPlainHTTP(t *testing.T) {
	for address, allowed := range map[string]bool{
		"https://mcp.example/":           true,
		"http://127.0.0.1:8788/":         true,
		"http://127.9.9.9/":              true,
		"http://[::1]/":                  true,
		"http://localhost/":              true,
		"http://trusted.example:8788/x":  true,
		"http://trusted.example/":        false,
		"http://mcp.example/":            false,
		"http://localhost.evil.example/": false,
		"http://127.0.0.1.evil.example/": false,
		"http://0.0.0.0/":                false,
		"http://10.0.0.1/":               false,
		"ftp://mcp.example/":             false,
		"file:///etc/passwd":             false,
		"mcp.example":                    false,
	} {
		err := CheckURL(parse(t, address), []string{"http://trusted.example:8788"})
		if (err == nil) != allowed || (err != nil && problem.NextStep(err) == "") {
			t.Errorf("%s: %v", address, err)
		}
	}
	_, _, err := post(t, newClient(t, Options{}), "http://mcp.example/a?token=x", "http://mcp.example")
	if err == nil || !strings.Contains(Describe(err), "plain http") || strings.Contains(Describe(err), "token") {
		t.Errorf("plain http to another machine: %v", err)
	}
}

func TestProxy(t *testing.T) {
	proxied := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied <- r.Method + " " + r.Host + " " + r.Header.Get(PortkeyHeader)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	s := httptest.NewServer(http.HandlerFunc(echo))
	defer s.Close()
	for _, tt := range []struct{ env, setting string }{{proxy.URL, ""}, {"http://127.0.0.1:1", proxy.URL}} {
		o := Options{Proxy: tt.setting}
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
			t.Setenv(name, tt.env)
		}
		t.Setenv("NO_PROXY", "direct.example")
		t.Setenv("no_proxy", "direct.example")
		c := newClient(t, o)
		if status, body, err := post(t, c, s.URL, s.URL); err != nil || status != 200 || body != "POST "+testKey+" the body" {
			t.Errorf("http: %d %q %v", status, body, err)
		}
		if len(proxied) > 0 {
			t.Errorf("plain http went through the proxy: %s", <-proxied)
		}
		_, _, err := post(t, c, "https://mcp.example/", "https://mcp.example")
		select {
		case got := <-proxied:
			if got != "CONNECT mcp.example:443 " {
				t.Errorf("the proxy got %q", got)
			}
		default:
			t.Errorf("https went past the proxy: %v", err)
		}
		find, _, err := proxyFunc(o.Proxy)
		if err != nil {
			t.Fatal(err)
		}
		for address, wants := range map[string]bool{"https://mcp.example/": true, "https://direct.example/": false, "http://allowed.example/": false} {
			u, err := find(&http.Request{URL: parse(t, address)})
			if err != nil || (u != nil) != wants {
				t.Errorf("proxy for %s: %v, %v", address, u, err)
			}
		}
	}
	if _, err := New(Options{Proxy: "user:secret@host"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a bad proxy: %v", err)
	}
}

func TestCAFile(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer s.Close()
	s.Config.ErrorLog = nil
	file := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, err := post(t, newClient(t, Options{CAFile: file}), s.URL, s.URL); err != nil || status != 200 {
		t.Errorf("with ca_file: %d %v", status, err)
	}
	if _, _, err := post(t, newClient(t, Options{}), s.URL, s.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without ca_file: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{empty, file + ".none"} {
		if _, err := New(Options{CAFile: bad}); err == nil || !strings.Contains(err.Error(), bad) || !strings.Contains(problem.NextStep(err), "ca_file") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"HTTPS://MCP.Example:443/x?y#z": "https://mcp.example",
		"http://mcp.example:80":         "http://mcp.example",
		"https://mcp.example:80/":       "https://mcp.example:80",
		"https://user:pw@mcp.example/":  "https://mcp.example",
		"http://[::1]:80/":              "http://[::1]",
		"http://[::1]:8788/":            "http://[::1]:8788",
	} {
		if got := Origin(parse(t, address)); got != want {
			t.Errorf("Origin(%s) = %s, want %s", address, got, want)
		}
	}
	if got := Redact(parse(t, "https://me:pw@host.example/a?b=c#d")); got != "https://host.example/a" {
		t.Errorf("Redact: %s", got)
	}
}
