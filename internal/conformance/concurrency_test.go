package conformance_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestConcurrency(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B34 a slow call": func(t *testing.T) {
			release := make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if string(m.ID) == `"slow"` {
					<-release
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			p.send(call(`"slow"`, "a"))
			u.await(t, "tools/call", 1)
			p.send(request("1", "ping"))
			p.want(reply("1", `{}`))
			close(release)
			p.want(called(`"slow"`, "a"))
		},
		"B34 a hundred calls at once": func(t *testing.T) {
			var together gate
			together.need(100)
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					together.pass()
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			want := map[string]bool{}
			var lines []string
			for i := range 100 {
				lines = append(lines, call(strconv.Itoa(i), "a"))
				want[called(strconv.Itoa(i), "a")] = true
			}
			p.send(lines...)
			for range 100 {
				line := p.line()
				if !want[line] {
					t.Fatalf("answer %s", line)
				}
				delete(want, line)
			}
			p.nothing()
		},
		"B35 nothing overtakes the handshake": func(t *testing.T) {
			initialize, initialized := make(chan struct{}), make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				switch m.Method {
				case "initialize":
					<-initialize
				case "notifications/initialized":
					<-initialized
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(initializeLine, initializedLine, request("1", "tools/list"))
			u.await(t, "initialize", 1)
			p.silent(300 * time.Millisecond)
			order(t, u, "initialize")
			close(initialize)
			p.line()
			u.await(t, "notifications/initialized", 1)
			p.silent(300 * time.Millisecond)
			order(t, u, "initialize", "notifications/initialized")
			close(initialized)
			p.want(reply("1", `{}`))
			order(t, u, "initialize", "notifications/initialized", "tools/list")
		},
		"B36 cancelled, legacy": func(t *testing.T) {
			release := make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					<-release
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.handshake()
			cancelled := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
			p.send(call("1", "a"))
			u.await(t, "tools/call", 1)
			p.send(cancelled)
			u.await(t, "notifications/cancelled", 1)
			order(t, u, "initialize", "notifications/initialized", "tools/call", "notifications/cancelled")
			if got := u.got("notifications/cancelled")[0].body; got != cancelled {
				t.Errorf("posted: %s", got)
			}
			close(release)
			p.nothing()
			p.in.Close()
			if more := p.rest(); len(more) > 0 {
				t.Errorf("more lines: %q", more)
			}
		},
		"B36 cancelled before it is sent": cancelledEarly,
		"B36 cancelled, modern": func(t *testing.T) {
			closed := make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					event(w, note)
					<-r.Context().Done()
					close(closed)
					return
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(modern("1", "tools/call", `"name":"a"`))
			p.want(note)
			p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
			select {
			case <-closed:
			case <-time.After(patience):
				t.Fatal("the connection stays open")
			}
			p.nothing()
			order(t, u, "tools/call")
		},
		"B37 an id twice in flight": func(t *testing.T) {
			var together gate
			together.need(2)
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					together.pass()
				}
				legacy(w, r, m)
			})
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"), call("1", "a"))
			p.want(called("1", "a"))
			p.want(called("1", "a"))
			p.nothing()
		},
		"B38 a client that stops reading": stopsReading,
	})
}

// cancelledEarly: a cancellation must not go out before its request is written. The server takes the request's first bytes and
// no more, so that it can't be: it is larger than what the system buffers on both ends of a connection.
func cancelledEarly(t *testing.T) {
	const size = 32 << 20
	release := make(chan struct{})
	u := &upstream{}
	record := u.record(legacy)
	arrived := make(chan struct{})
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > size {
			close(arrived)
			<-release
		}
		record.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { u.Config.Close() })
	p := bridge(t, u.URL, options{})
	p.handshake()
	p.send(call("1", strings.Repeat("x", size)))
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatal("the call doesn't arrive")
	}
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	p.silent(300 * time.Millisecond)
	order(t, u, "initialize", "notifications/initialized")
	close(release)
	u.await(t, "notifications/cancelled", 1)
	u.await(t, "tools/call", 1)
	p.nothing()
}

// stopsReading: the bridge holds the server back, keeps taking what the client says, and loses nothing.
func stopsReading(t *testing.T) {
	const events, size = 128, 1 << 20
	filler := strings.Repeat("x", size)
	var sent, posted atomic.Int32
	u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
		switch m.Method {
		case "tools/call":
			for i := range events {
				event(w, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"n":%d,"x":"%s"}}`, i, filler))
				sent.Add(1)
			}
			event(w, reply("1", `{}`))
		case "notifications/roots/list_changed":
			posted.Add(1)
			w.WriteHeader(http.StatusAccepted)
		}
	})
	p := bridge(t, u.URL, options{raw: true})
	p.send(call("1", "a"))
	until(t, "the stream's begin", func() bool { return sent.Load() > 0 })
	for before := int32(-1); before != sent.Load(); time.Sleep(300 * time.Millisecond) {
		before = sent.Load()
	}
	if n := sent.Load(); n > events/2 {
		t.Errorf("%d of %d MiB are on their way to a client that doesn't read", n, events)
	}
	for range 100 {
		p.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)
	}
	until(t, "what the client says", func() bool { return posted.Load() == 100 })

	r := bufio.NewReader(p.out)
	for i := range events {
		line, err := r.ReadString('\n')
		if want := fmt.Sprintf(`"n":%d,`, i); err != nil || !strings.Contains(line, want) || len(line) < size {
			t.Fatalf("line %d: %v, %d bytes, %.80s", i, err, len(line), line)
		}
	}
	if line, err := r.ReadString('\n'); line != reply("1", `{}`)+"\n" {
		t.Errorf("at the end: %v, %.80s", err, line)
	}
	if peak := peakMemory(t, p.cmd.Process.Pid); peak > 100<<20 {
		t.Errorf("the bridge took %d MiB", peak>>20)
	}
	p.in.Close()
	io.Copy(io.Discard, r)
}

// peakMemory returns the most memory that a process has had so far, in bytes; 0 where only Linux would tell.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
