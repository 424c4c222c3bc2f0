package bridge

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

// maxMessage is the longest message that is taken from either side, in bytes.
const maxMessage = 64 << 20

var errTooLong = errors.New("longer than 64 MiB")

// lineReader reads messages from a client: one per line (MCP, "stdio" transport of every revision). It forgives what
// people and programs do beside it: a byte order mark at the start, CRLF, blank lines, a last line without its newline.
type lineReader struct {
	r     *bufio.Reader
	begun bool
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line that isn't blank, without its line end, in memory of its own. Of a line over maxMessage it
// returns the start, from which an id may be read, with errTooLong; the line is skipped. At the end it returns io.EOF.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.line()
		if !l.begun {
			l.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimSpace(line)) > 0 && (err == nil || err == io.EOF || err == errTooLong) {
			if err == io.EOF {
				err = nil // the next call will return it again
			}
			return line, err
		}
		if err != nil {
			return nil, err
		}
	}
}

func (l *lineReader) line() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		if len(line)+len(part) > maxMessage {
			tooLong = true
			line = line[:min(len(line), 64<<10)]
		}
		if !tooLong {
			if len(line) > 0 {
				line = slices.Grow(line, len(line)+len(part)) // a long line: double
			}
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case tooLong && (err == nil || err == io.EOF):
			return line, errTooLong
		}
		return line, err
	}
}

// lineWriter writes messages to a client, each whole and on a line of its own. Safe for concurrent use.
//
// Messages that arrive in a burst leave in one system call: a stream that still has a complete event at hand writes with
// more, and flushes when it has to wait.
type lineWriter struct {
	mu      sync.Mutex
	w       *bufio.Writer
	failed  error
	onError func(error)
}

// newLineWriter returns a writer to w that calls onError at most once, when w is gone.
func newLineWriter(w io.Writer, onError func(error)) *lineWriter {
	return &lineWriter{w: bufio.NewWriterSize(w, 64<<10), onError: onError}
}

// write writes one message. It goes out at once unless more is true: then the caller promises to write again or flush.
func (l *lineWriter) write(msg []byte, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return
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
