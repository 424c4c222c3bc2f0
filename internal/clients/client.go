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
	// Verified is the day, as 2006-01-02, on which a real client was last seen to read what mcpctl writes here; "" for one
	// that was never tried.
	Verified string
	// Format is what the client is known to read.
	Format configfile.Format
	// Key is the member of the root that holds the servers by name.
	Key string
	// Shape is what an entry looks like.
	Shape Shape
	// Direct is what an entry of a server looks like that the client speaks to by itself; nil where there is no such, for
	// the reason NotDirect.
	Direct    *Direct
	NotDirect string
	// LinkForm is an address that makes the client offer an entry to its user: {name}, {base64} and {json} of the entry,
	// {command} and {args} are filled in. "" for a client without such.
	LinkForm string
	// DollarNames says that the client takes a header's value $NAME from the environment.
	DollarNames bool
	// NewFile is what the client itself would put into its file if it were new.
	NewFile configfile.Members
	// Files are the places of the user's file, the one of the newest release first.
	Files map[string][]string
	// Moved says that a release which has made the folder of a place reads no place that comes after it in Files.
	// Otherwise the first place counts that has a file.
	Moved bool
	// SharedFolder says that the folders of Files have other owners too, so that they don't show that the client is there.
	SharedFolder bool
	// Override are places that a variable of the environment names, as in "$CODEX_HOME/config.toml", the stronger first.
	// While it is set, the client reads no other.
	Override []string
	// ProjectFiles are the places of the file inside a project, the first for a new one; none where the client has no such
	// file.
	ProjectFiles []string
	// PerFolder is a member of the user's file that holds lists of servers for single folders, each an object by the
	// folder's path with servers under Key.
	PerFolder string
	// Profiles are further files of the user beside the client's own, one for each of its profiles.
	Profiles string
	// Successor is the client whose files this one is about to move its servers to.
	Successor string
	// Signs are what shows that the client is installed, beside the folders of Files.
	Signs map[string][]string
	// Program is the name that the client has on PATH.
	Program string
	// Process are folders, of which one is in the path of the client's running executable; a * as above. Set for a client
	// that writes its file back from memory.
	Process []string
	// DeadKey is a member of the file DeadFile beside the client's own that it doesn't read, though people were told to
	// put servers there.
	DeadFile, DeadKey string
	// AfterInstall and AfterUninstall say how a change takes effect; "" where there is nothing to do.
	AfterInstall, AfterUninstall string
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
