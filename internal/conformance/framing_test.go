package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFraming(t *testing.T) {
	run(t, map[string]func(*testing.T){
		"B01 two requests in one write, one in three": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			one, two := call("1", "a"), `{ "jsonrpc":"2.0", "id":2,"method":"tools/call","params":{"name":"b","x":1.50} }`
			three := call("3", "c")
			p.write(one + "\n" + two + "\n")
			p.line()
			p.line()
			for _, part := range []string{three[:5], three[5:20], three[20:] + "\n"} {
				p.write(part)
			}
			p.want(called("3", "c"))
			bodies(t, u, one, two, three)
		},
		"B02 CRLF, blank lines, byte order mark": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.write("\ufeff" + call("1", "a") + "\r\n\r\n\n  \n" + call("2", "b") + "\r\n")
			p.line()
			p.line()
			p.nothing()
			bodies(t, u, call("1", "a"), call("2", "b"), request(`"nothing"`, "ping"))
		},
		"B03 a malformed line without an id": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.send(`{oops`, call("1", "a"))
			p.want(called("1", "a"))
			bodies(t, u, call("1", "a"))
		},
		"B04 a malformed line with an id": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.send(`{"jsonrpc":"2.0","id":7,"method":"tools/call",}`)
			if m := p.failed("7"); m.Error.Code != -32700 {
				t.Errorf("code %d", m.Error.Code)
			}
			bodies(t, u)
		},
		"B05 a line that is not UTF-8": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.send(call("8", "\xff"))
			p.failed("8", "UTF-8")
			bodies(t, u)
		},
		"B06 a last line without its end": func(t *testing.T) {
			u := serve(t, legacy)
			p := bridge(t, u.URL, options{})
			p.write(call("1", "a"))
			p.in.Close()
			p.want(called("1", "a"))
			if code, _ := p.exit(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			bodies(t, u, call("1", "a"))
		},
		"B07 long lines": longLines,
		"B08 ids":        ids,
		"B09 an answer over several lines": func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1,\n  \"result\": {\"a\": \"b  c\", \"n\": 1.50}\n}\n")
			})
			p := bridge(t, u.URL, options{})
			p.send(call("1", "a"))
			p.want(`{"jsonrpc":"2.0","id":1,"result":{"a":"b  c","n":1.50}}`)
			p.in.Close()
			if more := p.rest(); len(more) > 0 {
				t.Errorf("more lines: %q", more)
			}
		},
		"B10 an opener that chatters": chatter,
		"B11 batches":                 batches,
	})
}

// run runs subtests side by side.
func run(t *testing.T, tests map[string]func(*testing.T)) {
	t.Parallel()
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t)
		})
	}
}

// bodies checks that exactly these messages were posted, in any order.
func bodies(t *testing.T, u *upstream, want ...string) {
	t.Helper()
	left := map[string]int{}
	for _, b := range want {
		left[b]++
	}
	for _, r := range u.got("POST") {
		if left[r.body] == 0 {
			t.Errorf("posted: %.200q", r.body)
		}
		left[r.body]--
	}
	for b, n := range left {
		if n > 0 {
			t.Errorf("not posted: %.200q", b)
		}
	}
}

func longLines(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
		if m.Method != "long" {
			legacy(w, r, m)
			return
		}
		answer(w, m, fmt.Sprint(len(m.Params)))
	})
	p := bridge(t, u.URL, options{})
	p.send(`{"jsonrpc":"2.0","id":1,"method":"long","params":"` + strings.Repeat("x", 8<<20-2) + `"}`)
	p.want(reply("1", fmt.Sprint(8<<20)))
	// What is too long goes as a whole, even where its rest would make a message of its own.
	p.send(`{"jsonrpc":"2.0","id":2,"method":"long","params":""}` + strings.Repeat(" ", 65<<20) + call("9", "rest"))
	p.failed("2", "64 MiB")
	p.send(call("3", "a"))
	p.want(called("3", "a"))
	p.in.Close() // what is under way comes to its end
	if more := p.rest(); len(more) > 0 {
		t.Errorf("more lines: %.200q", more)
	}
	if n, calls := len(u.got("long")), len(u.got("tools/call")); n != 1 || calls != 1 {
		t.Errorf("%d long messages and %d calls arrived, want 1 and 1", n, calls)
	}
}

// ids: a server that reads ids as floating-point numbers, as many do, must not spoil them for the client.
func ids(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
		var id any
		_ = json.Unmarshal(m.ID, &id)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": id, "result": 1})
	})
	p := bridge(t, u.URL, options{})
	for _, id := range []string{`"1"`, `1`, `9007199254740993`, `9223372036854775808`, `1.5`, `1.50`, `"ü"`, `"\u00fc"`} {
		p.send(call(id, "a"))
		if got := p.line(); !strings.Contains(got, `"id":`+id+`,`) {
			t.Errorf("id %s: %s", id, got)
		}
	}
}

// chatter: what a browser's opener prints must not reach stdout.
func chatter(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return // there the opener is the system's, and no program of PATH
	}
	o, opened := opener(t)
	u := serve(t, asking(func(u string) string { return u + "/consent?state=s" }))
	p := atGateway(t, u, o)
	p.send(call("1", "a"))
	until(t, "the opener", func() bool { return len(opened()) > 0 })
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	p.nothing()
}

// opener is a browser's opener that prints noise and notes its argument; opened returns what it was asked to open.
func opener(t *testing.T) (o options, opened func() []string) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho noise\necho noise >&2\nprintf '%s\\n' \"$*\" >>" + filepath.Join(dir, "opened") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	o.env = []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "DISPLAY=:99"}
	return o, func() []string {
		data, _ := os.ReadFile(filepath.Join(dir, "opened"))
		return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	}
}

// asking is a gateway that asks for consent, at the URL made of its own, whenever a tool is called.
func asking(page func(own string) string) handler {
	return func(w http.ResponseWriter, r *http.Request, m rpc) {
		if m.Method != "tools/call" {
			legacy(w, r, m)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": m.ID, "error": map[string]any{
			"code": -32000, "message": "Authorization required", "data": map[string]any{"authorizationUrl": page("http://" + r.Host)},
		}})
		w.Write(body)
	}
}

const gatewayKey = "pk-conformance-key-0123456789"

// atGateway starts a bridge to the server "demo" behind u, with a key.
func atGateway(t *testing.T, u *upstream, o options) *process {
	t.Helper()
	o.env = append(o.env, "MCPCTL_GATEWAY_URL="+u.URL, "MCPCTL_CONTROL_PLANE_URL="+u.URL+"/v1", "MCPCTL_API_KEY="+gatewayKey)
	return bridge(t, "demo", o)
}

func batches(t *testing.T) {
	for version, want := range map[string]int{"2025-03-26": 1, "2025-06-18": 2} {
		u := serve(t, func(w http.ResponseWriter, r *http.Request, m rpc) {
			switch {
			case m.Method == "initialize":
				answer(w, m, `{"protocolVersion":"`+version+`","capabilities":{}}`)
			case r.Method == http.MethodPost && m.Method == "":
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, "["+called("1", "a")+",\n "+called("2", "b")+"]")
			default:
				legacy(w, r, m)
			}
		})
		p := bridge(t, u.URL, options{})
		p.handshake()
		p.send("[" + call("1", "a") + "," + call("2", "b") + "]")
		got := p.line()
		if want == 2 {
			got += p.line()
		}
		for _, one := range []string{called("1", "a"), called("2", "b")} {
			if !strings.Contains(got, one) {
				t.Errorf("%s: %s lacks %s", version, got, one)
			}
		}
		posts := 0
		for _, r := range u.got("POST") {
			if strings.Contains(r.body, "tools/call") {
				posts++
			}
		}
		if posts != want {
			t.Errorf("%s: %d POSTs, want %d", version, posts, want)
		}
	}
}
