package tool

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func show(t *testing.T, result string, outline bool) (text string, saved []string, err error) {
	t.Helper()
	r, err := ParseResult(json.RawMessage(result))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	err = r.Show(&b, outline, func(uri, mimeType string, data []byte) (string, error) {
		saved = append(saved, fmt.Sprintf("%s|%s|%s", uri, mimeType, data))
		return "FILE", nil
	})
	return b.String(), saved, err
}

func TestShow(t *testing.T) {
	for _, tt := range []struct {
		name, result         string
		terminal, pipe, file string
	}{
		{"text", `{"content":[{"type":"text","text":"one\r\ntwo\n"}]}`, "one\ntwo\n", "one\ntwo\n", ""},
		{"escapes", `{"content":[{"type":"text","text":"\u001b[31mred\u0007 \u009b2J\u202e"}]}`, "\ufffd[31mred\ufffd \ufffd2J\ufffd\n", "\ufffd[31mred\ufffd \ufffd2J\ufffd\n", ""},
		{"nothing", `{"content":[]}`, "", "", ""},
		{"image", `{"content":[{"type":"image","data":"aGk=","mimeType":"image/png"}]}`,
			"image (image/png, 2 bytes) saved as FILE\n", "image (image/png, 2 bytes) saved as FILE\n", "|image/png|hi"},
		{"audio of another alphabet", `{"content":[{"type":"audio","data":"_-8","mimeType":"audio/wav\u001b[2J"}]}`,
			"audio (audio/wav\ufffd[2J, 2 bytes) saved as FILE\n", "audio (audio/wav\ufffd[2J, 2 bytes) saved as FILE\n", "|audio/wav\u001b[2J|\xff\xef"},
		{"link", `{"content":[{"type":"resource_link","uri":"file:///a","name":"a","title":"The A","size":1234,"mimeType":"text/plain","description":"What it is"}]}`,
			"The A: file:///a (text/plain, 1.2 kB)\n  What it is\n", "The A: file:///a (text/plain, 1.2 kB)\n  What it is\n", ""},
		{"embedded text", `{"content":[{"type":"resource","resource":{"uri":"file:///b","text":"b"}}]}`, "file:///b:\nb\n", "file:///b:\nb\n", ""},
		{"embedded file", `{"content":[{"type":"resource","resource":{"uri":"file:///b.bin","blob":"aGk="}}]}`,
			"file (of an unknown type, 2 bytes) saved as FILE\n", "file (of an unknown type, 2 bytes) saved as FILE\n", "file:///b.bin||hi"},
		{"structured alone", `{"content":[],"structuredContent":{"b":1, "a":[1,2]}}`, "b: 1\na:\n  - 1\n  - 2\n", "{\"b\":1,\"a\":[1,2]}\n", ""},
		{"structured as text too", `{"content":[{"type":"text","text":"{\"a\": [1], \"b\": 1}"}],"structuredContent":{"b":1,"a":[1]}}`,
			"b: 1\na:\n  - 1\n", "{\"a\": [1], \"b\": 1}\n", ""},
		{"structured and other text", `{"content":[{"type":"text","text":"done"}],"structuredContent":{"b":1}}`, "done\n", "done\n", ""},
		{"text that is JSON", `{"content":[{"type":"text","text":" {\"b\": [1,\"\\u001b[1m\"]}"}],"structuredContent":{"c":1}}`, "b:\n  - 1\n  - \ufffd[1m\n", " {\"b\": [1,\"\\u001b[1m\"]}\n", ""},
		{"text that looks like JSON", `{"content":[{"type":"text","text":"[info] started"}]}`, "[info] started\n", "[info] started\n", ""},
		{"unknown kind", `{"content":[{"type":"hologram", "x":1}]}`, "{\"type\":\"hologram\",\"x\":1}\n", "{\"type\":\"hologram\",\"x\":1}\n", ""},
	} {
		for outline, want := range map[bool]string{true: tt.terminal, false: tt.pipe} {
			got, saved, err := show(t, tt.result, outline)
			if got != want || strings.Join(saved, "") != tt.file || err != nil {
				t.Errorf("%s, %v: %q, %q, %v", tt.name, outline, got, saved, err)
			}
		}
	}
	got, _, err := show(t, `{"content":[{"type":"image","data":"!","mimeType":"image/png"},{"type":"text","text":"after"}]}`, true)
	if err == nil || got != "after\n" {
		t.Errorf("%q, %v", got, err)
	}
	if r, err := ParseResult(json.RawMessage(`{"isError":true,"content":[]}`)); err != nil || !r.IsError {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := ParseResult(json.RawMessage(`{"content":7}`)); err == nil {
		t.Error("no error")
	}
}

func TestOutline(t *testing.T) {
	got := Outline(json.RawMessage(`{"z":"last\u001b[1m","issues":[{"id":"E-1","tags":["a","b"],"note":"two\nlines"},{"id":"E-2","tags":[],"more":{}}],"none":null,"big":12345678901234567890,"empty":""}`))
	want := "z: last\ufffd[1m\nissues:\n  - id: E-1\n    tags:\n      - a\n      - b\n    note:\n      two\n      lines\n  - id: E-2\n    tags: []\n    more: {}\nnone: null\nbig: 12345678901234567890\nempty: \"\"\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for value, want := range map[string]string{`7`: "7\n", `"x"`: "x\n", `[[1,2],[3]]`: "- - 1\n  - 2\n- - 3\n", `[]`: "[]\n"} {
		if got := Outline(json.RawMessage(value)); got != want {
			t.Errorf("%s: %q", value, got)
		}
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	if got := Outline(json.RawMessage(deep)); !strings.Contains(got, "[[[[") {
		t.Errorf("%.200s", got)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ uri, mimeType, want string }{
		{"", "image/png", "draw.png"},
		{"", "image/png", "draw-2.png"},
		{"", "IMAGE/JPEG; q=1", "draw.jpg"},
		{"", "x/unknown", "draw.bin"},
		{"file:///a/report.pdf", "text/plain", "report.pdf"},
		{"file:///a/report.pdf", "", "report-2.pdf"},
		{"file:///a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "text/plain", "passwd.txt"},
		{`file:///..\..\evil`, "text/plain", "evil.txt"},
		{"memo:..", "", "draw-2.bin"},
		{"file:///.bashrc", "", "bashrc.bin"},
		{"file:///-rf", "text/plain", "rf.txt"},
		{"file:///con.txt", "", "_con.txt"},
		{"file:///a%00b%1b%5b2J%0ac.txt", "", "ab_2Jc.txt"},
		{"https://host", "image/gif", "draw.gif"},
		{"file:///" + strings.Repeat("x", 300) + ".txt", "", strings.Repeat("x", 76) + ".txt"},
	} {
		got, err := Save(dir, "draw", tt.uri, tt.mimeType, []byte("data"))
		if err != nil || got != filepath.Join(dir, tt.want) {
			t.Errorf("%q: %q, %v, want %q", tt.uri, got, err, tt.want)
		}
		if data, err := os.ReadFile(got); string(data) != "data" || err != nil {
			t.Errorf("%q: %q, %v", got, data, err)
		}
	}
	if _, err := Save(filepath.Join(dir, "nosuch"), "draw", "", "", nil); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("%v", err)
	}
}

// Nothing is written through a link that stands where the file would go.
func TestSaveReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.Symlink(target, filepath.Join(dir, "draw.png")); err != nil {
		t.Skip(err) // Windows, without the right to
	}
	got, err := Save(dir, "draw", "", "image/png", []byte("x"))
	if _, missing := os.Lstat(target); err != nil || filepath.Base(got) != "draw-2.png" || missing == nil {
		t.Errorf("%q, %v", got, err)
	}
}
