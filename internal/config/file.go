package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// file is a parsed settings file. The zero value is an empty one.
//
// It is read as a tree of YAML nodes, which have what people wrote: lines and columns for errors, names in their own upper and
// lower case, and values before YAML makes numbers or dates of them.
type file struct {
	path     string
	current  string
	profiles []string
	document *yaml.Node // with the comments at its ends; nil if the file holds comments at most
	root     *yaml.Node // the mapping in it; nil if there is none
	second   *yaml.Node // an empty document behind it; nil if there is none
}

// currentProfile is the one setting that is of no profile.
const currentProfile = "current_profile"

// kinds are the settings of a profile, with the kind of YAML node that each one wants. Others are kept and not read.
func kinds() map[string]yaml.Kind {
	return map[string]yaml.Kind{
		"gateway_url": yaml.ScalarNode, "control_plane_url": yaml.ScalarNode, "workspace": yaml.ScalarNode,
		"ca_file": yaml.ScalarNode, "proxy": yaml.ScalarNode, "key_header": yaml.ScalarNode,
		"credential": yaml.ScalarNode, "log_level": yaml.ScalarNode,
		"key_command": yaml.SequenceNode, "allow_http": yaml.SequenceNode,
		"headers": yaml.MappingNode, "servers": yaml.MappingNode,
		"trace_id": yaml.ScalarNode, "metadata": yaml.MappingNode,
	}
}

// choices are the settings that take one of a few values.
func choices() map[string][]string {
	return map[string][]string{
		"key_header": {"x-portkey-api-key", "authorization"},
		"credential": {"keyring", "file"},
		"log_level":  {"debug", "info", "warn", "error"},
	}
}

func parse(path string, data []byte) (file, error) {
	f := file{path: path}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF): // nothing in it, or comments alone
		return f, nil
	case err != nil:
		return f, syntaxError(path, data, err)
	}
	f.document = &doc
	switch err := dec.Decode(&second); {
	case err == nil && isNull(second.Content[0]): // a file may end in ---, but what is behind that would be lost at a change
		f.second = second.Content[0]
	case err == nil: // what is in it would be read by nobody
		return f, f.errorAt(second.Content[0], "join the two, or take one out", "the settings are one YAML document, and here is a second one")
	case !errors.Is(err, io.EOF):
		return f, syntaxError(path, data, err)
	}
	if isNull(doc.Content[0]) {
		return f, nil
	}
	f.root = doc.Content[0]
	if err := f.check(); err != nil {
		return f, err
	}
	if n := child(f.root, currentProfile); n != nil {
		f.current = n.Value
	}
	return f, nil
}

// check refuses what the rest of the package could only misread, with its place.
func (f *file) check() error {
	if f.root.Kind != yaml.MappingNode {
		return f.errorAt(f.root, "correct the file", "the settings are a mapping: NAME: VALUE")
	}
	if err := f.refuseTwice(f.root); err != nil {
		return err
	}
	if err := f.refuseKeys(f.root); err != nil {
		return err
	}
	if n := child(f.root, currentProfile); n != nil && n.Kind != yaml.ScalarNode {
		return f.errorAt(n, "write current_profile: NAME", "current_profile wants one name")
	}
	profiles := child(f.root, "profiles")
	if profiles == nil {
		return nil
	}
	if profiles.Kind != yaml.MappingNode {
		return f.errorAt(profiles, "write profiles: {default: {…}}", "profiles wants a mapping of names to settings")
	}
	for _, m := range members(profiles) {
		name := m.key
		if slices.ContainsFunc(f.profiles, func(other string) bool { return strings.EqualFold(other, name.Value) }) {
			return f.errorAt(name, "rename one of them", "two profiles are called %q, upper and lower case aside", name.Value)
		}
		f.profiles = append(f.profiles, name.Value)
		if err := f.checkProfile(name.Value, m.value); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) checkProfile(name string, profile *yaml.Node) error {
	if isNull(profile) {
		return nil
	}
	if profile.Kind != yaml.MappingNode {
		return f.errorAt(profile, "write NAME: VALUE below it", "the profile %q wants a mapping", name)
	}
	if err := f.refuseKeys(profile); err != nil {
		return err
	}
	for _, m := range members(profile) {
		key, n := m.key.Value, m.value
		kind, known := kinds()[key]
		if !known || isNull(n) {
			continue
		}
		if n.Kind != kind {
			want := map[yaml.Kind]string{yaml.ScalarNode: "one value", yaml.SequenceNode: "a list: [A, B]", yaml.MappingNode: "a mapping: {NAME: VALUE}"}
			return f.errorAt(n, "correct the file", "%s wants %s", key, want[kind])
		}
		if kind == yaml.SequenceNode {
			for _, entry := range n.Content {
				if follow(entry).Kind != yaml.ScalarNode {
					return f.errorAt(entry, "correct the file", "%s wants a list of single values: [A, B]", key)
				}
			}
		}
		if allowed := choices()[key]; allowed != nil && !slices.Contains(allowed, n.Value) {
			return f.errorAt(n, "correct the file", "%s is %s", key, strings.Join(allowed, " or "))
		}
	}
	if list := child(profile, "allow_http"); list != nil {
		for _, n := range list.Content {
			if _, ok := plainOrigin(follow(n).Value); !ok {
				return f.errorAt(n, "write it as http://HOST:PORT, or take it out",
					"allow_http wants plain-http origins, and none of portkey.ai")
			}
		}
	}
	return f.checkHeaders(profile)
}

// plainOrigin returns the origin that an entry of allow_http stands for.
func plainOrigin(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.User != nil || web.IsPortkey(u) {
		return "", false
	}
	return web.Origin(u), true
}

// checkHeaders makes sure that headers, and the labels of traces, are names with values, and that none of them is the key's.
func (f *file) checkHeaders(profile *yaml.Node) error {
	maps := labels(profile)
	if servers := child(profile, "servers"); servers != nil {
		for _, m := range members(servers) {
			server := m.value
			if isNull(server) {
				continue
			}
			if server.Kind != yaml.MappingNode {
				return f.errorAt(server, "write servers: {NAME: {headers: {…}}}", "a server wants a mapping")
			}
			if err := f.refuseKeys(server); err != nil {
				return err
			}
			if id := child(server, "trace_id"); id != nil && id.Kind != yaml.ScalarNode {
				return f.errorAt(id, "write trace_id: ID", "trace_id wants one value")
			}
			maps = append(maps, labels(server)...)
		}
	}
	for _, m := range maps {
		headers := m.node
		if headers == nil {
			continue
		}
		if headers.Kind != yaml.MappingNode {
			return f.errorAt(headers, "write "+m.name+": {NAME: VALUE}", "%s wants a mapping", m.name)
		}
		for _, h := range members(headers) {
			name, value := h.key, h.value
			if strings.EqualFold(name.Value, "x-portkey-api-key") {
				return f.refuseKey(name)
			}
			if value.Kind != yaml.ScalarNode {
				return f.errorAt(value, "write "+m.name+": {NAME: VALUE}", "the %s %s wants one value", m.singular, name.Value)
			}
		}
	}
	return nil
}

// labelled is a mapping of names to values, with the name of the setting that it is.
type labelled struct {
	node           *yaml.Node
	name, singular string
}

func labels(of *yaml.Node) []labelled {
	return []labelled{{child(of, "headers"), "headers", "header"}, {child(of, "metadata"), "metadata", "label"}}
}

// keyLike matches names under which people would write a key into the file.
var keyLike = pattern.New(`(?i)^(?:x[-_])?(?:portkey|mcpctl)?[-_]?(?:(?:api|access|secret)[-_]?)?(?:key|token|secret|password)$`)

func (f *file) refuseKeys(mapping *yaml.Node) error {
	for _, m := range members(mapping) {
		if keyLike().MatchString(m.key.Value) {
			return f.refuseKey(m.key)
		}
	}
	return nil
}

// refuseTwice refuses a name that a mapping has twice, as YAML does (1.2.2, section 3.2.1.1): one of the two would be lost.
func (f *file) refuseTwice(n *yaml.Node) error {
	first := map[string]int{}
	for i, inner := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && inner.Kind == yaml.ScalarNode {
			if line, twice := first[inner.Value]; twice {
				return f.errorAt(inner, "take one of them out", "a name stands here a second time, after line %d", line) // not shown: it may be a value
			}
			first[inner.Value] = inner.Line
		}
		if err := f.refuseTwice(inner); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) refuseKey(name *yaml.Node) error {
	return f.errorAt(name, "take the line out and run mcpctl login, which keeps the key in the OS keyring; "+
		"MCPCTL_API_KEY, --key-file and the setting key_command work too",
		"a key doesn't belong in the settings file (%s)", name.Value)
}

func (f *file) errorAt(n *yaml.Node, next, format string, args ...any) error {
	return problem.New(next, "%s: %s", f.at(n), fmt.Sprintf(format, args...))
}

func (f *file) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", f.path, n.Line, n.Column) }

var yamlLine = pattern.New(`^line (\d+): `)

// syntaxError gives a place to an error of the YAML parser, which names a line at most: the column is that of the line's
// first character.
func syntaxError(path string, data []byte, err error) error {
	text := parserText(data, err)
	line, column := 1, 1
	if m := yamlLine().FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	if lines := strings.Split(string(data), "\n"); line <= len(lines) {
		s := lines[line-1]
		if trimmed := strings.TrimLeft(s, " \t"); trimmed != "" {
			column += len(s) - len(trimmed)
		}
	}
	return problem.New("correct the file, or name another one with --config", "%s:%d:%d: %s", path, line, column, text)
}
