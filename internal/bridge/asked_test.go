package bridge

import (
	"net/http"
	"strings"
	"testing"
)

// TestDeadQuestion: a response to what a lost session has asked goes nowhere, the client is told, and a question of the new one that
// has the same id gets its own response.
func TestDeadQuestion(t *testing.T) {
	const question = `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"?"}}`
	const kept = `{"jsonrpc":"2.0","id":2,"method":"elicitation/create"}`
	inStill(t, func(s *still, r *http.Request, m message, n int) *http.Response {
		session := r.Header.Get("Mcp-Session-Id")
		switch {
		case r.Method == http.MethodGet && session == "s-1":
			return openStream(r, question)
		case r.Method == http.MethodGet:
			return openStream(r, question, kept, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
		case m.is(methodInitialize) && n == 1:
			return stillOrdinary("s-1")(s, r, m, n)
		case session == "s-1" && m.is(methodToolsCall):
			return stillResponse(http.StatusNotFound, "")
		}
		return stillOrdinary("s-2")(s, r, m, n)
	}, func(s *still) {
		s.say(initLine)
		s.say(initializedLine)
		if got := s.lines(); len(got) != 2 || got[1] != question {
			t.Fatalf("%q", got)
		}
		s.say(call("5", "x"))
		var alias []byte
		var told, answered, withdrawn bool
		for _, line := range s.lines() {
			m, _ := parse([]byte(line))
			requestID := string(member(m.params, "requestId"))
			switch {
			case m.is("elicitation/create") && string(m.id) != "2":
				alias = m.id
			case m.is(methodCancelled):
				told, withdrawn = told || requestID == "1", withdrawn || requestID == "2"
			case m.isResponse():
				answered = string(m.id) == "5"
			}
		}
		if alias == nil || string(alias) == "1" || !told || !answered || !withdrawn {
			t.Fatalf("alias %s, told %v, answered %v, withdrawn %v", alias, told, answered, withdrawn)
		}
		before := len(s.got(""))
		s.say(`{"jsonrpc":"2.0","id":1,"result":{"for":"the first"}}`)
		s.say(`{"jsonrpc":"2.0","id":` + string(alias) + `,"result":{"for":"the second"}}`)
		if got := s.got("")[before:]; len(got) != 1 || got[0].session != "s-2" || got[0].body != `{"jsonrpc":"2.0","id":1,"result":{"for":"the second"}}` {
			t.Errorf("%+v", got)
		}
	})
}

// TestAskedAgain: a question whose id a server gives again gets its responses in the same session.
func TestAskedAgain(t *testing.T) {
	var a asked
	m, _ := parse([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
	s, other := &session{id: "s"}, &session{id: "t"}
	for range 2 {
		if got := a.add(m, s); string(got.raw) != string(m.raw) {
			t.Errorf("%s", got.raw)
		}
	}
	alias, _ := parse(a.add(m, other).raw)
	if string(alias.id) == "1" {
		t.Error("two questions have one id")
	}
	withdrawal, _ := parse([]byte(cancelLine("1")))
	if got := a.withdraw(withdrawal, other); string(member(got.params, "requestId")) != string(alias.id) {
		t.Errorf("%s", got.raw)
	}
	answer, _ := parse([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
	if _, q := a.answered(answer); q == nil || q.session != s {
		t.Errorf("%+v", q)
	}
	if _, q := a.answered(answer); q != nil || len(a.open) != 0 {
		t.Errorf("%+v, %d open", q, len(a.open))
	}
	for range 2 * maxAsked {
		a.add(ownRequest("ping"), s)
	}
	m.id = []byte(`"` + strings.Repeat("x", maxAskedID) + `"`)
	a.add(m, s)
	if len(a.open) != maxAsked {
		t.Errorf("%d are remembered", len(a.open))
	}
}
