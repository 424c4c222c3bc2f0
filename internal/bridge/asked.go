package bridge

import (
	"bytes"
	"sync"
)

const (
	// maxAsked is how many questions of the server's are remembered, and maxAskedID how long the id of one may be, in bytes.
	maxAsked   = 1000
	maxAskedID = 256
)

// asked are the server's requests to the client that have no response yet, by the id that the client knows. Servers count their
// requests anew in each session, so a response must go to the session that asked, and to no other. The zero value is ready.
type asked struct {
	mu   sync.Mutex
	open map[string]*question
}

// question is a request of the server's to the client.
type question struct {
	session *session
	id      []byte // as the server wrote it
}

// relay passes on a message that the server sent in the session s of its own accord.
func (b *Bridge) relay(m message, s *session, more bool) {
	switch {
	case s == nil:
	case m.isRequest():
		m = b.asked.add(m, s)
	case string(m.method) == `"`+methodCancelled+`"`:
		m = b.asked.withdraw(m, s)
	}
	b.out.write(m.raw, more)
}

// add takes note of a question, and returns it as the client should see it: with another id if one of another session has the
// same.
func (a *asked) add(m message, s *session) message {
	if len(m.id) > maxAskedID {
		return m
	}
	q := &question{s, bytes.Clone(m.id)}
	id := q.id
	a.mu.Lock()
	defer a.mu.Unlock()
	if same := a.open[string(id)]; same != nil && same.session != s {
		id = encode("mcpctl-" + randomID())
		m = message{raw: withID(m, id)}
	}
	if a.open == nil {
		a.open = map[string]*question{}
	}
	for other := range a.open {
		if len(a.open) < maxAsked {
			break
		}
		delete(a.open, other)
	}
	a.open[string(id)] = q
	return m
}

// withdraw forgets the question that the server itself cancels, and returns the notification as the client should see it.
func (a *asked) withdraw(m message, s *session) message {
	id := member(m.params, "requestId")
	a.mu.Lock()
	defer a.mu.Unlock()
	for known, q := range a.open {
		if q.session == s && bytes.Equal(q.id, id) {
			delete(a.open, known)
			if known != string(id) {
				return m.replaced(id, []byte(known))
			}
		}
	}
	return m
}

// answered returns the client's response with the id that the server knows, and the question that it answers, nil if that isn't
// known.
func (a *asked) answered(m message) (message, *question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.open[string(m.id)]
	if q == nil {
		return m, nil
	}
	delete(a.open, string(m.id))
	if !bytes.Equal(q.id, m.id) {
		m, _ = parse(withID(m, q.id))
	}
	return m, q
}

// answeredIn reports whether a response to a question is in an array: it has to go to the session that asked, with the id that it knows.
func (a *asked) answeredIn(batch message) (found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	members(batch, func(m message) { found = found || m.isResponse() && a.open[string(m.id)] != nil })
	return found
}

// of returns the ids of the questions of a session.
func (a *asked) of(s *session) (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, q := range a.open {
		if q.session == s {
			ids = append(ids, id)
		}
	}
	return ids
}
