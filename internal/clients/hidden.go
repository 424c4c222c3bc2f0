package clients

import (
	"os"
	"path/filepath"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Hidden is a place that install doesn't write to, and where people have entries all the same.
type Hidden struct {
	Target
	// Instead is the file that the client reads in place of this one; nil if it reads this one.
	Instead *Target
}

// Hidden returns such places of c that are there: the files of its profiles, the lists for single folders in the user's file,
// and what c doesn't read, beside the user's files and that in the folder project. Files that can't be read are left out:
// Places has them, or they aren't c's.
func (s Store) Hidden(m Machine, c Client, project string) []Hidden {
	found := m.Find(c)
	files := []Target{{Client: c, Scope: User, Path: found.Path}}
	for _, path := range found.Others {
		files = append(files, Target{Client: c, Scope: User, Path: path})
	}
	var hidden []Hidden
	for _, path := range found.Profiles {
		if t := (Target{Client: c, Scope: User, Path: path}); m.exists(path) {
			files = append(files, t)
			hidden = append(hidden, Hidden{Target: t})
		}
	}
	for _, t := range files {
		hidden = append(hidden, t.perFolder()...)
	}
	if path := m.ProjectFile(c, project); path != "" {
		files = append(files, Target{Client: c, Scope: Project, Path: path})
	}
	for _, t := range files {
		if path := t.HasDeadKey(); path != "" {
			instead := t
			dead := Target{Client: c, Scope: t.Scope, Path: path, Within: []string{c.DeadKey}}
			dead.Client.Format = configfile.JSONC
			hidden = append(hidden, Hidden{dead, &instead})
		}
	}
	return hidden
}

// perFolder returns the lists for single folders in t's file.
func (t Target) perFolder() []Hidden {
	if t.Client.PerFolder == "" {
		return nil
	}
	data, err := os.ReadFile(t.Path)
	if err != nil {
		return nil
	}
	doc, err := configfile.Parse(t.Path, data, t.Client.Format)
	if err != nil {
		return nil
	}
	folders, err := doc.Members(t.Client.PerFolder)
	if err != nil {
		return nil
	}
	var lists []Hidden
	for _, f := range folders {
		inner := t
		inner.Within = []string{t.Client.PerFolder, f.Name, t.Client.Key}
		if members, err := doc.Members(inner.at()...); err == nil && len(members) > 0 {
			lists = append(lists, Hidden{Target: inner})
		}
	}
	return lists
}

// Folder is the folder that a list for a single one is for, "" if t is none.
func (t Target) Folder() string {
	if len(t.Within) == 3 && t.Within[0] == t.Client.PerFolder {
		return filepath.FromSlash(t.Within[1])
	}
	return ""
}
