package bridge

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrainWithoutTheCancelled: at the end of stdin a call that the client has given up holds nothing up, once the server knows.
func TestDrainWithoutTheCancelled(t *testing.T) {
	for name, cancelled := range map[string]bool{"cancelled": true, "awaited": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := false
				server := roundTripper(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					status, answer := http.StatusAccepted, ""
					switch {
					case strings.Contains(string(body), `"initialize"`):
						status, answer = http.StatusOK, `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`
					case strings.Contains(string(body), "tools/call"):
						httptrace.ContextClientTrace(r.Context()).WroteRequest(httptrace.WroteRequestInfo{})
						<-r.Context().Done()
						return nil, r.Context().Err()
					case strings.Contains(string(body), "notifications/cancelled"):
						told = true
					}
					return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
				})
				in, client := io.Pipe()
				u, _ := url.Parse("https://gw.example/mcp")
				done := make(chan error, 1)
				go func() {
					done <- Run(t.Context(), Options{In: in, Out: io.Discard, URL: u, Client: &http.Client{Transport: server}, Stateless: true})
				}()
				say := func(line string) {
					_, _ = io.WriteString(client, line+"\n")
					synctest.Wait()
				}
				say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)
				say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
				say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x"}}`)
				if cancelled {
					say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
				}
				began := time.Now()
				client.Close()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if early := time.Since(began) < drainTime; early != cancelled || told != cancelled {
					t.Errorf("it ended after %s; the server was told: %v", time.Since(began), told)
				}
			})
		})
	}
}
