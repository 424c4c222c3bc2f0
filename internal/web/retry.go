package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longest is the most that RetryAfter returns. More is no answer to a request, and far more would overflow.
const longest = 365 * 24 * time.Hour

// RetryAfter reads a Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3). It reports whether there is one.
func RetryAfter(h http.Header) (time.Duration, bool) {
	v := h.Get("Retry-After")
	if v != "" && strings.Trim(v, "0123456789") == "" {
		s, err := strconv.ParseInt(v, 10, 64)
		if err != nil || s > int64(longest/time.Second) {
			return longest, true
		}
		return time.Duration(s) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, time.Until(t)), longest), true
	}
	return 0, false
}
