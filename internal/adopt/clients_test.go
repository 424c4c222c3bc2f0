package adopt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/state"
)

// In the file of every client, in its format, what reaches the gateway is found, replaced, and given back to the byte.
func TestEveryClient(t *testing.T) {
	json := map[string]string{
		"portkey-linear": `{ "url": "https://mcp.portkey.ai/linear/mcp", "headers": { "x-portkey-api-key": "SECRET" }, "disabled": true }`,
		"remote":         `{ "command": "npx", "args": ["-y", "mcp-remote", "https://mcp.portkey.ai/linear/mcp", "--header", "Authorization:${A}"], "env": { "A": "Bearer SECRET" } }`,
	}
	toml := map[string]string{
		"portkey-linear": "[%s.portkey-linear]\nurl = 'https://mcp.portkey.ai/linear/mcp' # theirs\n[%[1]s.portkey-linear.http_headers]\nx-portkey-api-key = \"SECRET\"\n",
		"remote":         "[%s.remote]\ncommand = \"npx\"\nargs = [\n  \"-y\", \"mcp-remote\",\n  \"https://mcp.portkey.ai/linear/mcp\", \"--header\", \"Authorization:${A}\" ]\nenv = { A = \"Bearer SECRET\" }\n",
	}
	yaml := map[string]string{
		"portkey-linear": "%s:\n  portkey-linear:\n    type: streamable_http # theirs\n    uri: https://mcp.portkey.ai/linear/mcp\n    headers:\n      x-portkey-api-key: SECRET\n",
		"remote":         "%s:\n  remote:\n    type: stdio\n    cmd: npx\n    args:\n      - mcp-remote\n      - https://mcp.portkey.ai/linear/mcp\n      - --header\n      - Authorization:${A}\n    envs: {A: Bearer SECRET}\n",
	}
	for _, c := range clients.All() {
		for name, entry := range json {
			text := fmt.Sprintf("{\n  %q: {\n    \"other\": { \"command\": \"x\" },\n    %q: %s\n  }\n}\n", c.Key, name, entry)
			switch c.Format.String() {
			case "TOML":
				text = "# mine\n" + fmt.Sprintf(toml[name], c.Key) + "\n[other]\nx = 1\n"
			case "YAML":
				text = fmt.Sprintf(yaml[name], c.Key) + "other: 1 # mine\n"
			}
			t.Run(c.ID+" "+name, func(t *testing.T) { adoptAndBack(t, c, name, text) })
		}
	}
}

func adoptAndBack(t *testing.T, c clients.Client, name, text string) {
	target := clients.Target{Client: c, Scope: clients.User, Path: filepath.Join(t.TempDir(), "config")}
	if err := os.WriteFile(target.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	content := func() string {
		data, err := os.ReadFile(target.Path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	store := clients.NewStore(state.At(t.TempDir()))
	list, err := store.Foreign(target)
	if err != nil {
		t.Fatal(err)
	}
	var ours clients.Entry
	for _, e := range list {
		if f, ok := Recognise(hosted, c, e.Name, e.Launch); ok && e.Name == name {
			if f.Server != "linear" || f.Key.Reveal() != "SECRET" {
				t.Errorf("%+v", f)
			}
			ours = clients.Entry{Server: "linear", Name: name, Command: clients.Command{Path: "/bin/mcpctl", Args: []string{"bridge", "linear"}}, Over: e.Raw}
		}
	}
	if ours.Over == (configfile.Raw{}) {
		t.Fatalf("not found in %s", text)
	}
	for _, dryRun := range []bool{true, false} {
		out, err := store.Install(t.Context(), target, []clients.Entry{ours}, false, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		if dryRun && (strings.Contains(out.Diff, "SECRET") || !strings.Contains(out.Diff, "bridge") || content() != text) {
			t.Errorf("the preview: %s", out.Diff)
		}
	}
	if got := content(); strings.Contains(got, "SECRET") || strings.Contains(got, "portkey.ai") || !strings.Contains(got, "bridge") || !strings.Contains(got, "other") {
		t.Errorf("afterwards: %s", got)
	}
	if left, err := store.Foreign(target); err != nil || len(left) >= len(list) {
		t.Errorf("still not mcpctl's: %+v, %v", left, err)
	}
	// Another change, so that the backup can't help.
	if err := os.WriteFile(target.Path, []byte(strings.Replace(content(), "other", "later", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Uninstall(t.Context(), target, []string{"linear"}, false, false); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(text, "other", "later", 1); content() != want {
		t.Errorf("given back: %s\nwant %s", content(), want)
	}
}
