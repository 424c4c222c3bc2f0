package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	for ip, want := range map[string]kind{
		"93.184.215.14": public, "2606:2800:220:1:248:1893:25c8:1946": public,
		"127.0.0.1": loopback, "127.9.9.9": loopback, "::1": loopback, "0.0.0.0": loopback, "::": loopback, "::ffff:127.0.0.1": loopback,
		"10.0.0.1": private, "172.16.0.1": private, "192.168.1.1": private, "fd00::1": private, "100.64.0.1": private, "::ffff:10.0.0.1": private,
		"169.254.169.254": linkLocal, "fe80::1": linkLocal, "224.0.0.1": unusable, "255.255.255.255": unusable,
	} {
		if got := kindOf(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

// TestBeside: a URL that a server on the internet names leads to no address of this machine or its networks; one that a
// server on this machine names may stay here.
func TestBeside(t *testing.T) {
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		}
	}))
	defer s.Close()
	far := newClient(t, Options{Beside: parse(t, "https://93.184.215.14/mcp")})
	for _, address := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1), "https://10.0.0.1/", "https://169.254.169.254/"} {
		if _, err := far.Get(address); err == nil || !strings.Contains(err.Error(), "where 93.184.215.14 isn't itself") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if requests != 0 {
		t.Fatal("it was reached")
	}
	near := newClient(t, Options{Beside: parse(t, s.URL)})
	resp, err := near.Get(s.URL + "/redirect")
	if err != nil || resp.StatusCode != http.StatusTemporaryRedirect || requests != 1 {
		t.Errorf("%v, %v, %d requests", resp, err, requests)
	}
	if _, err := near.Get("https://10.0.0.1/"); err == nil || !strings.Contains(err.Error(), "a private network") {
		t.Error(err)
	}
}

// TestBesideProxy: a proxy may be anywhere, but an address in the URL is looked at all the same.
func TestBesideProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host
		w.WriteHeader(http.StatusTeapot)
	}))
	defer proxy.Close()
	c := newClient(t, Options{Proxy: proxy.URL, Beside: parse(t, "https://93.184.215.14/mcp")})
	if _, err := c.Get("https://auth.example/"); err == nil || <-asked != "auth.example:443" {
		t.Errorf("the proxy wasn't asked: %v", err)
	}
	if _, err := c.Get("https://10.0.0.1/"); err == nil || !strings.Contains(err.Error(), "a private network") {
		t.Error(err)
	}
}
