package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
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

// askConsent finds out whether a reply asks for the user's consent, and if so waits for it. done says that the reply has
// been dealt with; repeat then says that the request should be sent again.
func (b *Bridge) askConsent(ctx context.Context, x *exchange, r reply) (done, repeat bool) {
	if b.Consent == nil || r.body == nil {
		return false, false
	}
	flow := b.Consent.Find(Answer{r.status, r.header, r.body})
	if flow == nil {
		return false, false
	}
	if x.msg.is(methodDiscover) { // a probe; it is often sent by a copy of us that is killed a moment later
		b.deliver(x, consentNeeded(x, flow, nil))
		return true, false
	}
	if x.flow == nil {
		b.Log.Info("waiting for the user's consent", "method", unquote(x.msg.method), "host", flow.Host())
	}
	x.flow = flow
	wait, cancel := context.WithDeadline(x.ctx, x.began.Add(patienceFor(x)))
	defer cancel()
	stopProgress := b.reportProgress(x, flow)
	err := flow.Await(wait)
	stopProgress()
	if err == nil {
		return true, true
	}
	b.deliver(x, consentNeeded(x, flow, err)) // the flow goes on, and the next call profits from it
	return true, false
}

// consentNeeded is the answer to a request that could not wait any longer for the user. To a model that has called a tool
// it is a result, which models read out to their users; else an error.
func consentNeeded(x *exchange, flow Flow, err error) []byte {
	text := fmt.Sprintf("this server needs your consent first. Open this page, allow access, then ask again: %s", flow.URL())
	if flow.URL() == "" {
		text = "this server needs your consent first"
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		text = fmt.Sprintf("%s (%s)", text, err)
	}
	if x.msg.is(methodToolsCall) {
		return encode(map[string]any{
			"jsonrpc": mcp.JSONRPC_VERSION, "id": json.RawMessage(x.id),
			"result": map[string]any{"isError": true, "content": []any{map[string]string{"type": "text", "text": "mcpctl: " + text}}},
		})
	}
	return failure{reason: "consent_required", text: text, url: flow.URL()}.answer(x.id)
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
		"jsonrpc": mcp.JSONRPC_VERSION, "method": "notifications/progress",
		"params": map[string]any{
			"progressToken": json.RawMessage(token),
			"progress":      json.Number(fmt.Sprintf("%.4f", float64(step)/10000)),
			"message":       "Waiting for you to allow access at " + host + " (in your browser)",
		},
	})
}
