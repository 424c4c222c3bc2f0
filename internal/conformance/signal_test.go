//go:build unix

package conformance_test

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestSignals(t *testing.T) { // B53
	tests := map[string]func(*testing.T){}
	for name, tc := range map[string]struct {
		signal os.Signal
		code   int
	}{
		"B53 SIGTERM": {syscall.SIGTERM, 143},
		"B53 SIGHUP":  {syscall.SIGHUP, 129},
		"B53 SIGINT":  {syscall.SIGINT, 130},
	} {
		tests[name] = func(t *testing.T) {
			u := serve(t, endless)
			p := atGateway(t, u, options{})
			p.handshake()
			p.send(call("1", "a"))
			u.await(t, "tools/call", 1)
			if err := p.cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			p.failed("1")
			if code, took := p.exit(); code != tc.code || took > 2*time.Second {
				t.Errorf("exit code %d after %s, want %d", code, took, tc.code)
			}
			ended(t, u)
		}
	}
	run(t, tests)
}
