package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// patience is how long a kind of client waits for an answer, less a margin in which ours still arrives.
type patience struct {
	client           string // the start of clientInfo.name, in lower case
	initialize, call time.Duration
}

// patiences comes from the clients' sources, settings and issue trackers. The first row that fits counts; the last one is
// what the official SDKs do by default (60 s).
var patiences = []patience{
	{"claude-ai", 55 * time.Second, 230 * time.Second}, // Claude Desktop
	{"claude-code", 25 * time.Second, 10 * time.Minute},
	{"cursor", 55 * time.Second, 280 * time.Second},
	{"visual studio code", 10 * time.Minute, 10 * time.Minute},
	{"codex", 8 * time.Second, 50 * time.Second},
	{"", 50 * time.Second, 50 * time.Second},
}

// patienceFor returns how long a request's client can be kept waiting for the user's consent.
func patienceFor(x *exchange) time.Duration {
	name := strings.ToLower(clientName(x))
	for _, p := range patiences {
		if strings.HasPrefix(name, p.client) {
			if x.msg.is(methodInitialize) {
				return p.initialize
			}
			return p.call
		}
	}
	return 0
}

func clientName(x *exchange) string {
	if x.modern {
		return unquote(member(member(member(x.msg.params, "_meta"), "io.modelcontextprotocol/clientInfo"), "name"))
	}
	if x.handshake == nil {
		return ""
	}
	return unquote(member(member(x.handshake.request.params, "clientInfo"), "name"))
}

// askConsent finds out whether a reply asks for the user's consent, and if so waits for it. last is Answer.Last. done says
// that the reply has been dealt with; repeat then says that the request should be sent again.
func (b *Bridge) askConsent(ctx context.Context, x *exchange, r reply, last bool) (done, repeat bool) {
	if b.Consent == nil || r.body == nil || x.begun() || visitsPages(x, r) {
		return false, false
	}
	flow, err := b.Consent.Find(ctx, Answer{r.status, r.header, r.body, last})
	switch {
	case err != nil:
		b.deliver(x, consentAnswer(x, failure{text: err.Error(), next: problem.NextStep(err)}))
		return true, false
	case flow == nil:
		return false, false
	case x.msg.is(methodDiscover): // a probe; it is often sent by a copy of us that is killed a moment later
		b.deliver(x, consentNeeded(x, flow, nil))
		return true, false
	}
	if x.flow == nil {
		b.Log.Info("waiting for the user's consent", "method", unquote(x.msg.method), "host", flow.Host())
	}
	x.flow = flow
	patience := b.Patience
	if patience == 0 {
		patience = patienceFor(x)
	}
	wait, cancel := context.WithDeadline(x.ctx, x.began.Add(patience))
	defer cancel()
	stopProgress := b.reportProgress(x, flow)
	err = flow.Await(wait)
	stopProgress()
	x.tries.since = time.Now()
	if err == nil {
		return true, true
	}
	b.deliver(x, consentNeeded(x, flow, err)) // the flow goes on, and the next call profits from it
	return true, false
}

// visitsPages reports whether a reply asks the client to let its user visit a page, and the client has said that it can (MCP
// 2025-11-25, "URL Mode Elicitation"; a capability without modes means forms alone). Such a reply passes.
func visitsPages(x *exchange, r reply) bool {
	if r.msg == nil || errorCode(r.msg) != mcp.URL_ELICITATION_REQUIRED {
		return false
	}
	var capabilities []byte
	switch {
	case x.modern:
		capabilities = member(member(x.msg.params, "_meta"), "io.modelcontextprotocol/clientCapabilities")
	case x.handshake != nil:
		capabilities = member(x.handshake.request.params, "capabilities")
	}
	return member(member(capabilities, "elicitation"), "url") != nil
}

// wantsInput reports whether a result asks for more input in the way of revision 2026-07-28 ("Multi Round-Trip Requests") a
// client that doesn't know it.
func wantsInput(x *exchange, r reply) bool {
	return !x.modern && !x.private && r.err == nil && r.msg != nil && asksForInput(*r.msg)
}

// consentNeeded is the answer to a request that could not wait any longer for the user.
func consentNeeded(x *exchange, flow Flow, err error) []byte {
	failed := err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
	if failed && problem.NextStep(err) != "" {
		return consentAnswer(x, failure{text: "this server needs your consent first, and " + err.Error(), next: problem.NextStep(err)})
	}
	text := fmt.Sprintf("this server needs your consent first. Open this page, allow access, then ask again: %s", flow.URL())
	if flow.URL() == "" {
		text = fmt.Sprintf("this server needs your consent first. Allow access on the page at %s that is open in your browser, then ask again", flow.Host())
	}
	switch detour := flow.Detour(); {
	case failed:
		text = fmt.Sprintf("%s (%s)", text, err)
	case detour != "":
		text = fmt.Sprintf("%s (%s)", text, detour)
	}
	return consentAnswer(x, failure{text: text, url: flow.URL()})
}

// consentAnswer says that consent is needed. To a model that has called a tool it is a result, which models read out to their
// users; else an error.
func consentAnswer(x *exchange, f failure) []byte {
	if x.msg.is(methodToolsCall) {
		return encode(map[string]any{
			"jsonrpc": mcp.JSONRPC_VERSION, "id": json.RawMessage(x.id),
			"result": map[string]any{"isError": true, "content": []any{map[string]string{"type": "text", "text": f.message()}}},
		})
	}
	f.reason = "consent_required"
	return f.answer(x.id)
}

var (
	insufficientScope = pattern.New(`(?i)error="?insufficient_scope`)
	wantedScope       = pattern.New(`(?i)\bscope=(?:"([^"]+)|([^",\s]+))`)
)

// missingScope returns the scope that an answer finds missing (RFC 6750, section 3.1), or "".
func missingScope(r reply) string {
	challenge := r.header.Get("WWW-Authenticate")
	m := wantedScope().FindStringSubmatch(challenge)
	if r.status != http.StatusForbidden || m == nil || !insufficientScope().MatchString(challenge) {
		return ""
	}
	return shorten(m[1] + m[2])
}

// progressPause is the time between two reports: clients that let progress extend their patience count 10 s and more.
const progressPause = 5 * time.Second

// reportProgress tells the client, if it gave a progress token, what is being waited for. The steps are tiny, since the
// server's own numbers follow and progress must always grow. It returns a function that stops it.
func (b *Bridge) reportProgress(x *exchange, flow Flow) (stop func()) {
	token := member(member(x.msg.params, "_meta"), "progressToken")
	if token == nil {
		return func() {}
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go b.guard("progress", func() {
		defer close(stopped)
		tick := time.NewTicker(progressPause)
		defer tick.Stop()
		for {
			x.progress++
			b.out.write(progressNotification(token, x.progress, flow.Host()), false)
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() { close(done); <-stopped }
}

func progressNotification(token []byte, step int, host string) []byte {
	return encode(map[string]any{
		"jsonrpc": mcp.JSONRPC_VERSION, "method": methodProgress,
		"params": map[string]any{
			"progressToken": json.RawMessage(token),
			"progress":      json.Number(fmt.Sprintf("%.4f", float64(step)/10000)),
			"message":       "Waiting for you to allow access at " + host + " (in your browser)",
		},
	})
}
