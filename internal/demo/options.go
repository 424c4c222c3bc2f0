package demo

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What the options of these names may be; the first is the default.
var (
	generations  = []string{"2.19", "2.2"}
	keyHeaders   = []string{"x-portkey-api-key", "authorization"}
	consentPages = []string{"ask", "accept", "deny", "never"}
	issuers      = []string{"path", "origin"}
	refusals     = []string{"400", "401", "502"}
	answerIssuer = []string{"none", "right", "wrong"}
)

// Options say how the gateway behaves. The zero value is a gateway of the newest generation in good health.
type Options struct {
	// GatewayAddr and ControlPlaneAddr are loopback addresses to listen on, HOST:PORT; "" means 127.0.0.1:0, a free port.
	GatewayAddr, ControlPlaneAddr string
	// BasePath is a path below which the whole gateway lives, such as "/m"; "" is the root.
	BasePath string
	// Consent is the shape in which a server says that the user must authorize it first; "" means "A", or "F" with
	// generation 2.2.
	//
	//	A       401 and a JSON-RPC error with the URL in data.authorizationUrl (handlers/mcpHandler.ts)
	//	B       the same within a 200 event stream (services/downstream.ts)
	//	C       a JSON-RPC error with JSON that holds authorization_url in its message and data (documentation)
	//	C-body  401 and a plain JSON object with authorization_url
	//	D       401 and a WWW-Authenticate header, no URL (mcp-index.ts)
	//	F       500 "Failed to restore session", no URL: what version 2.2.3 does
	//	G       the connection stands, but calls fail with the upstream's 401, no URL: consent lost half-way
	Consent string
	// UnclosedQuote leaves out the closing quote of resource_metadata="…" in WWW-Authenticate, as the source does.
	UnclosedQuote bool
	// Generation is "2.19" (""), or "2.2": no registry, no version in /health, and the page for consent leads nowhere when
	// it was asked for with an API key.
	Generation string
	// KeyHeader is the header in which a key is seen on both listeners: "x-portkey-api-key" ("") or "authorization" (as a
	// bearer).
	KeyHeader string
	// ConsentPage is what the user does: "ask" ("") shows a page with the buttons Allow and Deny; "accept" and "deny"
	// answer by themselves; "never" shows a page without buttons.
	ConsentPage string
	// StateLifetime is how long an authorization URL is good for; 0 means 10 minutes.
	StateLifetime time.Duration
	// RegistrationTime is how long a call without consent takes until it has registered with the upstream. It then deletes
	// the user's stored tokens, and with them a consent that was given in the meantime, as the source does.
	RegistrationTime time.Duration
	// Issuer is what the OAuth metadata calls the gateway: "path" (""), the id that the metadata was asked for, as RFC 8414
	// wants; or "origin", the base URL, which is the default with generation 2.2.
	Issuer string
	// AnswerIssuer says whether the answer to an authorization names the issuer (RFC 9207): "none" (""), "right", or "wrong".
	AnswerIssuer string
	// NullRegistration refuses to register OAuth clients in the way of the source: with status 201 and the body null.
	NullRegistration bool
	// TokenLifetime is how long an access token is good for; 0 means an hour.
	TokenLifetime time.Duration
	// RefreshRefusal is the status in which a refresh token is refused: "400" (""), "401" with WWW-Authenticate, or "502",
	// which is the default with generation 2.2.
	RefreshRefusal string
	// PageSize is the largest page of a listing, whatever is asked for; 0 means the API's own limit of 100.
	PageSize int
	// SSESplit cuts event streams into chunks of this many bytes; 0 means whole events.
	SSESplit int
	// Upstreams are further MCP servers (streamable HTTP), NAME → URL, put behind the gateway under their names.
	Upstreams map[string]string
	// UpstreamConsent names those of Upstreams that want each user's consent.
	UpstreamConsent []string
	// Log gets a line per request, without keys; nil means no log.
	Log *slog.Logger
}

// OptionError is an option that Start can't work with.
type OptionError struct{ reason string }

func (e *OptionError) Error() string { return e.reason }

func (o Options) withDefaults() Options {
	for field, value := range map[*string]string{
		&o.GatewayAddr: "127.0.0.1:0", &o.ControlPlaneAddr: "127.0.0.1:0", &o.Generation: generations[0],
		&o.KeyHeader: keyHeaders[0], &o.ConsentPage: consentPages[0], &o.AnswerIssuer: answerIssuer[0],
	} {
		if *field == "" {
			*field = value
		}
	}
	if o.Consent == "" {
		o.Consent = "A"
		if o.Generation == "2.2" {
			o.Consent = "F"
		}
	}
	old := map[bool]int{true: 1}[o.Generation == "2.2"]
	if o.Issuer == "" {
		o.Issuer = issuers[old]
	}
	if o.RefreshRefusal == "" {
		o.RefreshRefusal = refusals[2*old]
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = time.Hour
	}
	if o.StateLifetime == 0 {
		o.StateLifetime = 10 * time.Minute
	}
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) check() error {
	for _, c := range []struct {
		what, value string
		known       []string
	}{
		{"consent", o.Consent, slices.Sorted(maps.Keys(shapes()))},
		{"generation", o.Generation, generations},
		{"key header", o.KeyHeader, keyHeaders},
		{"consent page", o.ConsentPage, consentPages},
		{"issuer", o.Issuer, issuers},
		{"answer's issuer", o.AnswerIssuer, answerIssuer},
		{"refusal of a refresh", o.RefreshRefusal, refusals},
	} {
		if !slices.Contains(c.known, c.value) {
			return &OptionError{fmt.Sprintf("%s %q is not one of %s", c.what, c.value, strings.Join(c.known, ", "))}
		}
	}
	for _, addr := range []string{o.GatewayAddr, o.ControlPlaneAddr} {
		if err := checkLoopback(addr); err != nil {
			return err
		}
	}
	if o.BasePath != "" && (path.Clean(o.BasePath) != o.BasePath || o.BasePath[0] != '/' || (&url.URL{Path: o.BasePath}).EscapedPath() != o.BasePath) {
		return &OptionError{fmt.Sprintf("base path %q is not of the form /PATH", o.BasePath)}
	}
	for _, n := range []int{o.PageSize, o.SSESplit, int(o.StateLifetime), int(o.RegistrationTime), int(o.TokenLifetime)} {
		if n < 0 {
			return &OptionError{"sizes and times can't be negative"}
		}
	}
	return o.checkUpstreams()
}

// checkLoopback keeps the gateway off the network: its keys are shown to whoever started it, and its page for consent asks
// nobody who they are.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return &OptionError{fmt.Sprintf("address %q is not of the form HOST:PORT", addr)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &OptionError{fmt.Sprintf("address %q is not on loopback, and the demo has no protection against a network", addr)}
	}
	return nil
}

// checkUpstreams wants names as the control plane does for its slugs (Portkey-AI/openapi, CreateMcpServer).
func (o Options) checkUpstreams() error {
	slug := regexp.MustCompile(`^[a-zA-Z0-9_-]{3,50}$`)
	for name, address := range o.Upstreams {
		u, err := url.Parse(address)
		switch {
		case !slug.MatchString(name):
			return &OptionError{fmt.Sprintf("upstream name %q is not 3 to 50 of a-z, A-Z, 0-9, - and _", name)}
		case slices.ContainsFunc(builtIn(), func(s *server) bool { return s.slug == name }):
			return &OptionError{fmt.Sprintf("the demo has a server %q already", name)}
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return &OptionError{fmt.Sprintf("upstream %s: %q is not an http or https URL", name, address)}
		}
	}
	for _, name := range o.UpstreamConsent {
		if _, ok := o.Upstreams[name]; !ok {
			return &OptionError{fmt.Sprintf("consent for %q, which is not an upstream", name)}
		}
	}
	return nil
}
