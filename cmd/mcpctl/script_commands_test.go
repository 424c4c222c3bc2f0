package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// gateways holds the gateway of each running script by its folder.
var gateways sync.Map

func gatewayOf(ts *testscript.TestScript) *demo.Gateway {
	g, ok := gateways.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("start one first: gateway")
	}
	return g.(*demo.Gateway)
}

func setConsent(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: consent SERVER yes|no")
	}
	gatewayOf(ts).SetConsent(gatewayOf(ts).Keys().User, args[0], args[1] == "yes")
}

// startTLS puts a TLS server before the gateway, whose certificate nobody knows.
func startTLS(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: tls FILE")
	}
	behind, err := url.Parse(gatewayOf(ts).GatewayURL())
	ts.Check(err)
	server := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(behind))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	ts.Defer(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), ca, 0o600))
	ts.Setenv("MCPCTL_GATEWAY_URL", server.URL)
}

func startMute(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // whose connections nobody accepts
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv("MCPCTL_GATEWAY_URL", "http://"+l.Addr().String())
	ts.Setenv("MCPCTL_CONTROL_PLANE_URL", "http://"+l.Addr().String()+"/v1")
}

func arrived(ts *testscript.TestScript, neg bool, args []string) {
	if n := countArrived(ts, args); (n == args[0]) == neg {
		ts.Fatalf("%s requests to the %s with %q", n, args[1], args[2])
	}
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	eventually(ts, "the request", func() bool { return countArrived(ts, args) == args[0] })
}

func countArrived(ts *testscript.TestScript, args []string) string {
	if len(args) != 3 {
		ts.Fatalf("usage: arrived|await N LISTENER TEXT")
	}
	n := 0
	for _, r := range gatewayOf(ts).Requests() {
		if r.Listener == args[1] && strings.Contains(strings.Join([]string{r.Method, r.Path, r.RPCMethod, r.Trace, r.Metadata}, " "), args[2]) {
			n++
		}
	}
	return strconv.Itoa(n)
}

// allow visits the page that the opener was given: it stands for the user, where the gateway's page answers by itself.
func allow(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: allow FILE")
	}
	var page string
	eventually(ts, "the opener", func() bool {
		data, _ := os.ReadFile(ts.MkAbs(args[0]))
		page = strings.TrimSpace(string(data))
		return strings.HasSuffix(string(data), "\n")
	})
	resp, err := http.Get(page)
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("the page answered %s", resp.Status)
	}
}

func expire(ts *testscript.TestScript, neg bool, args []string) { gatewayOf(ts).ExpireTokens() }

func revoke(ts *testscript.TestScript, neg bool, args []string) { gatewayOf(ts).RevokeTokens() }

var timeInJSON = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]+Z"`)

func age(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: age DURATION")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs("home/.local/state/mcpctl/consent/*.json"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("nothing was noted about consent")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		ts.Check(err)
		data = timeInJSON.ReplaceAllFunc(data, func(text []byte) []byte {
			var at time.Time
			ts.Check(json.Unmarshal(text, &at))
			text, err = json.Marshal(at.Add(-d))
			ts.Check(err)
			return text
		})
		ts.Check(os.WriteFile(file, data, 0o600))
	}
}

// eventually waits for something that another process does.
func eventually(ts *testscript.TestScript, what string, done func() bool) {
	for limit := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			ts.Fatalf("%s: not in 30 s", what)
		}
	}
}

func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	if equal := info.Mode().Perm() == fs.FileMode(want); equal == neg {
		ts.Fatalf("%s has mode %o", args[0], info.Mode().Perm())
	}
}

// recorder is the test that a script runs in. It sees everything that the script's commands print.
type recorder struct{ *testing.T }

// Run implements testscript.T.
func (r recorder) Run(name string, f func(testscript.T)) {
	r.T.Run(name, func(t *testing.T) { f(recorder{t}) })
}

// Verbose implements testscript.T. Without it only the output of a failing command would be logged.
func (r recorder) Verbose() bool { return true }

// Log implements testscript.T.
func (r recorder) Log(args ...any) {
	r.Helper()
	text := fmt.Sprint(args...)
	if holdsKey([]byte(text)) {
		r.Error("a key was printed")
	}
	r.T.Log(text)
}

// needles are the keys of all gateways that were started, plain and in the encodings that a leak would have.
var needles struct {
	sync.Mutex
	list [][]byte
}

func noteKeys(keys ...string) {
	needles.Lock()
	defer needles.Unlock()
	for _, k := range keys {
		for _, form := range []string{k, base64.StdEncoding.EncodeToString([]byte(k)), hex.EncodeToString([]byte(k)), url.QueryEscape(k)} {
			needles.list = append(needles.list, []byte(form))
		}
	}
}

func holdsKey(data []byte) bool {
	needles.Lock()
	defer needles.Unlock()
	return slices.ContainsFunc(needles.list, func(n []byte) bool { return bytes.Contains(data, n) })
}

// searchFiles looks for keys in the files that a script left behind.
func searchFiles(ts *testscript.TestScript) {
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "credentials.json" || strings.HasSuffix(d.Name(), ".key") {
			return err
		}
		data, err := os.ReadFile(path)
		if holdsKey(data) {
			ts.Fatalf("a key stands in %s", path)
		}
		return err
	}))
}
