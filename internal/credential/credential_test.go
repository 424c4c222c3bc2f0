package credential

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

const canary = "pk-mcpctl-canary-0123456789"

var item = Item{Key: secret.New(canary), Header: "authorization", Origins: []string{"https://a.example", "https://b.example"}}

func sameItem(a, b Item) bool {
	return a.Key.Reveal() == b.Key.Reveal() && a.Header == b.Header && strings.Join(a.Origins, " ") == strings.Join(b.Origins, " ")
}

// memory is a keyring in memory. With dismissed, it is one whose prompts a person dismisses: like the Secret Service's, it
// then reports success and does nothing.
type memory struct {
	items     map[string]string
	dismissed bool
}

func (m *memory) Get(service, user string) (string, error) {
	text, ok := m.items[service+"/"+user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return text, nil
}

func (m *memory) Set(service, user, text string) error {
	if !m.dismissed {
		m.items[service+"/"+user] = text
	}
	return nil
}

func (m *memory) Delete(service, user string) error {
	if _, err := m.Get(service, user); err != nil {
		return err
	}
	if !m.dismissed {
		delete(m.items, service+"/"+user)
	}
	return nil
}

func testKeyring() (*Keyring, *memory) {
	m := &memory{items: map[string]string{}}
	h := host.Host{OS: runtime.GOOS, Env: func(string) string { return "unix:path=/nowhere" }}
	return &Keyring{h, platformOf(h.OS), m}, m
}

// wantKind wants an error of a kind, with a next step and no key in it.
func wantKind(t *testing.T, err error, want Kind) {
	t.Helper()
	got, ok := KindOf(err)
	if !ok || got != want {
		t.Fatalf("got kind %d of %v, want %d", got, err, want)
	}
	if next := problem.NextStep(err); next == "" || strings.Contains(err.Error()+next, "canary") {
		t.Errorf("no next step, or a key in it: %v, %q", err, next)
	}
}

func TestKeyring(t *testing.T) {
	ctx := context.Background()
	k, _ := testKeyring()
	_, err := k.Get(ctx, "x")
	wantKind(t, err, NotFound)
	wantKind(t, k.Delete(ctx, "x"), NotFound)
	if err := k.Set(ctx, "x", item); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get(ctx, "x"); err != nil || !sameItem(got, item) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := k.Delete(ctx, "x"); err != nil {
		t.Error(err)
	}
	_, err = k.Get(ctx, "x")
	wantKind(t, err, NotFound)
}

func TestKeyringCorruptItems(t *testing.T) {
	k, m := testKeyring()
	for _, text := range []string{
		"", canary, "security: warning\n" + `{"v":1,"origins":["https://a"],"key":"` + canary + `"}`,
		`{"v":2,"origins":["https://a"],"key":"x"}`, `{"v":1,"origins":[],"key":"x"}`, `{"v":1,"origins":["https://a"],"key":""}`,
	} {
		m.items[service+"/x"] = text
		_, err := k.Get(context.Background(), "x")
		wantKind(t, err, Corrupt)
	}
}

func TestKeyringHasALimit(t *testing.T) {
	k, _ := testKeyring()
	forever := func() (string, error) { select {} }
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := k.call(ctx, forever)
	wantKind(t, err, Timeout)
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := k.call(ctx, forever); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := k.call(context.Background(), func() (string, error) { panic(canary) }); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("panic: %v", err)
	}
}

func TestDismissedPrompts(t *testing.T) {
	ctx := context.Background()
	k, m := testKeyring()
	m.dismissed = true
	wantKind(t, k.Set(ctx, "new", item), Denied)
	m.dismissed = false
	if err := k.Set(ctx, "x", item); err != nil {
		t.Fatal(err)
	}
	m.dismissed = true
	wantKind(t, k.Delete(ctx, "x"), Denied)
	other := item
	other.Header = ""
	wantKind(t, k.Set(ctx, "x", other), Denied)
	if got, err := k.Get(ctx, "x"); err != nil || !sameItem(got, item) {
		t.Errorf("the earlier key: %+v, %v", got, err)
	}
}

func TestKindsOfErrors(t *testing.T) {
	exit := func(status string) error { return exec.Command("sh", "-c", "exit "+status).Run() }
	tests := map[string]struct {
		os   string
		err  error
		want Kind
	}{
		"not found":       {"linux", keyring.ErrNotFound, NotFound},
		"too big":         {"windows", keyring.ErrSetDataTooBig, TooBig},
		"unknown":         {"linux", errors.New("?"), Failed},
		"macOS locked":    {"darwin", exit("36"), Locked},
		"macOS not found": {"darwin", exit("44"), NotFound},
		"macOS denied":    {"darwin", exit("51"), Denied},
		"macOS cancelled": {"darwin", exit("128"), Denied},
		"macOS unknown":   {"darwin", exit("1"), Failed},
		"Windows in SSH":  {"windows", syscall.Errno(1312), Absent},
		"Windows denied":  {"windows", syscall.Errno(5), Denied},
		"Windows unknown": {"windows", syscall.Errno(87), Failed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := platformOf(tc.os)
			if got := p.kind(tc.err); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
			wantKind(t, p.explain(tc.want, "detail"), tc.want)
		})
	}
	for _, os := range []string{"linux", "darwin", "windows"} {
		for kind := Failed; kind <= Denied; kind++ {
			wantKind(t, platformOf(os).explain(kind, "detail"), kind)
		}
	}
}

func TestName(t *testing.T) {
	safe := regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	seen := map[string]bool{}
	for _, profile := range []string{"default", "a b", "a_b", `a"b`, "ä", strings.Repeat("x", 300), ""} {
		for _, gateway := range []string{"https://mcp.portkey.ai", "https://mcp.portkey.ai/m", "http://[::1]:8788", ""} {
			name := Name(profile, gateway)
			if !safe.MatchString(name) || seen[name] {
				t.Errorf("Name(%q, %q) = %q", profile, gateway, name)
			}
			seen[name] = true
			if Name(profile, gateway) != name {
				t.Error("a name changes")
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, good := range []string{canary, " " + canary + "\r\n", "\ufeff" + canary, strings.Repeat("x", MaxKey)} {
		if k, err := Parse(good, "here"); err != nil || k.Reveal() != strings.TrimSpace(strings.TrimPrefix(good, "\ufeff")) {
			t.Errorf("%.30q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " \n", canary + " " + canary, canary + "\n" + canary, canary + "\x00", canary + "é", strings.Repeat("x", MaxKey+1)} {
		if _, err := Parse(bad, "here"); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}
