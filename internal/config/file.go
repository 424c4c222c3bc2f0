package config

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// file is a parsed settings file. The zero value is an empty one.
//
// It is read twice. The plain values of a profile come from viper. The tree of YAML nodes gives what viper can't: lines
// and columns for errors, and the maps of headers and servers, whose names viper would turn into lower case.
type file struct {
	path     string
	current  string
	profiles []string
	document *yaml.Node // with the comments at its ends; nil if the file holds comments at most
	root     *yaml.Node // the mapping in it; nil if there is none
	values   *viper.Viper
}

// currentProfile is the one setting that is of no profile.
const currentProfile = "current_profile"

// separator joins the parts of a viper key: its own ".", may occur in a profile's name.
const separator = "\x00"

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
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return f, syntaxError(path, data, err)
	}
	if doc.Kind == 0 { // nothing in it, or comments alone
		return f, nil
	}
	f.document = &doc
	if isNull(doc.Content[0]) {
		return f, nil
	}
	f.root = doc.Content[0]
	if err := f.check(); err != nil {
		return f, err
	}
	f.values = viper.NewWithOptions(viper.KeyDelimiter(separator))
	f.values.SetConfigType("yaml")
	if err := f.values.ReadConfig(bytes.NewReader(data)); err != nil { // for example an alias that contains itself
		return f, valueError(path, err)
	}
	f.current = f.values.GetString(currentProfile)
	return f, nil
}

// check refuses what the rest of the package could only misread, with its place.
func (f *file) check() error {
	if f.root.Kind != yaml.MappingNode {
		return f.errorAt(f.root, "correct the file", "the settings are a mapping: NAME: VALUE")
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
	for i := 0; i < len(profiles.Content); i += 2 {
		name := profiles.Content[i]
		if slices.ContainsFunc(f.profiles, func(other string) bool { return strings.EqualFold(other, name.Value) }) {
			return f.errorAt(name, "rename one of them", "two profiles are called %q, upper and lower case aside", name.Value)
		}
		f.profiles = append(f.profiles, name.Value)
		if err := f.checkProfile(name.Value, follow(profiles.Content[i+1])); err != nil {
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
	for i := 0; i < len(profile.Content); i += 2 {
		key := profile.Content[i].Value
		kind, known := kinds()[key]
		n := child(profile, key)
		if !known || n == nil {
			continue
		}
		if n.Kind != kind {
			want := map[yaml.Kind]string{yaml.ScalarNode: "one value", yaml.SequenceNode: "a list: [A, B]", yaml.MappingNode: "a mapping: {NAME: VALUE}"}
			return f.errorAt(n, "correct the file", "%s wants %s", key, want[kind])
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
		for i := 1; i < len(servers.Content); i += 2 {
			server := follow(servers.Content[i])
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
		for i := 0; i < len(headers.Content); i += 2 {
			name, value := headers.Content[i], follow(headers.Content[i+1])
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
var keyLike = regexp.MustCompile(`(?i)^(?:x[-_])?(?:portkey|mcpctl)?[-_]?(?:(?:api|access|secret)[-_]?)?(?:key|token|secret|password)$`)

func (f *file) refuseKeys(mapping *yaml.Node) error {
	for i := 0; i < len(mapping.Content); i += 2 {
		if keyLike.MatchString(mapping.Content[i].Value) {
			return f.refuseKey(mapping.Content[i])
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

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntaxError gives a place to an error of the YAML parser, which names a line at most: the column is that of the line's
// first character.
func syntaxError(path string, data []byte, err error) error {
	text := parserText(data, err)
	line, column := 1, 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
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

// profile is one profile of a settings file. The zero value is an empty one.
type profile struct {
	file   *file
	node   *yaml.Node
	values *viper.Viper
	// headers as they are written, upper and lower case kept
	maps struct {
		Headers  map[string]string `yaml:"headers"`
		Metadata map[string]string `yaml:"metadata"`
		TraceID  string            `yaml:"trace_id"`
		Servers  map[string]struct {
			Headers  map[string]string `yaml:"headers"`
			Metadata map[string]string `yaml:"metadata"`
			TraceID  string            `yaml:"trace_id"`
		} `yaml:"servers"`
	}
}

func (f *file) profile(name string) (profile, error) {
	p := profile{file: f}
	if f.root == nil {
		return p, nil
	}
	p.node = child(child(f.root, "profiles"), name)
	if p.node == nil {
		return p, nil
	}
	if err := p.node.Decode(&p.maps); err != nil {
		return p, valueError(f.at(p.node), err)
	}
	p.values = f.values.Sub("profiles" + separator + name)
	return p, nil
}

// has reports whether the profile sets key. A value of null or "" is as good as none.
func (p profile) has(key string) bool { return p.text(key) != "" }

func (p profile) text(key string) string {
	if p.values == nil {
		return ""
	}
	return p.values.GetString(key)
}

func (p profile) list(key string) []string {
	if p.values == nil {
		return nil
	}
	return p.values.GetStringSlice(key)
}

// where names the place of a setting, for errors.
func (p profile) where(key string) string { return p.file.placeOf(p.node, key) + ": " + key }

// placeOf returns FILE:LINE:COLUMN of a key's value in a mapping; of one that came through a YAML merge, the file alone.
func (f *file) placeOf(mapping *yaml.Node, key string) string {
	if n := child(mapping, key); n != nil {
		return f.at(n)
	}
	return f.path
}

// fill copies the settings that have neither flag nor variable.
func (p profile) fill(s *Settings) {
	for key := range kinds() {
		if p.has(key) || len(p.list(key)) > 0 || child(p.node, key) != nil {
			s.Sources[key] = p.file.placeOf(p.node, key)
		}
	}
	s.Unknown = p.unknown()
	s.Proxy, s.KeyHeader = p.text("proxy"), p.text("key_header")
	s.KeyCommand = p.list("key_command")
	for _, entry := range p.list("allow_http") {
		if o, ok := plainOrigin(entry); ok {
			s.AllowHTTP = append(s.AllowHTTP, o)
		}
	}
	if p.has("credential") {
		s.CredentialStore = p.text("credential")
	}
	s.Headers = p.maps.Headers
	s.Trace = Trace{p.maps.Metadata, p.maps.TraceID}
	for name, server := range p.maps.Servers {
		if s.ServerHeaders == nil {
			s.ServerHeaders, s.ServerTraces = map[string]map[string]string{}, map[string]Trace{}
		}
		s.ServerHeaders[name] = server.Headers
		s.ServerTraces[name] = Trace{server.Metadata, server.TraceID}
	}
}

// Unknown is a name in the settings file that is no setting.
type Unknown struct {
	Name  string
	Place string // FILE:LINE:COLUMN
}

// unknown returns what the profile holds under names that mcpctl doesn't know: probably a slip of the pen.
func (p profile) unknown() []Unknown {
	var found []Unknown
	for i := 0; p.node != nil && p.node.Kind == yaml.MappingNode && i < len(p.node.Content); i += 2 {
		name := p.node.Content[i]
		if _, known := kinds()[name.Value]; !known && name.Value != "<<" {
			found = append(found, Unknown{name.Value, p.file.at(name)})
		}
	}
	return found
}

// child returns the value of a key in a mapping, or nil where it isn't set.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	at := index(mapping, key)
	if at < 0 {
		return nil
	}
	n := follow(mapping.Content[at])
	if isNull(n) {
		return nil
	}
	return n
}

// index returns where in a mapping's content the value of key is, or -1.
func index(mapping *yaml.Node, key string) int {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
