package mcpserver

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

type note struct {
	ID    int      `json:"id"`
	Title string   `json:"title"`
	Text  string   `json:"text"`
	Tags  []string `json:"tags"`
}

// notebook is the data of the notes server.
type notebook struct {
	mu    sync.Mutex
	notes []note
	last  int // the newest note's ID
}

// Notes returns a notes server, with two notes in it.
func Notes() *Server {
	b := &notebook{notes: []note{
		{1, "Welcome", "These notes live in memory, for as long as the demo runs.", []string{"demo"}},
		{2, "Release checklist", "Tag, build, sign, publish, announce.", []string{"release"}},
	}, last: 2}
	return &Server{
		info: mcp.Implementation{Name: "notes", Title: "Notes", Version: "1.4.0"},
		tools: []tool{
			newTool("add_note", b.add, mcp.WithToolTitle("Add a note"), mcp.WithDescription("Write a new note."),
				mcp.WithString("title", mcp.Required(), mcp.MinLength(1), mcp.Description("One line.")),
				mcp.WithString("text", mcp.Required(), mcp.Description("The note itself.")),
				mcp.WithArray("tags", mcp.WithStringItems(mcp.MinLength(1)), mcp.Description("Words to find it by.")),
				mcp.WithDestructiveHintAnnotation(false)),
			newTool("list_notes", b.list, mcp.WithToolTitle("List notes"), mcp.WithDescription("All notes, oldest first."),
				mcp.WithString("tag", mcp.Description("Only notes with this tag.")),
				mcp.WithReadOnlyHintAnnotation(true)),
			newTool("search_notes", b.search, mcp.WithToolTitle("Search notes"),
				mcp.WithDescription("Notes that hold a text in title or body, whatever its case."),
				mcp.WithString("query", mcp.Required(), mcp.MinLength(1), mcp.Description("Text to look for.")),
				mcp.WithReadOnlyHintAnnotation(true)),
			newTool("delete_note", b.delete, mcp.WithToolTitle("Delete a note"), mcp.WithDescription("Delete one note for good."),
				mcp.WithInteger("id", mcp.Required(), mcp.Min(1), mcp.Description("The note's number."))),
			newTool("export_note", b.export, mcp.WithToolTitle("Export a note"),
				mcp.WithDescription("A note as a document, with a link to it and its picture."),
				mcp.WithInteger("id", mcp.Required(), mcp.Min(1), mcp.Description("The note's number.")),
				mcp.WithString("format", mcp.Enum("text", "markdown"), mcp.DefaultString("text"), mcp.Description("What to make of it.")),
				mcp.WithBoolean("picture", mcp.Description("With its picture.")),
				mcp.WithObject("layout", mcp.Properties(map[string]any{
					"width":  map[string]any{"type": "integer", "minimum": 20, "description": "Columns."},
					"footer": map[string]any{"type": "string", "description": "A last line."},
				}), mcp.Description("How it looks.")),
				mcp.WithReadOnlyHintAnnotation(true)),
		},
	}
}

func (b *notebook) add(in struct {
	Title, Text string
	Tags        []string
}) *mcp.CallToolResult {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	n := note{b.last, in.Title, in.Text, append([]string{}, in.Tags...)}
	b.notes = append(b.notes, n)
	return mcp.NewToolResultStructured(n, fmt.Sprintf("Added note %d: %s", n.ID, n.Title))
}

func (b *notebook) list(in struct{ Tag string }) *mcp.CallToolResult {
	return b.find(func(n note) bool { return in.Tag == "" || slices.Contains(n.Tags, in.Tag) })
}

func (b *notebook) search(in struct{ Query string }) *mcp.CallToolResult {
	return b.find(func(n note) bool { return contains(n.Title, in.Query) || contains(n.Text, in.Query) })
}

func (b *notebook) delete(in struct{ ID int }) *mcp.CallToolResult {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.notes, func(n note) bool { return n.ID == in.ID })
	if i < 0 {
		return mcp.NewToolResultErrorf("There is no note %d.", in.ID)
	}
	n := b.notes[i]
	b.notes = slices.Delete(b.notes, i, i+1)
	return mcp.NewToolResultStructured(n, fmt.Sprintf("Deleted note %d: %s", n.ID, n.Title))
}

// picture is a PNG of one pixel.
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

func (b *notebook) export(in struct {
	ID      int
	Format  string
	Picture bool
	Layout  struct {
		Width  int
		Footer string
	}
}) *mcp.CallToolResult {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.notes, func(n note) bool { return n.ID == in.ID })
	if i < 0 {
		return mcp.NewToolResultErrorf("There is no note %d.", in.ID)
	}
	n := b.notes[i]
	uri, text, mime := fmt.Sprintf("note:///%d.txt", n.ID), n.Title+"\n\n"+n.Text+"\n", "text/plain"
	if in.Format == "markdown" {
		uri, text, mime = fmt.Sprintf("note:///%d.md", n.ID), "# "+text, "text/markdown"
	}
	if in.Layout.Footer != "" {
		text += "\n" + in.Layout.Footer + "\n"
	}
	content := []mcp.Content{
		mcp.NewResourceLink(uri, n.Title, "", mime),
		mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: text}),
	}
	if in.Picture {
		content = append(content, mcp.NewImageContent(picture, "image/png"))
	}
	return &mcp.CallToolResult{Content: content}
}

func (b *notebook) find(match func(note) bool) *mcp.CallToolResult {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, text := []note{}, strings.Builder{}
	for _, n := range b.notes {
		if match(n) {
			found = append(found, n)
			fmt.Fprintf(&text, "%d. %s\n   %s\n", n.ID, n.Title, n.Text)
		}
	}
	if len(found) == 0 {
		text.WriteString("No notes.")
	}
	return mcp.NewToolResultStructured(map[string]any{"notes": found}, strings.TrimSpace(text.String()))
}

func contains(text, query string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(query))
}
