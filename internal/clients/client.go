// Package clients is the AI clients as data: where each keeps its MCP servers, what an entry looks like there, and what
// mcpctl has put in.
package clients

import (
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Client is a row of the table in All: a program that starts MCP servers named in a file of its own.
//
// Paths are slash-separated and may start with ~ (the home folder), $CONFIG (XDG_CONFIG_HOME), $SUPPORT (macOS'
// Application Support), $APPDATA or $LOCALAPPDATA; a * stands for any part of one name. They are by GOOS, the row ""
// is for every OS that has none of its own.
type Client struct {
	ID, Name string
	// Format is what the client is known to read.
	Format configfile.Format
	// Key is the member of the root that holds the servers by name.
	Key string
	// Type is the "type" member of an entry, "" for a client whose entries have none.
	Type string
	// Files are the places of the user's file, the one of the newest release first.
	Files map[string][]string
	// ProjectFile is the file inside a project, "" where the client has none.
	ProjectFile string
	// Signs are what shows that the client is installed, beside the folders of Files.
	Signs map[string][]string
	// Program is the name that the client has on PATH.
	Program string
	// Process is a folder in the path of the client's running executable, set for a client that writes its file back
	// from memory.
	Process []string
	// DeadKey is a member of the file DeadFile beside the client's own that it doesn't read, though people were told to
	// put servers there.
	DeadFile, DeadKey string
	// AfterInstall and AfterUninstall say how a change takes effect; "" where the client notices by itself.
	AfterInstall, AfterUninstall string
}

// All returns the clients that mcpctl knows.
func All() []Client {
	return []Client{
		{
			ID: "claude-desktop", Name: "Claude Desktop",
			Format: configfile.JSON, Key: "mcpServers",
			Files: map[string][]string{
				"darwin": {"$SUPPORT/Claude/claude_desktop_config.json"},
				// Each kind of Windows package has its own place: github.com/anthropics/claude-code issues 25579, 26073.
				"windows": {
					"$LOCALAPPDATA/Claude-Data/claude*/claude_desktop_config.json",
					"$LOCALAPPDATA/Packages/Claude_*/LocalCache/Roaming/Claude/claude_desktop_config.json",
					"$APPDATA/Claude/claude_desktop_config.json",
				},
				"": {"$CONFIG/Claude/claude_desktop_config.json"},
			},
			Signs:   map[string][]string{"darwin": {"/Applications/Claude.app"}},
			Program: "claude-desktop",
			// Claude Code's executable is called claude too, hence folders.
			Process:        []string{"claude-desktop", "Claude.app", "AnthropicClaude"},
			AfterInstall:   "quit Claude Desktop completely (from its icon in the tray or menu bar), then start it again",
			AfterUninstall: "quit Claude Desktop completely (from its icon in the tray or menu bar), then start it again",
		},
		{
			ID: "cursor", Name: "Cursor",
			Format: configfile.JSONC, Key: "mcpServers",
			Files:       map[string][]string{"": {"~/.cursor/mcp.json"}},
			ProjectFile: ".cursor/mcp.json",
			Signs: map[string][]string{
				"darwin":  {"/Applications/Cursor.app"},
				"windows": {"$APPDATA/Cursor"},
			},
			Program:        "cursor",
			AfterInstall:   "in Cursor, run \"Developer: Reload Window\", then switch the server on under Settings > MCP; Cursor may ask once whether you trust it",
			AfterUninstall: "in Cursor, run \"Developer: Reload Window\"",
		},
		{
			ID: "vscode", Name: "VS Code",
			Format: configfile.JSONC, Key: "servers", Type: "stdio",
			Files: map[string][]string{
				"darwin":  {"$SUPPORT/Code/User/mcp.json"},
				"windows": {"$APPDATA/Code/User/mcp.json"},
				"":        {"$CONFIG/Code/User/mcp.json", "~/.vscode-server/data/User/mcp.json"},
			},
			ProjectFile: ".vscode/mcp.json",
			Program:     "code",
			// What VS Code migrates out of settings.json is the member "mcp" alone: mcpMigration.ts in microsoft/vscode.
			DeadFile: "settings.json", DeadKey: "mcp.servers",
			AfterInstall: "in VS Code, run \"MCP: List Servers\" and start it; VS Code asks once whether you trust it",
		},
	}
}

// Lookup returns the client called id.
func Lookup(id string) (Client, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(c Client) bool { return c.ID == id }); i >= 0 {
		return all[i], true
	}
	return Client{}, false
}

// Nearest returns those of names that someone who typed word is likely to have meant: one contains the other, or they are
// at most a third of word's length apart in letters changed, added or left out.
func Nearest(word string, names []string) []string {
	word = strings.ReplaceAll(strings.ToLower(word), " ", "-")
	var near []string
	for _, n := range names {
		if len(word) >= 3 && (strings.Contains(n, word) || strings.Contains(word, n)) || distance(word, n) <= (len(word)+2)/3 {
			near = append(near, n)
		}
	}
	return near
}

// distance is the Levenshtein distance of two words in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Entry returns what the client's file says of a server that mcpctl bridges.
func (c Client) Entry(cmd Command) configfile.Members {
	var members configfile.Members
	if c.Type != "" {
		members = append(members, configfile.Member{Name: "type", Value: c.Type})
	}
	return append(members,
		configfile.Member{Name: "command", Value: cmd.Path},
		configfile.Member{Name: "args", Value: cmd.Args})
}
