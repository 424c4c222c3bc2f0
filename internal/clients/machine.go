package clients

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/host"
)

// Machine is a host with what is on it.
type Machine struct {
	host.Host
	exists func(path string) bool
	// list returns the names in a folder.
	list func(folder string) []string
	// executables returns the paths of the running programs, as far as they can be seen.
	executables func() []string
}

// On returns the machine that this process runs on, described by h.
func On(h host.Host) Machine {
	return Machine{
		Host: h,
		exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
		list: func(folder string) []string {
			entries, _ := os.ReadDir(folder)
			names := make([]string, len(entries))
			for i, e := range entries {
				names[i] = e.Name()
			}
			return names
		},
		executables: executables,
	}
}

// Found is where a client's file of the user is, or would be.
type Found struct {
	// Path is the file to write.
	Path string
	// Others are files of the same client that exist too: older or parallel installs.
	Others []string
	// Profiles are the files, there or not, of the client's further profiles.
	Profiles []string
	// Detected reports whether the client is installed.
	Detected bool
}

// Find looks for a client's file: the one that a variable of the environment names; else the first place that has the
// file, then the first whose folder exists. See Client.Moved for when the folder is enough.
func (m Machine) Find(c Client) Found {
	patterns, shared := m.forOS(c.Files), c.SharedFolder
	if p := m.override(c); p != "" {
		patterns, shared = []string{p}, false
	}
	var files, folders, either []string
	standard := ""
	for _, pattern := range patterns {
		for _, p := range m.expand(pattern) {
			switch {
			case m.exists(p):
				files, either = append(files, p), append(either, p)
			case m.exists(m.dir(p)):
				folders, either = append(folders, p), append(either, p)
			}
			if standard == "" && !strings.Contains(pattern, "*") {
				standard = p
			}
		}
	}
	places := slices.Concat(files, folders, []string{standard})
	if c.Moved {
		places = append(either, standard)
	}
	f := Found{Path: places[0], Detected: len(files) > 0 || len(folders) > 0 && !shared || m.onPath(c.Program)}
	f.Others = slices.DeleteFunc(files, func(p string) bool { return p == f.Path })
	for _, sign := range m.forOS(c.Signs) {
		f.Detected = f.Detected || slices.ContainsFunc(m.expand(sign), m.exists)
	}
	if c.Profiles != "" {
		f.Profiles = m.below(m.dir(f.Path), c.Profiles)
	}
	return f
}

// override returns the place that a variable of the environment names, "" if none is set.
func (m Machine) override(c Client) string {
	for _, p := range c.Override {
		name, rest, _ := strings.Cut(strings.TrimPrefix(p, "$"), "/")
		if root := m.Getenv(name); root != "" {
			return m.Join(root, rest)
		}
	}
	return ""
}

// ProjectFile returns the client's file in the folder project, "" if the client has none in projects.
func (m Machine) ProjectFile(c Client, project string) string {
	standard := ""
	for _, f := range c.ProjectFiles {
		p := m.Join(project, f)
		if m.exists(p) {
			return p
		}
		if standard == "" {
			standard = p
		}
	}
	return standard
}

// Running reports whether a client that writes its file back from memory is running.
func (m Machine) Running(c Client) bool {
	if len(c.Process) == 0 {
		return false
	}
	for _, exe := range m.executables() {
		for folder := range strings.SplitSeq(path.Dir(strings.ReplaceAll(exe, `\`, "/")), "/") {
			if slices.ContainsFunc(c.Process, func(p string) bool { ok, _ := path.Match(p, folder); return ok }) {
				return true
			}
		}
	}
	return false
}

func (m Machine) forOS(rows map[string][]string) []string {
	if row, ok := rows[m.OS]; ok {
		return row
	}
	return rows[""]
}

// expand returns the paths that a pattern of a Client stands for. Of several that a * fits, the last in the alphabet is
// the newest release.
func (m Machine) expand(pattern string) []string {
	first, rest, _ := strings.Cut(pattern, "/")
	roots := map[string]string{
		"~":             m.Home,
		"$CONFIG":       m.XDGConfigHome(),
		"$SUPPORT":      m.Join(m.Home, "Library", "Application Support"),
		"$APPDATA":      m.AppData,
		"$LOCALAPPDATA": m.LocalAppData,
	}
	root, ok := roots[first]
	if !ok {
		return []string{pattern}
	}
	return m.below(root, rest)
}

// below returns the paths in folder that a pattern stands for.
func (m Machine) below(folder, pattern string) []string {
	paths := []string{folder}
	for name := range strings.SplitSeq(pattern, "/") {
		var longer []string
		for _, p := range paths {
			for _, n := range m.match(p, name) {
				longer = append(longer, m.Join(p, n))
			}
		}
		paths = longer
	}
	return paths
}

func (m Machine) match(folder, name string) []string {
	if !strings.Contains(name, "*") {
		return []string{name}
	}
	var names []string
	for _, n := range m.list(folder) {
		if ok, _ := path.Match(name, n); ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names
}

// dir is filepath.Dir in the host's notation.
func (m Machine) dir(p string) string {
	return p[:max(0, strings.LastIndexAny(p, m.separators()))]
}

func (m Machine) separators() string {
	if m.OS == "windows" {
		return `/\`
	}
	return "/"
}

func (m Machine) onPath(program string) bool {
	if program == "" {
		return false
	}
	list, suffixes := ":", []string{""}
	if m.OS == "windows" {
		list, suffixes = ";", []string{".exe", ".cmd"}
	}
	for folder := range strings.SplitSeq(m.Getenv("PATH"), list) {
		for _, suffix := range suffixes {
			if folder != "" && m.exists(m.Join(folder, program+suffix)) {
				return true
			}
		}
	}
	return false
}
