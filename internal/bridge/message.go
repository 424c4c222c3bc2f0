package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// message is one JSON-RPC message as its bytes, with the members that routing needs located in them. The bytes are
// never decoded and encoded again: ids such as 9007199254740993 or 1.50 would not survive it.
type message struct {
	raw []byte
	// The members as JSON, nil where absent. For a batch (a JSON array, revision 2025-03-26) all are nil.
	id, method, params, result, err []byte
	batch                           bool
	// broken says that raw stands on more than one line.
	broken bool
	// special says that params or result may have a member _meta or resultType.
	special bool
	// revision is what a message of revision 2026-07-28 or later names in its params._meta; "" in older ones.
	revision string
}

// isRequest reports whether the message expects an answer.
func (m *message) isRequest() bool { return m.method != nil && m.id != nil }

// isResponse reports whether the message is an answer. Gateways have errors of their own that look alike, but whose code
// is no number (JSON-RPC 2.0, section 5.1).
func (m *message) isResponse() bool {
	return m.method == nil && (m.result != nil || m.err != nil && isNumber(member(m.err, "code")))
}

func isNumber(b []byte) bool { return len(b) > 0 && (b[0] == '-' || '0' <= b[0] && b[0] <= '9') }

// is reports whether the message's method is name. Methods hold no characters that JSON has to escape; one that is
// escaped all the same is decoded first.
func (m *message) is(name string) bool { return unquote(m.method) == name }

// unquote decodes a JSON string; of anything else it returns "".
func unquote(s []byte) string {
	if len(s) < 2 || s[0] != '"' {
		return ""
	}
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s[1 : len(s)-1])
	}
	var v string
	_ = json.Unmarshal(s, &v)
	return v
}

var errNotMessage = errors.New("not a JSON-RPC message: neither an object nor an array")

// parse checks that raw is exactly one JSON value in UTF-8 and finds its members. On an error the message still holds
// the id, if one could be read before the fault.
//
// It exists beside encoding/json because it runs on every byte of both directions: json.Valid alone costs more than the
// rest of the bridge, and doesn't check UTF-8.
func parse(raw []byte) (message, error) {
	var p parsing
	return p.end(raw)
}

// parsing is a message that is being checked while it arrives, so that little is left to do when its end is there.
type parsing struct {
	scan scanner
	// The top-level members; a span that ends at 0 is of none.
	id, method, params, result, err span
	valid                           int // how much has been seen to be UTF-8
	notUTF8                         bool
}

// feed takes a look at what has arrived so far: data is all of the message up to there, and may lie elsewhere than at the
// last call.
func (p *parsing) feed(data []byte) {
	p.scan.data = data
	for p.scan.next() {
		p.note()
	}
	p.checkUTF8(data[:wholeRunes(data)])
}

// end looks at the rest, and returns the message. raw is all of it; if blanks were fed at its end, they may be missing.
func (p *parsing) end(raw []byte) (message, error) {
	p.scan.whole = true
	p.scan.pos = min(p.scan.pos, len(raw))
	p.scan.data = raw
	for p.scan.next() {
		p.note()
	}
	m := p.message(raw)
	if p.scan.err != nil {
		return m, p.scan.err
	}
	if p.checkUTF8(raw); p.notUTF8 {
		return m, errors.New("not UTF-8")
	}
	if first := bytes.TrimLeft(raw, blanks)[0]; first != '{' && first != '[' {
		return m, errNotMessage
	}
	m.revision = revisionOf(m)
	return m, nil
}

func (p *parsing) checkUTF8(data []byte) {
	if !p.notUTF8 && p.valid < len(data) {
		p.notUTF8 = !utf8.Valid(data[p.valid:])
		p.valid = len(data)
	}
}

// wholeRunes returns the length of data without the beginning of a character at its end.
func wholeRunes(data []byte) int {
	for i := len(data) - 1; i >= 0 && i >= len(data)-utf8.UTFMax; i-- {
		if utf8.RuneStart(data[i]) {
			if utf8.FullRune(data[i:]) {
				break
			}
			return i
		}
	}
	return len(data)
}

// note remembers a top-level member. Of a name that stands twice the last counts, as most JSON readers have it.
func (p *parsing) note() {
	s := &p.scan
	if !s.object() {
		return
	}
	switch string(s.name.of(s.data)) {
	case `"id"`:
		p.id = s.value
	case `"method"`:
		p.method = s.value
	case `"params"`:
		p.params = s.value
	case `"result"`:
		p.result = s.value
	case `"error"`:
		p.err = s.value
	}
}

func (p *parsing) message(raw []byte) message {
	return message{
		raw: raw, batch: p.scan.array(), special: p.scan.special, broken: 0 < p.scan.lineBreak && p.scan.lineBreak <= len(raw),
		id: p.id.of(raw), method: p.method.of(raw), params: p.params.of(raw), result: p.result.of(raw), err: p.err.of(raw),
	}
}

// member returns the JSON of one member of the JSON object in data, nil if it isn't there.
func member(data []byte, name string) []byte {
	var found []byte
	eachMember(data, func(n, value []byte) {
		if unquote(n) == name {
			found = value
		}
	})
	return found
}

// eachMember calls each for every member of the JSON object in data, with its name as JSON.
func eachMember(data []byte, each func(name, value []byte)) {
	s := scanner{data: data, whole: true}
	for s.next() && s.object() {
		each(s.name.of(data), s.value.of(data))
	}
}

// elements calls each for every element of the JSON array in data.
func elements(data []byte, each func(value []byte)) {
	s := scanner{data: data, whole: true}
	for s.next() && s.array() {
		each(s.value.of(data))
	}
}

// looksLikeResponse reports whether a line that is no message, because of a fault somewhere in it, seems to be meant as a response.
func looksLikeResponse(line []byte) bool {
	s := scanner{data: line, whole: true}
	answers := false
	for more := true; more; {
		more = s.next() // at a fault the name is that of the member that it is in
		switch string(s.name.of(line)) {
		case `"method"`:
			return false
		case `"result"`, `"error"`:
			answers = true
		}
	}
	return answers
}
