package conformance_test

import (
	"io"
	"net/http"
	"testing"
)

// TestResuming: streams that break off, and that the server can go on with.
func TestResuming(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B30 a stream that is cut inside an event": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Header.Get("Last-Event-ID") == "e-1":
					piece(w, "id: e-2\ndata: "+called("1", "a")+"\n\n")
				case r.Method == http.MethodGet && r.Header.Get("Last-Event-ID") != "":
					<-r.Context().Done() // for this server there is nothing more to come
				case m.Method == "tools/call":
					piece(w, "id: e-1\nretry: 10\ndata:\n\nid: e-2\nevent: message\ndata: "+called("1", "a")[:20])
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.want(called("1", "a"))
			p.nothing()
		},
		"B30 a listening stream that is cut inside an event": func(t *testing.T) {
			const question = `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"sure?"}}`
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch {
				case r.Header.Get("Last-Event-ID") == "g-1":
					piece(w, "id: g-2\ndata: "+question+"\n\n")
					<-r.Context().Done()
				case r.Method == http.MethodGet && r.Header.Get("Last-Event-ID") != "":
					<-r.Context().Done()
				case r.Method == http.MethodGet:
					piece(w, "id: g-1\nretry: 10\ndata:\n\nid: g-2\ndata: "+question[:20])
				default:
					legacy(w, r, m)
				}
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.want(question)
		},
	})
}

// piece sends a part of a stream.
func piece(w http.ResponseWriter, part string) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, part)
	w.(http.Flusher).Flush()
}
