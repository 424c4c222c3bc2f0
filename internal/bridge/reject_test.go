package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestBadResponse: a response that can't be read isn't answered, for the client may have a request of that id, and ends the server's
// question all the same (B4).
func TestBadResponse(t *testing.T) {
	for name, line := range map[string]string{
		"not UTF-8":         "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"x\":\"\xff\"}}",
		"a fault in it":     `{"jsonrpc":"2.0","id":7,"result":{oops}}`,
		"a fault behind it": `{"jsonrpc":"2.0","id":7,"result":{},}`,
		"an error":          `{"jsonrpc":"2.0","id":7,"error":{"code":1,}}`,
		"too long":          `{"jsonrpc":"2.0","id":7,"result":"` + strings.Repeat("x", maxMessage) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inStill(t, stillOrdinary(""), func(s *still) {
				s.handshake()
				s.say(line)
				if got := s.lines(); got != nil {
					t.Errorf("the client got %.200q", got)
				}
				got := s.got("answer to 7")
				if len(got) != 1 || !strings.Contains(got[0].body, `"error":{"code":-32`) || !strings.Contains(got[0].body, "can't read what the client has answered") {
					t.Errorf("the server got %+v", got)
				}
			})
		})
	}
	for _, line := range []string{`{"id":7,"method":"a","result":{},}`, `{"id":7,"method":{"result":1},}`, `{"id":7,"params":{"result":1},}`, `[{"id":7,"result":1},]`, `{"id":7,}`, ``} {
		if looksLikeResponse([]byte(line)) {
			t.Errorf("%s isn't meant as a response", line)
		}
	}
}

// slowWriter is a client that takes its time to read.
type slowWriter struct{ s *still }

func (w slowWriter) Write(b []byte) (int, error) {
	time.Sleep(time.Second)
	return w.s.Write(b)
}

// TestRejectedAtTheEnd: what is wrong with the last line is said before the bridge ends.
func TestRejectedAtTheEnd(t *testing.T) {
	inStill(t, stillOrdinary(""), func(s *still) {
		fmt.Fprintln(s.in, `{"jsonrpc":"2.0","id":7,"method":"ping",}`)
		s.in.Close()
		err := <-s.done
		s.done <- err
		s.mu.Lock()
		text := s.out.String()
		s.mu.Unlock()
		if err != nil || !strings.Contains(text, `"id":7`) {
			t.Errorf("%v, %q", err, text)
		}
		time.Sleep(time.Minute)
	}, func(o *Options) { o.Out = slowWriter{o.Out.(*still)} })
}
