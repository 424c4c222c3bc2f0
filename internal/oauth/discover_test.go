package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mcpctl/mcpctl/internal/web"
)

// fake is an MCP server and an authorization server at one origin that says what a test wants.
type fake struct {
	*httptest.Server
	mu        sync.Mutex
	documents map[string]any // by path
	seen      []string
}

func newFake(t *testing.T) *fake {
	f := &fake{documents: map[string]any{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, r.Method+" "+r.URL.Path)
		switch document := f.documents[r.URL.Path].(type) {
		case nil:
			http.NotFound(w, r)
		case http.HandlerFunc:
			document(w, r)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(document)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) set(path string, document any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.documents[path] = document
}

func (f *fake) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := strings.Join(f.seen, "\n")
	f.seen = nil
	return seen
}

// as is a good authorization server's metadata.
func (f *fake) as(path string) map[string]any {
	return map[string]any{
		"issuer": f.URL + path, "authorization_endpoint": f.URL + path + "/authorize", "token_endpoint": f.URL + path + "/token",
		"registration_endpoint": f.URL + path + "/register", "code_challenge_methods_supported": []string{"plain", "S256"},
	}
}

func with(m map[string]any, name string, value any) map[string]any {
	c := map[string]any{}
	for k, v := range m {
		c[k] = v
	}
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

const prmPath = "/.well-known/oauth-protected-resource"
const asPath = "/.well-known/oauth-authorization-server"

// TestPlaces: each place of metadata that the specification names is looked at, in its order.
func TestPlaces(t *testing.T) {
	type documents map[string]func(*fake) any
	prm := func(path, server string) func(*fake) any {
		return func(f *fake) any {
			return map[string]any{"resource": f.URL + path, "authorization_servers": []string{f.URL + server}}
		}
	}
	as := func(path string) func(*fake) any { return func(f *fake) any { return f.as(path) } }
	for _, tc := range []struct {
		name      string
		challenge string // path of the metadata that the challenge names
		documents documents
		page      string
	}{
		{"path inserted", "", documents{prmPath + "/a/mcp": prm("/a/mcp", ""), asPath: as("")}, "/authorize"},
		{"at the root", "", documents{prmPath: prm("", ""), asPath: as("")}, "/authorize"},
		{"named by the challenge", "/meta/x", documents{"/meta/x": prm("/a/mcp", "/t"), asPath + "/t": as("/t")}, "/t/authorize"},
		{"a tenant", "", documents{prmPath + "/a/mcp": prm("/a", "/t"), asPath + "/t": as("/t")}, "/t/authorize"},
		{"OpenID, inserted", "", documents{prmPath: prm("/a/mcp", "/t"), "/.well-known/openid-configuration/t": as("/t")}, "/t/authorize"},
		{"OpenID, appended", "", documents{prmPath: prm("/a/mcp", "/t"), "/t/.well-known/openid-configuration": as("/t")}, "/t/authorize"},
		{"OpenID at the root", "", documents{prmPath: prm("/a/mcp", ""), "/.well-known/openid-configuration": as("")}, "/authorize"},
		{"2025-03-26", "", documents{asPath: as("")}, "/authorize"},
		{"2025-03-26 without metadata", "", documents{"/authorize": func(*fake) any { return "" }}, "/authorize"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t)
			for path, document := range tc.documents {
				f.set(path, document(f))
			}
			s := New(optionsAt(t, t.TempDir(), f.URL+"/a/mcp"))
			c := Challenge{}
			if tc.challenge != "" {
				c = ParseChallenge(http.Header{"Www-Authenticate": {`Bearer resource_metadata="` + f.URL + tc.challenge}}) // never closed
			}
			server, err := s.Discover(t.Context(), c)
			if err != nil || server.meta.Authorize != f.URL+tc.page {
				t.Errorf("%+v, %v\n%s", server, err, f.take())
			}
		})
	}
}

// TestNotOffered: a server that wants another kind of credential isn't mistaken for one with a login.
func TestNotOffered(t *testing.T) {
	f := newFake(t)
	s := New(optionsAt(t, t.TempDir(), f.URL+"/mcp"))
	if _, err := s.Discover(t.Context(), Challenge{}); !errors.Is(err, ErrNotOffered) {
		t.Error(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello</html>") })
	f.set(prmPath, page)
	f.set(asPath, page)
	if _, err := s.Discover(t.Context(), Challenge{}); !errors.Is(err, ErrNotOffered) {
		t.Error(err)
	}
}

// TestHostileMetadata: what doesn't fit together, or leads elsewhere, ends the login before anything is registered or shown.
func TestHostileMetadata(t *testing.T) {
	f := newFake(t)
	good := f.as("")
	prm := map[string]any{"resource": f.URL + "/mcp", "authorization_servers": []string{f.URL}}
	for _, tc := range []struct {
		name, why string
		prm, as   map[string]any
		challenge string
	}{
		{"no PKCE", "doesn't offer PKCE", prm, with(good, "code_challenge_methods_supported", nil), ""},
		{"plain PKCE alone", "doesn't offer PKCE", prm, with(good, "code_challenge_methods_supported", []string{"plain"}), ""},
		{"another issuer", "that of another one", prm, with(good, "issuer", "https://honest.example"), ""},
		{"no issuer", "that of another one", prm, with(good, "issuer", nil), ""},
		{"an issuer with a path", "that of another one", prm, with(good, "issuer", f.URL+"/t"), ""},
		{"token endpoint elsewhere", "token endpoint isn't at", prm, with(good, "token_endpoint", "https://evil.example/token"), ""},
		{"page elsewhere", "authorization endpoint isn't at", prm, with(good, "authorization_endpoint", "https://honest.example/authorize"), ""},
		{"registration elsewhere", "registration endpoint isn't at", prm, with(good, "registration_endpoint", "https://evil.example/r"), ""},
		{"revocation elsewhere", "revocation endpoint isn't at", prm, with(good, "revocation_endpoint", "https://evil.example/r"), ""},
		{"no token endpoint", "token endpoint isn't at", prm, with(good, "token_endpoint", nil), ""},
		{"the resource is another server", "about another server", with(prm, "resource", "https://honest.example/mcp"), good, ""},
		{"the resource is another path", "about another server", with(prm, "resource", f.URL+"/other"), good, ""},
		{"the resource is half a path", "about another server", with(prm, "resource", f.URL+"/mc"), good, ""},
		{"metadata elsewhere", "at another place", prm, good, "https://evil.example/x"},
		{"metadata over http", "at another place", prm, good, "http://192.0.2.1/x"},
		{"metadata in a file", "at another place", prm, good, "file:///etc/passwd"},
		{"authorization server over http", "can't be one", with(prm, "authorization_servers", []string{"http://192.0.2.1"}), good, ""},
		{"authorization server that is none", "can't be one", with(prm, "authorization_servers", []string{"javascript:alert(1)"}), good, ""},
	} {
		f.set(prmPath+"/mcp", tc.prm)
		f.set(asPath, tc.as)
		f.take()
		s := New(optionsAt(t, t.TempDir(), f.URL+"/mcp"))
		server, err := s.Discover(t.Context(), Challenge{Metadata: tc.challenge})
		if server != nil || err == nil || !strings.Contains(err.Error(), tc.why) || strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: %v", tc.name, err)
		}
		if seen := f.take(); strings.Contains(seen, "POST") {
			t.Errorf("%s: %s", tc.name, seen)
		}
	}
}

// TestT16: a page whose address could be more than an address to a shell, a terminal or a browser is neither shown nor opened, and
// the login ends before it begins (CVE-2025-6514, CVE-2025-58444, CVE-2026-44429).
func TestT16HostilePages(t *testing.T) {
	f := newFake(t)
	f.set(prmPath+"/mcp", map[string]any{"authorization_servers": []string{f.URL}})
	for _, page := range []string{
		"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vscode://h/a", "ms-msdt:/id", "ftp://h/", "-https://h/", "--help", "",
		f.URL + "/`id`", f.URL + "/\"", f.URL + "/<script>", f.URL + "/a|calc", f.URL + `/\..\`, f.URL + "/{a}", f.URL + "/ a", f.URL + "/\r\nX: y",
		f.URL + "/\x1b[31m", f.URL + "/\u00e9", f.URL + "/#frag", "http://u:p@" + strings.TrimPrefix(f.URL, "http://") + "/", "http://192.0.2.1/a",
		"https://evil.example/authorize", f.URL + "@evil.example/", f.URL + ".evil.example/", f.URL + "/" + strings.Repeat("a", 5000),
		"https:", "https://", "https:///a", "https:h", "//h/a", "/a", "x", "http://host.docker.internal/", "http://127.0.0.1.evil.example/",
		"view-source:" + f.URL, "mailto:a@b", "smb://h/a", "https://h$(id)/", "https://h;id/", "https://h&id/",
	} {
		f.set(asPath, with(f.as(""), "authorization_endpoint", page))
		f.take()
		s := New(optionsAt(t, t.TempDir(), f.URL+"/mcp"))
		if server, err := s.Discover(t.Context(), Challenge{}); server != nil || err == nil {
			t.Errorf("%q was taken", page)
		}
		if seen := f.take(); strings.Contains(seen, "POST") {
			t.Errorf("%q: %s", page, seen)
		}
	}
}

// TestElsewhere: a server on the internet can't send a login's requests into the network of its user, and no redirect is followed.
func TestElsewhere(t *testing.T) {
	f := newFake(t)
	o := optionsAt(t, t.TempDir(), f.URL+"/mcp")
	far, err := web.New(web.Options{Beside: parse(t, "https://93.184.215.14/mcp")})
	if err != nil {
		t.Fatal(err)
	}
	near := o.HTTP
	o.HTTP = far
	if _, err := New(o).Discover(t.Context(), Challenge{}); err == nil || !strings.Contains(err.Error(), "belongs to this machine") || f.take() != "" {
		t.Error(err)
	}
	o.HTTP = near
	f.set(prmPath+"/mcp", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	if _, err := New(o).Discover(t.Context(), Challenge{}); !errors.Is(err, ErrNotOffered) || strings.Contains(f.take(), "elsewhere") {
		t.Error(err)
	}
	f.set(prmPath+"/mcp", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"x":%q}`, strings.Repeat("a", maxBody))
	}))
	if _, err := New(o).Discover(t.Context(), Challenge{}); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Error(err)
	}
}

func TestParseChallenge(t *testing.T) {
	for header, want := range map[string]Challenge{
		`Bearer resource_metadata="https://h/x`:                                     {Metadata: "https://h/x", Bearer: true},
		`Bearer resource_metadata="https://h/x", scope="a b"`:                       {Metadata: "https://h/x", Scope: "a b", Bearer: true},
		`Bearer error="insufficient_scope", scope=a, resource_metadata=https://h/x`: {Metadata: "https://h/x", Scope: "a", Bearer: true, Insufficient: true},
		`Basic realm="x"`:                      {},
		`Basic realm="x", Bearer scope="a  b"`: {Bearer: true},
		`bearer`:                               {Bearer: true},
	} {
		if got := ParseChallenge(http.Header{"Www-Authenticate": {header}}); got != want {
			t.Errorf("%s: %+v", header, got)
		}
	}
}
