package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// testHost has an empty home and the given variables. content, if not empty, is its settings file.
func testHost(t *testing.T, content string, env map[string]string) host.Host {
	t.Helper()
	h := host.Host{OS: "linux", Home: t.TempDir(), Env: func(name string) string { return env[name] }}
	if content != "" {
		dir := h.ConfigDir()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestPrecedence(t *testing.T) {
	const file = `
profiles:
  default: {gateway_url: "https://file.example/m/", control_plane_url: https://file.example/v1, workspace: 1234, ca_file: ca.pem}
  work: {workspace: ws-work}
`
	env := map[string]string{"MCPCTL_GATEWAY_URL": "https://env.example", "MCPCTL_CONTROL_PLANE_URL": "https://env.example/v1/",
		"MCPCTL_WORKSPACE": "ws-env"}
	flags := Flags{GatewayURL: "https://flag.example/", ControlPlaneURL: "https://flag.example/v1", Workspace: "ws-flag", CAFile: "/flag.pem"}
	tests := map[string]struct {
		file                                  string
		env                                   map[string]string
		flags                                 Flags
		gateway, control, workspace, ca, prof string
		given                                 map[string]string
	}{
		"default": {gateway: DefaultGatewayURL, control: DefaultControlPlaneURL, prof: "default", given: map[string]string{}},
		"file": {file: file, gateway: "https://file.example/m", control: "https://file.example/v1", workspace: "1234",
			ca: "CONFIG/ca.pem", prof: "default", given: map[string]string{}},
		"env over file": {file: file, env: env, gateway: "https://env.example", control: "https://env.example/v1",
			workspace: "ws-env", ca: "CONFIG/ca.pem", prof: "default",
			given: map[string]string{"gateway": "https://env.example", "control-plane": "https://env.example/v1", "workspace": "ws-env"}},
		"flag over env": {file: file, env: env, flags: flags, gateway: "https://flag.example", control: "https://flag.example/v1",
			workspace: "ws-flag", ca: "/flag.pem", prof: "default",
			given: map[string]string{"gateway": "https://flag.example", "control-plane": "https://flag.example/v1",
				"workspace": "ws-flag", "ca-file": "/flag.pem"}},
		"profile by variable": {file: file, env: map[string]string{"MCPCTL_PROFILE": "work"}, gateway: DefaultGatewayURL,
			control: DefaultControlPlaneURL, workspace: "ws-work", prof: "work", given: map[string]string{"profile": "work"}},
		"profile by flag": {file: file, env: map[string]string{"MCPCTL_PROFILE": "work"}, flags: Flags{Profile: "default"},
			gateway: "https://file.example/m", control: "https://file.example/v1", workspace: "1234", ca: "CONFIG/ca.pem",
			prof: "default", given: map[string]string{"profile": "default"}},
		"profile by file": {file: "current_profile: work\n" + file, gateway: DefaultGatewayURL,
			control: DefaultControlPlaneURL, workspace: "ws-work", prof: "work", given: map[string]string{}},
		"empty values are none": {file: "profiles: {default: {gateway_url: '', workspace: }}", env: map[string]string{"MCPCTL_GATEWAY_URL": ""},
			gateway: DefaultGatewayURL, control: DefaultControlPlaneURL, prof: "default", given: map[string]string{}},
		"comments alone": {file: "# nothing\n", gateway: DefaultGatewayURL, control: DefaultControlPlaneURL, prof: "default", given: map[string]string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := testHost(t, tc.file, tc.env)
			s, err := Load(h, tc.flags)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{s.GatewayURL, s.ControlPlaneURL, s.Workspace, s.CAFile, s.Profile}
			want := []string{tc.gateway, tc.control, tc.workspace, strings.Replace(tc.ca, "CONFIG", h.ConfigDir(), 1), tc.prof}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
			if !reflect.DeepEqual(s.Given, tc.given) {
				t.Errorf("given: got %q, want %q", s.Given, tc.given)
			}
		})
	}
}

func TestSettingsFileByFlagAndVariable(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("a.yaml", []byte("profiles: {default: {workspace: a}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	// a file of the default name in the working folder is a project's, not the user's
	if err := os.WriteFile("config.yaml", []byte("profiles: {default: {gateway_url: https://evil.example}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := testHost(t, "", map[string]string{"MCPCTL_CONFIG": filepath.Join(dir, "none.yaml")})
	s, err := Load(h, Flags{})
	if err != nil || s.Given["config"] != filepath.Join(dir, "none.yaml") || s.GatewayURL != DefaultGatewayURL {
		t.Errorf("got %+v, %v", s, err)
	}
	s, err = Load(h, Flags{ConfigFile: "a.yaml"})
	if want, _ := filepath.Abs("a.yaml"); err != nil || s.File != want || s.Given["config"] != want || s.Workspace != "a" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestOneProfileKeepsTheCaseOfNames(t *testing.T) {
	s, err := Load(testHost(t, `
profiles:
  Team.A:
    proxy: http://proxy.example:3128
    key_header: authorization
    key_command: [op, read, "op://Private/Portkey Key"]
    allow_http: [http://GATEWAY.lan:8788/]
    credential: file
    headers: {X-Team: Blue}
    servers: {Linear-A: {headers: {X-User: "${USER}"}}}
`, nil), Flags{Profile: "Team.A"})
	if err != nil {
		t.Fatal(err)
	}
	if !s.KnowsProfile() || s.Proxy != "http://proxy.example:3128" || s.KeyHeader != "authorization" || s.CredentialStore != "file" {
		t.Errorf("got %+v", s)
	}
	if want := []string{"op", "read", "op://Private/Portkey Key"}; !reflect.DeepEqual(s.KeyCommand, want) {
		t.Errorf("key_command: %q", s.KeyCommand)
	}
	if want := []string{"http://gateway.lan:8788"}; !reflect.DeepEqual(s.AllowHTTP, want) {
		t.Errorf("allow_http: %q", s.AllowHTTP)
	}
	if s.Headers["X-Team"] != "Blue" || s.ServerHeaders["Linear-A"]["X-User"] != "${USER}" {
		t.Errorf("headers: %q, %q", s.Headers, s.ServerHeaders)
	}
}

func TestTraceOf(t *testing.T) {
	s, err := Load(testHost(t, `
profiles:
  default:
    trace_id: all
    metadata: {Team: blue, _user: "${USER}"}
    servers: {linear: {trace_id: one, metadata: {Team: red, n: 7}}, notes: {headers: {X-A: b}}}
`, nil), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	for server, want := range map[string]Trace{
		"linear": {map[string]string{"Team": "red", "_user": "${USER}", "n": "7"}, "one"},
		"notes":  {map[string]string{"Team": "blue", "_user": "${USER}"}, "all"},
		"":       {map[string]string{"Team": "blue", "_user": "${USER}"}, "all"},
	} {
		if got := s.TraceOf(server); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", server, got)
		}
	}
	if s.Trace.Metadata["Team"] != "blue" {
		t.Error("TraceOf changed the settings")
	}
}

func TestLogLevel(t *testing.T) {
	file, env := "profiles: {default: {log_level: error}}", map[string]string{"MCPCTL_LOG_LEVEL": "info"}
	for _, tc := range []struct {
		file  string
		env   map[string]string
		flags Flags
		want  string
	}{{"", nil, Flags{}, ""}, {file, nil, Flags{}, "error"}, {file, env, Flags{}, "info"}, {file, env, Flags{LogLevel: "debug"}, "debug"}} {
		if s, err := Load(testHost(t, tc.file, tc.env), tc.flags); err != nil || s.LogLevel != tc.want {
			t.Errorf("%+v: %q, %v", tc, s.LogLevel, err)
		}
	}
}

func TestAllowHTTP(t *testing.T) {
	const lan = "http://gateway.lan:8788"
	if _, err := Load(testHost(t, "", nil), Flags{GatewayURL: lan}); err == nil {
		t.Error("plain http was taken unasked")
	}
	s, err := Load(testHost(t, "", nil), Flags{GatewayURL: lan, ControlPlaneURL: "http://127.0.0.1:9/v1", AllowHTTP: true})
	if err != nil || !reflect.DeepEqual(s.AllowHTTP, []string{lan}) || s.Given["allow-http"] != "true" {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := Load(testHost(t, "", nil), Flags{GatewayURL: "http://mcp.portkey.ai", AllowHTTP: true}); err == nil {
		t.Error("plain http to portkey.ai was taken")
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	const p = "profiles:\n  default:\n"
	tests := map[string]struct {
		file  string
		env   map[string]string
		flags Flags
		want  string // PATH stands for the settings file
	}{
		"flag":                {flags: Flags{GatewayURL: "gateway.example"}, want: "--gateway: "},
		"variable":            {env: map[string]string{"MCPCTL_CONTROL_PLANE_URL": "ftp://h/x"}, want: "MCPCTL_CONTROL_PLANE_URL: "},
		"file":                {file: p + "    gateway_url: http://lan.example\n", want: "PATH:3:18: gateway_url: "},
		"user in URL":         {flags: Flags{GatewayURL: "https://me:hunter2@h"}, want: "--gateway: https://h: "},
		"query in URL":        {flags: Flags{GatewayURL: "https://h/?token=hunter2"}, want: "--gateway: https://h/: "},
		"unparsable URL":      {flags: Flags{GatewayURL: "https://me:hunter2@h:x"}, want: "--gateway: not a URL"},
		"no YAML":             {file: "profiles:\n  default:\n    workspace: \"open\n", want: "PATH:3:5: "},
		"tab":                 {file: "profiles:\n\tdefault: 1\n", want: "PATH:2:2: "},
		"no anchor":           {file: p + "    workspace: *hunter2\n", want: "PATH:3:5: an alias, and nothing"},
		"alias of itself":     {file: p + "    headers: &hunter2 {<<: *hunter2}\n", want: "PATH:3:5: a value that can't be read"},
		"name twice":          {file: "profiles:\n  x: {}\n  a: {hunter2: 1, hunter2: 2}\n", want: "PATH:3:19: a name stands here a second time, after line 3"},
		"no number":           {file: p + "    headers: {A: !!int hunter2}\n", want: "PATH:3:5: a value that can't be read"},
		"a list at the top":   {file: "- a\n", want: "PATH:1:1: "},
		"profiles is a list":  {file: "profiles: [a]\n", want: "PATH:1:11: profiles wants"},
		"profile is text":     {file: "profiles:\n  work: x\n", want: "PATH:2:9: the profile \"work\""},
		"same but for case":   {file: "profiles: {a: {}, A: {}}\n", want: "PATH:1:19: two profiles"},
		"list for a value":    {file: p + "    workspace: [a]\n", want: "PATH:3:16: workspace wants one value"},
		"text for a command":  {file: p + "    key_command: op read x\n", want: "PATH:3:18: key_command wants a list"},
		"unknown choice":      {file: p + "    credential: vault\n", want: "PATH:3:17: credential is keyring or file"},
		"unknown header form": {file: p + "    key_header: cookie\n", want: "PATH:3:17: key_header is"},
		"unknown level":       {file: p + "    log_level: loud\n", want: "PATH:3:16: log_level is debug or info or warn or error"},
		"http of portkey.ai":  {file: p + "    allow_http: [http://mcp.portkey.ai]\n", want: "PATH:3:18: allow_http wants"},
		"server is text":      {file: p + "    servers: {linear: x}\n", want: "PATH:3:23: a server wants"},
		"header is a list":    {file: p + "    headers: {A: [b]}\n", want: "PATH:3:18: the header A"},
		"label is a list":     {file: p + "    servers: {linear: {metadata: {A: [b]}}}\n", want: "PATH:3:38: the label A wants one value"},
		"metadata is text":    {file: p + "    metadata: x\n", want: "PATH:3:15: metadata wants a mapping"},
		"trace is a list":     {file: p + "    servers: {linear: {trace_id: [b]}}\n", want: "PATH:3:34: trace_id wants one value"},
		"key":                 {file: p + "    api_key: hunter2\n", want: "PATH:3:5: a key doesn't belong"},
		"key at the top":      {file: "portkey_api_key: hunter2\n", want: "PATH:1:1: a key doesn't belong"},
		"key at a server":     {file: p + "    servers: {linear: {Token: hunter2}}\n", want: "PATH:3:24: a key doesn't belong"},
		"key by its header":   {file: p + "    x-portkey-api-key: hunter2\n", want: "PATH:3:5: a key doesn't belong"},
		"key as a header":     {file: p + "    headers: {X-Portkey-API-Key: hunter2}\n", want: "PATH:3:15: a key doesn't belong"},
		"key that is merged":  {file: "x: &x {api_key: hunter2}\n" + p + "    <<: *x\n", want: "PATH:1:8: a key doesn't belong"},
		"choice, merged":      {file: "x: &x {key_header: a}\n" + p + "    <<: [*x]\n", want: "PATH:1:20: key_header is"},
		"list in a list":      {file: p + "    key_command: [a, [b]]\n", want: "PATH:3:22: key_command wants a list of single values"},
		"twice":               {file: p + "    workspace: a\n    workspace: b\n", want: "PATH:4:5: a name stands here a second time, after line 3"},
		"profile twice":       {file: "profiles: {a: {}, a: {}}\n", want: "PATH:1:19: a name stands here a second time, after line 1"},
		"twice in a header":   {file: p + "    headers: {A: b, A: c}\n", want: "PATH:3:21: a name stands here a second time, after line 3"},
		"key as a workspace":  {file: p + "    workspace: aB3dE6gH9jK2mN5pQ8sT1vW4hunt\n", want: "PATH:3:16: workspace: that looks like a key"},
		"key in a flag":       {flags: Flags{Workspace: "pk-1a2b3c4d-hunter2hunter2"}, want: "--workspace: that looks like a key"},
		"second document":     {file: p + "    workspace: a\n---\nmine: true\n", want: "PATH:5:1: the settings are one YAML document"},
		"second, unreadable":  {file: p + "    workspace: a\n---\nmine: \"open\n", want: "PATH:5:1: "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := testHost(t, tc.file, tc.env)
			_, err := Load(h, tc.flags)
			if err == nil {
				t.Fatal("no error")
			}
			want := strings.Replace(tc.want, "PATH", h.Join(h.ConfigDir(), "config.yaml"), 1)
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %s\nwant %s…", err, want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %s", err)
			}
			if strings.Contains(err.Error()+problem.NextStep(err), "hunt") {
				t.Errorf("shows a secret: %s", err)
			}
			if problem.NextStep(err) == "" {
				t.Error("no next step")
			}
		})
	}
}

func TestSaveLogin(t *testing.T) {
	const commented = `# mine
current_profile: default # the usual one
profiles:
  default:
    # at home
    gateway_url: https://old.example # why not
    future_setting: [1, 2]
`
	tests := map[string]struct {
		before string
		env    map[string]string
		flags  Flags
		login  Login
		want   string // "" for no file
	}{
		"nothing to say": {login: Login{Store: "keyring", KeyHeader: "x-portkey-api-key"}},
		"header and store": {login: Login{Store: "file", KeyHeader: "authorization"},
			want: "profiles:\n  default:\n    credential: file\n    key_header: authorization\n"},
		"new profile": {flags: Flags{Profile: "work"}, login: Login{Store: "keyring"}, want: "profiles:\n  work: {}\n"},
		"by flag and variable": {flags: Flags{GatewayURL: "http://gateway.lan:8788/", AllowHTTP: true},
			env: map[string]string{"MCPCTL_WORKSPACE": "007", "MCPCTL_API_KEY": "canary", "SECRET": "canary"}, login: Login{Store: "keyring"},
			want: "profiles:\n  default:\n    gateway_url: http://gateway.lan:8788\n    workspace: \"007\"\n" +
				"    allow_http:\n      - http://gateway.lan:8788\n"},
		"comments and unknown settings stay": {before: commented, flags: Flags{GatewayURL: "https://new.example"}, login: Login{Store: "file"},
			want: strings.Replace(commented, "old", "new", 1) + "    credential: file\n"},
		"unchanged": {before: commented, login: Login{Store: "keyring"}, want: commented},
		"comments alone": {before: "# hello\n", login: Login{Store: "file"},
			want: "# hello\nprofiles:\n  default:\n    credential: file\n"},
		"back to the keyring": {before: "profiles: {default: {credential: file, key_header: authorization}}\n",
			login: Login{Store: "keyring", KeyHeader: "x-portkey-api-key"},
			want:  "profiles: {default: {credential: keyring, key_header: x-portkey-api-key}}\n"},
		"another profile's anchor": {before: "profiles:\n  default: &d\n    workspace: a\n  work: *d\n",
			flags: Flags{Profile: "work", Workspace: "b"}, login: Login{Store: "keyring"},
			want: "profiles:\n  default: &d\n    workspace: a\n  work:\n    <<: *d\n    workspace: b\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := testHost(t, tc.before, tc.env)
			s, err := Load(h, tc.flags)
			if err != nil {
				t.Fatal(err)
			}
			if err := SaveLogin(s, tc.login); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(s.File)
			if tc.want == "" {
				if !os.IsNotExist(err) {
					t.Fatalf("a file was made: %q, %v", got, err)
				}
				return
			}
			if string(got) != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			again, err := Load(h, Flags{Profile: tc.flags.Profile})
			if err != nil || !again.KnowsProfile() || again.GatewayURL != s.GatewayURL || again.Workspace != s.Workspace ||
				again.CredentialStore != tc.login.Store {
				t.Errorf("read back: %+v, %v", again, err)
			}
		})
	}
}
