package web

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"sync/atomic"
)

// WithCookies returns a client like c that keeps the cookies of u's origin and gives them back to it alone, port and scheme
// included: load balancers tell by them which server has a session. They are in memory, and of its domain others get none.
func WithCookies(c *http.Client, u *url.URL) *http.Client {
	own := *c
	own.Jar = &cookies{origin: Origin(u)}
	return &own
}

// maxCookies is how many cookies are kept: as many as browsers have to (RFC 6265, section 6.1). A server that sets one of another
// name with each answer would soon get a header that it refuses.
const maxCookies = 50

// cookies is an http.CookieJar for one origin.
type cookies struct {
	origin string
	jar    atomic.Pointer[cookiejar.Jar] // nil before the first cookie: most servers set none
}

// SetCookies implements http.CookieJar.
func (c *cookies) SetCookies(u *url.URL, list []*http.Cookie) {
	if Origin(u) != c.origin {
		return
	}
	if c.jar.Load() == nil {
		jar, _ := cookiejar.New(nil) // never fails
		c.jar.CompareAndSwap(nil, jar)
	}
	list = slices.Clone(list)
	for i, cookie := range list {
		hostOnly := *cookie
		hostOnly.Domain = ""
		list[i] = &hostOnly
	}
	if len(c.jar.Load().Cookies(u))+len(list) > maxCookies { // of many names only the latest can matter
		jar, _ := cookiejar.New(nil)
		c.jar.Store(jar)
	}
	c.jar.Load().SetCookies(u, list[:min(len(list), maxCookies)])
}

// Cookies implements http.CookieJar.
func (c *cookies) Cookies(u *url.URL) []*http.Cookie {
	jar := c.jar.Load()
	if jar == nil || Origin(u) != c.origin {
		return nil
	}
	return jar.Cookies(u)
}
