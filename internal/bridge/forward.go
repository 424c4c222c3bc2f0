package bridge

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// A client that only knows initialize fails on a server that only knows revision 2026-07-28 and later
// (2026-07-28, "Versioning and Compatibility"). The bridge knows both, and helps out: not before the server has refused
// initialize in words that only such a server uses, so that other servers see nothing of it.

// modernRevision is what the bridge speaks for a client that doesn't.
const modernRevision = mcp.ProtocolVersion20260728

// forwarding is the other half of a handshake with a server that knows none: what the client's messages need to stand alone.
type forwarding struct {
	client       []property // clientInfo and clientCapabilities
	capabilities []byte     // the server's
	watch        watch

	mu    sync.Mutex
	level []byte // of the client's last logging/setLevel, as JSON; nil before
}

// refusals are the codes by which a modern server refuses initialize: the request lacks its headers and its _meta, names a
// revision that is too old, or is just unknown. The last two come from other servers too, so server/discover decides.
var refusals = []int{mcp.HEADER_MISMATCH, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, mcp.UNSUPPORTED_PROTOCOL_VERSION,
	mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS}

// refusedAsModern reports whether the answer to initialize is one that a modern server gives.
func refusedAsModern(x *exchange, r reply) bool {
	if !x.msg.is(methodInitialize) || x.private || r.msg == nil || r.msg.err == nil {
		return false
	}
	if supported := member(member(r.msg.err, "data"), "supported"); supported != nil {
		return contains(supported, modernRevision)
	}
	return slices.Contains(refusals, errorCode(r.msg))
}

func contains(list []byte, s string) bool {
	found := false
	elements(list, func(value []byte) { found = found || unquote(value) == s })
	return found
}

// fallForward answers initialize, which a modern server has refused, from what the server says of itself. It returns false,
// and has done nothing, if the server turns out not to be one.
func (b *Bridge) fallForward(ctx context.Context, x *exchange) bool {
	f := &forwarding{client: clientProperties(x.msg)}
	discover := withMeta(ownRequest(methodDiscover), f.meta())
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	r := b.roundTrip(ctx, newExchange(discover, x.handshake))
	if r.msg == nil || r.msg.result == nil || !contains(member(r.msg.result, "supportedVersions"), modernRevision) {
		b.Log.Info("the server refused initialize, and server/discover as well", "status", r.status, "error", describe(r.err))
		return false
	}
	f.capabilities = member(r.msg.result, "capabilities")
	b.Log.Info("the server knows no initialize; translating for the client", "revision", modernRevision)
	x.handshake.setForwarding(f)
	b.deliver(x, initializeResult(x, r.msg.result, b.URL.Host))
	return true
}

// clientProperties are what each modern request says of the client (2026-07-28, "_meta").
func clientProperties(initialize message) []property {
	capabilities := member(initialize.params, "capabilities")
	if !isObject(capabilities) {
		capabilities = []byte("{}")
	}
	list := []property{{mcp.MetaKeyClientCapabilities, capabilities}}
	if info := member(initialize.params, "clientInfo"); isObject(info) {
		list = append(list, property{mcp.MetaKeyClientInfo, info})
	}
	return list
}

// meta is what a request needs in its _meta.
func (f *forwarding) meta() []property {
	list := append([]property{{mcp.MetaKeyProtocolVersion, encode(modernRevision)}}, f.client...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.level != nil {
		list = append(list, property{mcp.MetaKeyLogLevel, f.level})
	}
	return list
}

// initializeResult is the answer to initialize that a legacy server would have given.
func initializeResult(x *exchange, discovered []byte, host string) []byte {
	result := map[string]any{
		"protocolVersion": mcp.NegotiateLegacyVersion(unquote(member(x.msg.params, "protocolVersion"))),
		"capabilities":    json.RawMessage("{}"),
		"serverInfo":      map[string]string{"name": host, "version": "unknown"},
	}
	for name, value := range map[string][]byte{
		"capabilities": member(discovered, "capabilities"),
		"serverInfo":   member(member(discovered, "_meta"), mcp.MetaKeyServerInfo),
	} {
		if isObject(value) {
			result[name] = json.RawMessage(value)
		}
	}
	if instructions := member(discovered, "instructions"); unquote(instructions) != "" {
		result["instructions"] = json.RawMessage(instructions)
	}
	return response(x.id, encode(result))
}

func response(id, result []byte) []byte {
	return slices.Concat([]byte(`{"jsonrpc":"2.0","id":`), id, []byte(`,"result":`), result, []byte(`}`))
}

// ownRequest is a request of the bridge's own.
func ownRequest(method string) message {
	m, _ := parse(encode(map[string]string{"jsonrpc": mcp.JSONRPC_VERSION, "id": "mcpctl-" + randomID(), "method": method}))
	return m
}

// forwarding returns what translates for the client, nil if its server needs no translation. It may be called on nil.
func (h *handshake) forwarding() *forwarding {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.forward
}

func (h *handshake) setForwarding(f *forwarding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forward = f
}

// forward turns a request into one that a modern server takes. It returns false if the bridge has answered it: what is left
// of sessions is between the client and us.
func (b *Bridge) forward(x *exchange) bool {
	f := x.handshake.forwarding()
	if f == nil || x.modern || x.msg.is(methodInitialize) {
		return true
	}
	switch unquote(x.msg.method) {
	case "ping":
	case "logging/setLevel":
		f.mu.Lock()
		f.level = member(x.msg.params, "level")
		f.mu.Unlock()
	case "resources/subscribe", "resources/unsubscribe":
		if fail := b.changeWatch(x, f); fail != nil {
			b.deliver(x, fail.answer(x.id))
			return false
		}
	default:
		x.forward = f
		b.rewrite(x, withMeta(x.msg, f.meta()))
		return true
	}
	b.deliver(x, response(x.id, []byte("{}")))
	return false
}

// rewrite changes what a request sends. The lock is for cancel, which reads it from outside.
func (b *Bridge) rewrite(x *exchange, m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x.msg, x.modern = m, m.isModern()
}

// forwardNotification deals with a notification or a response for a modern server: there are none that it takes
// (2026-07-28, "Sending Messages"). A cancellation closes the request's connection.
func (b *Bridge) forwardNotification(o outgoing, f *forwarding) {
	switch {
	case o.msg.is(methodInitialized):
		go b.guard("watch", func() { b.beginWatch(o.handshake, f) })
	case o.after != nil:
		o.after.stop()
	}
}
