package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode"

	"github.com/mcpctl/mcpctl/internal/web"
)

// ErrKeyRefused means that the key is unknown, deleted or expired.
var ErrKeyRefused = errors.New("the API key was refused")

// Error is a request that failed: an answer with a status of 400 or more, a redirect, or no answer at all.
type Error struct {
	URL     string // without query
	Status  int    // 0 if there was no answer
	Code    string // such as AB03; "" if the answer names none
	Message string // the answer's own words
	Request string // the request id that support asks for; "" if the answer names none

	retryAfter time.Duration // -1 if the answer names none
	challenge  bool          // the answer has a WWW-Authenticate header
	cause      error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return web.Describe(e.cause)
	}
	text := fmt.Sprintf("%s answered %d", e.URL, e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Request != "" {
		text += " (request " + e.Request + ")"
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Is reports a refused key, so that errors.Is(err, ErrKeyRefused) works. A 401 with a challenge is about an OAuth token or
// the user's consent, not about the key.
func (e *Error) Is(target error) bool {
	return target == ErrKeyRefused && e.Status == http.StatusUnauthorized && !e.challenge
}

// newError reads the error forms of the control plane ({"success":false,"data":{message,errorCode}}), of the gateway
// ({"status":"failure",message,error:{message,code}}), and of OAuth ({"error":…,"error_description":…}).
func newError(u *url.URL, resp *http.Response, body []byte) *Error {
	e := &Error{URL: web.Redact(u), Status: resp.StatusCode, retryAfter: -1, challenge: resp.Header.Get("WWW-Authenticate") != ""}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		e.retryAfter = time.Duration(s) * time.Second
	}
	var form struct {
		Data             json.RawMessage `json:"data"`
		Error            json.RawMessage `json:"error"`
		ErrorDescription string          `json:"error_description"`
		RequestID        string          `json:"request_id"`
		part
	}
	if json.Unmarshal(body, &form) != nil {
		return e
	}
	e.Request = form.RequestID
	parts := []part{{}, {}, form.part, {Message: form.ErrorDescription}}
	_ = json.Unmarshal(form.Data, &parts[0])
	if json.Unmarshal(form.Error, &parts[1]) != nil && form.ErrorDescription == "" {
		_ = json.Unmarshal(form.Error, &parts[1].Message)
	}
	for _, p := range parts {
		e.Message = cleaned(first(e.Message, p.Message))
		e.Code = cleaned(first(e.Code, p.ErrorCode, string(p.Code)))
	}
	return e
}

// part is the innermost form of an error.
type part struct {
	Message   string `json:"message"`
	ErrorCode string `json:"errorCode"`
	Code      code   `json:"code"`
}

// code is an error code, which some answers give as a string and others as a number.
type code string

func (c *code) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	*c = code(s)
	return nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// cleaned makes a server's words fit for a terminal.
func cleaned(s string) string {
	r := []rune(s)
	for i := range r {
		if !unicode.IsPrint(r[i]) {
			r[i] = ' '
		}
	}
	if len(r) > 300 {
		r = append(r[:300], '…')
	}
	return string(r)
}

// retryPause says whether a GET is worth a second try, and after how long.
func retryPause(err error) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, false
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if e.retryAfter > maxRetryAfter {
			return 0, false
		}
		return max(e.retryAfter, 500*time.Millisecond), true
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return 500 * time.Millisecond, true
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
