package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxRequests is how many requests are remembered.
const maxRequests = 10_000

// Request is a request that arrived at one of the listeners.
type Request struct {
	Listener string // "gateway" or "control-plane"
	Method   string
	Path     string
	// RPCMethod is the method of the JSON-RPC message in the body, or those of a batch with commas between; "" for a
	// response or another body.
	RPCMethod string
	// Status is the HTTP status; 0 while the request is being answered.
	Status int
	// Credentials names the headers with a credential that were there: "x-portkey-api-key", "authorization", "cookie".
	Credentials []string
	// Trace and Metadata are the labels x-portkey-trace-id and x-portkey-metadata.
	Trace, Metadata string
	Time            time.Time // of arrival
}

// record is what the gateway remembers of its requests, in the order of their arrival.
type record struct {
	mu       sync.Mutex
	requests []*Request
}

func (r *record) add(request *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requests) == maxRequests {
		r.requests = r.requests[1:]
	}
	r.requests = append(r.requests, request)
}

func (r *record) answered(request *Request, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	request.Status = status
}

func (r *record) list() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Request, len(r.requests))
	for i, request := range r.requests {
		list[i] = *request
	}
	return list
}

// recorded reads each request's body, for the record and for whoever looks at it later, and passes the request on to h.
func (g *Gateway) recorded(listener string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.enter() {
			panic(http.ErrAbortHandler)
		}
		defer g.running.Done()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the client has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := &Request{Listener: listener, Method: r.Method, Path: r.URL.Path, RPCMethod: rpcMethods(body), Time: time.Now(),
			Trace: r.Header.Get("x-portkey-trace-id"), Metadata: r.Header.Get("x-portkey-metadata")}
		for _, name := range []string{"authorization", "cookie", "x-portkey-api-key"} {
			if r.Header.Get(name) != "" {
				request.Credentials = append(request.Credentials, name)
			}
		}
		g.record.add(request)
		h.ServeHTTP(&responseWriter{ResponseWriter: w, split: g.o.SSESplit, answered: func(status int) {
			g.record.answered(request, status)
			g.log.Info("request", "listener", listener, "method", r.Method, "path", request.Path, "rpc", request.RPCMethod, "status", status)
		}}, r)
	})
}

func rpcMethods(body []byte) string {
	type message struct {
		Method string `json:"method"`
	}
	var one message
	if json.Unmarshal(body, &one) == nil {
		return one.Method
	}
	var many []message
	if json.Unmarshal(body, &many) != nil {
		return ""
	}
	methods := make([]string, len(many))
	for i, m := range many {
		methods[i] = m.Method
	}
	return strings.Join(methods, ",")
}

// responseWriter tells the status, and cuts event streams into chunks of split bytes if split isn't 0.
type responseWriter struct {
	http.ResponseWriter
	split    int
	answered func(status int)
	told     bool
}

func (w *responseWriter) WriteHeader(status int) {
	if status >= 200 && !w.told {
		w.told = true
		w.answered(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	if w.split == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		return w.ResponseWriter.Write(p)
	}
	written := 0
	for written < len(p) {
		n, err := w.ResponseWriter.Write(p[written:min(written+w.split, len(p))])
		written += n
		if err != nil {
			return written, err
		}
		if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Unwrap lets http.ResponseController flush.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
