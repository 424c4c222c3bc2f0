package bridge

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
)

// maxMessage is the longest message that is taken from either side, in bytes.
const maxMessage = 64 << 20

var errTooLong = errors.New("longer than 64 MiB")

// inBuffer is the room for what has been read from a client, in bytes: as much as a pipe holds.
const inBuffer = 64 << 10

// lineReader reads messages from a client: one per line (MCP, "stdio" transport of every revision). It forgives what
// people and programs do beside it: a byte order mark at the start, CRLF, blank lines, a last line without its newline.
type lineReader struct {
	r      io.Reader
	memory *buffers
	own    []byte // the buffer for all but long lines
	buf    []byte // what has been read and not yet used is buf[pos:]
	pos    int
	err    error
	begun  bool
	// ahead is what has been seen of the line before all of it was there.
	ahead parsing
}

// newLineReader returns a reader that takes memory for long lines from mem. free has to give it back.
func newLineReader(r io.Reader, mem *buffers) *lineReader {
	own := make([]byte, 0, inBuffer)
	return &lineReader{r: r, memory: mem, own: own, buf: own}
}

// next returns the next line that isn't blank, without its line end, in memory of its own. Of a line over maxMessage it
// returns the start, from which an id may be read, with errTooLong; the line is skipped. At the end it returns io.EOF.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.line()
		if err != nil && err != errTooLong {
			return nil, err
		}
		if !l.begun {
			l.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimSpace(line)) > 0 {
			line = bytes.Clone(line)
			l.free()
			return line, err
		}
	}
}

// message returns the message in the line that next has returned last.
func (l *lineReader) message(line []byte) (message, error) { return l.ahead.end(line) }

// line returns the next line, valid until the next call of line or free.
func (l *lineReader) line() ([]byte, error) {
	l.ahead = parsing{}
	for searched := 0; ; {
		rest := l.buf[l.pos:]
		end := bytes.IndexByte(rest[searched:], '\n')
		switch {
		case searched+end > maxMessage, len(rest) > maxMessage && end < 0:
			return l.skip()
		case end >= 0:
			l.pos += searched + end + 1
			return rest[:searched+end], nil
		case l.err == io.EOF && len(rest) > 0:
			l.pos = len(l.buf)
			return rest, nil
		case l.err != nil:
			return nil, l.err
		}
		if searched = len(rest); l.begun { // else there may be a byte order mark
			l.ahead.feed(rest)
		}
		l.fill()
	}
}

// skip drops a line that is too long, and returns its start.
func (l *lineReader) skip() ([]byte, error) {
	start := bytes.Clone(l.buf[l.pos : l.pos+inBuffer])
	l.ahead = parsing{}
	for {
		if end := bytes.IndexByte(l.buf[l.pos:], '\n'); end >= 0 {
			l.pos += end + 1
			return start, errTooLong
		}
		l.pos = len(l.buf)
		if l.err != nil {
			return start, errTooLong
		}
		l.fill()
	}
}

// fill reads more. The end, or an error, is noted in err.
func (l *lineReader) fill() {
	if l.pos > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.pos:])]
		l.pos = 0
	}
	if len(l.buf) == cap(l.buf) {
		own := &l.buf[0] == &l.own[:1][0]
		grown := append(l.memory.room(2*cap(l.buf)), l.buf...)
		if !own {
			l.memory.put(l.buf)
		}
		l.buf = grown
	}
	n, err := l.r.Read(l.buf[len(l.buf):min(cap(l.buf), len(l.buf)+maxRead)])
	l.buf, l.err = l.buf[:len(l.buf)+n], err
}

// free gives the memory of a long line back, if what follows it needs less.
func (l *lineReader) free() {
	if rest := l.buf[l.pos:]; cap(l.buf) > cap(l.own) && len(rest) < cap(l.own) {
		l.own = append(l.own[:0], rest...)
		l.memory.put(l.buf)
		l.buf, l.pos = l.own, 0
	}
}

// lineWriter writes messages to a client, each whole and on a line of its own. Safe for concurrent use.
//
// Messages that arrive in a burst leave in one system call: a stream that still has a complete event at hand writes with
// more, and flushes when it has to wait.
type lineWriter struct {
	mu      sync.Mutex
	out     io.Writer
	w       *bufio.Writer // to out
	wide    bool          // out has got the room for large messages
	failed  error
	onError func(error)
}

// newLineWriter returns a writer to w that calls onError at most once, when w is gone.
func newLineWriter(w io.Writer, onError func(error)) *lineWriter {
	return &lineWriter{out: w, w: bufio.NewWriterSize(w, 64<<10), onError: onError}
}

// write writes one message. It goes out at once unless more is true: then the caller promises to write again or flush.
func (l *lineWriter) write(msg []byte, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return
	}
	if len(msg) > l.w.Size() && !l.wide {
		widen(l.out)
		l.wide = true
	}
	_, err := l.w.Write(msg)
	if err == nil {
		err = l.w.WriteByte('\n')
	}
	if err == nil && !more {
		err = l.w.Flush()
	}
	l.fail(err)
}

// flush sends what is still held back.
func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.fail(l.w.Flush())
	}
}

func (l *lineWriter) fail(err error) {
	if err != nil {
		l.failed = err
		l.onError(err)
	}
}
