package bridge

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

// BenchmarkSoak sends mixed traffic through a bridge for the time in MCPCTL_SOAK (such as 20m), while the server is restarted
// every few seconds and forgets its sessions. Every request must be answered, and at the end there must be no more goroutines,
// file descriptors and memory than at the start. It reports both.
//
//	MCPCTL_SOAK=20m go test -run '^$' -bench Soak -benchtime 1x -timeout 30m ./internal/bridge
func BenchmarkSoak(b *testing.B) {
	limit, err := time.ParseDuration(os.Getenv("MCPCTL_SOAK"))
	if err != nil {
		limit = 2 * time.Second // as a plain benchmark: long enough to see that it works
	}
	for b.Loop() {
		soak(b, limit)
	}
}

func soak(b *testing.B, limit time.Duration) {
	s := &soakServer{}
	s.listen(b, "127.0.0.1:0")
	defer func() { s.server.Close() }()
	client, err := web.New(web.Options{})
	if err != nil {
		b.Fatal(err)
	}
	u, _ := url.Parse("http://" + s.address + "/mcp")
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Run(b.Context(), Options{In: inR, Out: outW, URL: u, Client: client}) }()
	var answers atomic.Int64
	go func() {
		for r := bufio.NewReaderSize(outR, 1<<20); ; {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			if m, err := parse(line[:len(line)-1]); err != nil {
				b.Errorf("not JSON: %.200s", line)
			} else if m.isResponse() {
				answers.Add(1)
			}
		}
	}()
	var requests int64
	send := func(line string) {
		if _, err := io.WriteString(inW, line+"\n"); err != nil {
			b.Fatal(err)
		}
		if strings.Contains(line, `"id"`) {
			requests++
		}
	}
	settled := func() {
		for end := time.Now().Add(2 * time.Minute); answers.Load() < requests; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				b.Fatalf("%d requests, %d answers", requests, answers.Load())
			}
		}
	}
	send(initLine)
	settled()
	send(initializedLine)
	var before usage
	restarts := 0
	for began, restart := time.Now(), time.Now(); time.Since(began) < limit; {
		for i := range 1 + rand.IntN(40) {
			send(soakRequest(i))
		}
		settled()
		if time.Since(restart) > 5*time.Second {
			s.server.Close()
			s.listen(b, s.address)
			restarts++
			restart = time.Now()
		}
		if before == (usage{}) && time.Since(began) > limit/20 {
			before = measure(client)
		}
	}
	after := measure(client)
	inW.Close()
	if err := <-done; err != nil {
		b.Error(err)
	}
	b.Logf("%d requests, %d answers, %d restarts; at the start %+v, at the end %+v", requests, answers.Load(), restarts, before, after)
	if after.goroutines > before.goroutines+10 || after.files > before.files+10 || after.heapKiB > before.heapKiB+8<<10 {
		b.Error("something leaks")
	}
}

// usage is what a process holds.
type usage struct{ goroutines, files, heapKiB int }

func measure(client *http.Client) usage {
	client.CloseIdleConnections()
	time.Sleep(3 * time.Second) // streams that were answered are read for 2 s more
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	return usage{runtime.NumGoroutine(), len(files), int(m.HeapAlloc >> 10)}
}

func soakRequest(i int) string {
	switch rand.IntN(8) {
	case 0:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":"l%d","method":"tools/list"}`, i)
	case 1:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"large","pad":"%s"}}`, i, strings.Repeat("x", rand.IntN(200<<10)))
	case 2:
		return `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`
	case 3:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"refused"}}`, i)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"a"}}`, i)
}

// soakServer is a server with sessions, whose sessions end with each restart.
type soakServer struct {
	address string
	server  *http.Server
	epoch   int
}

func (s *soakServer) listen(b *testing.B, address string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	s.epoch++
	session := fmt.Sprintf("epoch-%d", s.epoch)
	s.address = l.Addr().String()
	s.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, _ := parse(body)
		switch {
		case r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case m.is(methodInitialize):
			w.Header().Set("Mcp-Session-Id", session)
			answer(w, m, `{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}}}`)
		case r.Header.Get("Mcp-Session-Id") != session:
			w.WriteHeader(http.StatusNotFound)
		case m.id == nil || m.isResponse():
			w.WriteHeader(http.StatusAccepted)
		case strings.Contains(string(m.params), `"refused"`):
			w.WriteHeader(http.StatusInternalServerError)
		case strings.Contains(string(m.params), `"large"`):
			sendEvent(w, `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
			sendEvent(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"text":"%s"}}`, m.id, strings.Repeat("y", len(body)*8)))
		default:
			answer(w, m, `{}`)
		}
	})}
	go s.server.Serve(l)
}
