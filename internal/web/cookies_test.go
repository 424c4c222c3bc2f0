package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
)

// TestCookies: a cookie goes back to where it came from, and nowhere else.
func TestCookies(t *testing.T) {
	home, _ := url.Parse("https://mcp.example/a/mcp")
	jar := WithCookies(&http.Client{}, home).Jar
	if got := jar.Cookies(home); got != nil {
		t.Errorf("%v before there are any", got)
	}
	jar.SetCookies(home, []*http.Cookie{{Name: "lb", Value: "1", Path: "/"}, {Name: "wide", Value: "2", Domain: "example", Path: "/"}, {Name: "deep", Value: "3", Path: "/b"}})
	for address, want := range map[string]int{
		"https://mcp.example/a/mcp":     2,
		"https://mcp.example:443/x":     2,
		"https://mcp.example/b/x":       3,
		"http://mcp.example/a/mcp":      0,
		"https://mcp.example:8443/":     0,
		"https://sub.mcp.example/a/mcp": 0,
		"https://example/":              0,
	} {
		u, _ := url.Parse(address)
		if got := jar.Cookies(u); len(got) != want {
			t.Errorf("%s: %v, want %d", address, got, want)
		}
	}
	foreign, _ := url.Parse("https://mcp.example:8443/")
	jar.SetCookies(foreign, []*http.Cookie{{Name: "x", Value: "1"}})
	if got := append(jar.Cookies(foreign), jar.Cookies(home)...); len(got) != 2 {
		t.Errorf("another origin's: %v", got)
	}
}

// TestManyCookies: a server that sets one of another name with each answer doesn't get them all back, but the latest.
func TestManyCookies(t *testing.T) {
	home, _ := url.Parse("https://mcp.example/mcp")
	jar := WithCookies(&http.Client{}, home).Jar
	for i := range 10 * maxCookies {
		name := fmt.Sprint("c", i)
		jar.SetCookies(home, []*http.Cookie{{Name: "lb", Value: "1"}, {Name: name, Value: "1"}})
		got := jar.Cookies(home)
		has := func(name string) bool {
			return slices.ContainsFunc(got, func(c *http.Cookie) bool { return c.Name == name })
		}
		if len(got) > maxCookies || !has(name) || !has("lb") {
			t.Fatalf("%d cookies after %d: %v", len(got), i, got)
		}
	}
}

// TestCookiesAtRedirects: they follow a redirect within the origin, and one to another isn't followed at all.
func TestCookiesAtRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s there: %v", r.URL, r.Header) }))
	defer other.Close()
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.Path+" "+r.Header.Get("Cookie"))
		switch r.URL.Path {
		case "/mcp":
			http.SetCookie(w, &http.Cookie{Name: "lb", Value: "1", Path: "/"})
			http.Redirect(w, r, "/mcp/", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	}))
	defer s.Close()
	client, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	home, _ := url.Parse(s.URL + "/mcp")
	own := WithCookies(client, home)
	for _, path := range []string{"/mcp", "/away"} {
		r, err := http.NewRequest(http.MethodPost, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "mine=1")
		resp, err := own.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if want := []string{"/mcp mine=1", "/mcp/ mine=1; lb=1", "/away mine=1; lb=1"}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %q, want %q", got, want)
	}
	if client.Jar != nil {
		t.Error("the client itself has got a jar")
	}
}
