package credential

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// fakeStore holds one item, or fails.
type fakeStore struct {
	item Item
	err  error
}

func (s fakeStore) Get(context.Context, string) (Item, error) { return s.item, s.err }
func (s fakeStore) Set(context.Context, string, Item) error   { return errors.ErrUnsupported }
func (s fakeStore) Delete(context.Context, string) error      { return errors.ErrUnsupported }
func (s fakeStore) Place(name string) string                  { return "the store (" + name + ")" }
func stored(key, header string, origins ...string) fakeStore {
	return fakeStore{item: Item{secret.New(key), header, origins}}
}
func hostWith(env map[string]string) host.Host {
	return host.Host{OS: runtime.GOOS, Env: func(n string) string { return env[n] }}
}

func TestFindOrder(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte("key-of-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const gateway, control = "https://mcp.portkey.ai", "https://api.portkey.ai/v1"
	both := map[string]string{"MCPCTL_API_KEY": "key-of-mcpctl", "PORTKEY_API_KEY": "key-of-portkey"}
	portkey := map[string]string{"MCPCTL_API_KEY": "", "PORTKEY_API_KEY": "key-of-portkey"}
	command := []string{"echo", "key-of-command"}
	store := stored("key-of-store", "authorization", gateway, "https://api.portkey.ai")
	tests := map[string]struct {
		q          Query
		key, kind  string
		source     string
		header     string
		notOrigins bool
	}{
		"key file first":        {q: Query{KeyFile: keyFile, Host: hostWith(both), Command: command}, key: "key-of-file", kind: FromKeyFile, source: keyFile},
		"MCPCTL_API_KEY":        {q: Query{Host: hostWith(both), Command: command}, key: "key-of-mcpctl", kind: FromEnvironment, source: "MCPCTL_API_KEY"},
		"PORTKEY_API_KEY":       {q: Query{Host: hostWith(portkey), Command: command}, key: "key-of-portkey", kind: FromEnvironment, source: "PORTKEY_API_KEY"},
		"key_command":           {q: Query{Command: command}, key: "key-of-command", kind: FromCommand, source: "echo"},
		"store":                 {q: Query{}, key: "key-of-store", kind: FromKeyring, source: store.Place(Name("default", gateway)), header: "authorization"},
		"header of the profile": {q: Query{Header: "x-portkey-api-key"}, key: "key-of-store", kind: FromKeyring, source: store.Place(Name("default", gateway)), header: "x-portkey-api-key"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			q := tc.q
			q.Profile, q.GatewayURL, q.ControlPlaneURL, q.Store, q.StoreKind = "default", gateway, control, store, FromKeyring
			got, err := Find(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Value.Reveal() != tc.key || got.Kind != tc.kind || got.Source != tc.source || got.Header != tc.header {
				t.Errorf("got %q, %+v", got.Value.Reveal(), got)
			}
			if strings.Join(got.Origins, " ") != gateway+" https://api.portkey.ai" {
				t.Errorf("origins: %q", got.Origins)
			}
		})
	}
}

func TestPortkeyVariableStaysWithPortkey(t *testing.T) {
	const portkey = "https://mcp.portkey.ai"
	env := hostWith(map[string]string{"PORTKEY_API_KEY": "key-of-portkey"})
	for urls, wanted := range map[[2]string]bool{
		{portkey, "https://api.portkey.ai/v1"}:                   true,
		{"https://PORTKEY.ai", "https://eu.api.portkey.ai:8443"}: true,
		{"https://mcp.corp.example", "https://api.portkey.ai"}:   false, // hybrid: the gateway is the customer's
		{portkey, "https://portkey.corp.example/v1"}:             false,
		{"https://evil-portkey.ai", "https://api.portkey.ai"}:    false,
		{"https://portkey.ai.evil.example", portkey}:             false,
		{"http://mcp.portkey.ai", portkey}:                       false,
		{"https://portkey.ai@evil.example", portkey}:             false,
	} {
		q := Query{Host: env, GatewayURL: urls[0], ControlPlaneURL: urls[1], Store: fakeStore{err: NewError(NotFound, "next", "none")}}
		_, err := Find(context.Background(), q)
		if (err == nil) != wanted || (q.Override() == "PORTKEY_API_KEY") != wanted {
			t.Errorf("%q: used %v, want %v", urls, err == nil, wanted)
		}
		if !wanted {
			wantKind(t, err, NotFound)
		}
	}
}

func TestStoredKeyStaysWithItsOrigins(t *testing.T) {
	q := Query{GatewayURL: "https://a.example/m", ControlPlaneURL: "https://other.example/v1",
		Store: stored(canary, "", "https://a.example", "https://b.example")}
	_, err := Find(context.Background(), q)
	wantKind(t, err, Elsewhere)
	if !strings.Contains(err.Error(), "https://other.example") {
		t.Errorf("names no origin: %v", err)
	}
}

func TestNothingElseIsProbed(t *testing.T) {
	q := Query{GatewayURL: "https://a.example", ControlPlaneURL: "https://a.example/v1", Store: fakeStore{err: NewError(Locked, "next", "locked")}}
	_, err := Find(context.Background(), q)
	wantKind(t, err, Locked)
	q.KeyFile = filepath.Join(t.TempDir(), "none")
	q.Store = stored(canary, "", "https://a.example")
	if _, err := Find(context.Background(), q); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file that isn't there: %v", err)
	}
}

func TestCommand(t *testing.T) {
	ctx := context.Background()
	// no shell: what would be a second command is an argument
	if _, err := runCommand(ctx, host.Host{}, []string{"echo", "key;", "echo", "other"}); err == nil {
		t.Error("a key with spaces was taken")
	}
	_, err := runCommand(ctx, host.Host{}, []string{filepath.Join(t.TempDir(), "none"), canary})
	wantKind(t, err, Failed)
	_, err = runCommand(ctx, host.Host{}, []string{"false", canary})
	wantKind(t, err, Failed)
	if _, err := runCommand(ctx, host.Host{}, []string{"echo", strings.Repeat("x", MaxKey+100)}); err == nil {
		t.Error("endless output was taken")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := runCommand(cancelled, host.Host{}, []string{"echo", "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
