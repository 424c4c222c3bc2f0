package conformance_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// quiet is how long nothing has to happen for a test to believe that nothing will.
const quiet = 2 * time.Second

// forgetful is a server that loses sessions: it gives out session-1, session-2 and so on, and refuses the calls of some.
type forgetful struct {
	status int
	body   string
	refuse []string
	before func() // runs before a refusal

	mu    sync.Mutex
	count int
}

func (s *forgetful) serve(w http.ResponseWriter, r *http.Request, m rpc) {
	switch {
	case m.Method == "initialize":
		s.mu.Lock()
		s.count++
		id := fmt.Sprintf("session-%d", s.count)
		s.mu.Unlock()
		w.Header().Set("Mcp-Session-Id", id)
		answer(w, m, initializeResult)
	case m.Method == "tools/call" && slices.Contains(s.refuse, r.Header.Get("Mcp-Session-Id")):
		if s.before != nil {
			s.before()
		}
		w.WriteHeader(s.status)
		io.WriteString(w, s.body)
	default:
		legacy(w, r, m)
	}
}

// gate lets nobody pass before a number of others have come.
type gate struct{ wait sync.WaitGroup }

func (g *gate) need(n int) { g.wait.Add(n) }

func (g *gate) pass() {
	g.wait.Done()
	g.wait.Wait()
}
