package clients

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
)

// Shape is what a client's entry of a program to start looks like: the members of First, how to start it, and those of
// Last. The zero Shape is {"command": …, "args": […]}.
type Shape struct {
	First, Last configfile.Members
	// NameMember is a member that repeats the entry's name, "" if there is none.
	NameMember string
	// Command is the member that names the program, if it isn't "command".
	Command string
	// Joined says that one array, under Command, holds the program and its arguments.
	Joined bool
}

func (s Shape) command() string {
	if s.Command != "" {
		return s.Command
	}
	return "command"
}

// Pass returns the names of the variables that an entry has passed on to the program.
func (s Shape) Pass() []string {
	i := slices.IndexFunc(s.Last, func(m configfile.Member) bool { return m.Name == "env_vars" })
	if i < 0 {
		return nil
	}
	names, _ := s.Last[i].Value.([]string)
	return names
}

// start returns the members that say how to start cmd.
func (s Shape) start(cmd Command) configfile.Members {
	if s.Joined {
		return configfile.Members{{Name: s.command(), Value: append([]string{cmd.Path}, cmd.Args...)}}
	}
	return configfile.Members{{Name: s.command(), Value: cmd.Path}, {Name: "args", Value: cmd.Args}}
}

// reach returns the members of an entry that say how to reach the server.
func (c Client) reach(e Entry) configfile.Members {
	if e.Remote != nil {
		return c.Direct.reach(*e.Remote)
	}
	return c.Shape.start(e.Command)
}

// Members returns what the client's file says of e.
func (c Client) Members(e Entry) configfile.Members {
	first, last := c.Shape.First, c.Shape.Last
	if e.Remote != nil {
		first, last = c.Direct.First, c.Direct.Last
	}
	var members configfile.Members
	if c.Shape.NameMember != "" {
		members = append(members, configfile.Member{Name: c.Shape.NameMember, Value: e.Name})
	}
	return slices.Concat(members, first, c.reach(e), last)
}

// decode returns the zero Launch for what is no entry.
func decode(raw configfile.Raw) Launch {
	var members map[string]any
	if raw.Decode(&members) != nil {
		return Launch{}
	}
	return LaunchOf(members)
}

// texts returns the strings of list, nil if anything else is in it.
func texts(list []any) []string {
	words := make([]string, len(list))
	for i, v := range list {
		var ok bool
		if words[i], ok = v.(string); !ok {
			return nil
		}
	}
	return words
}

// ours reports whether the entry starts mcpctl's bridge.
func (e Launch) ours() bool {
	return strings.TrimSuffix(strings.ToLower(base(e.Command)), ".exe") == "mcpctl" && len(e.Args) > 0 && e.Args[0] == "bridge"
}

// server returns the server that an entry of ours bridges, "" if the entry was rewritten beyond recognition.
func (e Launch) server() string {
	if len(e.Args) < 2 || strings.HasPrefix(e.Args[1], "-") {
		return ""
	}
	return e.Args[1]
}

// kind says what a foreign entry is, without any value that may be secret: a whole command line can be one.
func (e Launch) kind() string {
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
