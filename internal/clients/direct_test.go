package clients

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/web"
)

func TestLinks(t *testing.T) {
	tests := map[string]string{
		"cursor":          "cursor://anysphere.cursor-deeplink/mcp/install?name=linear&config=eyJjb21tYW5kIjoiL3Vzci9sb2NhbC9iaW4vbWNwY3RsIiwiYXJncyI6WyJicmlkZ2UiLCJsaW5lYXIiXX0%3D",
		"vscode":          "vscode:mcp/install?%7B%22name%22%3A%22linear%22%2C%22type%22%3A%22stdio%22%2C%22command%22%3A%22%2Fusr%2Flocal%2Fbin%2Fmcpctl%22%2C%22args%22%3A%5B%22bridge%22%2C%22linear%22%5D%7D",
		"vscode-insiders": "vscode-insiders:mcp/install?%7B%22name%22%3A%22linear%22%2C%22type%22%3A%22stdio%22%2C%22command%22%3A%22%2Fusr%2Flocal%2Fbin%2Fmcpctl%22%2C%22args%22%3A%5B%22bridge%22%2C%22linear%22%5D%7D",
		"lm-studio":       "lmstudio://add_mcp?name=linear&config=eyJjb21tYW5kIjoiL3Vzci9sb2NhbC9iaW4vbWNwY3RsIiwiYXJncyI6WyJicmlkZ2UiLCJsaW5lYXIiXX0%3D",
		"goose":           "goose://extension?cmd=%2Fusr%2Flocal%2Fbin%2Fmcpctl&arg=bridge&arg=linear&id=linear&name=linear&description=linear",
		"zed":             "",
	}
	for id, want := range tests {
		c, _ := Lookup(id)
		if got := c.Link(linear()); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", id, got, want)
		}
	}
	vscode, _ := Lookup("vscode")
	e := linear()
	e.Command.Path = `/a b/<mcp+ctl>`
	if got := vscode.Link(e); !strings.Contains(got, "%2Fa%20b%2F%3Cmcp%2Bctl%3E") {
		t.Error(got)
	}
}

// TestDirect: what each client is told of a server that it speaks to by itself, by OAuth and with a key in a variable.
func TestDirect(t *testing.T) {
	oauth := Remote{URL: "https://mcp.example.com/linear/mcp"}
	portkey, bearer := oauth, oauth
	portkey.KeyVariable, portkey.KeyHeader = "TEAM_KEY", web.PortkeyHeader
	bearer.KeyVariable, bearer.KeyHeader = "TEAM_KEY", web.AuthorizationHeader
	const u = `"https://mcp.example.com/linear/mcp"`
	refused := "refused"
	tests := []struct{ client, oauth, portkey, bearer string }{
		{"claude-desktop", refused, refused, refused},
		{"claude-code", `{"type":"http","url":` + u + `}`, `{"type":"http","url":` + u + `,"headers":{"x-portkey-api-key":"${TEAM_KEY}"}}`,
			`{"type":"http","url":` + u + `,"headers":{"Authorization":"Bearer ${TEAM_KEY}"}}`},
		{"cursor", `{"url":` + u + `}`, `{"url":` + u + `,"headers":{"x-portkey-api-key":"${env:TEAM_KEY}"}}`,
			`{"url":` + u + `,"headers":{"Authorization":"Bearer ${env:TEAM_KEY}"}}`},
		{"vscode", `{"type":"http","url":` + u + `}`, `{"type":"http","url":` + u + `,"headers":{"x-portkey-api-key":"${env:TEAM_KEY}"}}`,
			`{"type":"http","url":` + u + `,"headers":{"Authorization":"Bearer ${env:TEAM_KEY}"}}`},
		{"codex", `{"url":` + u + `}`, `{"url":` + u + `,"env_http_headers":{"x-portkey-api-key":"TEAM_KEY"}}`, `{"url":` + u + `,"bearer_token_env_var":"TEAM_KEY"}`},
		{"goose", refused, refused, refused},
		{"copilot-cli", `{"type":"http","url":` + u + `,"tools":["*"]}`, `{"type":"http","url":` + u + `,"headers":{"x-portkey-api-key":"${TEAM_KEY}"},"tools":["*"]}`,
			`{"type":"http","url":` + u + `,"headers":{"Authorization":"Bearer ${TEAM_KEY}"},"tools":["*"]}`},
		{"gemini-cli", `{"httpUrl":` + u + `}`, `{"httpUrl":` + u + `,"headers":{"x-portkey-api-key":"${TEAM_KEY}"}}`,
			`{"httpUrl":` + u + `,"headers":{"Authorization":"Bearer ${TEAM_KEY}"}}`},
		{"antigravity", refused, refused, refused},
		{"windsurf", refused, refused, refused},
		{"zed", `{"url":` + u + `}`, refused, refused},
		{"cline", refused, refused, refused},
		{"opencode", `{"type":"remote","url":` + u + `,"enabled":true}`,
			`{"type":"remote","url":` + u + `,"headers":{"x-portkey-api-key":"{env:TEAM_KEY}"},"enabled":true}`,
			`{"type":"remote","url":` + u + `,"headers":{"Authorization":"Bearer {env:TEAM_KEY}"},"enabled":true}`},
		{"lm-studio", refused, refused, refused},
		{"jetbrains-copilot", refused, `{"type":"http","url":` + u + `,"requestInit":{"headers":{"x-portkey-api-key":"${env:TEAM_KEY}"}}}`,
			`{"type":"http","url":` + u + `,"requestInit":{"headers":{"Authorization":"Bearer ${env:TEAM_KEY}"}}}`},
		{"kiro", refused, `{"url":` + u + `,"headers":{"x-portkey-api-key":"${TEAM_KEY}"}}`, `{"url":` + u + `,"headers":{"Authorization":"Bearer ${TEAM_KEY}"}}`},
	}
	for _, tt := range tests {
		c, _ := Lookup(tt.client)
		for want, r := range map[*string]Remote{&tt.oauth: oauth, &tt.portkey: portkey, &tt.bearer: bearer} {
			got := refused
			if err := c.CheckDirect(r); err == nil {
				got = encode(c.Members(Entry{Name: "linear", Remote: &r}))
			} else if !strings.Contains(err.Error(), c.Name) {
				t.Errorf("%s: %v", tt.client, err)
			}
			if got != *want {
				t.Errorf("%s %+v:\n%s\nwant\n%s", tt.client, r, got, *want)
			}
		}
	}
}

// A direct entry is known by the record alone, and a bridge and it replace each other.
func TestDirectInstalled(t *testing.T) {
	d := newDesk(t, "cursor", `{"mcpServers":{"mine":{"url":"https://x"}}}`)
	direct := Entry{Server: "linear", Name: "linear", Remote: &Remote{URL: "https://mcp.example.com/linear/mcp", KeyVariable: "KEY"}}
	d.install(false, direct)
	const told = `{"mcpServers":{"mine":{"url":"https://x"},"linear":{"url":"https://mcp.example.com/linear/mcp","headers":{"x-portkey-api-key":"${env:KEY}"}}}}`
	d.want(told)
	d.install(false, direct)
	d.want(told)
	d.install(false, serve("linear"))
	d.want(`{"mcpServers":{"mine":{"url":"https://x"},"linear":{"command":"/bin/mcpctl","args":["bridge","linear"]}}}`)
	d.install(false, direct)
	d.want(told)
	out, err := d.store.Install(t.Context(), d.target, []Entry{{Server: "mine", Name: "mine", Remote: &Remote{URL: "https://x/y?sk-1"}}}, true, true)
	if err != nil || !strings.Contains(out.Diff, `"url":"https://x/y?sk-1"`) || strings.Contains(out.Diff, `"https://x"`) {
		t.Errorf("%v\n%s", err, out.Diff)
	}
	d.uninstall("linear removed", "linear")
	d.want(`{"mcpServers":{"mine":{"url":"https://x"}}}`)
	d.wantNoRecord()

	// What its owner has added stays, while it is the same address.
	d.install(false, direct)
	d.edit(`"${env:KEY}"`, `"${env:OTHER}","x":"1"`)
	d.edit(`/linear/mcp",`, `/linear/mcp","disabled":true,`)
	d.install(false, direct)
	d.want(`{"mcpServers":{"mine":{"url":"https://x"},"linear":{"url":"https://mcp.example.com/linear/mcp","disabled":true,` +
		`"headers":{"x-portkey-api-key":"${env:KEY}"}}}}`)
	d.uninstall("linear removed", "linear")
	d.want(`{"mcpServers":{"mine":{"url":"https://x"}}}`)

	d.install(false, direct)
	d.edit("mcp.example", "mcp.other")
	if _, err := d.store.Install(t.Context(), d.target, []Entry{direct}, false, false); err == nil || !strings.Contains(err.Error(), "an entry for a remote server") {
		t.Errorf("another's: %v", err)
	}
}

// Whether a client speaks to a server by a bridge or by itself, what its owner has set stays.
func TestSwitchKeepsWhatIsTheOwners(t *testing.T) {
	d := newDesk(t, "kiro", "{}\n")
	direct := Entry{Server: "linear", Name: "linear", Remote: &Remote{URL: "https://mcp.example.com/linear/mcp", KeyVariable: "KEY"}}
	d.install(false, serve("linear"))
	d.edit(`"bridge", "linear"]`, `"bridge", "linear", "--log-file", "secret", "--header=secret", "--profile", "x"], "disabled": true, "disabledTools": ["x"], "env": {"PROXY": "secret"}`)
	out, err := d.store.Install(t.Context(), d.target, []Entry{direct}, false, false)
	if err != nil || !slices.Equal(out.Lost, []string{"linear: env.PROXY", "linear: --log-file", "linear: --header"}) {
		t.Errorf("%q, %v", out.Lost, err)
	}
	const told = `{
  "mcpServers": {
    "linear": {
      "url": "https://mcp.example.com/linear/mcp",
      "headers": {
        "x-portkey-api-key": "${KEY}"
      },
      "disabled": true,
      "disabledTools": ["x"]
    }
  }
}
`
	d.want(told)
	// The same with another variable, though nobody has touched it meanwhile; and back.
	other := direct
	other.Remote = &Remote{URL: direct.Remote.URL, KeyVariable: "OTHER"}
	d.install(false, other)
	d.want(strings.Replace(told, "${KEY}", "${OTHER}", 1))
	d.install(false, serve("linear"))
	d.want(`{
  "mcpServers": {
    "linear": {
      "command": "/bin/mcpctl",
      "args": ["bridge", "linear"],
      "disabled": true,
      "disabledTools": ["x"]
    }
  }
}
`)
}

// What mcpctl has written for one way doesn't stay for the other, unless its owner has made it theirs.
func TestSwitchTakesItsOwnAlong(t *testing.T) {
	d := newDesk(t, "codex", "")
	direct := Entry{Server: "linear", Name: "linear", Remote: &Remote{URL: "https://mcp.example.com/linear/mcp"}}
	d.install(false, serve("linear"))
	d.install(false, direct)
	d.want("[mcp_servers.linear]\nurl = 'https://mcp.example.com/linear/mcp'\n")
	d.install(false, serve("linear"))
	d.edit("tool_timeout_sec = 600", "tool_timeout_sec = 30.5\nrequired = true")
	d.install(false, direct)
	d.want("[mcp_servers.linear]\nurl = 'https://mcp.example.com/linear/mcp'\ntool_timeout_sec = 30.5\nrequired = true\n")
	// Only OAuth's own settings are those of one way.
	d.edit("required = true", "required = true\noauth_resource = \"r\"")
	other := direct
	other.Remote = &Remote{URL: direct.Remote.URL, KeyVariable: "KEY"}
	d.install(false, other)
	d.install(false, direct)
	d.want("[mcp_servers.linear]\nurl = 'https://mcp.example.com/linear/mcp'\ntool_timeout_sec = 30.5\nrequired = true\noauth_resource = \"r\"\n")
}
