package clients

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/host"
)

// Command is how a client starts mcpctl.
type Command struct {
	// Path is absolute, or a bare name to be looked up on PATH.
	Path string
	Args []string
}

// Self is where this mcpctl is.
type Self struct {
	// Path is absolute: a client that was started from a desktop has a PATH of system folders only.
	Path string
	// Vanishing reports that the file is deleted when the process ends, as that of go run is; Temporary that it lies in
	// the folder for temporary files.
	Vanishing, Temporary bool
	// Other is another mcpctl on PATH, "" if there is none before this one.
	Other string
}

// FindSelf finds the path by which executable, this program's file, is best called: the first mcpctl on PATH that is the
// same file, with links left in, since the file behind a package manager's link has its version in its path and is gone
// after the next upgrade.
func FindSelf(h host.Host, executable string) Self {
	s := Self{Path: executable}
	name := "mcpctl"
	if h.OS == "windows" {
		name += ".exe"
	}
	self, err := os.Stat(executable)
	for _, folder := range filepath.SplitList(h.Getenv("PATH")) {
		p := filepath.Join(folder, name)
		info, statErr := os.Stat(p)
		if err != nil || statErr != nil || info.IsDir() || !filepath.IsAbs(p) {
			continue
		}
		if os.SameFile(self, info) {
			s.Path = p
			break
		}
		if s.Other == "" {
			s.Other = p
		}
	}
	// go run builds into $GOTMPDIR/go-build123/b001/exe/ and deletes that afterwards.
	dir := filepath.ToSlash(filepath.Dir(s.Path))
	s.Vanishing = strings.Contains(dir, "/go-build") && strings.HasSuffix(dir, "/exe")
	s.Temporary = inside(s.Path, os.TempDir())
	return s
}

func inside(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// entry is what mcpctl looks at in an entry of a client's file.
type entry struct {
	Command string   `json:"command"`
	Args    []string `json:"args"`
	URL     string   `json:"url"`
}

// decode returns the zero entry for what is none.
func decode(raw configfile.Raw) entry {
	var e entry
	if raw.Decode(&e) != nil {
		return entry{}
	}
	return e
}

// ours reports whether the entry starts mcpctl's bridge.
func (e entry) ours() bool {
	return strings.TrimSuffix(strings.ToLower(base(e.Command)), ".exe") == "mcpctl" && len(e.Args) > 0 && e.Args[0] == "bridge"
}

// server returns the server that an entry of ours bridges, "" if the entry was rewritten beyond recognition.
func (e entry) server() string {
	if len(e.Args) < 2 || strings.HasPrefix(e.Args[1], "-") {
		return ""
	}
	return e.Args[1]
}

// kind says what a foreign entry is, without any value that may be secret: a whole command line can be one.
func (e entry) kind() string {
	programName := regexp.MustCompile(`^[A-Za-z0-9._+-]+$`)
	switch {
	case programName.MatchString(base(e.Command)):
		return "an entry that starts " + base(e.Command)
	case e.URL != "":
		return "an entry for a remote server"
	}
	return "an entry of another kind"
}

// base returns the last element of a path of any OS: a synchronised file may hold another's.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
