package secret

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/url"
	"sync"
)

// Redactor blanks secrets out of what is written: the last net below all the care taken above it, for example under
// GODEBUG=http2debug=2, with which the standard library logs every header. The zero Redactor knows no secret yet; a nil
// one never will. It is safe for concurrent use.
type Redactor struct {
	mu       sync.Mutex
	patterns [][]byte
}

// minHidden is the length of the shortest value worth hiding, in bytes: a shorter one would blank ordinary words.
const minHidden = 8

// Hide makes r blank s from now on: as it is, percent-encoded, and in base64 at any position of the encoded text.
func (r *Redactor) Hide(s Secret) {
	value := s.Reveal()
	if r == nil || len(value) < minHidden {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(value)
	r.add(url.QueryEscape(value))
	r.add(url.PathEscape(value))
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			r.add(innerBase64(e, value, shift))
		}
	}
}

// innerBase64 is the part of an encoded text that depends on value alone, if shift bytes (modulo 3) come before it.
func innerBase64(e *base64.Encoding, value string, shift int) string {
	encoded := e.EncodeToString(append(make([]byte, shift), value...))
	first := (shift*8 + 5) / 6
	last := (shift + len(value)) * 8 / 6
	return encoded[first:last]
}

func (r *Redactor) add(pattern string) {
	p := []byte(pattern)
	for _, known := range r.patterns {
		if bytes.Equal(known, p) {
			return
		}
	}
	r.patterns = append(r.patterns, p)
}

// Text returns text with r's secrets blanked.
func (r *Redactor) Text(text string) string {
	out, rest := r.redact([]byte(text))
	return string(out) + string(rest)
}

// Writer returns a writer to w that blanks r's secrets, also where one is split over several writes. For that it holds an
// end of a write back while it may be the beginning of a secret; Flush writes it out as it is. The writer is safe for
// concurrent use.
func (r *Redactor) Writer(w io.Writer) *RedactingWriter { return &RedactingWriter{r: r, w: w} }

// RedactingWriter is what Redactor.Writer returns.
type RedactingWriter struct {
	r    *Redactor
	w    io.Writer
	mu   sync.Mutex
	held []byte
}

// Write implements io.Writer.
func (w *RedactingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, rest := w.r.redact(append(w.held, p...))
	w.held = rest
	if len(out) > 0 {
		if _, err := w.w.Write(out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Flush writes out what looked like the beginning of a secret and wasn't.
func (w *RedactingWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := w.w.Write(held)
	return err
}

// Fd returns the file descriptor of what is written to, which tells whether that is a terminal; of what is no file, a
// value that no file has.
func (w *RedactingWriter) Fd() uintptr {
	if f, ok := w.w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// redact returns text without the secrets, up to rest, an end that may become one.
func (r *Redactor) redact(text []byte) (out, rest []byte) {
	if r == nil {
		return text, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(text) > 0 {
		at, length := r.find(text)
		if at < 0 {
			break
		}
		out = append(append(out, text[:at]...), redacted...)
		text = text[at+length:]
	}
	keep := r.beginning(text)
	return append(out, text[:len(text)-keep]...), bytes.Clone(text[len(text)-keep:])
}

// find returns the first secret in text, the longest of those that begin there.
func (r *Redactor) find(text []byte) (at, length int) {
	at = -1
	for _, p := range r.patterns {
		i := bytes.Index(text, p)
		if i >= 0 && (at < 0 || i < at || i == at && len(p) > length) {
			at, length = i, len(p)
		}
	}
	return at, length
}

// beginning returns how many bytes at the end of text begin a secret.
func (r *Redactor) beginning(text []byte) int {
	longest := 0
	for _, p := range r.patterns {
		for n := min(len(p)-1, len(text)); n > longest; n-- {
			if bytes.HasSuffix(text, p[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}
