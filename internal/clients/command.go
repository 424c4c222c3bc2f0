package clients

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/pattern"
)

// Command is how a client starts mcpctl.
type Command struct {
	// Path is absolute, or a bare name to be looked up on PATH.
	Path string
	Args []string
}

// SettingFlags are the flags, each a setting, that install writes among the arguments. No key is among them.
var SettingFlags = []string{"config", "profile", "gateway", "control-plane", "workspace", "ca-file", "allow-http", "key-file"}

// ownOptions are the options among args that install doesn't write: their owner has added them.
func ownOptions(args []string) []string {
	var options []string
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		if flag, ok := strings.CutPrefix(name, "--"); ok && plainFlag().MatchString(flag) && !slices.Contains(SettingFlags, flag) {
			options = append(options, name)
		}
	}
	return options
}

// plainFlag fits what can be the name of a flag, and is shown.
var plainFlag = pattern.New(`^[a-z][a-z-]{0,40}$`)

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
