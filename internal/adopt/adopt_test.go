package adopt

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/clients"
)

const (
	hosted = "https://mcp.portkey.ai"
	own    = "https://aigw.example.com/m"
)

func TestRecognise(t *testing.T) {
	for _, tt := range []struct {
		name    string
		gateway string
		entry   string // JSON, also for what other formats hold
		want    Found
		key     string
	}{
		// The client's own transport.
		{"documented", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"documented before", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"Authorization":"Bearer K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"case and blanks", hosted, `{"type":"http","url":"HTTPS://MCP.Portkey.ai:443/linear/mcp/","headers":{"X-Portkey-API-Key":" K "}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"scheme in small letters", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"authorization":"bearer  K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"a scheme too many", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"Bearer K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"a placeholder", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"your key here"}}`, Found{Kind: URL, Server: "linear"}, ""},
		{"no scheme", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"Authorization":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"with workspace", hosted, `{"url":"https://mcp.portkey.ai/ws-acme/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"own gateway below a path", own, `{"url":"https://aigw.example.com/m/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"both headers", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K","Authorization":"Bearer other"}}`, Found{Kind: URL, Server: "linear", Headers: []string{"Authorization"}}, "K"},
		{"basic", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"Authorization":"Basic eDp5"}}`, Found{Kind: URL, Server: "linear", Headers: []string{"Authorization"}}, ""},
		{"further headers", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K","X-Team":"blue","Accept":"*/*"}}`, Found{Kind: URL, Server: "linear", Headers: []string{"X-Team"}}, "K"},
		{"no key", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp"}`, Found{Kind: URL, Server: "linear"}, ""},
		{"windsurf", hosted, `{"serverUrl":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"gemini", hosted, `{"httpUrl":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"$PORTKEY_API_KEY"}}`, Found{Kind: URL, Server: "linear", Reference: "$PORTKEY_API_KEY"}, ""},
		{"goose", hosted, `{"type":"streamable_http","uri":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"goose, variable", hosted, `{"uri":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"${PK}"},"envs":{"PK":"K","X":"x"}}`, Found{Kind: URL, Server: "linear", Variables: []string{"X"}}, "K"},
		{"jetbrains", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","requestInit":{"headers":{"x-portkey-api-key":"K"}}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"codex, literal", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","http_headers":{"x-portkey-api-key":"K"}}`, Found{Kind: URL, Server: "linear"}, "K"},
		{"codex, variable", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","env_http_headers":{"x-portkey-api-key":"PK"}}`, Found{Kind: URL, Server: "linear", Reference: "${PK}"}, ""},
		{"codex, bearer", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","bearer_token_env_var":"PK"}`, Found{Kind: URL, Server: "linear", Reference: "${PK}"}, ""},
		{"portkey-linear", hosted, `{"type":"http","url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K"}}`, Found{Kind: Portkey, Server: "linear"}, "K"},
		{"cursor, variable", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"${env:PK}"}}`, Found{Kind: URL, Server: "linear", Reference: "${env:PK}"}, ""},
		{"vscode, input", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"Authorization":"Bearer ${input:pk}"}}`, Found{Kind: URL, Server: "linear", Reference: "${input:pk}"}, ""},
		{"claude, default", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"${PK:-secret}"}}`, Found{Kind: URL, Server: "linear", Reference: "${PK}"}, ""},
		{"opencode, variable", hosted, `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"{env:PK}"}}`, Found{Kind: URL, Server: "linear", Reference: "{env:PK}"}, ""},
		// mcp-remote.
		{"npx", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key: K"]}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"npx -y, pinned, no blank", hosted, `{"command":"npx","args":["-y","mcp-remote@0.1.29","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:K","--transport","http-only"]}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"cmd /c", hosted, `{"command":"C:\\Windows\\System32\\cmd.exe","args":["/c","npx","-y","mcp-remote@latest","https://mcp.portkey.ai/linear/mcp","--header","Authorization: Bearer K"]}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"AUTH_HEADER", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","Authorization:${AUTH_HEADER}"],"env":{"AUTH_HEADER":"Bearer K"}}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"key in env", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"],"env":{"PK":"K"}}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"env refers on", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"],"env":{"PK":"${env:PK2}"}}`, Found{Kind: MCPRemote, Server: "linear", Reference: "${env:PK2}"}, ""},
		{"env not set", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"]}`, Found{Kind: MCPRemote, Server: "linear", Reference: "${PK}"}, ""},
		{"installed globally", hosted, `{"command":"/usr/local/bin/mcp-remote","args":["https://mcp.portkey.ai/linear/mcp","3334","--header=x-portkey-api-key: K"]}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"by node", hosted, `{"command":"node","args":["/opt/node_modules/mcp-remote/dist/proxy.js","https://mcp.portkey.ai/linear/mcp"]}`, Found{Kind: MCPRemote, Server: "linear"}, ""},
		{"bunx, deno", hosted, `{"command":"deno","args":["run","-A","npm:mcp-remote","https://mcp.portkey.ai/linear/mcp"]}`, Found{Kind: MCPRemote, Server: "linear"}, ""},
		{"env in front", hosted, `{"command":"env","args":["PK=K","npx","mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"]}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"opencode's list", hosted, `{"type":"local","command":["npx","-y","mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"],"environment":{"PK":"K"}}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"goose's names", hosted, `{"type":"stdio","cmd":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"],"envs":{"PK":"K"}}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"whole line as command", hosted, `{"command":"npx -y mcp-remote https://mcp.portkey.ai/linear/mcp --header x-portkey-api-key:K"}`, Found{Kind: MCPRemote, Server: "linear"}, "K"},
		{"named portkey-", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp"]}`, Found{Kind: MCPRemote, Server: "linear"}, ""},
		{"variables", hosted, `{"command":"env","args":["PROXY=p","npx","mcp-remote","https://mcp.portkey.ai/linear/mcp","--header","x-portkey-api-key:${PK}"],"env":{"PK":"K","NODE_EXTRA_CA_CERTS":"/c"}}`, Found{Kind: MCPRemote, Server: "linear", Variables: []string{"NODE_EXTRA_CA_CERTS", "PROXY"}}, "K"},
		{"options", hosted, `{"command":"npx","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp","--transport","http-only","--ignore-tool","delete*","--enable-proxy","--x=sk-secret"]}`, Found{Kind: MCPRemote, Server: "linear", Options: []string{"--ignore-tool", "--enable-proxy", "--x"}}, ""},
		// supergateway.
		{"supergateway", hosted, `{"command":"npx","args":["-y","supergateway","--streamableHttp","https://mcp.portkey.ai/linear/mcp","--header","X-Team: blue","--header","x-portkey-api-key: K"]}`, Found{Kind: Supergateway, Server: "linear", Headers: []string{"X-Team"}}, "K"},
		{"oauth2Bearer", hosted, `{"command":"npx","args":["supergateway@4.0.0","--streamable-http=https://mcp.portkey.ai/linear/mcp","--oauth2Bearer","K","--logLevel","none"]}`, Found{Kind: Supergateway, Server: "linear"}, "K"},
		{"docker", hosted, `{"command":"docker","args":["run","-i","--rm","supercorp/supergateway:latest","--streamableHttp","https://mcp.portkey.ai/linear/mcp","--oauth2Bearer","K"]}`, Found{Kind: Supergateway, Server: "linear"}, "K"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Recognise(tt.gateway, clients.Client{DollarNames: strings.Contains(tt.name, "gemini")}, tt.name, launch(t, tt.entry))
			if !ok {
				t.Fatal("not recognised")
			}
			key := got.Key.Reveal()
			got.Key = tt.want.Key
			if !reflect.DeepEqual(got, tt.want) || key != tt.key {
				t.Errorf("got %+v with the key %q, want %+v with %q", got, key, tt.want, tt.key)
			}
		})
	}
}

func TestNotRecognised(t *testing.T) {
	for name, entry := range map[string]string{
		"a variable of Windows":   `{"url":"https://mcp.portkey.ai/%SERVER%/mcp"}`,
		"another host":            `{"url":"https://mcp.example.com/linear/mcp","headers":{"x-portkey-api-key":"K"}}`,
		"another port":            `{"url":"https://mcp.portkey.ai:8443/linear/mcp"}`,
		"plain http":              `{"url":"http://mcp.portkey.ai/linear/mcp"}`,
		"a host that begins so":   `{"url":"https://mcp.portkey.ai.example.com/linear/mcp"}`,
		"another path":            `{"url":"https://mcp.portkey.ai/linear/sse"}`,
		"too deep":                `{"url":"https://mcp.portkey.ai/a/b/linear/mcp"}`,
		"no server":               `{"url":"https://mcp.portkey.ai/mcp"}`,
		"an empty name":           `{"url":"https://mcp.portkey.ai//mcp"}`,
		"a query":                 `{"url":"https://mcp.portkey.ai/linear/mcp?x=1"}`,
		"a user":                  `{"url":"https://me:pw@mcp.portkey.ai/linear/mcp"}`,
		"a variable":              `{"url":"${env:GATEWAY}/linear/mcp"}`,
		"a variable as its name":  `{"url":"https://mcp.portkey.ai/${env:SERVER}/mcp"}`,
		"no URL":                  `{"url":"::"}`,
		"mcpctl":                  `{"command":"mcpctl","args":["bridge","linear"]}`,
		"another program":         `{"command":"npx","args":["some-mcp","https://mcp.portkey.ai/linear/mcp"]}`,
		"no launcher":             `{"command":"my-wrapper","args":["mcp-remote","https://mcp.portkey.ai/linear/mcp"]}`,
		"mcp-remote elsewhere":    `{"command":"npx","args":["mcp-remote","https://mcp.linear.app/mcp","--header","Authorization: Bearer K"]}`,
		"its URL is in a header":  `{"command":"npx","args":["mcp-remote","https://mcp.linear.app/mcp","--header","Referer: https://mcp.portkey.ai/linear/mcp"]}`,
		"supergateway over stdio": `{"command":"npx","args":["supergateway","--stdio","mcp-remote https://mcp.portkey.ai/linear/mcp"]}`,
		"supergateway without":    `{"command":"npx","args":["supergateway","--streamableHttp"]}`,
		"nothing":                 `{}`,
		"numbers":                 `{"command":1,"args":2,"url":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := Recognise(hosted, clients.Client{}, "x", launch(t, entry)); ok {
				t.Errorf("recognised as %+v", got)
			}
		})
	}
	if _, ok := Recognise(own, clients.Client{}, "x", launch(t, `{"url":"https://aigw.example.com/linear/mcp"}`)); ok {
		t.Error("recognised above the gateway's path")
	}
}

// A key is none the less one for what is in it, and of what isn't one no more is told than its name.
func TestReference(t *testing.T) {
	for value, want := range map[string]string{
		"${K}":                  "${K}",
		"${env:K}":              "${env:K}",
		"${input:my-key}":       "${input:my-key}",
		"${file:/a/b}":          "${file:/a/b}",
		"{env:K}":               "{env:K}",
		"{file:~/k}":            "{file:~/k}",
		"%K%":                   "%K%",
		"${K:-secret}":          "${K}",
		"${K:=secret}":          "${K}",
		"${K-secret}":           "${K}",
		"${K:?secret}":          "${K}",
		"${K+secret}":           "${K}",
		"${env:K:-a}secret}":    "${env:K}",
		"pk$Secret_tail_of_key": "",
		"$Secret_tail_of_key":   "",
		"pk${secret}":           "",
		"${pk secret}":          "",
		"${A}${secret}":         "${…}",
		"${{ secrets.K }}":      "",
		"$PORTKEY_API_KEY":      "$PORTKEY_API_KEY",
		"${pk}secret":           "",
		"pk%secret%":            "",
		"a{env:secret}":         "",
		"{env:a}{secret}":       "",
		"secret":                "",
	} {
		e := clients.Launch{URL: hosted + "/linear/mcp", Headers: map[string]string{"x-portkey-api-key": value}}
		f, ok := Recognise(hosted, clients.Client{}, "x", e)
		if !ok || f.Reference != want || f.Key.IsZero() != (want != "") && !strings.Contains(value, " ") {
			t.Errorf("%s: %+v", value, f)
		}
		if strings.Contains(f.Reference, "secret") {
			t.Errorf("%s is shown as %s", value, f.Reference)
		}
	}
}

// Whatever stands in a file, nothing breaks, and a key found is one that can go into a header.
func FuzzRecognise(f *testing.F) {
	f.Add("portkey-linear", `{"url":"https://mcp.portkey.ai/linear/mcp","headers":{"x-portkey-api-key":"K"}}`)
	f.Add("a", `{"command":"cmd","args":["/c","npx","-y","mcp-remote@1","https://mcp.portkey.ai/linear/mcp","--header","Authorization:${A}"],"env":{"A":"Bearer K"}}`)
	f.Add("b", `{"command":["npx","supergateway","--streamableHttp=https://mcp.portkey.ai/w/linear/mcp","--oauth2Bearer"],"requestInit":{"headers":{}}}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		var entry map[string]any
		if json.Unmarshal([]byte(text), &entry) != nil {
			return
		}
		found, ok := Recognise(hosted, clients.Client{}, name, clients.LaunchOf(entry))
		if key := found.Key.Reveal(); ok && (found.Server == "" || strings.Contains(found.Server, "/") || strings.ContainsAny(key, " \t\r\n") || key != "" && found.Reference != "") {
			t.Errorf("%+v with the key %q", found, key)
		}
	})
}

func launch(t *testing.T, text string) clients.Launch {
	t.Helper()
	var entry map[string]any
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		t.Fatal(err)
	}
	return clients.LaunchOf(entry)
}
