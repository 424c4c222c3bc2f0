package main_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/testbin"
)

// TestScripts runs testdata/script/*.txtar against the binary as it is built for users. Beside testscript's own commands
// there are:
//
//	gateway [KNOB=VALUE…]   starts an embedded gateway and sets MCPCTL_GATEWAY_URL, MCPCTL_CONTROL_PLANE_URL and the keys
//	                        USER_KEY, SERVICE_KEY, NOLIST_KEY, NOINVOKE_KEY, EXPIRED_KEY, EXHAUSTED_KEY, ORG_KEY; a knob is a
//	                        field of demo.Options
//	tls FILE                puts a TLS server before the gateway, sets MCPCTL_GATEWAY_URL to it, and writes its CA to FILE
//	mute                    makes a gateway and control plane that never answer, and sets MCPCTL_GATEWAY_URL and
//	                        MCPCTL_CONTROL_PLANE_URL to it
//	consent SERVER yes|no   gives or takes the consent of USER_KEY's user
//	arrived N LISTENER TEXT checks how many requests to gateway or control-plane had TEXT in their method, path or JSON-RPC
//	                        method, or its labels (x-portkey-trace-id, x-portkey-metadata)
//	await N LISTENER TEXT   waits until that many have arrived
//	allow FILE              waits until FILE holds a URL, and visits it as a browser would
//	expire                  makes all access tokens expire, whatever was said of them
//	revoke                  ends all logins in the browser
//	age DURATION            makes what processes have noted about consent older
//	mode FILE OCTAL         checks a file's permission bits
//
// After every script the gateways' keys are looked for: in all that its commands printed, and in every file below its
// folder but for those that mcpctl was asked to write a key to.
func TestScripts(t *testing.T) {
	program, err := testbin.Build()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Dir(program)
	t.Cleanup(func() { os.RemoveAll(bin) })
	if signal.Ignored(syscall.SIGHUP) { // by nohup: then no shell below us could trap it
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
		t.Cleanup(func() { signal.Ignore(syscall.SIGHUP) })
	}
	testscript.RunT(recorder{t}, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("USERPROFILE", home)
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("MCPCTL_BIN", program)
			// A bus that doesn't exist: no script may reach the keyring of whoever runs the tests.
			env.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(env.WorkDir, "no-bus"))
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gateway": startGateway, "consent": setConsent, "arrived": arrived, "await": await, "allow": allow, "mode": checkMode, "tls": startTLS, "mute": startMute,
			"expire": expire, "revoke": revoke, "age": age,
		},
	})
}

func startGateway(ts *testscript.TestScript, neg bool, args []string) {
	var o demo.Options
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		ts.Check(setOption(&o, name, value))
	}
	g, err := demo.Start(o)
	ts.Check(err)
	ts.Defer(func() {
		g.Close()
		noteKeys(g.Tokens()...)
		searchFiles(ts)
	})
	gateways.Store(ts.Getenv("WORK"), g)
	k := g.Keys()
	noteKeys(k.User, k.Service, k.NoList, k.NoInvoke, k.Expired, k.Exhausted, k.Org)
	for name, value := range map[string]string{
		"MCPCTL_GATEWAY_URL": g.GatewayURL(), "MCPCTL_CONTROL_PLANE_URL": g.ControlPlaneURL(),
		"USER_KEY": k.User, "SERVICE_KEY": k.Service, "NOLIST_KEY": k.NoList, "NOINVOKE_KEY": k.NoInvoke,
		"EXPIRED_KEY": k.Expired, "EXHAUSTED_KEY": k.Exhausted, "ORG_KEY": k.Org,
	} {
		ts.Setenv(name, value)
	}
}

// setOption sets a field of the gateway's options.
func setOption(o *demo.Options, name, value string) error {
	f := reflect.ValueOf(o).Elem().FieldByName(name)
	if !f.IsValid() {
		return fmt.Errorf("the gateway has no knob %s", name)
	}
	switch f.Interface().(type) {
	case string:
		f.SetString(value)
	case bool:
		f.SetBool(value == "" || value == "true")
	case int:
		n, err := strconv.Atoi(value)
		f.SetInt(int64(n))
		return err
	case time.Duration:
		d, err := time.ParseDuration(value)
		f.SetInt(int64(d))
		return err
	default:
		return fmt.Errorf("the knob %s can't be set from a script", name)
	}
	return nil
}
