package mcpserver_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpctl/mcpctl/internal/demo/mcpserver"
)

// call calls a tool and returns its text.
func call(t *testing.T, s *mcpserver.Server, name, arguments string) (text string, isError bool) {
	t.Helper()
	result, err := s.Handle(t.Context(), "tools/call", json.RawMessage(`{"name":"`+name+`","arguments":`+arguments+`}`))
	if err != nil {
		t.Fatalf("%+v", err)
	}
	r := result.(*mcp.CallToolResult)
	return r.Content[0].(mcp.TextContent).Text, r.IsError
}

// step is a call with the text that must come, which for failures is only its end.
type step struct {
	tool, arguments, text string
	isError               bool
}

func play(t *testing.T, s *mcpserver.Server, steps []step) {
	t.Helper()
	for _, c := range steps {
		text, isError := call(t, s, c.tool, c.arguments)
		if isError != c.isError || text != c.text && !(isError && strings.HasSuffix(text, c.text)) {
			t.Errorf("%s %s: %v %q", c.tool, c.arguments, isError, text)
		}
	}
}

func TestNotes(t *testing.T) {
	play(t, mcpserver.Notes(), []step{
		{"list_notes", `{"tag":"release"}`, "2. Release checklist\n   Tag, build, sign, publish, announce.", false},
		{"add_note", `{"title":"Lunch","text":"At noon","tags":["team","food"]}`, "Added note 3: Lunch", false},
		{"search_notes", `{"query":"NOON"}`, "3. Lunch\n   At noon", false},
		{"list_notes", `{"tag":"food"}`, "3. Lunch\n   At noon", false},
		{"delete_note", `{"id":3}`, "Deleted note 3: Lunch", false},
		{"delete_note", `{"id":3}`, "There is no note 3.", true},
		{"search_notes", `{"query":"noon"}`, "No notes.", false},
		{"add_note", `{"title":"Next","text":""}`, "Added note 4: Next", false}, // numbers aren't used twice
	})
}

func TestIssues(t *testing.T) {
	play(t, mcpserver.Issues(), []step{
		{"list_issues", `{"limit":1}`, "ENG-3 [done, medium] Upgrade the TLS library", false},
		{"create_issue", `{"title":"Fix the typo","priority":"urgent"}`, "Created ENG-4: Fix the typo", false},
		{"create_issue", `{"title":"Second"}`, "Created ENG-5: Second", false},
		{"search_issues", `{"query":"TYPO"}`, "ENG-4 [todo, urgent] Fix the typo", false},
		{"search_issues", `{"query":"second"}`, "ENG-5 [todo, none] Second", false},
		{"update_issue", `{"id":"ENG-2","status":"done"}`, "ENG-2 is now done.", false},
		{"update_issue", `{"id":"ENG-9","status":"done"}`, "There is no issue ENG-9.", true},
		{"list_issues", `{"status":"in_progress"}`, "ENG-1 [in_progress, high] Login page shows a blank screen on Safari", false},
		{"search_issues", `{"query":"nothing"}`, "No issues.", false},
	})
}

func TestArguments(t *testing.T) {
	play(t, mcpserver.Notes(), []step{
		{"add_note", `{"title":"x"}`, ": text is required", true},
		{"add_note", `null`, ": title is required", true},
		{"add_note", `{"title":"","text":"x"}`, ": title is shorter than 1", true},
		{"add_note", `{"title":7,"text":"x"}`, ": title must be of type string", true},
		{"add_note", `{"title":null,"text":"x"}`, ": title must be of type string", true},
		{"add_note", `{"title":"x","text":"x","tags":"x"}`, ": tags must be of type array", true},
		{"add_note", `{"title":"x","text":"x","tags":["y",true]}`, ": tags[1] must be of type string", true},
		{"add_note", `{"title":"x","text":"x","Text":"x"}`, ": Text is not an argument", true},
		{"add_note", `["x"]`, ": the arguments are not an object", true},
		{"delete_note", `{"id":1.5}`, ": id must be of type integer", true},
		{"delete_note", `{"id":0}`, ": id is less than 1", true},
		{"export_note", `{"id":1,"layout":{"width":"x"}}`, ": layout.width must be of type integer", true},
		{"export_note", `{"id":1,"layout":{"colour":"x"}}`, ": layout.colour is not an argument", true},
		{"export_note", `{"id":1,"layout":"wide"}`, ": layout must be of type object", true},
		{"export_note", `{"id":9}`, "There is no note 9.", true},
		{"list_notes", `null`, "1. Welcome\n   These notes live in memory, for as long as the demo runs.\n2. Release checklist\n   Tag, build, sign, publish, announce.", false},
	})
	play(t, mcpserver.Issues(), []step{
		{"list_issues", `{"limit":101}`, ": limit is more than 100", true},
		{"create_issue", `{"title":"x","priority":"huge"}`, `: priority must be one of ["none" "low" "medium" "high" "urgent"]`, true},
	})
}

func TestExport(t *testing.T) {
	result, fault := mcpserver.Notes().Handle(t.Context(), "tools/call",
		json.RawMessage(`{"name":"export_note","arguments":{"id":2,"format":"markdown","picture":true,"layout":{"footer":"Bye"}}}`))
	if fault != nil {
		t.Fatal(fault)
	}
	content := result.(*mcp.CallToolResult).Content
	if link := content[0].(mcp.ResourceLink); link.URI != "note:///2.md" {
		t.Errorf("%+v", link)
	}
	document := content[1].(mcp.EmbeddedResource).Resource.(mcp.TextResourceContents)
	if !strings.HasPrefix(document.Text, "# Release checklist\n") || !strings.HasSuffix(document.Text, "\nBye\n") {
		t.Errorf("%+v", document)
	}
	if image := content[2].(mcp.ImageContent); image.MIMEType != "image/png" || image.Data == "" {
		t.Errorf("%+v", image)
	}
}

// TestSchemas: what a schema promises, the check of arguments must know.
func TestSchemas(t *testing.T) {
	known := []string{"type", "description", "enum", "minLength", "minimum", "maximum", "items", "default", "properties"}
	for _, s := range []*mcpserver.Server{mcpserver.Notes(), mcpserver.Issues()} {
		for _, tool := range s.Tools() {
			if tool.Title == "" || tool.Description == "" || tool.InputSchema.AdditionalProperties != false {
				t.Errorf("%s: %+v", tool.Name, tool)
			}
			for name, property := range tool.InputSchema.Properties {
				for keyword := range property.(map[string]any) {
					if !slices.Contains(known, keyword) {
						t.Errorf("%s: %s has %s", tool.Name, name, keyword)
					}
				}
			}
		}
	}
}

// TestCancelled: a call whose caller has gone does nothing.
func TestCancelled(t *testing.T) {
	s := mcpserver.Notes()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Handle(ctx, "tools/call", json.RawMessage(`{"name":"delete_note","arguments":{"id":1}}`)); err == nil {
		t.Error("no error")
	}
	if text, _ := call(t, s, "search_notes", `{"query":"welcome"}`); !strings.HasPrefix(text, "1.") {
		t.Error(text)
	}
}
