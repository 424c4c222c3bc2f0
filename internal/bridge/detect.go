package bridge

import (
	"context"
	"net/http"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// detectTime is how long a server may take to show that it speaks the oldest transport.
const detectTime = 5 * time.Second

// explainOld finds out whether initialize failed because the server speaks HTTP+SSE, the transport of revision 2024-11-05,
// which revisions since 2025-03-26 have deprecated: it refuses the POST, and answers a GET with a stream whose first event
// is named endpoint (2025-03-26, "Backwards Compatibility").
func (b *Bridge) explainOld(x *exchange, r reply) (failure, bool) {
	if !x.msg.is(methodInitialize) || r.err != nil {
		return failure{}, false
	}
	switch r.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
	default:
		return failure{}, false
	}
	ctx, cancel := context.WithTimeout(x.ctx, detectTime)
	defer cancel()
	resp, err := b.get(ctx, nil, "")
	if err != nil {
		return failure{}, false
	}
	defer resp.Body.Close()
	if !isStream(resp) {
		return failure{}, false
	}
	first, err := new(buffers).reader(resp.Body, func() {}).next(func([]byte) bool { return false })
	if err != nil || first.name != "endpoint" {
		return failure{}, false
	}
	return failure{
		reason: "old_transport", status: r.status,
		text: web.Redact(b.URL) + " speaks HTTP+SSE, the transport of 2024-11-05, which MCP has replaced and mcpctl doesn't speak",
		next: "use the server's streamable HTTP address, which often ends in /mcp; if it has none, it needs an update",
	}, true
}
