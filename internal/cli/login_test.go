package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// The keys that the gateway of these tests knows, by what they may do.
const (
	goodKey     = "canary-good-0123456789"
	noListKey   = "canary-no-list-0123456789"
	noInvokeKey = "canary-no-invoke-0123456789"
	bearerKey   = "canary-bearer-0123456789" // taken as "Authorization: Bearer" alone
	badKey      = "canary-bad-0123456789"
)

// testGateway answers what Verify asks, on both sides at one origin. It keeps count of the requests that bring a key.
type testGateway struct {
	*httptest.Server
	mu      sync.Mutex
	keysGot int
}

func newTestGateway(t *testing.T) *testGateway {
	t.Helper()
	g := &testGateway{}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *testGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		_, _ = io.WriteString(w, `{"status":"healthy","version":"2.18.0"}`)
		return
	}
	key := r.Header.Get("x-portkey-api-key")
	if bearer := r.Header.Get("Authorization"); bearer == "Bearer "+bearerKey && key == "" {
		key = bearerKey
	} else if key == bearerKey {
		key = badKey
	}
	if key != "" {
		g.mu.Lock()
		g.keysGot++
		g.mu.Unlock()
	}
	status, body := http.StatusOK, `{"object":"list","total":1,"data":[{"slug":"linear","workspace_slug":"ws-acme","workspace_name":"Acme"}]}`
	list := r.URL.Path == "/v1/mcp-servers"
	if !list {
		status, body = http.StatusNotFound, `{"error":"not_found","error_description":"Server 'ws-acme/x' not found"}`
	}
	switch {
	case key == "" || key == badKey:
		status, body = http.StatusUnauthorized, `{"status":"failure","message":"Portkey Error: Invalid API Key. Error Code: 03"}`
	case key == noListKey && list:
		status, body = http.StatusForbidden, `{"success":false,"data":{"message":"no permission","errorCode":"AB03"}}`
	case key == noInvokeKey && !list:
		status, body = http.StatusForbidden, `{"status":"failure","message":"Portkey Error: Forbidden!. Error Code: 033"}`
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// memoryStore takes the place of the OS keyring. err, if not nil, is the answer to everything.
type memoryStore struct {
	mu    sync.Mutex
	items map[string]credential.Item
	err   error
	delay time.Duration // before Set
}

func (m *memoryStore) Get(_ context.Context, name string) (credential.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return credential.Item{}, m.err
	}
	item, ok := m.items[name]
	if !ok {
		return item, credential.NewError(credential.NotFound, "run: mcpctl login", "not there")
	}
	return item, nil
}

func (m *memoryStore) Set(_ context.Context, name string, item credential.Item) error {
	time.Sleep(m.delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.items[name] = item
	}
	return m.err
}

func (m *memoryStore) Delete(ctx context.Context, name string) error {
	if _, err := m.Get(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items, name)
	return nil
}

func (m *memoryStore) Place(name string) string { return "the test's keyring" }

// user is a person with a home, a keyring and an environment, who runs mcpctl.
type user struct {
	t    *testing.T
	home string
	env  map[string]string
	ring *memoryStore
}

func newUser(t *testing.T, gatewayURL string) *user {
	t.Helper()
	return &user{t, t.TempDir(), map[string]string{
		"MCPCTL_GATEWAY_URL": gatewayURL, "MCPCTL_CONTROL_PLANE_URL": gatewayURL + "/v1",
	}, &memoryStore{items: map[string]credential.Item{}}}
}

func (u *user) app(stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{
		in: stdin, out: stdout, err: stderr, keyring: u.ring, redact: &secret.Redactor{},
		host: host.Host{OS: "linux", Home: u.home, Env: func(name string) string { return u.env[name] }},
	}
}

// run runs mcpctl, and fails the test if a key appears in what it prints or in its settings.
func (u *user) run(stdin string, args ...string) (code int, stdout, stderr string) {
	u.t.Helper()
	var out, err bytes.Buffer
	code = u.app(strings.NewReader(stdin), &out, &err).run(context.Background(), args)
	settings, _ := os.ReadFile(u.path("config.yaml"))
	for _, text := range []string{out.String(), err.String(), string(settings)} {
		if strings.Contains(text, "canary") {
			u.t.Errorf("mcpctl %s shows a key: %s", args[0], text)
		}
	}
	return code, out.String(), err.String()
}

func (u *user) path(name string) string { return filepath.Join(u.home, ".config", "mcpctl", name) }

// keys returns the keys in the keyring.
func (u *user) keys() string {
	var keys []string
	for _, i := range u.ring.items {
		keys = append(keys, i.Key.Reveal())
	}
	return strings.Join(keys, " ")
}

func (u *user) wantFile(name, want string) {
	u.t.Helper()
	got, err := os.ReadFile(u.path(name))
	if want == "" && !os.IsNotExist(err) || string(got) != want {
		u.t.Errorf("%s: %q, %v\nwant %q", name, got, err, want)
	}
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q\nlacks %q", text, p)
		}
	}
}

func TestLogin(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	code, stdout, stderr := u.run(goodKey+"\n", "login", "--with-key")
	if code != 0 || stdout != "" || u.keys() != goodKey {
		t.Fatalf("exit %d, %q, keys %q: %s", code, stdout, u.keys(), stderr)
	}
	wantAll(t, stderr, "Acme (ws-acme)", g.URL, "list servers, call tools", "the test's keyring")
	item := u.ring.items[credential.Name("default", g.URL)]
	if item.Header != "x-portkey-api-key" || strings.Join(item.Origins, " ") != g.URL {
		t.Errorf("stored %+v", item)
	}
	u.wantFile("config.yaml", "profiles:\n  default:\n    gateway_url: "+g.URL+"\n    control_plane_url: "+g.URL+"/v1\n")

	// the profile remembers the gateway
	u.env = nil
	code, stdout, stderr = u.run("", "status", "--json")
	var s statusInfo
	if err := json.Unmarshal([]byte(stdout), &s); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, stderr)
	}
	if s.Credential == nil || *s.Credential != (statusCredential{Kind: "keyring", Source: "the test's keyring", Hint: "…6789"}) || s.Workspace != "ws-acme" ||
		s.CanList == nil || !*s.CanList || s.CanInvoke == nil || !*s.CanInvoke || s.Gateway != (statusGateway{true, "2.18.0"}) {
		t.Errorf("got %s", stdout)
	}
}

func TestLoginFindsTheHeader(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	if code, _, stderr := u.run(bearerKey, "login", "--with-key"); code != 0 {
		t.Fatal(stderr)
	}
	if h := u.ring.items[credential.Name("default", g.URL)].Header; h != "authorization" {
		t.Errorf("header %q", h)
	}
	settings, _ := os.ReadFile(u.path("config.yaml"))
	wantAll(t, string(settings), "key_header: authorization")
	// what an earlier login found may hold no more
	code, _, stderr := u.run(goodKey, "login", "--with-key")
	if code != 0 {
		t.Fatal(stderr)
	}
	wantAll(t, stderr, "list servers, call tools")
	settings, _ = os.ReadFile(u.path("config.yaml"))
	wantAll(t, string(settings), "key_header: x-portkey-api-key")
}

func TestLoginSaysWhatTheKeyCannotDo(t *testing.T) {
	g := newTestGateway(t)
	for key, want := range map[string][]string{
		noListKey:   {"call tools\n", "mcp_servers.list", "install and bridge still work"},
		noInvokeKey: {"list servers\n", "mcp.invoke", "tick MCP Invoke"},
	} {
		u := newUser(t, g.URL)
		code, _, stderr := u.run(key, "login", "--with-key")
		if code != 0 || u.keys() != key {
			t.Errorf("exit %d", code)
		}
		wantAll(t, stderr, want...)
	}
}

func TestLoginRefused(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	u.run(goodKey, "login", "--with-key")
	before, _ := os.ReadFile(u.path("config.yaml"))
	code, _, stderr := u.run(badKey, "login", "--with-key", "--workspace", "other")
	if code != exitNotLoggedIn || u.keys() != goodKey {
		t.Errorf("exit %d, keys %q", code, u.keys())
	}
	wantAll(t, stderr, "Invalid API Key", keysPage)
	u.wantFile("config.yaml", string(before))
}

func TestLoginUnreachable(t *testing.T) {
	g := newTestGateway(t)
	g.Close()
	u := newUser(t, g.URL)
	code, _, stderr := u.run(goodKey, "login", "--with-key")
	if code != exitFailed || u.keys() != "" {
		t.Errorf("exit %d, keys %q", code, u.keys())
	}
	wantAll(t, stderr, "not kept", "--skip-verify", g.Listener.Addr().String())
	if strings.Count(stderr, "\n") != 2 {
		t.Errorf("more than an error and its next step: %q", stderr)
	}
	u.wantFile("config.yaml", "")
	code, _, stderr = u.run(goodKey, "login", "--with-key", "--skip-verify")
	if code != 0 || u.keys() != goodKey {
		t.Errorf("--skip-verify: exit %d, keys %q", code, u.keys())
	}
	wantAll(t, stderr, "not verified")
	if code, stdout, _ := u.run("", "status", "--jq", ".gateway.reachable"); code != exitFailed || stdout != "false\n" {
		t.Errorf("status: exit %d, %q", code, stdout)
	}
}

func TestLoginAtSomethingElse(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	u := newUser(t, s.URL)
	code, _, stderr := u.run(goodKey, "login", "--with-key")
	if code != exitFailed || u.keys() != "" {
		t.Errorf("exit %d, keys %q", code, u.keys())
	}
	wantAll(t, stderr, "as a Portkey gateway does", "--gateway")
}

func TestLoginRefusesKeysInArguments(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	for _, args := range [][]string{{goodKey}, {"--with-key", goodKey}, {"--with-key=" + goodKey}, {"-k" + goodKey}, {"--key=" + goodKey}} {
		code, _, stderr := u.run("", append([]string{"login"}, args...)...)
		if code != exitUsage || u.keys() != "" {
			t.Errorf("exit %d: %s", code, stderr)
		}
	}
}

func TestLoginWantsAKey(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	code, _, stderr := u.run(goodKey, "login") // not from a pipe unless asked to
	if code != exitUsage {
		t.Errorf("exit %d", code)
	}
	wantAll(t, stderr, "--with-key")
	for _, bad := range []string{"", "\n" + goodKey, "two words", strings.Repeat("x", credential.MaxKey+1)} {
		if code, _, _ := u.run(bad, "login", "--with-key"); code != exitFailed || u.keys() != "" {
			t.Errorf("%.20q: exit %d", bad, code)
		}
	}
}

// No plain text without --insecure-storage, whatever the keyring does.
func TestLoginWithoutAKeyring(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	u.ring.err = problem.New("unlock it", "the keyring is locked")
	code, _, stderr := u.run(goodKey, "login", "--with-key")
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	wantAll(t, stderr, "the keyring is locked", "unlock it")
	u.wantFile("credentials.json", "")
	u.wantFile("config.yaml", "")
}

func TestInsecureStorage(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	code, _, stderr := u.run(goodKey, "login", "--with-key", "--insecure-storage")
	if code != 0 || u.keys() != "" {
		t.Fatalf("exit %d, keys %q: %s", code, u.keys(), stderr)
	}
	wantAll(t, stderr, "warning", "plain text", u.path("credentials.json"))
	text, _ := os.ReadFile(u.path("credentials.json"))
	wantAll(t, string(text), goodKey)
	if code, stdout, _ := u.run("", "status", "--jq", ".credential.kind"); code != 0 || stdout != "file\n" {
		t.Errorf("status: exit %d, %q", code, stdout)
	}
	// back into the keyring: no plain text stays
	if code, _, stderr := u.run(goodKey, "login", "--with-key"); code != 0 || u.keys() != goodKey {
		t.Errorf("exit %d: %s", code, stderr)
	}
	u.wantFile("credentials.json", "")
	if code, stdout, _ := u.run("", "status", "--jq", ".credential.kind"); code != 0 || stdout != "keyring\n" {
		t.Errorf("status: exit %d, %q", code, stdout)
	}
}

func TestLogout(t *testing.T) {
	g, other := newTestGateway(t), newTestGateway(t)
	u := newUser(t, g.URL)
	u.run(goodKey, "login", "--with-key", "--insecure-storage")
	u.run(goodKey, "--profile", "work", "--gateway", other.URL, "login", "--with-key")
	u.run(goodKey, "--profile", "home", "login", "--with-key")
	if len(u.ring.items) != 2 {
		t.Fatalf("keys %q", u.keys())
	}
	code, _, stderr := u.run("", "logout")
	if code != 0 || len(u.ring.items) != 2 {
		t.Errorf("exit %d, keys %q", code, u.keys())
	}
	wantAll(t, stderr, "credentials.json")
	u.wantFile("credentials.json", "")
	code, _, stderr = u.run("", "logout")
	wantAll(t, stderr, "has no key")
	if code != 0 {
		t.Errorf("again: exit %d", code)
	}
	// --all means each profile's own gateway, whatever the environment names
	if code, _, stderr = u.run("", "logout", "--all"); code != 0 || u.keys() != "" {
		t.Errorf("--all: exit %d, keys %q: %s", code, u.keys(), stderr)
	}
	u.env["MCPCTL_API_KEY"] = goodKey
	if _, _, stderr = u.run("", "logout"); !strings.Contains(stderr, "MCPCTL_API_KEY is set") {
		t.Errorf("says nothing of the variable: %s", stderr)
	}
	u.ring.err = credential.NewError(credential.Locked, "unlock it", "locked")
	if code, _, _ = u.run("", "--profile", "work", "logout"); code != exitFailed {
		t.Errorf("a locked keyring: exit %d", code)
	}
}

func TestUnknownProfile(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	u.run(goodKey, "--profile", "work", "login", "--with-key")
	code, _, stderr := u.run("", "--profile", "wrok", "status")
	if code != exitUsage {
		t.Errorf("exit %d", code)
	}
	wantAll(t, stderr, `no profile "wrok"`, "work", "mcpctl login --profile wrok")
}

func TestStatusNotLoggedIn(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	code, stdout, stderr := u.run("", "status", "--json")
	want := `{"profile":"default","gateway_url":"` + g.URL + `","control_plane_url":"` + g.URL + `/v1","workspace":"",` +
		`"credential":null,"can_list":null,"can_invoke":null,"gateway":{"reachable":true,"version":"2.18.0"}}` + "\n"
	if code != exitNotLoggedIn || stdout != want {
		t.Errorf("exit %d\n%s\nwant\n%s", code, stdout, want)
	}
	wantAll(t, stderr, "not logged in", "mcpctl login")
	code, stdout, _ = u.run("", "status")
	if code != exitNotLoggedIn {
		t.Errorf("exit %d", code)
	}
	wantAll(t, stdout, "key\tnone\n")
	u.env["MCPCTL_API_KEY"] = badKey
	code, stdout, stderr = u.run("", "status")
	if code != exitNotLoggedIn {
		t.Errorf("a refused key: exit %d", code)
	}
	wantAll(t, stdout+stderr, "…6789 from the variable MCPCTL_API_KEY", "Invalid API Key")
	if code, _, _ = u.run("", "status", "--jq", "("); code != exitUsage {
		t.Errorf("no jq expression: exit %d", code)
	}
}

// The control plane alone doesn't tell in which header the gateway wants the key.
func TestLoginWithTheGatewayDown(t *testing.T) {
	g, down := newTestGateway(t), newTestGateway(t)
	down.Close()
	u := newUser(t, g.URL)
	code, _, stderr := u.run(goodKey, "login", "--with-key", "--gateway", down.URL)
	if code != 0 {
		t.Fatal(stderr)
	}
	wantAll(t, stderr, "warning: the gateway was not reached", "The key may: list servers\n")
	item := u.ring.items[credential.Name("default", down.URL)]
	if item.Header != "" || strings.Join(item.Origins, " ") != down.URL+" "+g.URL {
		t.Errorf("stored %+v", item)
	}
}

// A key stays with the origins that it was verified for.
func TestChangedAddressNeedsLogin(t *testing.T) {
	g, evil := newTestGateway(t), newTestGateway(t)
	u := newUser(t, g.URL)
	u.run(goodKey, "login", "--with-key")
	for _, flag := range []string{"--gateway", "--control-plane"} {
		code, _, stderr := u.run("", "status", flag, evil.URL)
		if code != exitNotLoggedIn {
			t.Errorf("%s: exit %d: %s", flag, code, stderr)
		}
		wantAll(t, stderr, "mcpctl login", evil.URL)
	}
	if evil.keysGot != 0 {
		t.Errorf("the key went to another gateway in %d requests", evil.keysGot)
	}
}

func TestLoginWarnsOfOtherSources(t *testing.T) {
	g := newTestGateway(t)
	u := newUser(t, g.URL)
	u.env["MCPCTL_API_KEY"] = noListKey
	_, _, stderr := u.run(goodKey, "login", "--with-key")
	wantAll(t, stderr, "MCPCTL_API_KEY is set, and goes before")
	if u.keys() != goodKey {
		t.Errorf("keys %q", u.keys())
	}
}

func TestKeyIsRedactedOnStderr(t *testing.T) {
	u := newUser(t, "https://gateway.example")
	var out bytes.Buffer
	a := u.app(nil, nil, nil)
	w := a.redact.Writer(&out)
	a.err, u.env["MCPCTL_API_KEY"] = w, goodKey
	s, err := a.settings()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.credential(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	a.talk("header x-portkey-api-key: %s\n", goodKey)
	if got := out.String(); got != "header x-portkey-api-key: [redacted]\n" {
		t.Errorf("got %q", got)
	}
}
