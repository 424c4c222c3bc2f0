package config

import (
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// profile is one profile of a settings file. The zero value is an empty one.
type profile struct {
	file   *file
	node   *yaml.Node
	values *viper.Viper // what is one value or a list: see plainValues
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
	p.values = plainValues(p.node)
	return p, nil
}

// plainValues returns the settings of a profile that are one value or a list, as they are written. viper's own reader of YAML would
// take GATEWAY_URL for gateway_url, and make 83 of a workspace called 0123.
func plainValues(profile *yaml.Node) *viper.Viper {
	values := map[string]any{}
	for _, m := range members(profile) {
		kind, known := kinds()[m.key.Value]
		switch {
		case !known || m.value.Kind != kind || isNull(m.value):
		case kind == yaml.ScalarNode:
			values[m.key.Value] = m.value.Value
		case kind == yaml.SequenceNode:
			var list []string
			for _, entry := range m.value.Content {
				list = append(list, follow(entry).Value)
			}
			values[m.key.Value] = list
		}
	}
	v := viper.New()
	_ = v.MergeConfigMap(values) // has no error of its own
	return v
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

// placeOf returns FILE:LINE:COLUMN of a key's value in a mapping, of one that isn't there the file alone.
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
	for _, m := range members(p.node) {
		if _, known := kinds()[m.key.Value]; !known {
			found = append(found, Unknown{m.key.Value, p.file.at(m.key)})
		}
	}
	return found
}
