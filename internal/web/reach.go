package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// kind is a kind of network address, by who can be found there.
type kind string

const (
	public    kind = "public"
	loopback  kind = "this machine"
	private   kind = "a private network"
	linkLocal kind = "this machine's own link" // where clouds keep their metadata services
	unusable  kind = "no machine"
)

// sharedSpace is the address space of carriers behind one address (RFC 6598), which is as private as that of RFC 1918.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func kindOf(ip netip.Addr) kind {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback(), ip.IsUnspecified(): // the latter connects to this machine
		return loopback
	case ip.IsLinkLocalUnicast():
		return linkLocal
	case ip.IsPrivate(), sharedSpace.Contains(ip):
		return private
	case !ip.IsGlobalUnicast():
		return unusable
	}
	return public
}

// reach keeps a client from addresses that the machine which names a URL could not reach itself: else a server on the
// internet could have requests sent into the network of its user.
type reach struct {
	beside string // a host
	proxy  string // HOST:PORT of the proxy, which resolves names by itself; "" if there is none

	once  sync.Once
	kinds map[kind]bool
}

// dial looks at the address that a name was resolved to, not at the name, which may change its mind.
func (r *reach) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if r.proxy != "" && addr == r.proxy {
		return dial(ctx, network, addr)
	}
	return dialWith(ctx, network, addr, func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errors.New("that is no network address")
		}
		return r.check(ctx, ap.Addr().String())
	})
}

// check refuses an address out of reach. What is a name is looked at when it has been resolved, or is left to a proxy that
// resolves it.
func (r *reach) check(ctx context.Context, host string) error {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	if k := kindOf(ip); k != public && !r.allows(ctx, k) {
		return fmt.Errorf("the address %s belongs to %s, where %s isn't itself", ip, k, r.beside)
	}
	return nil
}

func (r *reach) allows(ctx context.Context, k kind) bool {
	r.once.Do(func() {
		r.kinds = map[kind]bool{}
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		ips, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", r.beside) // a name that can't be resolved is nowhere special
		for _, ip := range ips {
			r.kinds[kindOf(ip)] = true
		}
	})
	return r.kinds[k]
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// hostPort returns HOST:PORT of a proxy's URL, as net/http dials it.
func hostPort(proxy string) string {
	if proxy == "" {
		return ""
	}
	if !strings.Contains(proxy, "://") {
		proxy = "http://" + proxy
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
