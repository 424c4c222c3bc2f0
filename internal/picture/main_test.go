package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	lines, err := read(strings.NewReader("before\n1. Title\n   $ /home/me/mcpctl a <b> & \"c\"\n\n0123456789abcdef\n2. Next\n"), "1. ", "2. ")
	if err != nil || len(lines) != 4 {
		t.Fatalf("%q, %v", lines, err)
	}
	var svg strings.Builder
	if err := draw(&svg, "a & b", cut(lines, "/home/me/mcpctl", 12)); err != nil {
		t.Fatal(err)
	}
	text := ""
	for d := xml.NewDecoder(strings.NewReader(svg.String())); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, &svg)
		}
		if data, ok := token.(xml.CharData); ok {
			text += string(data)
		}
	}
	for _, want := range []string{"a\u00a0&\u00a0b", "1.\u00a0Title", "$\u00a0/usr/l…", "0123456789a…"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if _, err := read(strings.NewReader("x\n"), "1. ", ""); err == nil {
		t.Error("a picture without lines")
	}
}
