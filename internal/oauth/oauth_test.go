package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/consent"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/web"
)

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func gatewayWith(t *testing.T, o demo.Options) *demo.Gateway {
	t.Helper()
	g, err := demo.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// optionsAt returns options whose tokens live in a folder of their own.
func optionsAt(t *testing.T, dir, address string) Options {
	t.Helper()
	u := parse(t, address)
	client, err := web.New(web.Options{Beside: u})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	locks := state.At(filepath.Join(dir, "state"))
	return Options{
		URL: u, Server: u.Path, Profile: "p", HTTP: client, CheckPage: consent.Check, State: locks,
		Store: func(string) credential.Store {
			return credential.NewFile(filepath.Join(dir, "credentials.json"), locks)
		},
		Kind: credential.FromFile,
	}
}

// atGateway returns the Resource of the demo's server linear.
func atGateway(t *testing.T, dir string, g *demo.Gateway, change ...func(*Options)) *Resource {
	t.Helper()
	o := optionsAt(t, dir, g.GatewayURL()+"/linear/mcp")
	o.Gateway, o.Server = parse(t, g.GatewayURL()), "linear"
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func begin(t *testing.T, s *Resource) *Login {
	t.Helper()
	server, err := s.Discover(t.Context(), Challenge{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.loop.close(false) })
	return l
}

// visit follows a page to its end, as a browser whose user agrees.
func visit(t *testing.T, address string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// login signs in.
func login(t *testing.T, s *Resource) {
	t.Helper()
	l := begin(t, s)
	var wg sync.WaitGroup
	wg.Go(func() { visit(t, l.Page().String()) })
	if err := l.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// call sends a request with a token, and again if the Resource says so.
func call(t *testing.T, s *Resource) (status int, err error) {
	t.Helper()
	for try := 0; ; try++ {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.o.URL.String(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		if err := s.Authorize(t.Context(), r); err != nil {
			return 0, err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusUnauthorized && try == 0 && s.Refused(t.Context(), r) {
			continue
		}
		return resp.StatusCode, nil
	}
}

func requests(g *demo.Gateway, path string) int {
	n := 0
	for _, r := range g.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

// TestLogin goes the whole way at gateways of both generations, quirks included, and another process finds the tokens.
func TestLogin(t *testing.T) {
	for name, o := range map[string]demo.Options{
		"2.19":                {},
		"2.2":                 {Generation: "2.2", UnclosedQuote: true},
		"origin issuer":       {Issuer: "origin", AnswerIssuer: "right"},
		"below a path":        {BasePath: "/m"},
		"names its issuer":    {AnswerIssuer: "right"},
		"consent is a page A": {Consent: "A"},
	} {
		t.Run(name, func(t *testing.T) {
			o.ConsentPage = "accept"
			g, dir := gatewayWith(t, o), t.TempDir()
			s := atGateway(t, dir, g)
			if err := s.Authorize(t.Context(), &http.Request{URL: s.o.URL, Header: http.Header{}}); !errors.Is(err, ErrNone) {
				t.Fatal(err)
			}
			login(t, s)
			if status, err := call(t, atGateway(t, dir, g)); status != http.StatusOK {
				t.Errorf("%d, %v", status, err)
			}
			if !g.Consented(g.Keys().User, "linear") {
				t.Error("the consent of the server itself is missing")
			}
			r, found := s.Record()
			if !found || r.Server != "linear" || !r.Renewable || r.Ended() || time.Until(r.ExpiresAt) < 50*time.Minute {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestForget: logout revokes both tokens and leaves nothing.
func TestForget(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	s := atGateway(t, dir, g)
	login(t, s)
	unrevoked, err := s.Forget(t.Context())
	if unrevoked != nil || err != nil || g.LiveTokens() != 0 || requests(g, "/oauth/revoke") != 2 {
		t.Errorf("%v, %v, %d live tokens", unrevoked, err, g.LiveTokens())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "state", "oauth", "*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	if _, err := s.Forget(t.Context()); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	g.Close() // the server is away: the tokens go all the same, and it is said
	login2 := gatewayWith(t, demo.Options{ConsentPage: "accept"})
	s = atGateway(t, dir, login2)
	login(t, s)
	login2.Close()
	if unrevoked, err := s.Forget(t.Context()); unrevoked == nil || err != nil {
		t.Errorf("%v, %v", unrevoked, err)
	}
}

// small is a store that takes what a Windows Credential Manager takes.
type small struct{ credential.Store }

func (s small) Set(ctx context.Context, name string, i credential.Item) error {
	if len(i.Key.Reveal()) > 400 {
		return credential.NewError(credential.TooBig, "", "too big")
	}
	return s.Store.Set(ctx, name, i)
}

// TestTooBig: tokens that the store doesn't take lie in a file that is worth nothing without the store.
func TestTooBig(t *testing.T) {
	g, dir := gatewayWith(t, demo.Options{ConsentPage: "accept"}), t.TempDir()
	file := optionsAt(t, dir, g.GatewayURL()).Store("")
	open := func() *Resource {
		return atGateway(t, dir, g, func(o *Options) { o.Store = func(string) credential.Store { return small{file} } })
	}
	s := open()
	login(t, s)
	sealed := func() []string {
		names, _ := filepath.Glob(filepath.Join(dir, "state", "oauth", "*.sealed"))
		return names
	}
	first := sealed()
	if len(first) != 1 {
		t.Fatalf("%q", first)
	}
	g.ExpireTokens()
	if status, err := call(t, open()); status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
	if second := sealed(); len(second) != 1 || second[0] == first[0] {
		t.Errorf("after a renewal: %q", second)
	}
	if status, err := call(t, open()); status != http.StatusOK || requests(g, "/oauth/token") != 2 {
		t.Errorf("%d, %v, %d token requests", status, err, requests(g, "/oauth/token"))
	}
	if _, err := open().Forget(t.Context()); err != nil || len(sealed()) != 0 {
		t.Errorf("%v, %q", err, sealed())
	}
}

// slow is a store of which somebody has read, and hasn't got around to what it says.
type slow struct {
	credential.Store
	meanwhile func()
}

func (s slow) Get(ctx context.Context, name string) (credential.Item, error) {
	i, err := s.Store.Get(ctx, name)
	s.meanwhile()
	return i, err
}

// TestReadWhileReplaced: who has read the store's item when the tokens are replaced finds the file of the old ones gone, and reads
// once more. A file that is really gone is told of.
func TestReadWhileReplaced(t *testing.T) {
	dir := t.TempDir()
	o := optionsAt(t, dir, "https://mcp.example/mcp")
	file := o.Store("")
	o.Store = func(string) credential.Store { return small{file} }
	writer := New(o)
	keep := func(access string) {
		if err := writer.write(t.Context(), &tokens{resource: "https://mcp.example/mcp", access: secret.New(access), issuer: strings.Repeat("x", 400)}); err != nil {
			t.Error(err)
		}
	}
	reads, replacements := 0, 1
	o.Store = func(string) credential.Store {
		return slow{file, func() {
			if reads++; reads <= replacements {
				keep(fmt.Sprint("token-", reads))
			}
		}}
	}
	keep("token-0")
	for ; replacements < maxReads; replacements++ {
		reads = 0
		got, err := New(o).read(t.Context())
		if want := fmt.Sprint("token-", replacements); err != nil || got.access.Reveal() != want {
			t.Errorf("%d replacements: %v, %v", replacements, got, err)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "state", "oauth", "*.sealed"))
	if len(names) != 1 || os.Remove(names[0]) != nil {
		t.Fatalf("%q", names)
	}
	replacements, reads = 0, 0
	if _, err := New(o).read(t.Context()); err == nil || !strings.Contains(err.Error(), "aren't as mcpctl wrote them") || reads != maxReads {
		t.Errorf("%d reads: %v", reads, err)
	}
}
