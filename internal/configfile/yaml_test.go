package configfile

import (
	"strings"
	"testing"
)

func TestYAMLSetThenRemove(t *testing.T) {
	const inner = "    command: /usr/local/bin/mcpctl\n    args: [bridge, linear]\n"
	const block = "  linear:\n" + inner
	for before, after := range map[string]string{
		"extensions:\n  gh:\n    cmd: gh\n":                           "extensions:\n  gh:\n    cmd: gh\n" + block,
		"extensions:\n  gh:\n    cmd: gh":                             "extensions:\n  gh:\n    cmd: gh\n" + strings.TrimSuffix(block, "\n"),
		"extensions:\n  gh: {cmd: gh} # mine\nother: 1\n":             "extensions:\n  gh: {cmd: gh} # mine\n" + block + "other: 1\n",
		"extensions:\n  gh:\n\nother: 1\n":                            "extensions:\n  gh:\n" + block + "\nother: 1\n",
		"extensions:\n  gh: 1\n  # b:\n\n  #   c: 1\n\n# o\nother: 1": "extensions:\n  gh: 1\n  # b:\n\n  #   c: 1\n" + block + "\n# o\nother: 1",
		"extensions: {} # none\nother: 1\n":                           "extensions: # none\n" + block + "other: 1\n",
		"extensions: {}":                                              "extensions:\n" + strings.TrimSuffix(block, "\n"),
		"extensions:\n    gh:\n      - a\n":                           "extensions:\n    gh:\n      - a\n    linear:\n        command: /usr/local/bin/mcpctl\n        args: [bridge, linear]\n",
		"extensions:\r\n  gh: 'a\r\n  b'\r\n":                         "extensions:\r\n  gh: 'a\r\n  b'\r\n" + strings.ReplaceAll(block, "\n", "\r\n"),
		"extensions:\n  gh: |+\n    a\n\n\nother: 1\n":                "extensions:\n  gh: |+\n    a\n\n\n" + block + "other: 1\n",
		"extensions:\n  gh: \"a\n# b\" # c\n":                         "extensions:\n  gh: \"a\n# b\" # c\n" + block,
		"--- # x\nextensions:\n  gh:\n    args:\n    - a\n    - \n":   "--- # x\nextensions:\n  gh:\n    args:\n    - a\n    - \n" + block,
	} {
		setThenRemove(t, YAML, "extensions", before, after)
	}
}

func TestYAMLMissingParent(t *testing.T) {
	const block = "extensions:\n  linear:\n    command: /usr/local/bin/mcpctl\n    args: [bridge, linear]"
	for before, after := range map[string]string{
		"":             block + "\n",
		"# mine\n":     "# mine\n" + block + "\n",
		"---\n":        "---\n" + block + "\n",
		"a: 1\n\n# x":  "a: 1\n\n# x\n" + block,
		"a:\n    b: 1": "a:\n    b: 1\nextensions:\n    linear:\n        command: /usr/local/bin/mcpctl\n        args: [bridge, linear]",
		"a:":           "a:\n" + block,
	} {
		d := parseAs(t, "f", before, YAML)
		if err := d.Set(entry, "extensions", "linear"); err != nil {
			t.Fatal(err)
		}
		if got := string(d.Bytes()); got != after {
			t.Errorf("after Set:\n%s\nwant:\n%s", got, after)
		}
		if ok, err := d.Remove("extensions", "linear"); !ok || err != nil || !d.Empty("extensions") {
			t.Errorf("%v %v\n%s", ok, err, d.Bytes())
		}
		if ok, err := d.Remove("extensions"); !ok || err != nil || string(d.Bytes()) != before {
			t.Errorf("%v %v %q", ok, err, d.Bytes())
		}
	}
}

func TestYAMLNames(t *testing.T) {
	for name, written := range map[string]string{
		"a-b_1": "a-b_1", "true": "'true'", "No": "'No'", "123": "'123'", "": "''", "a.b": "a.b", `a"\`: `'a"\'`, "it's": "'it''s'", "a: b#": "'a: b#'", "ü": "'ü'",
		"null": "'null'", "~": "'~'", "a\x7f\n": `"a\u007f\u000a"`, "-": "'-'", "1e3": "'1e3'",
	} {
		d := parseAs(t, "f", "extensions:\n  gh: 1\n", YAML)
		if err := d.Set(Members{{"cmd", `C:\a b\c`}, {"bundled", nil}, {"envs", Members{}}, {"n", 600}, {"on", false}}, "extensions", name); err != nil {
			t.Fatal(err)
		}
		want := "extensions:\n  gh: 1\n  " + written + ":\n    cmd: 'C:\\a b\\c'\n    bundled: null\n    envs: {}\n    'n': 600\n    'on': false\n"
		if got := string(d.Bytes()); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", name, got, want)
		}
		if raw, ok, err := d.Get("extensions", name); !ok || err != nil || raw.Canonical() != `{"bundled":null,"cmd":"C:\\a b\\c","envs":{},"n":600,"on":false}` {
			t.Errorf("%q: %v %v %s", name, ok, err, raw.Canonical())
		}
		if ok, err := d.Remove("extensions", name); !ok || err != nil || string(d.Bytes()) != "extensions:\n  gh: 1\n" {
			t.Errorf("%q: %v %v %s", name, ok, err, d.Bytes())
		}
	}
}

func TestYAMLReplace(t *testing.T) {
	const before = `# top
extensions:
  linear: # ours
    cmd: "old" # c
    # about args
    args: # a
    - bridge # x
    - old
    # b
    envs: {A: "# no", B: [1, 2]} # e
    note: |
      # text
  gh: {cmd: gh, args: [a, "b"]}
`
	d := parseAs(t, "f", before, YAML)
	for _, set := range []struct {
		value any
		path  []string
	}{
		{"new one", []string{"extensions", "linear", "cmd"}}, {[]string{"bridge", `a\b`}, []string{"extensions", "linear", "args"}},
		{600, []string{"extensions", "linear", "timeout"}}, {[]string{"x"}, []string{"extensions", "gh", "args"}},
	} {
		if err := d.Set(set.value, set.path...); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.NewReplacer(`"old"`, "'new one'", "- bridge # x\n    - old\n", "- bridge\n    - 'a\\b'\n", "      # text\n", "      # text\n    timeout: 600\n", `[a, "b"]`, "[x]").Replace(before)
	if got := string(d.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e := parseAs(t, "f", "extensions:\n linear: # x\n - a\n - b # c\n", YAML)
	if err := e.Set(entry, "extensions", "linear"); err != nil || string(e.Bytes()) != "extensions:\n linear: # x\n  command: /usr/local/bin/mcpctl\n  args: [bridge, linear] # c\n" {
		t.Errorf("in a sequence's place: %v\n%s", err, e.Bytes())
	}
	for name, after := range map[string]string{
		"linear": "# top\nextensions:\n  linear: # ours\n    command: /usr/local/bin/mcpctl\n    args: [bridge, linear]\n  gh: {cmd: gh, args: [x]}\n",
		"gh":     want[:strings.Index(want, "{cmd: gh")] + "{command: /usr/local/bin/mcpctl, args: [bridge, linear]}\n",
	} {
		old, ok, err := d.Get("extensions", name)
		if err != nil || !ok {
			t.Fatal(err)
		}
		if err := d.Set(entry, "extensions", name); err != nil {
			t.Fatal(err)
		}
		if got := string(d.Bytes()); got != after {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, after)
		}
		if err := d.Set(old, "extensions", name); err != nil || string(d.Bytes()) != want {
			t.Errorf("%s given back: %v\n%s", name, err, d.Bytes())
		}
		// The owner has written the file anew meanwhile.
		for _, now := range []string{"extensions:\n      " + name + ":\n       a: 1\n", "extensions:\n  " + name + ": {a: 1} # x\n", "extensions:\n  " + name + ":\nb: 1\n",
			"extensions:\n  " + name + ": # mine\n   {a: 1}\n"} {
			e := parseAs(t, "f", now, YAML)
			if err := e.Set(old, "extensions", name); err != nil {
				t.Fatal(err)
			}
			if got, _, _ := e.Get("extensions", name); got.Canonical() != old.Canonical() {
				t.Errorf("%s given back to %q:\n%s", name, now, e.Bytes())
			}
			if strings.Contains(now, "# mine") != strings.Contains(string(e.Bytes()), "# mine") {
				t.Errorf("%s given back to %q, its comment is gone:\n%s", name, now, e.Bytes())
			}
		}
	}
}

func TestYAMLRefusals(t *testing.T) {
	tests := []struct{ text, want string }{
		{"{extensions: {}}\n", "f.yaml:1:1: a mapping in braces, which mcpctl doesn't rewrite"},
		{"extensions: {gh: {}}\n", "f.yaml:1:13: a mapping in braces, which mcpctl doesn't rewrite"},
		{"extensions: # mine\n  {}\n", "f.yaml:2:3: a mapping in braces, which mcpctl doesn't rewrite"},
		{"extensions:\n", `f.yaml:1:12: "extensions" should be a mapping, it is null`},
		{"extensions: [a]\n", `f.yaml:1:13: "extensions" should be a mapping, it is a sequence`},
		{"extensions: 1\n", `f.yaml:1:13: "extensions" should be a mapping, it is a scalar`},
		{"extensions: &a\n  gh: 1\n", "f.yaml:1:13: an anchor, an alias or a tag, around which mcpctl doesn't edit"},
		{"a: &a\n  gh: 1\nextensions: *a\n", `f.yaml:3:13: "extensions" should be a mapping, it is an alias`},
		{"a: &a\n  gh: 1\nextensions:\n  <<: *a\n", "f.yaml:4:3: a merge key, around which mcpctl doesn't edit"},
		{"a: 1\n--- \nb: 1\n", "f.yaml:2:1: a second document, where the program that reads this file takes one"},
		{"extensions:\n  gh: 1\nextensions:\n  gh: 2\n", `f.yaml:3:1: the name "extensions" is there twice`},
		{"extensions:\n  linear: 1\n  \"lin\\u0065ar\": 2\n", `f.yaml:3:3: the name "linear" is there twice`},
		{"extensions:\n  gh: |\n    a\n    \tb\n", "f.yaml:4:5: a tab in the indentation"},
		{"extensions:\n\tgh: 1\n", "f.yaml:2:1: found character that cannot start any token"},
		{"a: 1\rb: 1\n", "f.yaml:1:5: a line break other than LF and CRLF"},
		{"a: 1\n...\n", "f.yaml:2:1: the document ends here, on line 2"},
		{"- a\n", "f.yaml:1:1: a mapping is needed here, this is a sequence"},
		{"null\n", "f.yaml:1:1: a mapping is needed here, this is null"},
		{"a: 1\nb: sk: secret\nc: 2\n", "f.yaml:2:1: mapping values are not allowed in this context"},
		{"a:\n  b: 1\n c: 2\nd: 3\n", "f.yaml:3:2: did not find expected key"},
		{"a: 1\nb: *x\nc: 2", "f.yaml:2:1: an alias, and nothing above it that it stands for"},
		{"a: 'sk-secret\n", "f.yaml:1:1: found unexpected end of stream"},
		{"a: |\n  text", "f.yaml:2:7: the file ends in the middle of a text"},
	}
	for _, tt := range tests {
		d, err := Parse("f.yaml", []byte(tt.text), YAML)
		if err == nil {
			err = d.Set(entry, "extensions", "linear")
		}
		wantError(t, err, tt.want)
		if strings.Contains(tt.want, "in braces") {
			wantError(t, err, "f.yaml")
		}
	}
}

func TestYAMLMasked(t *testing.T) {
	d := parseAs(t, "f", "# sk-1\n'#a': sk-2 # sk-3\r\nours: # sk-4\n  cmd: m#\n  b: [\"sk-5\", # sk-6\n    'sk-7\n    #', 7, true, 123456]\n  c: |  # sk-8\n    sk-9\n      # sk\n\n  d: !x &y sk-10\n  e: sk\n   11 # z", YAML)
	got := d.Masked(func(path []string, value string) bool { return strings.Join(path, ".") == "ours.cmd" && value == "m#" })
	want := "# …\n'#a': \"…\" # …\r\nours: # …\n  cmd: m#\n  b: [\"…\", # …\n    \"…\"\n, 7, true, \"…\"]\n  c: |  # …\n    …\n      …\n\n  d: !… &… \"…\"\n  e: \"…\"\n # …"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// An unquoted secret may begin with what YAML takes for an anchor, a tag or an alias.
func TestYAMLMasksProperties(t *testing.T) {
	for before, after := range map[string]string{
		"a: !sk-1\nb: &sk-2\nc: 1\n":                   "a: !…\nb: &…\nc: 1\n",
		"a: &sk-1 {b: 1}\nc: *sk-1\n":                  "a: &… {b: 1}\nc: *…\n",
		"a: &sk-1 !sk-2\n  b: 1\n":                     "a: &… !…\n  b: 1\n",
		"a:\n- !sk-1 [1, &sk-2 2, !sk-3 ]\n":           "a:\n- !… [1, &… 2, !… ]\n",
		"a: {b: !sk-1 , &sk-2 c: !sk-3 }\n":            "a: {b: !… , &… c: !… }\n",
		"&sk-1 a: !!str b\n":                           "&… a: !!str \"…\"\n",
		"a: ! 12\nb: !!int 12\nc: !!sk-1 12\n":         "a: ! 12\nb: !!int \"…\"\nc: !… \"…\"\n",
		"a: !!null sk-1\n":                             "a: !!null \"…\"\n",
		"a: &x 1\n*x : 2\n":                            "a: &… 1\n*… : 2\n",
		"%TAG !sk-1! tag:sk-2\n---\na: !sk-1!sk-3 1\n": "%…\n---\na: !… \"…\"\n",
		"!sk-1\na: 1\n":                                "!…\na: 1\n",
		"a: !sk-1 # sk-2\n  # sk-3\n  b\n":             "a: !… # …\n  # …\n  \"…\"\n",
	} {
		got := parseAs(t, "f", before, YAML).Masked(func([]string, string) bool { return false })
		if got != after || strings.Contains(got, "sk-") {
			t.Errorf("%q: got\n%q\nwant\n%q", before, got, after)
		}
	}
}

func TestYAMLRemove(t *testing.T) {
	for before, after := range map[string]string{
		// What has a tag and nothing else ends there, not where the next name starts.
		"extensions:\n  linear:\n    a: !x\n  gh:\n":                        "extensions:\n  gh:\n",
		"extensions:\n  linear:\n    a: !x &y # c\n\n  # gh\n  gh: 1\n":     "extensions:\n\n  # gh\n  gh: 1\n",
		"extensions:\n  linear:\n    a: |+\n      x\n\n\n  gh: 1\n":         "extensions:\n  gh: 1\n",
		"extensions:\n  # first\n  gh: 1\n  linear:\n    a: >\n      x\n":   "extensions:\n  # first\n  gh: 1\n",
		"extensions: # all\n  # mine\n  linear: {a: [\n    b\n] # x\n  }\n": "extensions: {} # all\n  # mine\n",
		"extensions:\n  linear: {a: b}":                                     "extensions: {}",
		"? extensions\n:\n  gh: 1\n  'linear': \"a\n    # b\"\nx: 1\n":      "? extensions\n:\n  gh: 1\nx: 1\n",
	} {
		d := parseAs(t, "f", before, YAML)
		if ok, err := d.Remove("extensions", "linear"); !ok || err != nil || string(d.Bytes()) != after {
			t.Errorf("%v %v\n%s\nwant\n%s", ok, err, d.Bytes(), after)
		}
	}
}

func TestYAMLSetOver(t *testing.T) {
	tests := []struct {
		before string
		value  any
		after  string
	}{
		{"x:\n  a: # c\n  b: 1\n", Raw{" ", YAML}, "x:\n  a: # c\n  b: 1\n"},
		{"x:\n  a: 1 # c\n  b: 1\n", Raw{" ", YAML}, "x:\n  a: # c\n  b: 1\n"},
		{"x:\n  a: # c\n    y: 1 # d\n  b: 1\n", Raw{" ", YAML}, "x:\n  a: # c # d\n  b: 1\n"},
		{"x:\n  a:\n  b: 1\n", "s t", "x:\n  a: 's t'\n  b: 1\n"},
		{"x:\n  a:\n  - 1\n  b: 1\n", "s", "x:\n  a:\n    s\n  b: 1\n"},
		{"x:\n  a: |\n    t\n  b: 1\n", []string{"s"}, "x:\n  a: [s]\n  b: 1\n"},
		{"x:\n  a: s\n   t # c\n  b: 1\n", nil, "x:\n  a: null # c\n  b: 1\n"},
		{"x:\n  a: {y: 1}\n  b: 1\n", Raw{"- s\n- t", YAML}, "x:\n  a:\n    - s\n    - t\n  b: 1\n"},
		{"x: {a: [1], b: 1}\n", []string{"s"}, "x: {a: [s], b: 1}\n"},
	}
	for _, tt := range tests {
		d := parseAs(t, "f", tt.before, YAML)
		if err := d.Set(tt.value, "x", "a"); err != nil || string(d.Bytes()) != tt.after {
			t.Errorf("%v over %q: %v\n%s", tt.value, tt.before, err, d.Bytes())
		}
	}
}

// TestYAMLRaw: a collection's text begins with the indentation of its lines, whatever stands before it on its first one.
func TestYAMLRaw(t *testing.T) {
	for text, want := range map[string]string{
		"a:\n  b:\n    c: 1\n":       "    c: 1",
		"a:\n  b: &x\n    c: 1\n":    "     &x\n    c: 1",
		"a:\n  b:\n  - c\n  - d\n":   "  - c\n  - d",
		"a:\n  b: {c: [1, {}]}  \n":  "{c: [1, {}]}",
		"a:\n  b: !t\n  - c\n  d: 1": "     !t\n  - c",
	} {
		d, err := Parse("f", []byte(text), YAML)
		if err != nil {
			t.Fatal(err)
		}
		if raw, _, err := d.Get("a", "b"); err != nil || raw.Text != want {
			t.Errorf("%q: %q, %v", text, raw.Text, err)
		}
	}
}
