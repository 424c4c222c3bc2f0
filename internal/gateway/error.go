package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode"

	"github.com/mcpctl/mcpctl/internal/web"
)

// ErrKeyRefused means that the key is unknown, deleted or expired.
var ErrKeyRefused = errors.New("the API key was refused")

// errNotBound is the cause of a request that wasn't sent.
var errNotBound = errors.New("the API key was not verified for this origin, and isn't sent to it")

// Error is a request that failed: an answer with a status of 300 or more, one that makes no sense, or none at all.
type Error struct {
	URL       string // without query
	Status    int    // 0 if there was no answer
	Code      string // such as AB03 or not_found; "" if the answer names none
	Message   string // the answer's own words
	RequestID string // what support asks for; "" if the answer names none
	Next      string // the next step, as Explain has it

	retryAfter time.Duration // -1 if the answer names none
	cause      error
}

func (e *Error) Error() string {
	if e.cause != nil && e.Status == 0 {
		return web.Describe(e.cause)
	}
	text := fmt.Sprintf("%s answered %d", e.URL, e.Status)
	switch {
	case e.cause != nil:
		text += ", but " + web.Describe(e.cause)
	case e.Message != "":
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Is reports a refused key, so that errors.Is(err, ErrKeyRefused) works.
func (e *Error) Is(target error) bool {
	return target == ErrKeyRefused && e.Status == http.StatusUnauthorized
}

func newError(u *url.URL, resp *http.Response, body []byte, key web.Key) *Error {
	w := decode(body)
	return &Error{
		URL: web.Redact(u), Status: resp.StatusCode,
		Code: w.code, Message: key.Redact(w.message), RequestID: w.request,
		Next:       explain(resp.StatusCode, resp.Header, w).next,
		retryAfter: retryAfter(resp.Header),
	}
}

// words are what the body of an error says, fit for a terminal.
type words struct{ message, code, request string }

// part is the innermost form of an error.
type part struct {
	Message   text `json:"message"`
	ErrorCode text `json:"errorCode"`
	Code      text `json:"code"`
}

// decode reads the error forms of the control plane ({"success":false,"data":{message,errorCode}}), of the gateway
// ({"status":"failure",message,error:{message,code}}), of JSON-RPC ({error:{code,message}}) and of OAuth
// ({"error":…,"error_description":…}, RFC 6749 section 5.2).
func decode(body []byte) words {
	var form struct {
		Data             json.RawMessage `json:"data"`
		Error            json.RawMessage `json:"error"`
		ErrorDescription text            `json:"error_description"`
		RequestID        text            `json:"request_id"`
		Status           text            `json:"status"`
		part
	}
	if json.Unmarshal(body, &form) != nil {
		return words{}
	}
	var data, inner part
	var word text // "error" as a string: a code beside a description, else the message
	_ = json.Unmarshal(form.Data, &data)
	if json.Unmarshal(form.Error, &inner) != nil {
		_ = json.Unmarshal(form.Error, &word)
	}
	return words{
		message: cleaned(first(data.Message, inner.Message, form.Message, form.ErrorDescription, word, form.Status)),
		code:    cleaned(first(data.ErrorCode, data.Code, inner.ErrorCode, inner.Code, form.ErrorCode, form.Code, word)),
		request: cleaned(string(form.RequestID)),
	}
}

// text is a string, or a number that stands where a string is meant; anything else is "".
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*t = text(v)
	case float64:
		*t = text(data)
	}
	return nil
}

func first[T ~string](values ...T) string {
	for _, v := range values {
		if v != "" {
			return string(v)
		}
	}
	return ""
}

// cleaned makes a server's words fit for a terminal.
func cleaned(s string) string {
	r := []rune(s)
	if len(r) > 300 {
		r = append(r[:300:300], '…')
	}
	for i := range r {
		if !unicode.IsPrint(r[i]) {
			r[i] = ' '
		}
	}
	return string(r)
}

// retryAfter is what web.RetryAfter says; -1 means that there is none.
func retryAfter(header http.Header) time.Duration {
	if after, ok := web.RetryAfter(header); ok {
		return after
	}
	return -1
}

// retryPause says whether a GET is worth a second try, and after how long.
func retryPause(err error) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, false
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return max(e.retryAfter, retryDelay), e.retryAfter <= maxRetryAfter
	}
	return 0, false
}

func status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
