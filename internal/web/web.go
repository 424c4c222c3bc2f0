// Package web is the one HTTP client of mcpctl: it knows proxies and extra CAs, refuses plain http off this machine,
// and never carries a request to another origin.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/mcpctl/mcpctl/internal/polled"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Options configure New.
type Options struct {
	// CAFile is a PEM file whose certificates are trusted beside the system's; empty for none.
	CAFile string
	// Proxy is the URL of a proxy for https requests; empty leaves it to HTTPS_PROXY. NO_PROXY is obeyed either way.
	Proxy string
	// AllowHTTP lists the origins off loopback that may be spoken to over plain http.
	AllowHTTP []string
	// Beside, if not nil, is for a client of URLs that another machine names: it reaches public addresses, and beyond them
	// only the kinds of address (this machine, private, link-local) that the host of Beside has itself. It follows no
	// redirects.
	Beside *url.URL
}

// maxRedirects is how many redirects on one origin a request follows.
const maxRedirects = 3

// New returns a client with these rules:
//   - connecting takes 10 s at most, a TLS handshake 10 s; the request's context limits the rest;
//   - plain http goes only to loopback and to the origins of AllowHTTP, and never through a proxy, which would read
//     the key;
//   - of redirects, it follows only 307 and 308 within one origin, which keep method and body: net/http would turn a
//     POST into a GET, and would carry x-portkey-api-key to any host. Other redirects are returned as responses.
func New(o Options) (*http.Client, error) {
	roots, err := rootCAs(o.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, proxyAddr, err := proxyFunc(o.Proxy)
	if err != nil {
		return nil, err
	}
	connect, redirect := dial, sameOriginOnly
	var limits *reach
	if o.Beside != nil {
		limits = &reach{beside: o.Beside.Hostname(), proxy: proxyAddr}
		connect, redirect = limits.dial, noRedirects
	}
	t := &http.Transport{
		Proxy:               proxy,
		DialContext:         connect,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		// A dead peer is noticed by these pings, since a call itself has no deadline.
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,    // a compressed event stream arrives in lumps
		ReadBufferSize:      4 << 10, // small: a bridge may hold a hundred connections
		WriteBufferSize:     1 << 10, // headers and a small message; the rest of a large one isn't copied
	}
	return &http.Client{
		Transport:     &guard{next: t, allowHTTP: slices.Clone(o.AllowHTTP), reach: limits},
		CheckRedirect: redirect,
	}, nil
}

func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, problem.New("check the setting ca_file (--ca-file)", "read the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, problem.New("ca_file wants PEM: blocks that begin with -----BEGIN CERTIFICATE-----",
			"%s: no certificate in it", file)
	}
	return pool, nil
}

// proxyFunc returns what chooses the proxy for a request, and the proxy's HOST:PORT, "" if there is none.
func proxyFunc(setting string) (choose func(*http.Request) (*url.URL, error), addr string, err error) {
	env := httpproxy.FromEnvironment()
	if setting != "" {
		if u, err := url.Parse(setting); err != nil || u.Host == "" {
			return nil, "", problem.New("write it as http://HOST:PORT", "the setting proxy is not a URL")
		}
		env.HTTPSProxy = setting
	}
	find := env.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil
		}
		return find(r.URL)
	}, hostPort(env.HTTPSProxy), nil
}

// dial makes sure that "localhost" means this machine, whatever a resolver says: plain http goes there.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return dialWith(ctx, network, addr, nil)
}

// dialWith connects to no address that control refuses; nil takes all.
func dialWith(ctx context.Context, network, addr string, control func(network, address string, c syscall.RawConn) error) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: control}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && host == "localhost" && !tcp.IP.IsLoopback() {
		conn.Close()
		return nil, fmt.Errorf("localhost resolved to %s, which is another machine", tcp.IP)
	}
	return polled.Conn(conn), nil // a bridge's calls are small
}

// guard refuses plain http to other machines, and what is out of reach if that is limited.
type guard struct {
	next      *http.Transport
	allowHTTP []string
	reach     *reach // nil: no limit
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	err := CheckURL(r.URL, g.allowHTTP)
	if err == nil && g.reach != nil {
		err = g.reach.check(r.Context(), r.URL.Hostname())
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func sameOriginOnly(r *http.Request, via []*http.Request) error {
	keepsBody := r.Response != nil && (r.Response.StatusCode == http.StatusTemporaryRedirect ||
		r.Response.StatusCode == http.StatusPermanentRedirect)
	if !keepsBody || len(via) > maxRedirects || Origin(r.URL) != Origin(via[0].URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

// CheckURL reports why mcpctl would not send a request to u: a scheme other than https, or plain http to a host that
// is neither loopback nor in allowHTTP, a list of origins.
func CheckURL(u *url.URL, allowHTTP []string) error {
	switch {
	case u.Host == "":
		return problem.New("write it as https://HOST", "%q is not the URL of a server", Redact(u))
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return problem.New("write it as https://HOST", "%s: the scheme %q is not https", Redact(u), u.Scheme)
	case IsLoopback(u.Hostname()) || slices.Contains(allowHTTP, Origin(u)):
		return nil
	}
	return problem.New("use https, or add --allow-http if you trust every network on the way",
		"%s: plain http to another machine would show your key to the network", Origin(u))
}

// IsLoopback reports whether host is literally this machine: "localhost", an address in 127.0.0.0/8, or ::1.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// IsPortkey reports whether u is at portkey.ai or below it.
func IsPortkey(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return host == "portkey.ai" || strings.HasSuffix(host, ".portkey.ai")
}

// Origin returns scheme, host and port of u, the port left out where it is the scheme's own (RFC 6454).
func Origin(u *url.URL) string {
	host := u.Hostname()
	if net.ParseIP(host) != nil && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return strings.ToLower(u.Scheme + "://" + host)
	}
	return strings.ToLower(u.Scheme + "://" + host + ":" + port)
}

// Redact returns u without user, query and fragment, which may hold what nobody else should read.
func Redact(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Describe returns what went wrong with a request, without the query that a *url.Error would print.
func Describe(err error) string {
	var urlErr *url.Error
	if !errors.As(err, &urlErr) {
		return err.Error()
	}
	where := urlErr.URL
	if u, err := url.Parse(where); err == nil {
		where = Redact(u)
	}
	if urlErr.Timeout() && errors.Is(urlErr.Err, context.DeadlineExceeded) {
		return where + ": no answer in time"
	}
	return where + ": " + urlErr.Err.Error()
}
