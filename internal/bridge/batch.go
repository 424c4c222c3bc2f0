package bridge

import (
	"bytes"
	"slices"
)

// Revision 2025-03-26 alone has batches: arrays of messages, which both sides must take. A server may send one on a stream too
// ("Sending Messages to the Server").

// batches reports whether the client knows arrays. It may be called on nil.
func (h *handshake) batches() bool { return h.version() == "2025-03-26" }

// members calls each for every message in an array. It reports whether there is nothing else in it, and something at all.
func members(batch message, each func(m message)) (sound bool) {
	count, others := 0, 0
	elements(batch.raw, func(value []byte) {
		count++
		if m, err := parse(value); err == nil && !m.batch {
			each(m)
		} else {
			others++
		}
	})
	return count > 0 && others == 0
}

// requestIDs are the ids of the requests in an array.
func requestIDs(batch message) (ids [][]byte) {
	members(batch, func(m message) {
		if m.isRequest() {
			ids = append(ids, m.id)
		}
	})
	return ids
}

// hasID reports whether a response says which request it answers.
func (m *message) hasID() bool { return m.id != nil && string(m.id) != "null" }

// sameID reports whether two ids are the same, be it in other characters.
func sameID(a, b []byte) bool {
	return bytes.Equal(a, b) || len(a) > 0 && a[0] == '"' && len(b) > 0 && b[0] == '"' && unquote(a) == unquote(b)
}

// unanswered reports whether requests of the array that x is have no answer yet.
func (x *exchange) unanswered() bool { return len(x.open) > 0 }

// batchAnswer passes on what came back to an array, as it comes: answers, arrays of them, and other messages. It reports
// whether that was all.
func (b *Bridge) batchAnswer(x *exchange, m message) (done bool) {
	if !m.batch {
		x.strike(m)
		b.relay(m, x.usedSession, false)
	} else if members(m, x.strike) {
		b.out.write(m.raw, false)
	} else {
		members(m, func(m message) { b.relay(oneLine(m), x.usedSession, false) })
	}
	x.answered = !x.unanswered()
	return x.answered
}

// begun reports whether requests of the array that x is have had their answers: then it must not be sent again.
func (x *exchange) begun() bool { return x.msg.batch && len(x.open) < len(requestIDs(x.msg)) }

// strike takes the request that m answers, if it does, off those that have no answer.
func (x *exchange) strike(m message) {
	i := slices.IndexFunc(x.open, func(id []byte) bool { return sameID(id, m.id) })
	if i >= 0 && m.isResponse() {
		x.open = slices.Delete(x.open, i, i+1)
	}
}

// answerRest gives all requests of an array that have no answer yet the same one.
func (b *Bridge) answerRest(x *exchange, line []byte) {
	m, err := parse(line)
	if err != nil {
		return
	}
	for _, id := range x.open {
		b.out.write(withID(m, id), false)
	}
	x.open = nil
}

// fromBatch passes on the array that a server sent where it was asked for one message, and takes the answer to x out of it. It
// reports whether there was one.
func (b *Bridge) fromBatch(x *exchange, r *reply, batch message) bool {
	answer, found := message{}, false
	members(batch, func(m message) {
		if m.isResponse() && !(found && sameID(answer.id, x.id)) {
			answer, found = m, true
		}
	})
	if found {
		answer, _ = parse(bytes.Clone(oneLine(answer).raw))
		r.msg, r.body, r.err = &answer, answer.raw, nil
		if x.handshake.batches() && bytes.Equal(answer.id, x.id) && b.isFinal(x, r) {
			r.array = bytes.Clone(batch.raw)
			return true
		}
	}
	if !x.cancelled.Load() {
		b.passArray(x.handshake, x.usedSession, batch, func(message) {})
	}
	return found
}

// passArray passes the messages on that a server sent in an array of its own accord: as the array to a client that knows
// such, else one by one, in the session s. response gets the answers in it, which aren't for the client as they are.
func (b *Bridge) passArray(h *handshake, s *session, batch message, response func(m message)) {
	answers := 0
	sound := members(batch, func(m message) {
		if m.isResponse() {
			answers++
		}
	})
	if sound && answers == 0 && h.batches() {
		b.out.write(batch.raw, false)
		return
	}
	members(batch, func(m message) {
		if m.isResponse() {
			response(m)
			return
		}
		b.relay(oneLine(m), s, false)
	})
}
