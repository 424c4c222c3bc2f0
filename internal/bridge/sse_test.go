package bridge

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestLastID: a stream is resumed after its last whole event (WHATWG HTML, "Server-sent events": an id is set when its event
// is dispatched), and after what was delivered all the same.
func TestLastID(t *testing.T) {
	const message = `{"jsonrpc":"2.0","method":"m"}`
	for name, tc := range map[string]struct{ stream, want string }{
		"an event":                        {"id: a\ndata: " + message + "\n\n", "1 a"},
		"an event without an id":          {"id: a\ndata: " + message + "\n\ndata: " + message + "\n\n", "2 a"},
		"an event without data":           {"id: a\n\n", "0 a"},
		"an event with empty data":        {"id: a\ndata:\n\n", "0 a"},
		"a cut in the data":               {"id: a\ndata:\n\nid: b\ndata: " + message[:10], "0 a"},
		"a cut after the id":              {"id: a\ndata:\n\nid: b\n", "0 a"},
		"a cut after empty data":          {"id: a\ndata:\n\nid: b\ndata:\n", "0 a"},
		"a cut before the last line end":  {"id: a\ndata:\n\nid: b\ndata: " + message, "1 b"},
		"a cut before the blank line":     {"id: a\ndata:\n\nid: b\ndata: " + message + "\n", "1 b"},
		"a cut in an id after the data":   {"id: a\ndata:\n\ndata: " + message + "\nid: b", "1 a"},
		"a cut in a time after the data":  {"id: a\ndata:\n\ndata: " + message + "\nretry: 1", "1 a"},
		"an id that is taken back":        {"id: a\ndata:\n\nid\ndata:\n\n", "0 "},
		"an id with a NUL":                {"id: a\ndata:\n\nid: b\x00\ndata:\n\n", "0 a"},
		"two ids":                         {"id: a\nid: b\ndata:\n\n", "0 b"},
		"an id of an event with a name":   {"id: a\nevent: ping\ndata: {}\n\n", "1 a"},
		"a comment that interrupts":       {"id: a\n: b\ndata:\n\n", "0 a"},
		"what is too long doesn't return": {"id: a\ndata:\n\nid: b\ndata: " + strings.Repeat("x", maxMessage+1) + "\n", "0 b"},
		"too long in several lines": {"id: b\n" + strings.Repeat("data: "+strings.Repeat("x", maxMessage/4)+"\n", 5),
			"0 b"},
	} {
		rd := new(buffers).reader(strings.NewReader(tc.stream), func() {})
		events := 0
		for {
			_, err := rd.next(func(data []byte) bool { _, err := parse(data); return err == nil })
			if err != nil {
				if tooLong := len(tc.stream) > maxMessage; tooLong != (err == errTooLong) || !tooLong && err != io.EOF {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			events++
		}
		if got := fmt.Sprint(events, " ", rd.lastID); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if rd.retry != 0 {
			t.Errorf("%s: retry %s", name, rd.retry)
		}
	}
}
