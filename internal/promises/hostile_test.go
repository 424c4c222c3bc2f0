//go:build unix

package promises

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// stranger is a server that nothing of mcpctl's should reach. It keeps what it was sent.
type stranger struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	keys []string
}

func newStranger(t *testing.T, start func(http.Handler) *httptest.Server) *stranger {
	s := &stranger{}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, r.Method+" "+r.URL.String())
		for name, values := range r.Header {
			s.keys = append(s.keys, name+": "+strings.Join(values, ","))
		}
		s.keys = append(s.keys, r.URL.String(), string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","total":0,"data":[]}`)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

// wantNothing wants a stranger to have got no key; or, strictly, not even a request.
func (s *stranger) wantNothing(t *testing.T, key string, strictly bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := leak([]byte(strings.Join(s.keys, "\n")), forms(key)); found != "" {
		t.Errorf("the key came to another server: %s", found)
	}
	if strictly && len(s.got) > 0 {
		t.Errorf("another server was asked: %q", s.got)
	}
}

// asking is a command of each kind that goes to the network.
func asking() [][]string {
	return [][]string{
		{"login", "--insecure-storage", "--with-key"}, {"status"}, {"servers", "ls"}, {"servers", "show", "notes"},
		{"connect", "notes", "--no-browser", "--timeout", "100ms"}, {"disconnect", "notes"}, {"bridge", "notes"},
	}
}

// TestT09RedirectsCarryNoKey: a gateway answers every request with a redirect to another port, scheme or host.
func TestT09RedirectsCarryNoKey(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	plain, secure := newStranger(t, httptest.NewServer), newStranger(t, httptest.NewTLSServer)
	target, _ := url.Parse(plain.URL)
	for _, status := range []int{302, 307, 308} { // package web has the others
		for what, to := range map[string]string{
			"port": plain.URL, "scheme": secure.URL, "host": "http://localhost:" + target.Port(), "user": "http://user@" + target.Host,
		} {
			t.Run(fmt.Sprint(status, " ", what), func(t *testing.T) {
				gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, to+r.URL.Path, status)
				}))
				defer gateway.Close()
				u := newUser(t).at(gateway.URL, gateway.URL+"/v1")
				ca := u.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})), 0o600)
				u.env["MCPCTL_API_KEY"] = key
				for _, args := range asking() {
					stdin := call
					if args[0] == "login" {
						stdin = key + "\n"
					}
					u.run(stdin, append(args, "--ca-file", ca)...)
				}
			})
		}
	}
	plain.wantNothing(t, key, true)
	secure.wantNothing(t, key, true)
}

// TestT10ChangedAddressNeedsLogin: a key that was verified for one gateway goes to no other, however that one got into the
// settings.
func TestT10ChangedAddressNeedsLogin(t *testing.T) {
	g := startDemo(t, demo.Options{})
	key := g.Keys().User
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	u.must(key+"\n", "login", "--insecure-storage", "--with-key")
	other := newStranger(t, httptest.NewServer)
	for name, change := range map[string]func(){
		"control plane by flag":     func() {},
		"control plane by variable": func() { u.env["MCPCTL_CONTROL_PLANE_URL"] = other.URL + "/v1" },
		"gateway by variable":       func() { u.env["MCPCTL_GATEWAY_URL"] = other.URL },
		"both by profile set": func() {
			u.env["MCPCTL_GATEWAY_URL"], u.env["MCPCTL_CONTROL_PLANE_URL"] = "", ""
			u.must("", "profile", "set", "default", "--gateway", other.URL, "--control-plane", other.URL+"/v1")
		},
	} {
		change()
		for _, args := range append(asking()[1:], []string{"exec", "--", "true"}) {
			if name == "control plane by flag" {
				args = append([]string{"--control-plane", other.URL + "/v1"}, args...)
			}
			code, stdout, stderr := u.run(call, args...)
			told := strings.Contains(stdout+stderr, "mcpctl login")
			if code == 0 && !slices.Contains(args, "bridge") || !told {
				t.Errorf("%s: %q: exit %d, %s%s", name, args, code, stdout, stderr)
			}
		}
		u.at(g.GatewayURL(), g.ControlPlaneURL())
	}
	other.wantNothing(t, key, false)
}

// TestT11ListedAddressesAreNotAsked: a listing names servers at another origin.
func TestT11ListedAddressesAreNotAsked(t *testing.T) {
	other := newStranger(t, httptest.NewServer)
	g := startDemo(t, demo.Options{})
	key := g.Keys().User
	gateway, _ := url.Parse(g.ControlPlaneURL())
	plane := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/mcp-servers") {
			http.NotFound(w, r)
			return
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", gateway.Host, ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(resp.StatusCode)
		_, _ = io.WriteString(w, strings.ReplaceAll(string(body), g.GatewayURL(), other.URL))
	}))
	defer plane.Close()
	u := newUser(t).at(g.GatewayURL(), plane.URL+"/v1")
	u.write(".cursor/mcp.json", "{}", 0o600)
	u.must(key+"\n", "login", "--insecure-storage", "--with-key")
	var list []struct{ URL string }
	if err := json.Unmarshal([]byte(u.must("", "servers", "ls", "--json")), &list); err != nil || len(list) == 0 || !strings.HasPrefix(list[0].URL, other.URL) {
		t.Errorf("the listing names no foreign address, so this shows nothing: %v, %v", list, err)
	}
	for _, args := range append(asking()[1:], []string{"install", "cursor", "notes"}) {
		u.run(call, args...)
	}
	if !strings.Contains(u.said.String(), `"id":1`) {
		t.Error("the bridge got no answer from the configured gateway")
	}
	other.wantNothing(t, key, true)
}

// TestT12PlainHTTPStaysOnThisMachine: nothing goes over plain http to another machine, be it called what it may.
func TestT12PlainHTTPStaysOnThisMachine(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	for _, base := range []string{
		"http://mcp.example.com", "http://192.168.0.10:8788", "http://host.docker.internal:8788", "http://0.0.0.0:8788", "http://127.0.0.1.example.com",
		"http://localhost.example.com", "http://[fe80::1]:8788", "http://2130706433", "http://mcp.portkey.ai", "HTTP://mcp.example.com",
	} {
		u := newUser(t)
		u.env["MCPCTL_API_KEY"] = key
		for _, args := range append(asking(), []string{"exec", "--", "true"}) {
			code, _, stderr := u.run(key+"\n", append([]string{"--gateway", base, "--control-plane", base + "/v1"}, args...)...)
			if code == 0 || !strings.Contains(stderr, "plain http") {
				t.Errorf("%s: %q: exit %d, %s", base, args, code, stderr)
			}
		}
		if code, _, stderr := u.run(call, "bridge", base+"/mcp"); code == 0 || !strings.Contains(stderr, "plain http") {
			t.Errorf("bridge %s/mcp: exit %d, %s", base, code, stderr)
		}
	}
	// portkey.ai stays out even for who allows it.
	u := newUser(t)
	u.env["MCPCTL_API_KEY"] = key
	if code, _, stderr := u.run("", "status", "--allow-http", "--gateway", "http://mcp.portkey.ai"); code == 0 || !strings.Contains(stderr, "never spoken to over plain http") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestT13UnknownCertificates: a certificate that nobody vouches for gets no request from any command; ca_file vouches for it.
func TestT13UnknownCertificates(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	s := newStranger(t, httptest.NewTLSServer)
	u := newUser(t)
	u.env["MCPCTL_API_KEY"], u.env["SSL_CERT_FILE"] = key, "/dev/null"
	flags := []string{"--gateway", s.URL, "--control-plane", s.URL + "/v1"}
	for _, args := range asking() {
		_, stdout, stderr := u.run(call, append(args, flags...)...)
		if args[0] != "login" && !strings.Contains(stdout+stderr, "certificate") {
			t.Errorf("%q doesn't say what is wrong: %s%s", args, stdout, stderr)
		}
	}
	s.wantNothing(t, key, true)
	ca := u.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), 0o600)
	u.must("", append([]string{"config", "set", "ca_file", ca}, flags...)...)
	u.must("", append([]string{"servers", "ls"}, flags...)...)
	if len(s.got) == 0 {
		t.Error("ca_file doesn't help")
	}
	for _, name := range []string{"insecure", "skip", "no-check", "no-verify"} {
		for _, path := range u.commands() {
			help := u.must("", append(strings.Fields(path), "--help")...)
			if strings.Contains(help, "--"+name+"-tls") || strings.Contains(help, "--"+name+"-certificate") {
				t.Errorf("mcpctl %s has a switch that takes the check away", path)
			}
		}
	}
}

// TestT30DebugLogs: the standard library's own debug log holds every header of HTTP/2, and mcpctl's is as loud as it gets; the key
// is blanked in both.
func TestT30DebugLogs(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	s := newStranger(t, func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.StartTLS()
		return s
	})
	u := newUser(t).at(s.URL, s.URL+"/v1")
	u.env["MCPCTL_API_KEY"], u.env["GODEBUG"] = key, "http2debug=2"
	ca := u.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), 0o600)
	for _, args := range append(asking(), []string{"bridge", "notes", "--log-level", "debug", "--log-file", "bridge.log"}) {
		stdin := call
		if args[0] == "login" {
			stdin = key + "\n"
		}
		_, _, stderr := u.run(stdin, append(args, "--ca-file", ca)...)
		if !strings.Contains(stderr, `"x-portkey-api-key" = "[redacted]"`) {
			t.Errorf("%q: the debug log lacks the header, so this shows nothing: %.300s", args, stderr)
		}
	}
	if leak([]byte(strings.Join(s.keys, "\n")), forms(key)) == "" {
		t.Error("the server never got the key, so this shows nothing")
	}
	if found := leak(u.said.Bytes(), forms(key)); found != "" {
		t.Errorf("the key was logged: %s", found)
	}
	search(t, u.home, forms(key), "credentials.json")
}
