package configfile

import (
	"strings"
	"testing"
)

func parseAs(t testing.TB, name, text string, f Format) *Document {
	t.Helper()
	d, err := Parse(name, []byte(text), f)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return d
}

// setThenRemove sets the entry linear below parent and takes it out again: after is wanted in between, before afterwards.
func setThenRemove(t *testing.T, f Format, parent, before, after string) {
	t.Helper()
	d := parseAs(t, "f", before, f)
	if err := d.Set(entry, parent, "linear"); err != nil {
		t.Fatal(err)
	}
	if got := string(d.Bytes()); got != after {
		t.Errorf("after Set:\n%s\nwant:\n%s", got, after)
	}
	if ok, err := d.Remove(parent, "linear"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := string(d.Bytes()); got != before {
		t.Errorf("after Remove:\n%q\nwant:\n%q", got, before)
	}
}

func TestTOMLSetThenRemove(t *testing.T) {
	const block = "[mcp_servers.linear]\ncommand = '/usr/local/bin/mcpctl'\nargs = [\"bridge\", \"linear\"]"
	for before, after := range map[string]string{
		"":          block + "\n",
		"x = 1\n":   "x = 1\n\n" + block + "\n",
		"x = 1\n\n": "x = 1\n\n\n" + block + "\n",
		"x = 1":     "x = 1\n\n" + block,
		"\n":        "\n\n" + block + "\n",
		"[mcp_servers.gh] # mine\ncommand = \"gh\"\n# the end": "[mcp_servers.gh] # mine\ncommand = \"gh\"\n# the end\n\n" + block,
		"[mcp_servers]\ngh = { command = 'gh' }\n":             "[mcp_servers]\ngh = { command = 'gh' }\n\n" + block + "\n",
		"[a]\r\nb = 1e3\r\n":                                   "[a]\r\nb = 1e3\r\n\r\n" + strings.ReplaceAll(block, "\n", "\r\n") + "\r\n",
	} {
		setThenRemove(t, TOML, "mcp_servers", before, after)
	}
}

func TestTOMLNames(t *testing.T) {
	for name, header := range map[string]string{
		"a-b_1": "a-b_1", "true": "true", "123": "123", "": `""`, "a.b": `"a.b"`, `a"\`: `"a\"\\"`, "a b#": `"a b#"`, "ü": `"ü"`,
		"__proto__": "__proto__", "\x7f": `"\u007f"`,
	} {
		d := parseAs(t, "f", "x = 1\n", TOML)
		if err := d.Set(Members{{"command", `C:\a\b`}, {"none", nil}, {"env", Members{{"A B", "it's"}}}, {"n", 600}, {"on", false}}, "mcp_servers", name); err != nil {
			t.Fatal(err)
		}
		want := "x = 1\n\n[mcp_servers." + header + "]\ncommand = 'C:\\a\\b'\nenv = { \"A B\" = \"it's\" }\nn = 600\non = false\n"
		if got := string(d.Bytes()); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", name, got, want)
		}
		if raw, ok, err := d.Get("mcp_servers", name); !ok || err != nil || raw.Canonical() != `{"command":"C:\\a\\b","env":{"A B":"it's"},"n":600,"on":false}` {
			t.Errorf("%q: %v %v %s", name, ok, err, raw.Canonical())
		}
		if ok, err := d.Remove("mcp_servers", name); !ok || err != nil || string(d.Bytes()) != "x = 1\n" {
			t.Errorf("%q: %v %v %s", name, ok, err, d.Bytes())
		}
	}
}

func TestTOMLReplace(t *testing.T) {
	const before = `# top
  [mcp_servers . "linear"]  # ours
command="old" # c
args = [ # a
  'bridge', # ] x
] # b
enabled = 0x1

# about env
[mcp_servers.linear.env]
KEY = """
# not a comment"""

# about gh
[mcp_servers.gh]
command = "gh"
[mcp_servers.linear.tools.x]
approval = "y"
`
	d := parseAs(t, "f", before, TOML)
	for name, value := range map[string]any{"command": "new", "args": []string{"bridge", `a\b`}, "tool_timeout_sec": 600} {
		if err := d.Set(value, "mcp_servers", "linear", name); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.NewReplacer(`"old"`, "'new'", "[ # a\n  'bridge', # ] x\n]", `["bridge", 'a\b']`, "enabled = 0x1\n", "enabled = 0x1\ntool_timeout_sec = 600\n").Replace(before)
	if got := string(d.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	old, ok, err := d.Get("mcp_servers", "linear")
	if !ok || err != nil || old.Canonical() != `{"args":["bridge","a\\b"],"command":"new","enabled":1,"env":{"KEY":"# not a comment"},"tool_timeout_sec":600,"tools":{"x":{"approval":"y"}}}` {
		t.Errorf("%v %v %s", ok, err, old.Canonical())
	}
	if err := d.Set(entry, "mcp_servers", "linear"); err != nil {
		t.Fatal(err)
	}
	const block = "[mcp_servers.linear]\ncommand = '/usr/local/bin/mcpctl'\nargs = [\"bridge\", \"linear\"]\n"
	const rest = "\n# about gh\n[mcp_servers.gh]\ncommand = \"gh\"\n"
	if got, want := string(d.Bytes()), "# top\n"+block+rest; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := d.Set(old, "mcp_servers", "linear"); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := d.Get("mcp_servers", "linear"); got.Canonical() != old.Canonical() {
		t.Errorf("given back: %s", got.Text)
	}
	if _, err := d.Remove("mcp_servers", "linear"); err != nil || string(d.Bytes()) != "# top\n"+rest {
		t.Errorf("removed: %v\n%s", err, d.Bytes())
	}

	d = parseAs(t, "f", "[mcp_servers]\nlinear = { command = 'old', args = [] } # x\n", TOML)
	if err := d.Set("new", "mcp_servers", "linear", "command"); err != nil || string(d.Bytes()) != "[mcp_servers]\nlinear = { command = 'new', args = [] } # x\n" {
		t.Errorf("%v\n%s", err, d.Bytes())
	}
	if err := d.Set(entry, "mcp_servers", "linear"); err != nil || string(d.Bytes()) != "[mcp_servers]\nlinear = { command = '/usr/local/bin/mcpctl', args = [\"bridge\", \"linear\"] } # x\n" {
		t.Errorf("%v\n%s", err, d.Bytes())
	}
	if ok, err := d.Remove("mcp_servers", "linear"); !ok || err != nil || string(d.Bytes()) != "[mcp_servers]\n" || !d.Empty("mcp_servers") {
		t.Errorf("%v\n%s", err, d.Bytes())
	}
}

func TestTOMLRefusals(t *testing.T) {
	tests := []struct{ text, want string }{
		{"x = 1\nmcp_servers = { gh = { command = 'gh' } }\n", `f.toml:2:1: "mcp_servers" is an inline table, which mcpctl doesn't rewrite`},
		{"mcp_servers.gh.command = 'gh'\n", `f.toml:1:1: "mcp_servers" is set by dotted keys, which mcpctl doesn't rewrite`},
		{"[mcp_servers]\n linear.command = 'gh'\n", `f.toml:2:2: "linear" is written in a way that mcpctl doesn't rewrite`},
		{"[[mcp_servers]]\n", `f.toml:1:1: "mcp_servers" should be a table, it is an array of tables`},
		{"[[mcp_servers.linear]]\n", `f.toml:1:1: "linear" is written in a way that mcpctl doesn't rewrite`},
		{"[[mcp_servers]]\n\n  [mcp_servers.linear]\n", `f.toml:1:1: "mcp_servers" should be a table, it is an array of tables`},
		{"mcp_servers = 1\n", `f.toml:1:15: "mcp_servers" should be a table, it is something else`},
		{"[mcp_servers.a]\n\n[mcp_servers.a]\n", `f.toml:3:2: table a is there twice`},
		{"a = 1\na = 2\n", `f.toml:2:1: key a is already defined`},
		{"a = \"ü\" b\n", `f.toml:1:9: expected newline but got U+0062 'b'`},
		{"a = sk-secret\n", `f.toml:1:5: unexpected character U+0073 's' at start of value`},
		{"a = 'sk-secret\n", `f.toml:1:15: literal strings cannot have new lines`},
		{"a = 9sk-secret\n", `f.toml:1:6: strings must be quoted`},
		{"a = 99999999999999999999\n", "f.toml:1:5: decimal number is too large"},
		{"[a\n", `f.toml:1:3: expected ']' to close table name`},
		{"[mcp_servers\x00]\n", `f.toml: not UTF-8 text (UTF-16?)`},
	}
	for _, tt := range tests {
		d, err := Parse("f.toml", []byte(tt.text), TOML)
		if err == nil {
			err = d.Set(entry, "mcp_servers", "linear")
		}
		wantError(t, err, tt.want)
	}
}

// TestTOMLBelowAnArray sees to what stands below an array of tables: it is no server, whatever its header looks like.
func TestTOMLBelowAnArray(t *testing.T) {
	const text = "x = [[0], { a = 1 }]\n [[mcp_servers]]\n[mcp_servers.linear]\ncommand = 'c'\n"
	d := parseAs(t, "f.toml", text, TOML)
	const want = `f.toml:2:2: "mcp_servers" should be a table, it is an array of tables`
	_, _, err := d.Get("mcp_servers", "linear")
	wantError(t, err, want)
	_, err = d.Members("mcp_servers")
	wantError(t, err, want)
	_, err = d.Members("mcp_servers", "linear")
	wantError(t, err, want)
	_, err = d.Remove("mcp_servers", "linear")
	wantError(t, err, want)
	wantError(t, d.Set("new", "mcp_servers", "linear", "command"), want)
	wantError(t, d.ErrorAt([]string{"mcp_servers", "linear"}, "", "x"), want)
	if d.Empty("mcp_servers", "linear") || string(d.Bytes()) != text {
		t.Errorf("changed: %q", d.Bytes())
	}
	// A table of that name elsewhere is one all the same.
	d = parseAs(t, "f.toml", "[[a]]\n[a.mcp_servers.linear]\n[mcp_servers.linear]\ncommand = 'c'\n", TOML)
	if raw, ok, err := d.Get("mcp_servers", "linear", "command"); !ok || err != nil || raw.Text != "'c'" {
		t.Error(raw, ok, err)
	}
}

func TestTOMLMembers(t *testing.T) {
	d := parseAs(t, "f", "[mcp_servers]\nb = { url = 'u' }\nc.url = 'v'\nc.n = 1\n[mcp_servers.a]\nurl = 'w'\n[mcp_servers.'x y'.env]\n[other]\n", TOML)
	members, err := d.Members("mcp_servers")
	var got []string
	for _, m := range members {
		got = append(got, m.Name+" "+m.Value.(Raw).Canonical())
	}
	if want := `b {"url":"u"}, c {"n":1,"url":"v"}, a {"url":"w"}, x y {"env":{}}`; err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%v\n%s\n%s", err, strings.Join(got, ", "), want)
	}
	if m, err := d.Members("nosuch"); m != nil || err != nil {
		t.Error(m, err)
	}
}

func TestTOMLMasked(t *testing.T) {
	d := parseAs(t, "f", "# sk-1\n\"#a\" = 'sk-2' # sk-3\r\n[ours] # sk-4\ncommand = 'm#' # sk-5\nb = [\"sk-6\", # sk-7\n '''sk-8\n#''']\nn = 7\nm = [true, 123, 1234, 1e-5, 1979-05-27, { a = 1_234 }]", TOML)
	got := d.Masked(func(path []string, value string) bool {
		return strings.Join(path, ".") == "ours.command" && value == "m#"
	})
	want := "# …\n\"#a\" = \"…\" # …\r\n[ours] # …\ncommand = 'm#' # …\nb = [\"…\", # …\n \"…\"\n]\nn = 7\nm = [true, 123, \"…\", \"…\", \"…\", { a = \"…\" }]"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}
