package clients

import (
	"slices"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Foreign is an entry that isn't mcpctl's.
type Foreign struct {
	Name string
	// Raw is its text, which Entry.Over takes.
	Raw    configfile.Raw
	Launch Launch
}

// Foreign returns the entries of t's file that aren't mcpctl's. A name that is there twice is left out: nothing is ever
// written to such.
func (s Store) Foreign(t Target) ([]Foreign, error) {
	file, err := t.open()
	if err != nil {
		return nil, err
	}
	r, err := s.load(s.recordID(t, file))
	if err != nil {
		return nil, err
	}
	doc, err := read(file, t)
	if err != nil {
		return nil, err
	}
	members, times, err := t.members(doc)
	if err != nil {
		return nil, err
	}
	var foreign []Foreign
	for _, m := range members {
		raw := m.Value.(configfile.Raw)
		if r.owns(m.Name, raw) || times[m.Name] > 1 {
			continue
		}
		var entry map[string]any
		if raw.Decode(&entry) == nil {
			foreign = append(foreign, Foreign{m.Name, raw, LaunchOf(entry)})
		}
	}
	return foreign, nil
}

// owners are the members of an entry that are its owner's business, and not about how to reach the server.
var owners = []string{
	"disabled", "enabled", "timeout", "tools", "includeTools", "excludeTools", "disabledTools", "alwaysAllow", "autoApprove",
	"trust", "description", "enabled_tools", "disabled_tools", "startup_timeout_sec", "tool_timeout_sec",
}

// over is what replaces someone else's entry: ours, with what its owner has set.
func over(ours configfile.Members, theirs configfile.Raw) configfile.Members {
	var entry map[string]any
	if theirs.Decode(&entry) != nil {
		return ours
	}
	for _, name := range owners {
		value, ok := writable(entry[name])
		if !ok {
			continue
		}
		m := configfile.Member{Name: name, Value: value}
		if i := slices.IndexFunc(ours, func(o configfile.Member) bool { return o.Name == name }); i >= 0 {
			ours[i] = m
		} else {
			ours = append(ours, m)
		}
	}
	return ours
}

// writable turns a decoded value into one that can be written: a string, a bool, a whole number, a list of strings.
func writable(v any) (any, bool) {
	switch v := v.(type) {
	case string, bool:
		return v, true
	case float64:
		return int(v), v == float64(int(v))
	case []any:
		list := texts(v)
		return list, list != nil
	}
	return nil, false
}
