//go:build e2e

package e2e

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A certificate that nobody vouches for gets no key, and --ca-file vouches for it. Even the standard library's own debug
// log, which holds every header, doesn't show the key.
func TestTLSAndDebugLog(t *testing.T) {
	const key = "canary-0123456789abcdef"
	var keys atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-portkey-api-key") == key {
			keys.Add(1)
		}
		_, _ = w.Write([]byte(`{"object":"list","total":0,"data":[]}`))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	home := t.TempDir()
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.Command(binary(t), append(args, "--gateway", s.URL, "--control-plane", s.URL+"/v1")...)
		cmd.Env = []string{"HOME=" + home, "USERPROFILE=" + home, "MCPCTL_API_KEY=" + key, "GODEBUG=http2debug=2"}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // this is no whole gateway: the exit code says nothing
		if strings.Contains(out.String(), key) {
			t.Errorf("shows the key: %s", &out)
		}
		return out.String()
	}
	if out := run("status"); keys.Load() != 0 || !strings.Contains(out, "certificate") {
		t.Errorf("%d requests brought the key to a server without a known certificate: %s", keys.Load(), out)
	}
	out := run("status", "--ca-file", ca)
	if keys.Load() == 0 {
		t.Errorf("--ca-file doesn't help: %s", out)
	}
	if !strings.Contains(out, "[redacted]") {
		t.Errorf("the debug log lacks the header, so this test shows nothing: %s", out)
	}
}
