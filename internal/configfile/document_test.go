package configfile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tailscale/hujson"

	"github.com/mcpctl/mcpctl/internal/problem"
)

var entry = Members{{"command", "/usr/local/bin/mcpctl"}, {"args", []string{"bridge", "linear"}}}

func parse(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse("f.json", []byte(text), JSONC)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return d
}

func TestSetThenRemove(t *testing.T) {
	const multi = "{\n" + `      "command": "/usr/local/bin/mcpctl",` + "\n" + `      "args": ["bridge", "linear"]` + "\n    }"
	tests := []struct{ name, before, after, removed string }{
		{"nothing", "", "{\n  \"servers\": {\n    \"linear\": " + multi + "\n  }\n}\n", "{\n  \"servers\": {\n  }\n}\n"},
		{"one line, tight", `{"servers":{"gh":{"command":"gh"}},"n":1e3}`,
			`{"servers":{"gh":{"command":"gh"},"linear":{"command":"/usr/local/bin/mcpctl","args":["bridge","linear"]}},"n":1e3}`, ""},
		{"one line, loose", `{ "servers": { "gh": {} /* mine */ } }`,
			`{ "servers": { "gh": {}, /* mine */ "linear": {"command": "/usr/local/bin/mcpctl", "args": ["bridge", "linear"]} } }`, ""},
		{"one line, empty parent", `{"servers":{}}`, `{"servers":{"linear":{"command":"/usr/local/bin/mcpctl","args":["bridge","linear"]}}}`, ""},
		{"comma in a comment", "{\n  \"servers\": {\n    \"a\": 1 // x, y\n  }\n}", "{\n  \"servers\": {\n    \"a\": 1, // x, y\n    \"linear\": " + multi + "\n  }\n}", ""},
		{"dangling comment", "{\n  \"servers\": {\n    \"a\": 1\n    // \"b\": 2\n  }\n}", "{\n  \"servers\": {\n    \"a\": 1,\n    // \"b\": 2\n    \"linear\": " + multi + "\n  }\n}", ""},
		{"trailing commas", "{\n  \"servers\": {\n    \"a\": 1, // x\n  },\n}", "{\n  \"servers\": {\n    \"a\": 1, // x\n    \"linear\": " + multi + ",\n  },\n}", ""},
		{"comment in an empty parent", "{\n  \"servers\": {\n    // none\n  }\n}", "{\n  \"servers\": {\n    // none\n    \"linear\": " + multi + "\n  }\n}", ""},
		{"empty parent on two lines", "{\n  \"servers\": {\n  }\n}", "{\n  \"servers\": {\n    \"linear\": " + multi + "\n  }\n}", ""},
		{"escaped parent", `{"s\u0065rvers":{"a":1}}`, `{"s\u0065rvers":{"a":1,"linear":{"command":"/usr/local/bin/mcpctl","args":["bridge","linear"]}}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, tt.before)
			if err := d.Set(entry, "servers", "linear"); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Bytes()); got != tt.after {
				t.Errorf("after Set:\n%s\nwant:\n%s", got, tt.after)
			}
			if ok, err := d.Remove("servers", "linear"); !ok || err != nil {
				t.Fatal(ok, err)
			}
			want := tt.removed
			if want == "" {
				want = tt.before
			}
			if got := string(d.Bytes()); got != want {
				t.Errorf("after Remove:\n%q\nwant:\n%q", got, want)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	tests := []struct{ before, after string }{
		{`{"a":1}`, `{}`},
		{`{"a":1,"b":2}`, `{"b":2}`},
		{`{"b":2,"a":1}`, `{"b":2}`},
		{`{"b":2 /*,*/ , /* x */ "a" /* y */ : 1 /* z */}`, `{"b":2 /*,*/  /* x */ /* z */}`},
		{`{"b":2,"a":1 /* z, */}`, `{"b":2 /* z, */}`},
		// The comment must not swallow what followed the member on its line.
		{"{ // mine\n  \"a\": 1 }", "{ // mine\n }"},
		{"{ // mine\n  \"a\": 1, \"b\": 2}", "{ // mine\n \"b\": 2}"},
		{"{ // mine\r\n\"a\": 1}", "{ // mine\r\n}"},
		{"{ /* mine\r */\r\"a\": 1}", "{ /* mine\r */}"},
		{"{\n  \"b\": 2, // b\n  \"a\": 1, // a\n}", "{\n  \"b\": 2, // b\n // a\n}"},
	}
	for _, tt := range tests {
		d := parse(t, tt.before)
		if ok, err := d.Remove("a"); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if got := string(d.Bytes()); got != tt.after {
			t.Errorf("%q without a:\n%q, want\n%q", tt.before, got, tt.after)
		}
	}
}

func TestReplaceKeepsNeighbours(t *testing.T) {
	d := parse(t, "{\n\t\"s\": { /* 1 */ \"a\" /* 2 */ : /* 3 */ \"old\" /* 4 */, \"n\": 1e3 }\n}")
	if err := d.Set("new<&>", "s", "a"); err != nil {
		t.Fatal(err)
	}
	want := "{\n\t\"s\": { /* 1 */ \"a\" /* 2 */ : /* 3 */ \"new<&>\" /* 4 */, \"n\": 1e3 }\n}"
	if got := string(d.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		text   string
		format Format
		want   string
	}{
		{`{"a": 1`, JSONC, "f.json:1:8: the file ends too early"},
		{"{\n  \"ü\": 'x'}", JSONC, "f.json:2:8: JSON strings want double quotes"},
		{"\ufeff{\r\n\"a\" 1}", JSONC, "f.json:2:5: invalid character '1' after object name"},
		{`{"key": "sk-very-secret\q"}`, JSONC, "f.json:1:9: this string isn't valid JSON"},
		{`{"key": sk-very-secret}`, JSONC, "f.json:1:9: this isn't a JSON value"},
		{`{"a": 0x1f}`, JSONC, "f.json:1:7: this isn't a JSON value"},
		{`{} {}`, JSONC, "f.json:1:4: invalid character '{' after top-level value"},
		{`/* open`, JSONC, "f.json:1:1: the file ends too early"},
		{`[]`, JSONC, "f.json:1:1: an object is needed here, this is an array"},
		{`null`, JSONC, "f.json:1:1: an object is needed here, this is null"},
		{"{\"servers\": null}", JSONC, `f.json:1:13: "servers" should be an object, it is null`},
		{"{\"servers\":\n []}", JSONC, `f.json:2:2: "servers" should be an object, it is an array`},
		{"{\"servers\": {}, \"s\\u0065rvers\": {}}", JSONC, `f.json:1:17: the name "servers" is there twice`},
		{"{\"servers\": {\"linear\": 1,\n \"linear\": 2}}", JSONC, `f.json:2:2: the name "linear" is there twice`},
		{"{\n  \"a\": 1 // mine\n}", JSON, "f.json:2:10: a comment, but the program that reads this file takes strict JSON only"},
		{"{\n  \"a\": [1,]\n}", JSON, "f.json:2:11: a trailing comma before this, but the program that reads this file takes strict JSON only"},
		{"{\n  // mine\r\"a\": 1\r\n}", JSONC, "f.json:2:10: a CR alone in a // comment, where some programs see its end and others don't"},
		{"{} // mine\r", JSONC, "f.json:1:11: a CR alone in a // comment, where some programs see its end and others don't"},
		{"{ // mine\n  \"a\": [1,]\n}", JSONC | NoTrailingComma, "f.json:2:11: a trailing comma before this, but the program that reads this file takes none"},
		{"\ufeff{}", JSONC | NoBOM, "f.json:1:1: a byte order mark, but the program that reads this file takes none"},
		{"\xff\xfe{\x00}\x00", JSONC, "f.json: not UTF-8 text (UTF-16?)"},
		{"{\"a\": \"\xff\"}", JSONC, "f.json: not UTF-8 text"},
		{strings.Repeat("[", 1_000_000), JSONC, "f.json: nested more than 10000 deep"},
	}
	for _, tt := range tests {
		d, err := Parse("f.json", []byte(tt.text), tt.format)
		if err == nil {
			err = d.Set(entry, "servers", "linear")
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.40q:\n%v, want\n%s", tt.text, err, tt.want)
		}
		if err != nil && problem.NextStep(err) == "" {
			t.Errorf("%.40q: no next step", tt.text)
		}
	}
}

func TestMasked(t *testing.T) {
	d := parse(t, `{
  // "old": { "key": "sk-1" }
  "gh": { "env": { "KEY": "sk-2" }, "args": ["--token", "sk-3"], "n": 7, "pin": [123, 1234, -1.5] }, /* sk-4
  sk-5 */
  "ours": { "command": "mcpctl" }
}`)
	got := d.Masked(func(path []string, value string) bool { return path[0] == "ours" })
	want := `{
  // …
  "gh": { "env": { "KEY": "…" }, "args": ["…", "…"], "n": 7, "pin": [123, "…", "…"] }, /* …
 */
  "ours": { "command": "mcpctl" }
}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMentions(t *testing.T) {
	for text, want := range map[string]bool{
		`{"command": "/x/McpCtl.EXE"}`: true, `{"command": "\\\\mcpct", "a": "l\/"}`: false, `"mcp\u0063tl"`: true, "\"mcp\\\n  ctl\"": true, `"\\u"`: false,
		"'C:\\Users'": true, `\`: false, "": false,
	} {
		if got := (Raw{Text: text}).Mentions("mcpctl"); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestCanonical(t *testing.T) {
	same := []Raw{{Text: `{"a": [1, "é/"], "b": 1.50}`}, {Text: `{ /* x */ "b":1.50, "a":[1,"\u00e9\/",], }`}}
	if same[0].Canonical() != same[1].Canonical() {
		t.Errorf("%s and %s", same[0].Canonical(), same[1].Canonical())
	}
	different := []string{`12345678901234567890`, `12345678901234567891`, `1.5`, `1.50`, `"1.5"`, `broken`}
	seen := map[string]bool{}
	for _, text := range different {
		r := Raw{Text: text}
		if seen[r.Canonical()] {
			t.Errorf("%s is the same as another", r)
		}
		seen[r.Canonical()] = true
	}
}

func TestMembers(t *testing.T) {
	d := parse(t, `{ "": 1, "a": { "b": [ 2 ], "\u0062": 3, "": 4, "": 5 }, "n": null }`)
	members, err := d.Members("a")
	if want := (Members{{"b", Raw{Text: "[ 2 ]"}}, {"b", Raw{Text: "3"}}, {"", Raw{Text: "4"}}, {"", Raw{Text: "5"}}}); err != nil || !slices.Equal(members, want) {
		t.Errorf("%v, %v", members, err)
	}
	if members, err := d.Members("x"); err != nil || members != nil {
		t.Errorf("none: %v, %v", members, err)
	}
	if _, err := d.Members("n"); err == nil || err.Error() != `f.json:1:63: "n" should be an object, it is null` {
		t.Errorf("null: %v", err)
	}
}

func TestEmpty(t *testing.T) {
	d := parse(t, "{ \"a\": {\n }, \"b\": { /* x */ }, \"c\": 1 }")
	for path, want := range map[string]bool{"a": true, "b": false, "c": false, "d": false} {
		if d.Empty(path) != want {
			t.Errorf("Empty(%q) = %v", path, !want)
		}
	}
	if d.Empty() || !parse(t, "\ufeff { \r\n} ").Empty() || parse(t, "{} // mine").Empty() {
		t.Error("Empty() of a root is wrong")
	}
}

// TestRandomDocuments checks what Set and Remove promise on documents with comments, blanks and commas wherever they may
// be.
func TestRandomDocuments(t *testing.T) {
	for seed := range randomDocuments(t) {
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		if text := g.document(); checkPromises(text) != nil {
			t.Fatalf("seed %d: %v\n%q", seed, checkPromises(text), text)
		}
	}
}

// randomDocuments returns how many documents to try of each format: MCPCTL_RANDOM_DOCUMENTS, or a few.
func randomDocuments(t *testing.T) uint64 {
	t.Helper()
	s := os.Getenv("MCPCTL_RANDOM_DOCUMENTS")
	if s == "" {
		return 2_000
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// FuzzStrictJSON: what is taken for strict JSON is what encoding/json takes.
func FuzzStrictJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,2,{}],"b":"\u00e9,]"}`, `{"a":[1,]}`, "{} // x", `{"a":1 , }`, `{"a":"\q"}`, "{\"a\":\"\t\"}", `{"a":01}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse("f.json", []byte(text), JSON|NoBOM); err == nil && strings.Trim(text, blank) != "" && !json.Valid([]byte(text)) {
			t.Fatalf("taken: %q", text)
		}
	})
}

func FuzzSetThenRemove(f *testing.F) {
	for seed := range uint64(20) {
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		f.Add(g.document())
	}
	f.Add(`{"sErvers":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse("f.json", []byte(text), JSONC); err != nil {
			return
		}
		if err := checkPromises(text); err != nil {
			t.Fatal(err)
		}
	})
}

// checkPromises sets a member in a valid document and removes it again.
func checkPromises(text string) error {
	d, err := Parse("f.json", []byte(text), JSONC)
	if err != nil {
		return err
	}
	old, exists, err := d.Get("servers", "linear")
	if err != nil {
		return nil // refused: nothing was changed
	}
	_, hadParent, _ := d.Get("servers")
	members, _ := d.Members("servers")
	if err := d.Set(entry, "servers", "linear"); err != nil {
		return err
	}
	after := string(d.Bytes())
	if err := sameButFor(text, after, exists); err != nil {
		return err
	}
	if exists {
		if err := d.Set(old, "servers", "linear"); err != nil {
			return err
		}
		if got := string(d.Bytes()); got != text {
			return fmt.Errorf("replaced there and back: %q", got)
		}
		return nil
	}
	if ok, err := d.Remove("servers", "linear"); !ok || err != nil {
		return fmt.Errorf("remove: %v %v", ok, err)
	}
	if !hadParent {
		if _, err := d.Remove("servers"); err != nil {
			return err
		}
	}
	got := string(d.Bytes())
	switch {
	case strings.Trim(strings.TrimPrefix(text, utf8BOM), blank) == "":
		return nil // a blank file became an object
	case got == text:
		return nil
	case hadParent && len(members) > 0:
		return fmt.Errorf("set then removed: %q", got)
	}
	// Only white space in what was empty may differ.
	drop := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")
	if drop.Replace(got) != drop.Replace(text) {
		return fmt.Errorf("set then removed, blanks aside: %q", got)
	}
	return nil
}

// sameButFor checks that after holds before's bytes in their order, the new entry, and nothing else, by an independent
// reader.
func sameButFor(before, after string, replaced bool) error {
	standard, err := hujson.Standardize([]byte(strings.TrimPrefix(after, utf8BOM) + "\n"))
	if err != nil {
		return err
	}
	// Maps, since encoding/json takes "sErvers" for a field that is named "servers".
	var root, servers map[string]json.RawMessage
	if err := json.Unmarshal(standard, &root); err != nil {
		return err
	}
	if err := json.Unmarshal(root["servers"], &servers); err != nil {
		return err
	}
	want, _ := json.Marshal(map[string]any{"command": "/usr/local/bin/mcpctl", "args": []string{"bridge", "linear"}})
	if got := (Raw{Text: string(servers["linear"])}).Canonical(); got != (Raw{Text: string(want)}).Canonical() {
		return fmt.Errorf("the entry is %s in %q", got, after)
	}
	if replaced || strings.Trim(strings.TrimPrefix(before, utf8BOM), blank) == "" {
		return nil
	}
	rest := after
	for _, b := range []byte(before) {
		i := strings.IndexByte(rest, b)
		if i < 0 {
			return fmt.Errorf("a byte %q is gone from %q", b, after)
		}
		rest = rest[i+1:]
	}
	return nil
}

// generator makes valid JSONC documents of the worst kind.
type generator struct{ *rand.Rand }

func (g generator) document() string {
	if g.IntN(50) == 0 {
		return []string{"", "\ufeff", " \r\n\t"}[g.IntN(3)]
	}
	text := g.gap() + g.root() + g.gap()
	if g.IntN(5) == 0 {
		text = strings.TrimRight(text, blank) + "// the end"
	}
	if g.IntN(3) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if g.IntN(5) == 0 {
		text = "\ufeff" + text
	}
	return text
}

func (g generator) gap() string {
	parts := []string{"", "", "", " ", "  ", "\n", "\n  ", "\n\t", "/* a, \"b\" } */", "// c, } \"\n", "/* x\n\n y */", "//\n"}
	text := ""
	for range g.IntN(3) {
		text += parts[g.IntN(len(parts))]
	}
	return text
}

// object makes an object that holds special, whose value is made by inner, at some place among others. An empty special
// is none.
func (g generator) object(special string, inner func() string) string {
	all := []string{`"a"`, `"b/*"`, `"c\\\""`, `"//d"`, `"__proto__"`, `"123"`, `""`, `"e,"`}
	names := append([]string{}, all[:g.IntN(len(all))]...)
	if special != "" {
		i := g.IntN(len(names) + 1)
		names = slices.Insert(names, i, special)
	}
	text := "{" + g.gap()
	for i, n := range names {
		value := g.value()
		if n == special {
			value = inner()
		}
		text += n + g.gap() + ":" + g.gap() + value + g.gap()
		if i < len(names)-1 || g.IntN(3) == 0 {
			text += "," + g.gap()
		}
	}
	return text + "}"
}

// root makes an object that mostly has servers, which mostly are an object, which sometimes has the entry already.
func (g generator) root() string {
	special := []string{"", `"servers"`, `"servers"`, `"serv\u0065rs"`}[g.IntN(4)]
	return g.object(special, func() string {
		if g.IntN(20) == 0 {
			return g.value()
		}
		return g.object([]string{"", "", `"lin\u0065ar"`}[g.IntN(3)], g.value)
	})
}

func (g generator) value() string {
	if g.IntN(8) == 0 {
		return g.object("", nil)
	}
	values := []string{`"s"`, `"\u00e9\/ // no"`, "1e3", "1.50", "-0", "true", "null", "[]", "[1,/* , */2,]", "[ // x\n]"}
	return values[g.IntN(len(values))]
}

func TestValue(t *testing.T) {
	const want = `{"args":["bridge","linear"],"env":{"A b":"1"},"n":600,"on":true,"type":"stdio"}`
	same := []Raw{
		{`{"type": "stdio", /* x */ "args": ["bridge", "linear",], "on": true, "n": 600, "env": {"A b": "1"}}`, JSONC},
		{"[mcp_servers.'lin ear'] # mine\ntype = 'stdio'\nargs = [\n 'bridge', # x\n \"linear\" ]\non = true\nn = 0x258\n\n[mcp_servers.'lin ear'.env]\n'A b' = '1'\n", TOML},
		{"[mcp_servers.x.env]\n'A b' = '1'\n[mcp_servers.x]\ntype = 'stdio'\nargs = ['bridge', \"linear\"]\non = true\nn = 600", TOML},
		{`{type = 'stdio', args = ["bridge", "linear"], on = true, n = 6_00, env = {"A b" = '1'}}`, TOML},
		{"    type: stdio # x\n    args:\n    - bridge\n    - linear\n    \"on\": true\n    n: 600\n    env:\n      A b: '1'\n", YAML},
		{`{type: stdio, args: [bridge, linear], "on": True, n: 600, env: {A b: "1"}}`, YAML},
	}
	for _, r := range same {
		if got := r.Canonical(); got != want {
			t.Errorf("%s: %s", r.Text, got)
		}
		var e struct {
			Args []string
			N    int
			On   bool
		}
		if err := r.Decode(&e); err != nil || len(e.Args) != 2 || e.N != 600 || !e.On {
			t.Errorf("%s: %+v, %v", r.Text, e, err)
		}
	}
	for _, r := range []Raw{{`["a"]`, TOML}, {"[a]", YAML}} {
		if got := r.Canonical(); got != `["a"]` {
			t.Errorf("%s: %s", r.Text, got)
		}
	}
	for text, want := range map[string]string{"1e3": "1000", "inf": `"+Inf"`, "1979-05-27": `"1979-05-27"`, "'x'": `"x"`, "false": "false"} {
		if got := (Raw{text, TOML}).Canonical(); got != want {
			t.Errorf("TOML %s: %s", text, got)
		}
	}
	for text, want := range map[string]string{"~": "null", "": "null", "1.50": "1.5", ".inf": `".inf"`, "2026-01-01": `"2026-01-01"`, "'1'": `"1"`} {
		if got := (Raw{text, YAML}).Canonical(); got != want {
			t.Errorf("YAML %s: %s", text, got)
		}
	}
}
