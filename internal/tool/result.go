package tool

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/render"
)

// Result is what a tool answered.
type Result struct {
	content    []json.RawMessage
	structured json.RawMessage // nil if there is none
	IsError    bool            // the tool says that it failed
}

// ParseResult reads the result of tools/call.
func ParseResult(raw json.RawMessage) (Result, error) {
	var r struct {
		Content    []json.RawMessage `json:"content"`
		Structured json.RawMessage   `json:"structuredContent"`
		IsError    bool              `json:"isError"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return Result{}, fmt.Errorf("the tool's result can't be read: %w", err)
	}
	if string(r.Structured) == "null" {
		r.Structured = nil
	}
	return Result{r.Content, r.Structured, r.IsError}, nil
}

// Show writes the result for a person: text, with what a terminal would act on made harmless; structured content where there
// is no text, or none that says more, as an outline (outline is true) or as JSON in one line; an outline is also made of text
// that is JSON. Whatever isn't text goes to save,
// which returns the path that it was written to. The error is the first of w or save; everything is shown nevertheless.
func (r Result) Show(w io.Writer, outline bool, save func(name, mimeType string, data []byte) (path string, err error)) error {
	p := &printer{w: w, save: save}
	said := false
	for _, raw := range r.content {
		content, err := mcp.UnmarshalContent(raw)
		if err != nil {
			p.line(compact(raw)) // a kind that isn't known yet
			continue
		}
		if text, isText := content.(mcp.TextContent); isText {
			if outline && r.structured != nil && sameValue([]byte(text.Text), r.structured) {
				continue
			}
			said = true
			if outline && isContainer(text.Text) {
				p.write(Outline(json.RawMessage(text.Text)))
				continue
			}
		}
		p.content(content)
	}
	switch {
	case r.structured == nil || said:
	case outline:
		p.write(Outline(r.structured))
	default:
		p.line(compact(r.structured))
	}
	return p.err
}

// printer writes the parts of a result.
type printer struct {
	w    io.Writer
	save func(name, mimeType string, data []byte) (string, error)
	err  error // the first
}

func (p *printer) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *printer) write(text string) {
	_, err := io.WriteString(p.w, text)
	p.fail(err)
}

// line writes text that is a server's, with a line's end.
func (p *printer) line(text string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	p.write(strings.TrimRight(render.CleanLines(text), "\n") + "\n")
}

func (p *printer) content(content mcp.Content) {
	switch c := content.(type) {
	case mcp.TextContent:
		p.line(c.Text)
	case mcp.ImageContent:
		p.file("image", "", c.MIMEType, c.Data)
	case mcp.AudioContent:
		p.file("audio", "", c.MIMEType, c.Data)
	case mcp.ResourceLink:
		p.line(link(c))
	case mcp.EmbeddedResource:
		switch r := c.Resource.(type) {
		case mcp.TextResourceContents:
			p.line(render.Clean(r.URI) + ":\n" + r.Text)
		case mcp.BlobResourceContents:
			p.file("file", r.URI, r.MIMEType, r.Blob)
		}
	}
}

// link is a resource link in words.
func link(c mcp.ResourceLink) string {
	name := c.Title
	if name == "" {
		name = c.Name
	}
	var notes []string
	if c.MIMEType != "" {
		notes = append(notes, c.MIMEType)
	}
	if c.Size != nil {
		notes = append(notes, size(*c.Size))
	}
	text := name + ": " + c.URI
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	if c.Description != "" {
		text += "\n  " + c.Description
	}
	return text
}

// file saves what would only disturb a terminal.
func (p *printer) file(what, uri, mimeType, encoded string) {
	data, err := decodeBase64(encoded)
	if err != nil {
		p.fail(fmt.Errorf("%s content that the server sent is no base64", what))
		return
	}
	path, err := p.save(uri, mimeType, data)
	if err != nil {
		p.fail(err)
		return
	}
	if mimeType == "" {
		mimeType = "of an unknown type"
	}
	p.line(fmt.Sprintf("%s (%s, %s) saved as %s", what, render.Clean(mimeType), size(int64(len(data))), path))
}

// decodeBase64 takes the alphabet of the standard and the one of URLs, with or without padding and line ends.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("\n", "", "\r", "", " ", "", "-", "+", "_", "/").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// isContainer reports whether text is a JSON object or array: many servers have no other form for what they found.
func isContainer(text string) bool {
	text = strings.TrimSpace(text)
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// sameValue reports whether two JSON texts are the same but for blanks and the order of names.
func sameValue(a, b []byte) bool {
	one, errOne := normal(a)
	two, errTwo := normal(b)
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}

func normal(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return json.Marshal(v)
}
