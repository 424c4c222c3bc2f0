package bridge

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// answerBody is a body that is one JSON message, which is checked while it arrives.
type answerBody struct {
	memory *buffers
	size   int64 // of the body, in bytes; -1 if that isn't known
	buf    []byte
	// start is where the message begins, begun says that it has.
	start int
	begun bool
	ahead parsing
}

// read reads all of it.
func (a *answerBody) read(body io.Reader) error {
	if a.size > maxMessage {
		return errTooLong
	}
	a.buf = a.memory.get()
	for {
		if len(a.buf) == cap(a.buf) {
			if len(a.buf) > maxMessage {
				return errTooLong
			}
			a.buf = a.memory.grow(a.buf, int(a.size)+1)
		}
		n, err := body.Read(a.buf[len(a.buf):min(cap(a.buf), len(a.buf)+maxRead)])
		a.buf = a.buf[:len(a.buf)+n]
		if a.begin() {
			a.ahead.feed(a.buf[a.start:])
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// begin reports whether the message has begun. Blanks and a byte order mark before it don't belong to it.
func (a *answerBody) begin() bool {
	if !a.begun {
		rest := bytes.TrimPrefix(bytes.TrimLeft(a.buf, blanks), []byte("\ufeff"))
		rest = bytes.TrimLeft(rest, blanks)
		a.start = len(a.buf) - len(rest)
		a.begun = len(rest) > 0 && (rest[0] == '{' || rest[0] == '[')
	}
	return a.begun
}

// message returns the message, in memory that free takes back.
func (a *answerBody) message() (message, error) {
	a.begin()
	return a.ahead.end(bytes.TrimRight(a.buf[a.start:], blanks))
}

func (a *answerBody) free() { a.memory.put(a.buf) }

// maxRead is how much is read at once, in bytes: it is checked while the next piece is on its way, and while it is still in
// the processor's cache.
const maxRead = 256 << 10

func isStream(resp *http.Response) bool {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusOK && t == "text/event-stream"
}

// decode undoes a Content-Encoding that wasn't asked for; some proxies compress all the same. What can't be undone is an error
// of the body alone: the status and the headers mean what they mean.
func decode(resp *http.Response) {
	switch enc := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
	case "gzip", "x-gzip": // RFC 9110, section 8.4.1
		resp.Body = &gunzip{body: resp.Body}
		resp.ContentLength = -1
	default:
		resp.Body = unreadable{resp.Body, &badEncoding{enc}}
		resp.ContentLength = -1
	}
}

// badEncoding is the error of a body that is encoded in a way that mcpctl doesn't know.
type badEncoding struct{ name string }

func (e *badEncoding) Error() string {
	return fmt.Sprintf("the answer is encoded as %.20q, which nobody asked for", e.name)
}

// unreadable is a body that can't be read.
type unreadable struct {
	io.Closer
	err error
}

func (u unreadable) Read([]byte) (int, error) { return 0, u.err }

// gunzip decompresses body; it begins at the first read, since the header may come late.
type gunzip struct {
	body io.ReadCloser
	zip  *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.zip == nil {
		zip, err := gzip.NewReader(g.body)
		if err != nil {
			return 0, err
		}
		g.zip = zip
	}
	return g.zip.Read(p)
}

func (g *gunzip) Close() error { return g.body.Close() }
