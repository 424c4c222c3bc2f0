package mcpserver

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

type issue struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Priority    string `json:"priority"`
	Status      string `json:"status"`
}

// tracker is the data of the issue tracker.
type tracker struct {
	mu     sync.Mutex
	issues []issue
}

// Issues returns an issue tracker with three issues, named like the hosted one whose MCP server asks each user for consent.
func Issues() *Server {
	t := &tracker{issues: []issue{
		{"ENG-1", "Login page shows a blank screen on Safari", "Seen since the last release.", "high", "in_progress"},
		{"ENG-2", "Document the retry policy", "", "low", "todo"},
		{"ENG-3", "Upgrade the TLS library", "Before the old one loses support.", "medium", "done"},
	}}
	priorities := mcp.Enum("none", "low", "medium", "high", "urgent")
	states := mcp.Enum("todo", "in_progress", "done")
	return &Server{
		info: mcp.Implementation{Name: "linear", Title: "Linear", Version: "2.7.1"},
		tools: []tool{
			newTool("create_issue", t.create, mcp.WithToolTitle("Create an issue"), mcp.WithDescription("Create an issue in the team's backlog."),
				mcp.WithString("title", mcp.Required(), mcp.MinLength(1), mcp.Description("One line.")),
				mcp.WithString("description", mcp.Description("Markdown.")),
				mcp.WithString("priority", priorities, mcp.DefaultString("none"), mcp.Description("How urgent it is.")),
				mcp.WithDestructiveHintAnnotation(false)),
			newTool("list_issues", t.list, mcp.WithToolTitle("List issues"), mcp.WithDescription("The team's issues, newest first."),
				mcp.WithString("status", states, mcp.Description("Only issues in this state.")),
				mcp.WithInteger("limit", mcp.Min(1), mcp.Max(100), mcp.Description("How many, 50 if not given.")),
				mcp.WithReadOnlyHintAnnotation(true)),
			newTool("search_issues", t.search, mcp.WithToolTitle("Search issues"),
				mcp.WithDescription("Issues that hold a text in title or description, whatever its case."),
				mcp.WithString("query", mcp.Required(), mcp.MinLength(1), mcp.Description("Text to look for.")),
				mcp.WithReadOnlyHintAnnotation(true)),
			newTool("update_issue", t.update, mcp.WithToolTitle("Update an issue"), mcp.WithDescription("Move an issue to another state."),
				mcp.WithString("id", mcp.Required(), mcp.Description("Such as ENG-1.")),
				mcp.WithString("status", mcp.Required(), states, mcp.Description("The new state.")),
				mcp.WithIdempotentHintAnnotation(true)),
		},
	}
}

func (t *tracker) create(in struct{ Title, Description, Priority string }) *mcp.CallToolResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	if in.Priority == "" {
		in.Priority = "none"
	}
	i := issue{fmt.Sprintf("ENG-%d", len(t.issues)+1), in.Title, in.Description, in.Priority, "todo"}
	t.issues = append(t.issues, i)
	return mcp.NewToolResultStructured(i, fmt.Sprintf("Created %s: %s", i.ID, i.Title))
}

func (t *tracker) list(in struct {
	Status string
	Limit  int
}) *mcp.CallToolResult {
	if in.Limit == 0 {
		in.Limit = 50
	}
	return t.find(in.Limit, func(i issue) bool { return in.Status == "" || i.Status == in.Status })
}

func (t *tracker) search(in struct{ Query string }) *mcp.CallToolResult {
	return t.find(50, func(i issue) bool { return contains(i.Title, in.Query) || contains(i.Description, in.Query) })
}

func (t *tracker) update(in struct{ ID, Status string }) *mcp.CallToolResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := slices.IndexFunc(t.issues, func(i issue) bool { return i.ID == in.ID })
	if n < 0 {
		return mcp.NewToolResultErrorf("There is no issue %s.", in.ID)
	}
	t.issues[n].Status = in.Status
	return mcp.NewToolResultStructured(t.issues[n], fmt.Sprintf("%s is now %s.", in.ID, in.Status))
}

func (t *tracker) find(limit int, match func(issue) bool) *mcp.CallToolResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, text := []issue{}, strings.Builder{}
	for _, i := range slices.Backward(t.issues) {
		if len(found) < limit && match(i) {
			found = append(found, i)
			fmt.Fprintf(&text, "%s [%s, %s] %s\n", i.ID, i.Status, i.Priority, i.Title)
		}
	}
	if len(found) == 0 {
		text.WriteString("No issues.")
	}
	return mcp.NewToolResultStructured(map[string]any{"issues": found}, strings.TrimSpace(text.String()))
}
