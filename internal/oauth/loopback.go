package oauth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"crypto/sha256"
	"encoding/base64"
)

// callbackPath is where the browser is sent back to, and donePath where it goes from there: an address without a code in
// it, which may stand in its history.
const (
	callbackPath = "/callback"
	donePath     = "/done"
)

// doneTime is how long the browser may take to fetch the last page.
const doneTime = time.Second

// loopback waits on this machine for the one request that brings the authorization server's answer (RFC 8252, section 7.3). Any
// web page, and any program here, can send requests to it as well: what isn't the answer is turned away, and ends nothing.
type loopback struct {
	l     net.Listener
	port  int
	host  string // as the redirect address spells it: what a browser sends as Host
	state string

	server *http.Server
	once   sync.Once
	answer chan url.Values // the query of the one request that fits
	shown  chan struct{}   // closed when the last page was fetched
	seen   sync.Once
}

// listen listens on a port, 0 for a free one. Requests wait until serve is called.
func listen(ctx context.Context, port int) (*loopback, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen for the browser's answer: %w", err)
	}
	return &loopback{l: l, port: l.Addr().(*net.TCPAddr).Port, answer: make(chan url.Values, 1), shown: make(chan struct{})}, nil
}

// redirect returns the address to send the browser back to, with a host that means this machine.
func (b *loopback) redirect(host string) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(b.port)) + callbackPath
}

// serve takes requests for a redirect address.
func (b *loopback) serve(redirect, state string) {
	u, _ := url.Parse(redirect) // made by redirect
	b.host, b.state = u.Host, state
	b.server = &http.Server{
		Handler: b, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		MaxHeaderBytes: 32 << 10,
	}
	go func() { _ = b.server.Serve(b.l) }()
}

// ServeHTTP implements http.Handler.
func (b *loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", contentPolicy())
	switch {
	case r.Host != b.host: // a name that somebody made resolve to 127.0.0.1
		http.Error(w, "not here", http.StatusForbidden)
	case r.Method != http.MethodGet:
		http.Error(w, "not so", http.StatusMethodNotAllowed)
	case r.URL.Path == donePath:
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(donePage))
		b.seen.Do(func() { close(b.shown) })
	case r.URL.Path != callbackPath:
		http.Error(w, "nothing here", http.StatusNotFound)
	default:
		b.callback(w, r)
	}
}

// callback looks at nothing but the state before that has turned out to be right.
func (b *loopback) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if len(query["state"]) != 1 || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(b.state)) != 1 {
		http.Error(w, "this is not the answer that mcpctl waits for", http.StatusBadRequest)
		return
	}
	b.once.Do(func() { b.answer <- query })
	w.Header().Set("Location", donePath)
	w.WriteHeader(http.StatusFound)
}

// close stops listening, after a moment for the last page if the answer has come.
func (b *loopback) close(answered bool) {
	if b.server == nil {
		b.l.Close()
		return
	}
	if answered {
		limit := time.NewTimer(doneTime)
		defer limit.Stop()
		select {
		case <-b.shown:
		case <-limit.C:
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if b.server.Shutdown(ctx) != nil {
		b.server.Close()
	}
	b.l.Close() // a server that hasn't begun to serve doesn't know of it yet, and would do so later
}

const doneStyle = `:root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;font:17px/1.5 system-ui,sans-serif}` +
	`main{max-width:26rem;padding:2rem;text-align:center}h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0;opacity:.75}`

// donePage is the same for every outcome, and repeats nothing of a request.
const donePage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>mcpctl</title><style>` + doneStyle + `</style></head>
<body><main><h1>Back to mcpctl</h1><p>It has the answer. You can close this window; your terminal, or your AI client, tells how it went.</p></main></body>
</html>
`

func contentPolicy() string {
	sum := sha256.Sum256([]byte(doneStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
