package conformance_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

func TestSecurity(t *testing.T) {
	tests := map[string]func(*testing.T){
		"B55 redirects":              redirects,
		"B57 nothing secret is said": saysNothing,
		"B58 plain http to another machine": func(t *testing.T) {
			p := bridge(t, "http://192.0.2.1/mcp", options{})
			if code, _ := p.exit(); code == 0 {
				t.Error("exit code 0")
			}
			if said := p.stderr(); !strings.Contains(said, "plain http") || !strings.Contains(said, "--allow-http") {
				t.Errorf("stderr: %s", said)
			}
		},
	}
	if runtime.GOOS != "windows" && runtime.GOOS != "darwin" { // there the opener is no program of PATH
		for name, page := range map[string]string{
			"file": "file:///etc/passwd", "javascript": "javascript:alert(1)", "user": "https://u@h.example/", "newline": "https://h.example/\nx",
			"an option": "--help", "plain http": "http://h.example/",
		} {
			tests["B56 a hostile page: "+name] = func(t *testing.T) {
				o, opened := opener(t)
				u := serve(t, asking(func(string) string { return page }))
				p := atGateway(t, u, o)
				p.send(call("1", "a"))
				if m := p.message(); m.Error == nil {
					t.Errorf("%+v", m)
				}
				p.silent(quiet / 4)
				if got := opened(); len(got) > 0 {
					t.Errorf("opened %q", got)
				}
			}
		}
		tests["B56 a page with shell code"] = func(t *testing.T) {
			o, opened := opener(t)
			var own string
			u := serve(t, asking(func(u string) string { return u + "/?x=$(id)" }))
			own = u.URL
			p := atGateway(t, u, o)
			p.send(call("1", "a"))
			until(t, "the opener", func() bool { return len(opened()) > 0 })
			if got := opened(); len(got) != 1 || got[0] != own+"/?x=%24%28id%29" {
				t.Errorf("opened %q", got)
			}
			p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
		}
	}
	run(t, tests)
}

// redirects: a request goes on to the same origin only, whole; to no other, and with no key.
func redirects(t *testing.T) {
	other := serve(t, legacy)
	u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
		status := 307
		if strings.Contains(string(m.Params), "302") {
			status = 302
		}
		switch {
		case r.URL.Path == "/here/mcp":
			legacy(w, r, m)
		case strings.Contains(string(m.Params), "elsewhere"):
			w.Header().Set("Location", other.URL+"/mcp?secret=1")
			w.WriteHeader(status)
		default:
			w.Header().Set("Location", "/here/mcp")
			w.WriteHeader(307)
		}
	})
	p := atGateway(t, u, options{})
	for i, tool := range []string{"elsewhere 302", "elsewhere 307"} {
		p.send(call(fmt.Sprint(i), tool))
		m := p.failed(fmt.Sprint(i), other.URL)
		if strings.Contains(m.Error.Message, "secret") {
			t.Error(m.Error.Message)
		}
	}
	if n := len(other.got("")); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
	p.send(call("3", "here"))
	p.want(called("3", "here"))
	posts := u.got("POST")
	last := posts[len(posts)-1]
	headers(t, last, map[string]string{"X-Portkey-Api-Key": gatewayKey, "Content-Type": "application/json"})
	if last.body != call("3", "here") {
		t.Errorf("body: %q", last.body)
	}
}

// saysNothing: not even the most talkative log holds the key, the session id, or anything of a message, whatever goes wrong.
func saysNothing(t *testing.T) {
	const body = "body-marker-5c1d"
	s := &forgetful{status: http.StatusNotFound, body: body, refuse: []string{"session-1", "session-2"}}
	u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
		switch {
		case strings.Contains(string(m.Params), "html"):
			io.WriteString(w, "<html>"+body+"</html>")
		case strings.Contains(string(m.Params), "stream"):
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", body)
		case strings.Contains(string(m.Params), "reset"):
			reset(w, r, m)
		case r.Method == http.MethodGet:
			w.WriteHeader(500)
			io.WriteString(w, body)
		case m.Method == "notifications/roots/list_changed":
			w.WriteHeader(500)
			io.WriteString(w, body)
		case m.Method == "tools/list":
			w.WriteHeader(502)
			io.WriteString(w, body)
		default:
			s.serve(w, r, m)
		}
	})
	p := atGateway(t, u, options{flags: []string{"--log-level", "debug"}, env: []string{"GODEBUG=http2debug=2"}})
	p.handshake()
	p.send(`{"jsonrpc":"2.0","id":9,"method":"`+body+`",}`, `{`+body, `{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":{"x":"`+body+`"}}`)
	p.failed("9")
	for _, what := range []string{"html", "stream", "reset", "lost"} {
		p.send(call("1", what+" "+body))
		p.failed("1")
	}
	p.send(request("2", "tools/list"))
	p.failed("2")
	p.in.Close()
	p.exit()
	said := p.stderr()
	if !strings.Contains(said, "level=") {
		t.Errorf("no log: %q", said)
	}
	for _, secret := range []string{gatewayKey, "session-1", "session-2", body} {
		if strings.Contains(said, secret) {
			t.Errorf("stderr holds %s:\n%s", secret, said)
		}
	}
}
