package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/web"
)

var errOnlyAccepted = errors.New("the server accepted the request, and there is no stream on which an answer could come")

// failure is an error that the bridge itself answers with.
type failure struct {
	code   int    // JSON-RPC error code; 0 means -32603
	reason string // a stable word for programs
	text   string // what happened, for people
	next   string // what to do about it
	status int    // HTTP status, 0 if there was none
	after  time.Duration
	url    string // where the user can consent
}

// failureData is the data member of the error. Its names are a promise to programs.
type failureData struct {
	Source           string `json:"source"`
	Reason           string `json:"reason"`
	NextStep         string `json:"next_step,omitempty"`
	Status           int    `json:"status,omitempty"`
	RetryAfter       int    `json:"retry_after,omitempty"` // seconds
	AuthorizationURL string `json:"authorizationUrl,omitempty"`
}

// answer is the failure as a JSON-RPC response to id. The next step stands in the message as well, since most clients
// show that alone.
func (f failure) answer(id []byte) []byte {
	if f.code == 0 {
		f.code = mcp.INTERNAL_ERROR
	}
	if id == nil {
		id = []byte("null")
	}
	return encode(map[string]any{
		"jsonrpc": mcp.JSONRPC_VERSION,
		"id":      json.RawMessage(id),
		"error": map[string]any{
			"code":    f.code,
			"message": f.message(),
			"data": failureData{"mcpctl", f.reason, f.next, f.status, int((f.after + time.Second - 1) / time.Second),
				f.url},
		},
	})
}

func (f failure) message() string {
	text := "mcpctl: " + f.text
	if f.next != "" {
		text += ". " + upperFirst(f.next)
	}
	return text
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// encode is json.Marshal without the escapes for HTML, which make URLs unreadable.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // maps, strings and numbers alone
	return bytes.TrimSpace(buf.Bytes())
}

// explain says what a reply without an answer means.
func (b *Bridge) explain(x *exchange, r reply) failure {
	where := web.Redact(b.URL)
	f := failure{status: r.status}
	var (
		missing *noCredential
		bad     *badBody
	)
	switch {
	case errors.As(r.err, &missing):
		f.status, f.reason = 0, "not_logged_in"
		f.text, f.next = missing.Error(), nextStep(missing, "run mcpctl login in a terminal")
	case errors.Is(r.err, errOnlyAccepted):
		f.reason, f.text = "no_answer", fmt.Sprintf("%s answered %d: %s", where, r.status, r.err)
	case errors.As(r.err, &bad):
		f.reason = "bad_answer"
		f.text = fmt.Sprintf("%s answered %d with something that is not JSON-RPC: %s", where, r.status, excerpt(bad.body))
		f.next = "check that this is the URL of an MCP server"
	case errors.Is(r.err, context.DeadlineExceeded):
		f.reason, f.text = "timeout", where+" did not answer in time"
	case errors.Is(r.err, errTooLong):
		f.reason, f.text = "too_long", "the answer of "+where+" is "+errTooLong.Error()
	case r.err != nil && r.status == 0:
		f.reason, f.text = "unreachable", "can't reach the server: "+describe(r.err)
		f.next = nextStep(r.err, "check the URL, your network and the proxy; the next call tries again")
	case r.err != nil:
		f.reason, f.text = "no_answer", fmt.Sprintf("%s answered %d, but %s", where, r.status, describe(r.err))
		if !harmlessTwice(x.msg) {
			f.next = "look before you repeat it: the call may have been carried out"
		}
	case r.status >= 300 && r.status < 400:
		f.reason = "redirected"
		f.text = fmt.Sprintf("%s redirects (%d) to %s, and mcpctl carries nothing to another place", where, r.status, location(r.header))
		f.next = "use that URL if it is the right one"
	default:
		f = b.explainStatus(where, r)
	}
	return f
}

func (b *Bridge) explainStatus(where string, r reply) failure {
	f := failure{status: r.status, reason: "http_status", text: fmt.Sprintf("%s answered %d %s", where, r.status, http.StatusText(r.status))}
	if said := excerpt(r.body); said != "" {
		f.text += ": " + said
	}
	if after, ok := web.RetryAfter(r.header); ok {
		f.after = after
	}
	if scope := missingScope(r); scope != "" {
		f.reason, f.text, f.next = "insufficient_scope", f.text+fmt.Sprintf(" (it wants the scope %q)", scope), "use a credential that has this scope"
		return f
	}
	if b.Explain != nil {
		if reason, next := b.Explain(r.status, r.header, r.body); reason != "" {
			f.reason, f.next = reason, next
			return f
		}
	}
	switch r.status {
	case http.StatusUnauthorized:
		f.reason, f.next = "refused", "pass the credential that the server wants with --header"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		f.reason, f.next = "busy", "try again in a moment"
		if f.after > 0 {
			f.next = fmt.Sprintf("try again in %s", f.after.Round(time.Second))
		}
	case http.StatusRequestEntityTooLarge:
		f.reason, f.next = "too_large", "send less in one call"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		f.reason, f.next = "unreachable", "try again later: what is behind that address is away"
	}
	return f
}

func location(h http.Header) string {
	u, err := (&http.Response{Header: h}).Location()
	if err != nil {
		return "nowhere"
	}
	return web.Redact(u)
}

var (
	htmlTitle = pattern.New(`(?is)<title[^>]*>(.*?)</title>`)
	htmlTag   = pattern.New(`(?s)<[^>]*>`)
	spaces    = pattern.New(`\s+`)
)

// excerpt is what a person can use of a body that isn't JSON-RPC: an error's own words, a page's title, or its first 200
// characters.
func excerpt(body []byte) string {
	if said := errorWords(body); said != "" {
		return said
	}
	text := string(body[:min(len(body), 64<<10)])
	if m := htmlTitle().FindStringSubmatch(text); m != nil {
		text = html.UnescapeString(m[1])
	} else {
		text = htmlTag().ReplaceAllString(text, " ")
	}
	return shorten(text)
}

func shorten(text string) string {
	text = strings.TrimSpace(spaces().ReplaceAllString(strings.ToValidUTF8(text, "\ufffd"), " "))
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	return text
}

// errorWords finds the words in the forms of JSON errors that gateways and OAuth servers use.
func errorWords(body []byte) string {
	m, err := parse(bytes.TrimSpace(body))
	if err != nil || m.batch {
		return ""
	}
	for _, path := range [][]string{{"error_description"}, {"message"}, {"error", "message"}, {"data", "message"}, {"error"}, {"status"}} {
		v := m.raw
		for _, name := range path {
			v = member(v, name)
		}
		if s := unquote(v); s != "" {
			return shorten(s)
		}
	}
	return ""
}
