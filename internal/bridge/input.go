package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxRounds is how often a server may ask for input before it answers a request.
const maxRounds = 10

// inputMethods are what a modern server may ask a client for (2026-07-28, "Multi Round-Trip Requests").
var inputMethods = map[string]bool{"sampling/createMessage": true, "elicitation/create": true, "roots/list": true}

// questions are the bridge's own requests to the client that have no answer yet, by id. The zero value is ready.
type questions struct {
	mu   sync.Mutex
	open map[string]chan message
}

// randomID is a text that nobody else has, in any generation of ids.
func randomID() string { return rand.Text() }

func (q *questions) add(id string) <-chan message {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]chan message{}
	}
	c := make(chan message, 1)
	q.open[id] = c
	return c
}

func (q *questions) remove(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, id)
}

// answer takes a response of the client if it is one to the bridge.
func (q *questions) answer(m message) bool {
	if !m.isResponse() {
		return false
	}
	id := unquote(m.id)
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.open[id]
	if c == nil {
		return false
	}
	delete(q.open, id)
	c <- m
	return true
}

// asksInput reports whether a response asks for input of a client that the bridge has to translate for.
func (x *exchange) asksInput(m *message) bool {
	return x.forward != nil && m != nil && asksForInput(*m)
}

// asksForInput reports whether a response is a result that asks for more input (2026-07-28, "Multi Round-Trip Requests").
func asksForInput(m message) bool {
	return m.special && unquote(member(m.result, "resultType")) == "input_required"
}

// giveInput asks the client what the server wants to know, and says that the request should be sent again, with the answers.
func (b *Bridge) giveInput(ctx context.Context, x *exchange, r reply) bool {
	if x.rounds == 0 {
		first := x.msg
		x.asIs = &first
	}
	x.rounds++
	state, wanted := member(r.msg.result, "requestState"), member(r.msg.result, "inputRequests")
	if x.rounds > maxRounds {
		b.deliver(x, failure{reason: "too_many_questions", text: fmt.Sprintf("the server asked for input %d times and gave no answer", x.rounds)}.answer(x.id))
		return false
	}
	var added []property
	if wanted != nil {
		answers, err := b.ask(ctx, wanted)
		switch {
		case ctx.Err() != nil:
			b.giveUp(x)
			return false
		case err != nil:
			b.deliver(x, failure{reason: "no_input", text: err.Error()}.answer(x.id))
			return false
		}
		added = append(added, property{"inputResponses", answers})
	} else if !b.moment(ctx, x) { // the server wants to be asked again, as it does when it is busy
		b.giveUp(x)
		return false
	}
	if state != nil {
		added = append(added, property{"requestState", state})
	}
	retry := withParams(*x.asIs, added)
	b.rewrite(x, retry.replaced(retry.id, encode("mcpctl-"+randomID())))
	return true
}

func (b *Bridge) moment(ctx context.Context, x *exchange) bool {
	select {
	case <-time.After(min(jitter(250*time.Millisecond<<x.rounds), 8*time.Second)):
		return true
	case <-ctx.Done():
		return false
	}
}

// ask sends the server's questions to the client, all at once, and returns the inputResponses.
func (b *Bridge) ask(ctx context.Context, wanted []byte) ([]byte, error) {
	type question struct {
		name   []byte
		method string
		id     string
		answer <-chan message
	}
	var list []question
	var err error
	eachMember(wanted, func(name, value []byte) {
		q := question{name: name, method: unquote(member(value, "method")), id: "mcpctl-" + randomID()}
		if !inputMethods[q.method] {
			err = fmt.Errorf("the server asked the client for %.40q, which is not among what a server may ask for", q.method)
			return
		}
		list = append(list, q)
		list[len(list)-1].answer = b.questions.add(q.id)
		if err == nil {
			b.out.write(questionFor(q.id, q.method, member(value, "params")), false)
		}
	})
	defer func() {
		for _, q := range list {
			b.questions.remove(q.id)
		}
	}()
	answers := []byte("{")
	for i, q := range list {
		if err != nil {
			return nil, err
		}
		if i > 0 {
			answers = append(answers, ',')
		}
		select {
		case m := <-q.answer:
			if m.result == nil {
				err = fmt.Errorf("the server asked for %s, and the client refused: %s", q.method, shorten(unquote(member(m.err, "message"))))
			}
			answers = append(append(append(answers, q.name...), ':'), m.result...)
		case <-ctx.Done():
			for _, q := range list[i:] {
				b.out.write(cancelled(encode(q.id), "the request that this belongs to is over"), false)
			}
			return nil, errors.New("the request is over")
		}
	}
	return append(answers, '}'), err
}

// questionFor is a request to the client. Revision 2025-11-25 wants an elicitationId where a user is sent to a URL; the later
// one has none, so it gets one.
func questionFor(id, method string, params []byte) []byte {
	m, _ := parse(encode(map[string]string{"jsonrpc": "2.0", "id": id, "method": method}))
	if isObject(params) {
		m = m.replaced(m.raw, withProperties(m.raw, []property{{"params", params}}))
	}
	if unquote(member(params, "mode")) == "url" && member(params, "elicitationId") == nil {
		m = withParams(m, []property{{"elicitationId", encode(id)}})
	}
	return oneLine(m).raw
}

// cancelled is the notification that the sender of the request id is no longer interested in it, or, of a
// subscriptions/listen, that the server has ended it.
func cancelled(id []byte, reason string) []byte {
	return slices.Concat([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`), id,
		[]byte(`,"reason":`), encode("mcpctl: "+reason), []byte(`}}`))
}
