//go:build e2e && linux

package e2e

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// manner is how a scripted Secret Service behaves (https://specifications.freedesktop.org/secret-service/latest/). The zero
// value keeps what it is given, and asks nobody.
type manner struct {
	locked  bool   // Unlock wants a prompt
	writing bool   // CreateItem and Delete want one
	answer  string // to a prompt: "yes", "dismissed", "never", "vanish": the service goes away under it
	hangs   bool
	refuses bool
	forgets bool // CreateItem says that all is well, and keeps nothing
}

// ring is a scripted Secret Service on a bus of its own.
type ring struct {
	manner
	conn *dbus.Conn

	mu     sync.Mutex
	items  map[dbus.ObjectPath]*ringItem
	count  int
	prompt func() dbus.Variant // what the prompt in progress leads to
}

type ringItem struct {
	attributes map[string]string
	secret     ringSecret
}

// ringSecret is the structure Secret of the specification.
type ringSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const (
	noPrompt    = dbus.ObjectPath("/")
	servicePath = dbus.ObjectPath("/org/freedesktop/secrets")
	sessionPath = servicePath + "/session/1"
	promptPath  = servicePath + "/prompt/1"
	loginPath   = servicePath + "/collection/login"
	iface       = "org.freedesktop.Secret."
)

// newRing starts a bus with a service of that manner, and returns a session of a person in it.
func newRing(t *testing.T, m manner) (*ring, *session) {
	t.Helper()
	need(t, "dbus-daemon", "dbus")
	g, err := demo.Start(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	s := &session{t: t, folder: t.TempDir(), gateway: g}
	if err := os.Mkdir(filepath.Join(s.folder, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(s.folder, "bus.conf")
	text := `<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">` +
		`<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bus := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+config)
	stdout, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = bus.Process.Kill()
		_ = bus.Wait()
		s.wantNoProcess()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s.bus = strings.TrimSpace(line)
	r := &ring{manner: m, items: map[dbus.ObjectPath]*ringItem{}}
	r.serve(t, s.bus)
	return r, s
}

func (r *ring) serve(t *testing.T, address string) {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r.conn = conn
	for _, o := range []struct {
		path    dbus.ObjectPath
		iface   string
		methods map[string]any
	}{
		{servicePath, iface + "Service", map[string]any{"OpenSession": r.openSession, "Unlock": r.unlock}},
		{servicePath, "org.freedesktop.DBus.Properties", map[string]any{"Get": r.property}},
		{sessionPath, iface + "Session", map[string]any{"Close": func() *dbus.Error { return nil }}},
		{promptPath, iface + "Prompt", map[string]any{"Prompt": r.ask}},
		{loginPath, iface + "Collection", map[string]any{"CreateItem": r.createItem, "SearchItems": r.searchItems}},
	} {
		if err := conn.ExportMethodTable(o.methods, o.path, o.iface); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
}

// trouble is what a service in trouble does before all else.
func (r *ring) trouble() *dbus.Error {
	if r.hangs {
		select {}
	}
	if r.refuses {
		return dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"not you"})
	}
	return nil
}

func (r *ring) openSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), sessionPath, r.trouble()
}

func (r *ring) property(string, string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant([]dbus.ObjectPath{loginPath}), r.trouble()
}

func (r *ring) unlock(objects []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if !r.locked {
		return objects, noPrompt, r.trouble()
	}
	return nil, r.prompting(func() dbus.Variant { return dbus.MakeVariant(objects) }), r.trouble()
}

func (r *ring) createItem(properties map[string]dbus.Variant, secret ringSecret, _ bool) (item, prompt dbus.ObjectPath, failure *dbus.Error) {
	attributes, _ := properties[iface+"Item.Attributes"].Value().(map[string]string)
	store := func() dbus.Variant { return dbus.MakeVariant(r.store(attributes, secret)) }
	switch {
	case r.forgets:
		return "/org/freedesktop/secrets/collection/login/0", noPrompt, nil
	case r.writing:
		return noPrompt, r.prompting(store), nil
	}
	return store().Value().(dbus.ObjectPath), noPrompt, r.trouble()
}

func (r *ring) store(attributes map[string]string, secret ringSecret) dbus.ObjectPath {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, item := range r.items {
		if maps.Equal(item.attributes, attributes) {
			item.secret = secret
			return path
		}
	}
	r.count++
	path := dbus.ObjectPath(fmt.Sprintf("%s/%d", loginPath, r.count))
	r.items[path] = &ringItem{attributes, secret}
	_ = r.conn.ExportMethodTable(map[string]any{
		"GetSecret": func(dbus.ObjectPath) (ringSecret, *dbus.Error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.items[path].secret, nil
		},
		"Delete": func() (dbus.ObjectPath, *dbus.Error) {
			remove := func() dbus.Variant {
				r.mu.Lock()
				defer r.mu.Unlock()
				delete(r.items, path)
				return dbus.MakeVariant("")
			}
			if r.writing {
				return r.prompting(remove), nil
			}
			remove()
			return noPrompt, nil
		},
	}, path, iface+"Item")
	return path
}

func (r *ring) searchItems(attributes map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := []dbus.ObjectPath{}
	for path, item := range r.items {
		if maps.Equal(item.attributes, attributes) {
			found = append(found, path)
		}
	}
	return found, nil
}

func (r *ring) prompting(then func() dbus.Variant) dbus.ObjectPath {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prompt = then
	return promptPath
}

// ask shows the prompt, and its user does as the manner says.
func (r *ring) ask(string) *dbus.Error {
	r.mu.Lock()
	then := r.prompt
	r.mu.Unlock()
	switch r.answer {
	case "yes":
		_ = r.conn.Emit(promptPath, iface+"Prompt.Completed", false, then())
	case "dismissed":
		_ = r.conn.Emit(promptPath, iface+"Prompt.Completed", true, dbus.MakeVariant(""))
	case "vanish":
		go r.conn.Close()
	}
	return nil
}

// keys returns how many items there are.
func (r *ring) keys() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.items)
}

const (
	atOnce  = 3 * time.Second
	inLimit = 5*time.Second + 2*time.Second // what a keyring gets, and what a busy machine may add
)

// TestT07DismissedPrompts: a service says that all is well when its user has dismissed the prompt. The key wasn't kept then, nor
// removed, and mcpctl says so.
func TestT07DismissedPrompts(t *testing.T) {
	r, s := newRing(t, manner{writing: true, answer: "dismissed"})
	key := s.gateway.Keys().User
	code, _, stderr := s.run(atOnce, nil, key+"\n", "login", "--with-key")
	if code != 1 || !strings.Contains(stderr, "it took the key, and doesn't have it") || r.keys() != 0 {
		t.Errorf("login: exit %d, %d keys: %s", code, r.keys(), stderr)
	}
	r.answer = "yes"
	code, _, _ = s.run(atOnce, nil, key+"\n", "login", "--with-key")
	s.want("login with an answered prompt", code, 0)
	r.answer = "dismissed"
	code, _, stderr = s.run(atOnce, nil, s.gateway.Keys().NoInvoke+"\n", "login", "--with-key")
	if code != 1 || !strings.Contains(stderr, "doesn't have it") {
		t.Errorf("login over another: exit %d: %s", code, stderr)
	}
	code, stdout, _ := s.run(atOnce, nil, "", "status", "--jq", ".credential.hint")
	s.want("the key that stays", fmt.Sprint(code, stdout), "0…"+key[len(key)-4:]+"\n")
	for _, args := range [][]string{{"logout"}, {"profile", "rm", "default"}} {
		code, _, stderr = s.run(atOnce, nil, "", args...)
		if code != 1 || !strings.Contains(stderr, "the key is still there") || r.keys() != 1 {
			t.Errorf("%q: exit %d, %d keys: %s", args, code, r.keys(), stderr)
		}
	}
	r.answer = "yes"
	code, _, _ = s.run(atOnce, nil, "", "logout")
	s.want("logout", code, 0)
	s.want("keys", r.keys(), 0)
}

// TestT27ScriptedKeyrings: whatever a keyring does, every command that needs the key ends in its time, with words that help, and
// no weaker place takes the key's.
func TestT27ScriptedKeyrings(t *testing.T) {
	for name, tc := range map[string]struct {
		manner
		limit time.Duration
		says  string
	}{
		"locked, dismissed":        {manner{locked: true, answer: "dismissed"}, atOnce, "is locked"},
		"locked, no answer":        {manner{locked: true, answer: "never"}, inLimit, "doesn't answer"},
		"gone under the prompt":    {manner{locked: true, answer: "vanish"}, inLimit, "Secret Service keyring"},
		"hangs":                    {manner{hangs: true}, inLimit, "doesn't answer"},
		"refuses":                  {manner{refuses: true}, atOnce, "denied access"},
		"says yes, keeps nothing":  {manner{forgets: true}, atOnce, "doesn't have it"},
		"writing without answer":   {manner{writing: true, answer: "never"}, inLimit, "doesn't answer"},
		"writing, gone under this": {manner{writing: true, answer: "vanish"}, inLimit, "Secret Service keyring"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			_, s := newRing(t, tc.manner)
			key := s.gateway.Keys().User
			code, _, stderr := s.run(tc.limit, nil, key+"\n", "login", "--with-key")
			if code != 1 || !strings.Contains(stderr, tc.says) || !strings.Contains(stderr, "--insecure-storage") {
				t.Errorf("login: exit %d: %s", code, stderr)
			}
			for _, args := range [][]string{{"status"}, {"servers", "ls"}, {"logout"}} {
				if code, _, stderr := s.run(tc.limit, nil, "", args...); code == 0 && args[0] != "logout" || strings.Contains(stderr, "panic") {
					t.Errorf("%q: exit %d: %s", args, code, stderr)
				}
			}
			// The bridge answers too: its client may not wait longer than 10 s.
			code, stdout, _ := s.run(10*time.Second, nil, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n", "bridge", "notes")
			if code != 0 || !strings.Contains(stdout, `"id":1`) || !strings.Contains(stdout, `"error"`) {
				t.Errorf("bridge: exit %d: %s", code, stdout)
			}
			if found, _ := filepath.Glob(filepath.Join(s.folder, "home", ".config", "mcpctl", "*")); len(found) > 0 {
				t.Errorf("files were made: %q", found)
			}
		})
	}
}

// TestScriptedKeyring: a keyring that asks before it unlocks, and the longest key that is taken.
func TestScriptedKeyring(t *testing.T) {
	r, s := newRing(t, manner{locked: true, answer: "yes"})
	long := strings.Repeat("k", 16<<10)
	code, _, _ := s.run(atOnce, nil, long+"\n", "login", "--with-key", "--skip-verify")
	s.want("login with 16 KiB", code, 0)
	code, stdout, _ := s.run(atOnce, nil, "", "exec", "--no-masking", "--", "sh", "-c", `printf %s "$PORTKEY_API_KEY" | wc -c`)
	s.want("the key's length", fmt.Sprint(code, strings.TrimSpace(stdout)), "016384")
	code, _, stderr := s.run(atOnce, nil, long+"k\n", "login", "--with-key", "--skip-verify")
	s.want("login with more", fmt.Sprint(code, strings.Contains(stderr, "longer than 16 KiB")), "1 true")
	code, _, _ = s.run(atOnce, nil, "", "logout")
	s.want("logout", fmt.Sprint(code, r.keys()), "0 0")
}
