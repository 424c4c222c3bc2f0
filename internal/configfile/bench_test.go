package configfile

import (
	"fmt"
	"strings"
	"testing"
)

// servers returns a file of n entries of about 1.5 kB each, so that 2,000 are 3 MB.
func servers(f Format, n int) string {
	filler := strings.Repeat("some text of an argument that is long, ", 16)
	var b strings.Builder
	head, entry, foot := "{\n  // mine\n  \"servers\": {\n", "    \"s%d\": {\n      \"command\": \"npx\", // from npm\n      \"args\": [\"-y\", %q, %q],\n      \"n\": 1\n    },\n", "    \"last\": {}\n  }\n}\n"
	switch f {
	case TOML:
		head, entry, foot = "# mine\n\n", "[servers.s%d]\ncommand = \"npx\" # from npm\nargs = [\"-y\", %q, %q]\nn = 1\n\n", "[servers.last]\n"
	case YAML:
		head, entry, foot = "# mine\nservers:\n", "  s%d:\n    command: npx # from npm\n    args:\n    - -y\n    - %q\n    - %q\n    n: 1\n\n", "  last: {}\n"
	}
	b.WriteString(head)
	for i := range n {
		fmt.Fprintf(&b, entry, i, filler, filler)
	}
	b.WriteString(foot)
	return b.String()
}

// BenchmarkEdit is what an install or an uninstall computes: read the file, look the entry up, add it or take it out.
func BenchmarkEdit(b *testing.B) {
	for _, format := range []struct {
		name string
		f    Format
	}{{"JSONC", JSONC}, {"TOML", TOML}, {"YAML", YAML}} {
		for _, n := range []int{10, 100, 1_000, 2_000, 10_000} {
			text := []byte(servers(format.f, n))
			var with []byte
			b.Run(fmt.Sprintf("%s/%d/install", format.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					d, err := Parse("f", text, format.f)
					if err != nil {
						b.Fatal(err)
					}
					if _, ok, err := d.Get("servers", "linear"); ok || err != nil {
						b.Fatal(ok, err)
					}
					if err := d.Set(entry, "servers", "linear"); err != nil {
						b.Fatal(err)
					}
					with = d.Bytes()
				}
			})
			b.Run(fmt.Sprintf("%s/%d/uninstall", format.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(with)))
				for b.Loop() {
					d, err := Parse("f", with, format.f)
					if err != nil {
						b.Fatal(err)
					}
					if ok, err := d.Remove("servers", "linear"); !ok || err != nil || string(d.Bytes()) != string(text) {
						b.Fatal(ok, err)
					}
				}
			})
		}
	}
}
