//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// modernServer starts a server that knows revision 2026-07-28 alone and returns its URL.
func modernServer(t *testing.T) string {
	t.Helper()
	need(t, "node", "nodejs")
	cmd := exec.Command("node", "modern-server.mjs")
	cmd.Dir = "../../testdata/e2e"
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("modern-server.mjs doesn't start: %v\n%s", err, log.String())
	}
	return strings.TrimSpace(line)
}

// modernRequest is a request that the server has seen, or the end of one.
type modernRequest struct {
	HTTP, RPC, Session, Guest string
	Aborted                   bool
}

func seenBy(t *testing.T, server string) []modernRequest {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(server, "/mcp") + "/seen")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []modernRequest
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

type modernAnswers struct {
	Server, Instructions, Revision, Era string
	Tools                               []string
	Greeted, Counted, Ordered           string
	Asked, Read, Waited                 string
	Progress                            []float64
	Changes                             []string
	PID                                 int
	Closed                              int // ms
	Stderr                              string
}

// TestModernServer: a client that only knows initialize, and one that knows both, on a server that knows no initialize.
func TestModernServer(t *testing.T) {
	g := start(t, demo.Options{})
	for _, generation := range []string{"v1", "v2"} {
		t.Run(generation, func(t *testing.T) {
			server := modernServer(t)
			var got modernAnswers
			node(t, environment(t, g), &got, "modern.mjs", generation, binary(t), server)
			want := modernAnswers{
				Server: "modern", Instructions: "Order politely.", Tools: []string{"greet", "count", "order", "wait"},
				Greeted: "Hello Zoë", Counted: "counted", Progress: []float64{1, 2, 3},
				Ordered: "state of soup: true", Asked: "Order soup?", Read: "soup", Waited: "aborted",
				Changes: []string{}, PID: got.PID, Closed: got.Closed,
			}
			if generation == "v1" {
				want.Changes = []string{"menu://today", "tools"}
			} else {
				want.Revision, want.Era = "2026-07-28", "modern"
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\ngot  %+v\nwant %+v", got, want)
			}
			if got.Closed > 1500 {
				t.Errorf("closed after %d ms", got.Closed)
			}
			gone(t, got.PID)

			seen := seenBy(t, server)
			count := map[string]int{}
			for _, r := range seen {
				count[r.RPC]++
				if !r.Aborted && (r.HTTP != http.MethodPost || r.Session != "") {
					t.Errorf("%+v", r)
				}
			}
			if !slices.ContainsFunc(seen, func(r modernRequest) bool { return r.Guest == "=?base64?Wm/Dqw==?=" }) {
				t.Errorf("no Mcp-Param-Guest: %+v", seen)
			}
			if !slices.ContainsFunc(seen, func(r modernRequest) bool { return r.Aborted }) {
				t.Error("the server was not told that a call was cancelled")
			}
			initializes := map[string]int{"v1": 1, "v2": 0}[generation]
			if count["initialize"] != initializes || count["ping"]+count["logging/setLevel"]+count["notifications/cancelled"] != 0 {
				t.Errorf("%v", count)
			}
		})
	}
}

// TestSiblingProbe: a client that knows both generations starts a second bridge to find out which one the server speaks, and
// kills it; with a legacy server it then goes on as ever.
func TestSiblingProbe(t *testing.T) {
	g := start(t, demo.Options{})
	var got modernAnswers
	node(t, environment(t, g), &got, "modern.mjs", "v2", binary(t), "notes")
	if got.Era != "legacy" || got.Server == "" || len(got.Tools) == 0 || got.Stderr != "" || got.Closed > 1500 {
		t.Errorf("%+v", got)
	}
	gone(t, got.PID)
	count := map[string]int{}
	for _, r := range g.Requests() {
		count[r.RPCMethod]++
	}
	if count["server/discover"] != 1 || count["initialize"] != 1 || count["tools/list"] != 1 {
		t.Errorf("%v", count)
	}
}
