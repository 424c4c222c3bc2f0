package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/mcpctl/mcpctl/internal/config"
)

// The headers by which the gateway joins MCP requests with LLM calls in its logs: labels, a JSON object of strings, and the id
// of a trace (Portkey's documentation, product/observability/metadata and traces).
const (
	metadataHeader = "X-Portkey-Metadata"
	traceHeader    = "X-Portkey-Trace-Id"
)

// labelTrace puts the labels of a trace on a request's headers.
func (a *app) labelTrace(ctx context.Context, h http.Header, t config.Trace) error {
	if t.ID != "" {
		id, err := a.headerValue(ctx, traceHeader, t.ID)
		if err != nil {
			return err
		}
		h.Set(traceHeader, id)
	}
	if len(t.Metadata) == 0 {
		return nil
	}
	labels := map[string]string{}
	for name, setting := range t.Metadata {
		value, err := a.headerValue(ctx, metadataHeader, setting)
		if err != nil {
			return err
		}
		labels[name] = value
	}
	text, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	h.Set(metadataHeader, ascii(string(text)))
	return nil
}

// ascii escapes what JSON lets stand for itself, but HTTP headers don't (RFC 9110, section 5.5).
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default: // a pair of surrogates
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
	}
	return b.String()
}

// traceEnv is the environment by which a program can put the labels of the bridge's requests to a server on its own, such as
// its LLM calls; t is the target of no server to get the labels of all.
func (a *app) traceEnv(ctx context.Context, s config.Settings, t target) ([]string, error) {
	h, err := a.bridgeHeader(ctx, s, t, nil)
	if err != nil {
		return nil, err
	}
	var env []string
	if id := h.Get(traceHeader); id != "" {
		env = append(env, "PORTKEY_TRACE_ID="+id)
	}
	if labels := h.Get(metadataHeader); labels != "" {
		env = append(env, "PORTKEY_METADATA="+labels)
	}
	return env, nil
}
