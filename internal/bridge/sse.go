package bridge

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// event is one event of a stream. data is valid until the next call of eventReader.next.
type event struct {
	name string // "" and "message" are the same
	data []byte
	// ahead is what has been seen of data before all of it was there.
	ahead parsing
}

// eventReader reads a text/event-stream (WHATWG HTML, "Server-sent events"): lines end with CR, LF or CRLF in any mixture
// and at any place of a chunk, a byte order mark may come first, several data fields are joined by a newline.
type eventReader struct {
	r   io.Reader
	buf []byte // what has been read and not yet used is buf[pos:]
	pos int
	err error
	// busy says that the last read filled buf, so that more is probably waiting.
	busy bool

	begun  bool
	skipLF bool // the last line ended with CR: a LF that follows belongs to it

	data    []byte // of the event being read
	inBuf   bool   // data is a part of buf, as it is for an event of one line: no copy is made of large messages
	own     []byte // where data is otherwise
	hasData bool
	name    string
	id      string
	hasID   bool
	ahead   parsing // of data

	position
	memory *buffers
	// beforeRead is called before each read that may block.
	beforeRead func()
}

// next returns the next event that has data. At the end of the stream it returns io.EOF, or the error that cut the
// stream off. Events without data, such as the one that primes a stream for resumption, count only for lastID.
//
// By the standard an event that the end of the stream cuts off is lost, and its id doesn't count: the server sends the event
// again when the stream is resumed. Servers do forget the last blank line, so it is returned if the caller's whole function
// says that its data is complete. The id of an event that is too long does count, or it would come again and again.
func (e *eventReader) next(whole func([]byte) bool) (event, error) {
	e.clear()
	for {
		line, err := e.line()
		if err == nil && len(line) > 0 {
			if e.field(line); len(e.data) <= maxMessage {
				continue
			}
			err = errTooLong
		}
		switch {
		case err == errTooLong:
			e.noteID()
			return event{}, err
		case err == io.EOF && e.hasData && whole(e.data):
			e.noteID()
			return event{e.name, e.data, parsing{}}, nil
		case err != nil:
			return event{}, err
		}
		e.noteID()
		if e.hasData && len(e.data) > 0 {
			return event{e.name, e.data, e.ahead}, nil
		}
		e.clear()
	}
}

func (e *eventReader) clear() {
	e.data, e.inBuf, e.hasData, e.name, e.ahead = nil, false, false, "", parsing{}
	e.id, e.hasID = "", false
}

// noteID makes the id of the event being read the stream's last one.
func (e *eventReader) noteID() {
	if e.hasID {
		e.lastID = e.id
	}
}

// lookAhead checks the data in a line whose end isn't there yet, if it is the event's first line of data.
func (e *eventReader) lookAhead(line []byte) {
	if value, isData := bytes.CutPrefix(line, []byte("data:")); isData && len(value) > 0 && !e.hasData {
		e.ahead.feed(bytes.TrimPrefix(value, []byte(" ")))
	}
}

// keep moves data out of buf, whose content is about to move.
func (e *eventReader) keep() {
	if e.inBuf {
		e.own = append(e.own[:0], e.data...)
		e.data, e.inBuf = e.own, false
	}
}

// buffered reports whether more of the stream is already here.
func (e *eventReader) buffered() bool { return bytes.IndexByte(e.buf[e.pos:], '\n') >= 0 }

func (e *eventReader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if e.hasData {
			e.keep()
			e.own = append(append(e.own, '\n'), value...)
			e.data = e.own
		} else {
			e.data, e.inBuf, e.hasData = value, true, true
		}
	case "event":
		e.name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			e.id, e.hasID = string(value), true
		}
	case "retry":
		if ms, ok := digits(value); ok {
			e.retry = time.Duration(ms) * time.Millisecond
		}
	}
}

func digits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// line returns the next line without its end, valid until the next call.
func (e *eventReader) line() ([]byte, error) {
	searched := 0
	for {
		if e.skipLF && e.pos < len(e.buf) {
			if e.skipLF = false; e.buf[e.pos] == '\n' {
				e.pos++
			}
		}
		rest := e.buf[e.pos:]
		if end := lineEnd(rest[searched:]); end >= 0 {
			line := rest[:searched+end]
			e.skipLF = rest[searched+end] == '\r'
			e.pos += searched + end + 1
			if !e.begun {
				e.begun = true
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return line, nil
		}
		searched = len(rest)
		if e.err != nil {
			return nil, e.last()
		}
		e.lookAhead(rest)
		if err := e.fill(); err != nil {
			return nil, err
		}
	}
}

// last hands out, at the end of the stream, a line that lacks its end, as far as it matters: its field is noted, and the
// end of the stream is reported. Half of an id, or of a time, would be another one.
func (e *eventReader) last() error {
	if rest := e.buf[e.pos:]; len(rest) > 0 && e.err == io.EOF {
		e.pos = len(e.buf)
		if !e.begun {
			rest = bytes.TrimPrefix(rest, []byte("\ufeff"))
		}
		if name, _, _ := bytes.Cut(rest, []byte(":")); string(name) != "id" && string(name) != "retry" {
			e.field(rest)
		}
	}
	return e.err
}

// lineEnd returns the index of the first CR or LF, or -1.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

var errNoProgress = errors.New("the stream returns no data and no end")

func (e *eventReader) fill() error {
	e.keep()
	if e.pos > 0 {
		e.buf = e.buf[:copy(e.buf, e.buf[e.pos:])]
		e.pos = 0
	}
	if len(e.buf) == cap(e.buf) || e.busy && cap(e.buf) < busyBuffer {
		if len(e.buf) > maxMessage {
			return errTooLong
		}
		e.buf = e.memory.grow(e.buf, busyBuffer)
	}
	e.beforeRead()
	for range 100 {
		n, err := e.r.Read(e.buf[len(e.buf):min(cap(e.buf), len(e.buf)+maxRead)])
		e.buf = e.buf[:len(e.buf)+n]
		e.busy = len(e.buf) == cap(e.buf)
		e.err = err
		if n > 0 || err != nil {
			return nil
		}
	}
	return errNoProgress
}
