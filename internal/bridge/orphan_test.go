package bridge

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOrphan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, client := io.Pipe()
		defer client.Close()
		var gone atomic.Bool
		u, _ := url.Parse("https://gw.example/mcp")
		done := make(chan error, 1)
		go func() {
			done <- Run(t.Context(), Options{In: in, Out: io.Discard, URL: u, Client: &http.Client{}, ParentGone: gone.Load})
		}()
		time.Sleep(10 * time.Minute)
		select {
		case err := <-done:
			t.Fatalf("ended with its parent alive: %v", err)
		default:
		}
		gone.Store(true)
		began := time.Now()
		if err := <-done; err != nil || time.Since(began) > orphanPause {
			t.Errorf("ended after %s: %v", time.Since(began), err)
		}
	})
}
