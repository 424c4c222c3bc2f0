package config

import "maps"

// Trace labels requests in the gateway's logs, beside those of LLM calls with the same labels. Values may name a variable,
// ${NAME}, as those of headers.
type Trace struct {
	Metadata map[string]string
	ID       string // of the trace that requests belong to; "" is none
}

// TraceOf returns the labels of requests to a server: those of all servers, over which its own go.
func (s Settings) TraceOf(server string) Trace {
	t := Trace{maps.Clone(s.Trace.Metadata), s.Trace.ID}
	own := s.ServerTraces[server]
	if t.Metadata == nil {
		t.Metadata = map[string]string{}
	}
	maps.Copy(t.Metadata, own.Metadata)
	if own.ID != "" {
		t.ID = own.ID
	}
	return t
}
