package conformance_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestShutdown(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B52 stdin ends": func(t *testing.T) {
			u := serve(t, legacy)
			p := atGateway(t, u, options{})
			p.handshake()
			p.send(call("1", "a"))
			p.line()
			p.in.Close()
			if code, took := p.exit(); code != 0 || took > time.Second {
				t.Errorf("exit code %d after %s", code, took)
			}
			ended(t, u)
		},
		"B52 stdin ends before anything": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.in.Close()
			if code, took := p.exit(); code != 0 || took > time.Second {
				t.Errorf("exit code %d after %s", code, took)
			}
			if n := len(u.got("")); n != 0 {
				t.Errorf("%d requests", n)
			}
		},
		"B52 stdin ends during a call": func(t *testing.T) {
			release := make(chan struct{})
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				if m.Method == "tools/call" {
					<-release
				}
				legacy(w, r, m)
			})
			p := atGateway(t, u, options{})
			p.handshake()
			p.send(call("1", "a"))
			u.await(t, "tools/call", 1)
			p.in.Close()
			p.silent(300 * time.Millisecond)
			close(release)
			p.want(called("1", "a"))
			if code, took := p.exit(); code != 0 || took > time.Second {
				t.Errorf("exit code %d after %s", code, took)
			}
			ended(t, u)
		},
		"B52 stdin ends during a call without end": func(t *testing.T) {
			u := serve(t, endless)
			p := atGateway(t, u, options{})
			p.handshake()
			p.send(call("1", "a"))
			u.await(t, "tools/call", 1)
			p.in.Close()
			p.failed("1")
			if code, _ := p.exit(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			ended(t, u)
		},
		"B54 stdout closed": func(t *testing.T) {
			u := serve(t, legacy)
			p := atGateway(t, u, options{raw: true})
			p.out.Close()
			p.send(initializeLine)
			if code, took := p.exit(); code < 0 || took > 2*time.Second {
				t.Errorf("exit code %d after %s", code, took)
			}
		},
		"B54 stderr closed": func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			defer w.Close()
			worksOn(t, w)
		},
		"B54 stderr unread": func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			worksOn(t, w)
		},
	})
}

// endless never answers a call.
func endless(w http.ResponseWriter, r *http.Request, m rpc) {
	if m.Method == "tools/call" {
		<-r.Context().Done()
		return
	}
	legacy(w, r, m)
}

// ended checks that the session was ended, once and with the credential.
func ended(t *testing.T, u *upstream) {
	t.Helper()
	got := u.got("DELETE")
	if len(got) != 1 {
		t.Fatalf("%d times DELETE, want 1", len(got))
	}
	headers(t, got[0], map[string]string{"Mcp-Session-Id": "session-1", "X-Portkey-Api-Key": gatewayKey})
}

// worksOn: more than 1 MiB of log, which nobody reads, stops nothing.
func worksOn(t *testing.T, stderr *os.File) {
	t.Helper()
	u := serve(t, legacy)
	p := bridge(t, u.URL, options{stderr: stderr, flags: []string{"--log-level", "debug"}})
	p.handshake()
	const line = "{oops\n" // each makes a line of the log that is more than twenty times as long
	for range 10 {
		p.write(strings.Repeat(line, 1000))
	}
	p.send(call("1", "a"))
	p.want(called("1", "a"))
	p.in.Close()
	if code, took := p.exit(); code != 0 || took > 2*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
}
