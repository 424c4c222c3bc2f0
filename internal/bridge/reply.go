package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// reply is what came back to one try of a request.
type reply struct {
	status int
	header http.Header
	// body is a JSON-RPC response on one line, or the body of an HTTP error; nil if there was no answer at all.
	body []byte
	// msg is body, parsed, if it is a JSON-RPC response.
	msg *message
	// err says why there was no answer; mayRepeat says that the server can't have acted on the request.
	err       error
	mayRepeat bool
	// array is the array that msg came in, nil if the client gets msg alone.
	array []byte
	// delivered says that the client has its answer already.
	delivered bool
}

// errorReply reads an HTTP error. A JSON-RPC error in it is an answer like any other, whatever its status
// (2026-07-28 answers an unknown method with 404 and -32601).
func errorReply(resp *http.Response) reply {
	body := errorBody(resp)
	r := reply{status: resp.StatusCode, header: resp.Header, body: body}
	if m, err := parse(bytes.TrimSpace(body)); err == nil && m.err != nil && m.isResponse() {
		m = oneLine(m)
		r.msg, r.body = &m, m.raw
	}
	return r
}

// errorBody reads what there is to read in a body that nothing depends on. Its status already is the answer, which must not wait
// for the end of a body that has none.
func errorBody(resp *http.Response) []byte {
	defer time.AfterFunc(errorBodyTime, func() { resp.Body.Close() }).Stop()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	return body
}

func (b *Bridge) readJSON(x *exchange, resp *http.Response, mediaType string) reply {
	r := reply{status: resp.StatusCode, header: resp.Header}
	a := answerBody{memory: &b.buffers, size: resp.ContentLength}
	defer a.free()
	if r.err = a.read(resp.Body); r.err != nil {
		return r
	}
	m, err := a.message()
	switch {
	case len(m.raw) == 0:
		r.err = errors.New("the answer has no body")
	case err == nil && x.msg.batch && (m.batch || m.isResponse() && m.hasID()):
		if r.delivered = b.batchAnswer(x, oneLine(m)); !r.delivered {
			r.err = errors.New("left requests of the array without an answer")
		}
	case err == nil && m.batch:
		if !b.fromBatch(x, &r, oneLine(m)) {
			r.err = errors.New("the answer is an array without an answer in it")
		}
	case err == nil && m.isResponse():
		b.take(x, &r, oneLine(m))
	default:
		r.err = &badBody{mediaType, bytes.Clone(m.raw)}
	}
	return r
}

// oneLine puts a message that is spread over lines on one.
func oneLine(m message) message {
	if !m.broken {
		return m
	}
	var buf bytes.Buffer
	if json.Compact(&buf, m.raw) != nil {
		return m
	}
	m, _ = parse(buf.Bytes())
	return m
}

// withID returns a response with the id that the client wrote. A POST carries one request, so a response to it answers that
// request, even if the server left the id out, made it null, or wrote it in other characters.
func withID(m message, id []byte) []byte {
	switch {
	case id == nil || bytes.Equal(m.id, id):
		return m.raw
	case m.id == nil:
		end := bytes.LastIndexByte(m.raw, '}')
		return slices.Concat(m.raw[:end], []byte(`,"id":`), id, m.raw[end:])
	}
	// m.id is a part of m.raw, so their capacities tell where it begins.
	start := cap(m.raw) - cap(m.id)
	return slices.Concat(m.raw[:start], id, m.raw[start+len(m.id):])
}

// errorCode returns the code of a JSON-RPC error, 0 if it has none.
func errorCode(m *message) int {
	n, _ := strconv.Atoi(string(member(m.err, "code")))
	return n
}

// badBody is an answer that isn't JSON-RPC.
type badBody struct {
	mediaType string
	body      []byte
}

func (e *badBody) Error() string { return "the answer is not a JSON-RPC message" }
