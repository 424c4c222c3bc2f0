package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// startDemo runs `mcpctl demo serve` until the test ends, and returns its stdout.
func startDemo(t *testing.T, args ...string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	a := &app{out: w, err: io.Discard}
	code := make(chan int)
	go func() { code <- a.run(ctx, append([]string{"demo", "serve"}, args...)) }()
	t.Cleanup(func() {
		cancel()
		if c := <-code; c != 0 {
			t.Errorf("exit code %d", c)
		}
	})
	return bufio.NewReader(r)
}

func TestDemoServeJSON(t *testing.T) {
	line, err := startDemo(t, "--json", "--base-path", "/m", "--generation", "2.2", "--key-header", "authorization",
		"--upstream", "mine=http://127.0.0.1:9/mcp", "--upstream-consent", "mine").ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		GatewayURL      string            `json:"gateway_url"`
		ControlPlaneURL string            `json:"control_plane_url"`
		Keys            map[string]string `json:"keys"`
		Servers         []string          `json:"servers"`
	}
	if err := json.Unmarshal([]byte(line), &info); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"user", "service", "no_list", "no_invoke", "expired", "exhausted", "org"} {
		if !strings.HasPrefix(info.Keys[name], "pk-demo-") {
			t.Errorf("%s: %q", name, info.Keys[name])
		}
	}
	if !slices.Equal(info.Servers, []string{"notes", "linear", "vault", "mine"}) || !strings.HasSuffix(info.GatewayURL, "/m") {
		t.Errorf("%+v", info)
	}
	// The flags have reached the gateway: version 2.2 says that consent is missing in its own way.
	for url, want := range map[string]string{
		info.GatewayURL + "/health":                             `"healthy"`,
		info.GatewayURL + "/v0.1/servers":                       `"not found"`,
		info.GatewayURL + "/mine/mcp":                           `Unexpected end of JSON input`,
		info.ControlPlaneURL + "/mcp-servers?id=mine":           `"auth_type":"oauth_auto"`,
		info.ControlPlaneURL + "/mcp-servers/mine/capabilities": `"total":0`,
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+info.Keys["user"])
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s %v", url, resp.StatusCode, body, err)
		}
	}
}

func TestDemoServe(t *testing.T) {
	out := startDemo(t)
	var text strings.Builder
	for !strings.Contains(text.String(), "MCPCTL_API_KEY=pk-demo-user-") {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v in %s", err, text.String())
		}
		text.WriteString(line)
	}
	for _, want := range []string{"stand-in for the Portkey MCP Gateway", "http://127.0.0.1:", "/v1\n", "notes, linear, vault", "pk-demo-expired-"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %s", want, text.String())
		}
	}
}

func TestDemoServeErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--addr", "0.0.0.0:8788"}, exitUsage, "is not on loopback"},
		{[]string{"--consent", "Z"}, exitUsage, `consent "Z" is not one of A, B, C, C-body, D, F, G`},
		{[]string{"--upstream", "mine"}, exitUsage, "has no URL"},
		{[]string{"extra"}, exitUsage, "takes no argument"},
		{[]string{"--addr", "127.0.0.1:99999"}, exitFailed, "the gateway can't listen"},
	} {
		var out, errs bytes.Buffer
		a := &app{out: &out, err: &errs}
		if code := a.run(t.Context(), append([]string{"demo", "serve"}, c.args...)); code != c.code {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		if !strings.Contains(errs.String(), c.text) || strings.Count(errs.String(), "\n") != 2 || out.Len() > 0 {
			t.Errorf("%v: %s%s", c.args, out.String(), errs.String())
		}
	}
}
