package web

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for value, want := range map[string]time.Duration{
			"0": 0, "007": 7 * time.Second, "120": 2 * time.Minute,
			"31536001": longest, "10000000000": longest, "99999999999999999999999999": longest,
			in(time.Hour): time.Hour, in(-time.Hour): 0, "Fri, 31 Dec 9999 23:59:59 GMT": longest,
			"": -1, "-1": -1, "+1": -1, "1.5": -1, "soon": -1, " ": -1,
		} {
			got, ok := RetryAfter(http.Header{"Retry-After": {value}})
			if !ok {
				got = -1
			}
			if got != want {
				t.Errorf("%q: %s, want %s", value, got, want)
			}
		}
		if _, ok := RetryAfter(http.Header{}); ok {
			t.Error("there is none")
		}
	})
}
