package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/atomicfile"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Login is what a login has to remember about a profile.
type Login struct {
	// Store is where the key lies now: "keyring" or "file".
	Store string
	// KeyHeader is the header in which the gateway took the key; empty if that wasn't tried.
	KeyHeader string
}

// SaveLogin records a login in the profile of s: the place of the key, its header, and the gateway, control plane,
// workspace, CA file and permission for plain http that were given by flag or environment, so that the next command needs
// none of them. Nothing else comes out of the environment, and never a key.
//
// What the defaults say anyway isn't written, so that most people never have a settings file. In a file that exists,
// comments and unknown settings stay; it is replaced whole or not at all, and has the mode 0600 afterwards.
func SaveLogin(s Settings, l Login) error {
	return s.edit(func(f file, root *yaml.Node) (changed bool) {
		p, _ := f.profile(s.Profile)
		values := []struct{ key, value, implied string }{
			{"gateway_url", s.Given["gateway"], DefaultGatewayURL},
			{"control_plane_url", s.Given["control-plane"], DefaultControlPlaneURL},
			{"workspace", s.Given["workspace"], ""},
			{"ca_file", s.Given["ca-file"], ""},
			{"credential", l.Store, "keyring"},
			{"key_header", l.KeyHeader, "x-portkey-api-key"},
		}
		profile := &lazyMapping{root: root, path: []string{"profiles", s.Profile}}
		for _, v := range values {
			if v.value != "" && v.value != first(p.text(v.key), v.implied) {
				set(profile.make(), v.key, scalar(v.value))
			}
		}
		if s.Given["allow-http"] != "" && !slices.Equal(s.AllowHTTP, p.list("allow_http")) {
			set(profile.make(), "allow_http", list(s.AllowHTTP))
		}
		if !s.KnowsProfile() {
			profile.make()
		}
		return profile.made
	})
}

// SaveProfile records what was given by flag or environment in the profile of s, which is made if there is none.
func SaveProfile(s Settings) error { return SaveLogin(s, Login{}) }

// errMoved is someone else's write between our reading and our writing.
var errMoved = errors.New("the file changed meanwhile")

// edit applies change to the settings file, which need not exist. change reports whether there is anything to write; it must
// do nothing else, since it is asked again where a person's editor wrote the file at the same time. Other processes of ours
// wait.
func (s Settings) edit(change func(f file, root *yaml.Node) (changed bool)) error {
	ctx, cancel := context.WithTimeout(context.Background(), editLimit)
	defer cancel()
	unlock, err := s.locks.Lock(ctx, "settings")
	if err != nil && ctx.Err() != nil {
		return problem.New("wait for it to end, then try again", "%s: another mcpctl is at it for %s already", s.File, editLimit)
	}
	if err != nil { // the state folder can't be written: that is no reason to refuse what can
		unlock = func() {}
	}
	defer unlock()
	for range 3 {
		if err = replace(s.File, change); !errors.Is(err, errMoved) {
			return err
		}
	}
	return problem.New("close that program, then run the command again", "%s: another program keeps writing it", s.File)
}

// editLimit is how long a command waits for others that change the settings.
const editLimit = 10 * time.Second

func replace(path string, change func(f file, root *yaml.Node) (changed bool)) error {
	// A settings file is often a symbolic link into a folder of dotfiles: the file that it leads to is what changes.
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	before, err := os.ReadFile(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := parse(path, before)
	if err != nil {
		return err
	}
	if f.second != nil {
		return f.errorAt(f.second, "take the line with --- out above it", "the settings are one YAML document, and here is a second one")
	}
	root := f.root
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode}
	}
	if !change(f, root) {
		return nil
	}
	after, err := encode(f, root, before)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := parse(path, after); err != nil { // nothing is written that the next command couldn't read
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return problem.With(err, "make the folder, or name another settings file with --config")
	}
	return atomicfile.Write(target, after, 0o600, func() error {
		now, err := os.ReadFile(target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) || !bytes.Equal(now, before) {
			return errMoved
		}
		return nil
	})
}

func encode(f file, root *yaml.Node, before []byte) ([]byte, error) {
	var out bytes.Buffer
	doc := f.document
	if doc == nil {
		doc = &yaml.Node{Kind: yaml.DocumentNode}
		if len(before) > 0 { // comments alone, which belong to no node
			out.Write(bytes.TrimRight(before, "\n"))
			out.WriteString("\n")
		}
	}
	doc.Content = []*yaml.Node{root}
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

// lazyMapping is a mapping below root that comes into being when it is first needed.
type lazyMapping struct {
	root *yaml.Node
	path []string
	made bool
}

func (l *lazyMapping) make() *yaml.Node {
	l.made = true
	n := l.root
	for _, key := range l.path {
		at := index(n, key)
		switch {
		case at < 0 || isNull(n.Content[at]):
			set(n, key, &yaml.Node{Kind: yaml.MappingNode})
		case n.Content[at].Kind == yaml.AliasNode: // what it stands for belongs to another profile too
			set(n, key, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
				{Kind: yaml.ScalarNode, Tag: "!!merge", Value: "<<"}, n.Content[at]}})
		}
		n = n.Content[index(n, key)]
	}
	return n
}

// set sets a key of a mapping. A comment behind the old value stays.
func set(mapping *yaml.Node, key string, value *yaml.Node) {
	mapping.Style &^= yaml.FlowStyle // {} in one line would become very long
	if at := index(mapping, key); at >= 0 {
		value.LineComment = mapping.Content[at].LineComment
		mapping.Content[at] = value
		return
	}
	mapping.Content = append(mapping.Content, scalar(key), value)
}

// scalar lets the encoder find out whether the text needs quotes: a workspace may be called "null" or 007.
func scalar(text string) *yaml.Node {
	var n yaml.Node
	n.SetString(text)
	return &n
}

func list(texts []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, t := range texts {
		n.Content = append(n.Content, scalar(t))
	}
	return n
}
