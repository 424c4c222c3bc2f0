package bridge

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/web"
)

// BenchmarkAnswer is a whole call over real pipes and a real connection: request in, answer of a size out. The bench of the
// whole program, beside its peers, is another thing; this is for profiles.
func BenchmarkAnswer(b *testing.B) {
	for _, size := range []int{100, 100 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkAnswer(b, size) })
	}
}

func benchmarkAnswer(b *testing.B, size int) {
	unit := "{\"k\":\"0123456789abcdefghijklmnopqrstuvwxyz\",\"v\":[1,2,3,45.678]}\n"
	text, err := json.Marshal(strings.Repeat(unit, size/len(unit)+1))
	if err != nil {
		b.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":%s}]}}\n\n", text)
	}))
	defer s.Close()
	inR, inW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	client, err := web.New(web.Options{})
	if err != nil {
		b.Fatal(err)
	}
	u, _ := url.Parse(s.URL)
	done := make(chan error)
	go func() { done <- Run(b.Context(), Options{In: inR, Out: outW, URL: u, Client: client}) }()
	lines := bufio.NewReaderSize(outR, 1<<20)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := io.WriteString(inW, call("1", "x")+"\n"); err != nil {
			b.Fatal(err)
		}
		for more := true; more; {
			_, err := lines.ReadSlice('\n')
			if more = err == bufio.ErrBufferFull; err != nil && !more {
				b.Fatal(err)
			}
		}
	}
	inW.Close()
	<-done
	client.CloseIdleConnections()
}
