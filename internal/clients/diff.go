package clients

import (
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// maskedDiff shows what p would change. The lines around an entry are other servers' and often hold their keys, so every
// string and comment is masked but what mcpctl itself writes.
func maskedDiff(t Target, r record, before configfile.Content, p plan) (string, error) {
	old, err := masked(t, r, before, p, false)
	if err != nil {
		return "", err
	}
	new, err := masked(t, r, p.after, p, true)
	if err != nil {
		return "", err
	}
	from, to := t.Path, t.Path
	if !before.Exists {
		from = "/dev/null"
	}
	if !p.after.Exists {
		to = "/dev/null"
	}
	return udiff.Unified(from, to, old, new), nil
}

func masked(t Target, r record, c configfile.Content, p plan, after bool) (string, error) {
	if strings.TrimSpace(string(c.Data)) == "" {
		return string(c.Data), nil
	}
	doc, err := configfile.Parse(t.Path, c.Data, t.Client.Format)
	if err != nil {
		return "", err
	}
	harmless := []string{"bridge"}
	ours := map[string]bool{}
	for _, change := range p.changes {
		e, written := p.written[change.Name]
		harmless = append(append(harmless, change.Server), e.Command.Args...)
		if raw, ok, err := doc.Get(t.at(change.Name)...); err == nil && ok {
			ours[change.Name] = after && written || r.owns(change.Name, raw)
		}
	}
	return doc.Masked(func(path []string, value string) bool {
		if len(path) == 1 {
			return slices.ContainsFunc(t.Client.NewFile, func(m configfile.Member) bool { return m.Name == path[0] && m.Value == value })
		}
		depth := len(t.at())
		if len(path) < depth+2 || !slices.Equal(path[:depth], t.at()) || !ours[path[depth]] {
			return false
		}
		name, path := path[depth], path[depth+1:]
		e := p.written[name]
		if isIn(t.Client.Members(Entry{Name: name, Command: e.Command}), path, value) ||
			e.Remote != nil && isIn(t.Client.Members(e), path, value) {
			return true
		}
		switch path[0] {
		case t.Client.Shape.command():
			return len(path) == 1 || path[1] == "0" || slices.Contains(harmless, value)
		case "args":
			// Its owner may have added an argument, and that may be a secret.
			return slices.Contains(harmless, value)
		}
		return false
	}), nil
}

// isIn reports whether members have the string value at path.
func isIn(members configfile.Members, path []string, value string) bool {
	i := slices.IndexFunc(members, func(m configfile.Member) bool { return m.Name == path[0] })
	if i < 0 {
		return false
	}
	switch v := members[i].Value.(type) {
	case string:
		return len(path) == 1 && v == value
	case []string:
		return len(path) == 2 && slices.Contains(v, value)
	case configfile.Members:
		return len(path) > 1 && isIn(v, path[1:], value)
	}
	return false
}
