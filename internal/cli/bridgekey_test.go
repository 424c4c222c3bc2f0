package cli

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

// keyAt returns a bridgeKey that reads what keys returns, and a request that carries the key in force.
func keyAt(t *testing.T, read func() web.Key) (*bridgeKey, func() *http.Request) {
	k := &bridgeKey{read: func(context.Context) (web.Key, error) { return read(), nil }}
	k.mu.Lock()
	k.begin()
	k.mu.Unlock()
	return k, func() *http.Request {
		r, _ := http.NewRequest(http.MethodPost, "https://gw.example/x/mcp", nil)
		if err := k.Authorize(t.Context(), r); err != nil {
			t.Error(err)
		}
		return r
	}
}

func testKey(value, header string) web.Key {
	return web.Key{Value: secret.New(value), Header: header, Origins: []string{"https://gw.example"}}
}

// age makes the latest reading old enough to be repeated.
func (k *bridgeKey) age() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reading.at = time.Now().Add(-2 * rereadPause)
}

// TestKeyForms: a key whose header form nobody knows is tried in both, once each; never in the other after one has worked.
func TestKeyForms(t *testing.T) {
	k, request := keyAt(t, func() web.Key { return testKey("key-one-secret", "") })
	first := request()
	if first.Header.Get(web.PortkeyHeader) == "" || !k.Refused(t.Context(), first) {
		t.Fatal("the first form, or no second try")
	}
	second := request()
	if second.Header.Get("Authorization") == "" || second.Header.Get(web.PortkeyHeader) != "" {
		t.Fatalf("the second form: %v", second.Header)
	}
	if !k.Refused(t.Context(), second) {
		t.Error("a request that came late, in the second form alone, gets no try in the first")
	}
	if third := request(); third.Header.Get(web.PortkeyHeader) == "" || k.Refused(t.Context(), third) {
		t.Error("both forms again for the next request")
	}

	k, request = keyAt(t, func() web.Key { return testKey("key-one-secret", "") })
	r := request()
	k.Accepted()
	if k.Refused(t.Context(), r) {
		t.Error("the other form after one has worked")
	}
}

// TestKeyReplaced: of many requests that are refused at once with an old key, one reads it again, and all are repeated.
func TestKeyReplaced(t *testing.T) {
	var reads atomic.Int32
	k, request := keyAt(t, func() web.Key { return testKey(fmt.Sprintf("key-number-%d", reads.Add(1)), web.PortkeyHeader) })
	old := request()
	if k.Refused(t.Context(), old) || reads.Load() != 1 {
		t.Error("read again within a second")
	}
	k.age()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if !k.Refused(t.Context(), old) {
				t.Error("not repeated")
			}
		})
	}
	wg.Wait()
	if n := reads.Load(); n != 2 {
		t.Errorf("read %d times, want 2", n)
	}
	if got := request().Header.Get(web.PortkeyHeader); got != "key-number-2" {
		t.Error(got)
	}
}
