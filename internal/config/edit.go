package config

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// key is a setting as mcpctl config names it: one of Keys, headers.NAME or metadata.NAME, and of one server
// servers.SERVER.headers.NAME, servers.SERVER.metadata.NAME or servers.SERVER.trace_id.
type key struct {
	path []string
	list bool
}

func parseKey(text string) (key, error) {
	if slices.Contains(Keys(), text) {
		return key{[]string{text}, kinds()[text] == yaml.SequenceNode}, nil
	}
	for _, labels := range []string{"headers", "metadata"} {
		if name, ok := strings.CutPrefix(text, labels+"."); ok && headerName().MatchString(name) {
			return key{path: []string{labels, name}}, nil
		}
		if rest, ok := strings.CutPrefix(text, "servers."); ok {
			server, name, ok := strings.Cut(rest, "."+labels+".")
			if ok && server != "" && headerName().MatchString(name) {
				return key{path: []string{"servers", server, labels, name}}, nil
			}
		}
	}
	if rest, ok := strings.CutPrefix(text, "servers."); ok {
		if server, ok := strings.CutSuffix(rest, ".trace_id"); ok && server != "" {
			return key{path: []string{"servers", server, "trace_id"}}, nil
		}
	}
	if slices.ContainsFunc(strings.Split(text, "."), keyLike().MatchString) {
		return key{}, keyPlace("a key doesn't belong in the settings file")
	}
	return key{}, ErrUnknownKey
}

// headerName fits what may be the name of a header (RFC 9110, section 5.6.2).
var headerName = pattern.New("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// keyPlace is the error of somebody who wants to keep a key where none may be.
func keyPlace(what string) error {
	return problem.New("run mcpctl login, which keeps the key in the OS keyring; "+
		"MCPCTL_API_KEY, --key-file and the setting key_command work too\n"+
		"if the key stood in a command, it is in your shell's history now: make a new one at https://app.portkey.ai/api-keys", "%s", what)
}

// ErrRefused is what Set and Unset say to a name or a value that they don't take; other errors are about the file.
var ErrRefused = errors.New("not taken")

type refused struct{ error }

func (refused) Is(target error) bool { return target == ErrRefused }
func (e refused) Unwrap() error      { return e.error }

// Set writes a setting into the profile of s. It refuses keys, and what Load would refuse. Comments and unknown settings in
// the file stay.
func Set(s Settings, name string, values []string) error {
	k, err := parseKey(name)
	if err != nil {
		return refused{err}
	}
	if len(values) == 0 || !k.list && len(values) > 1 {
		return refused{problem.New("write it as mcpctl config set "+name+" VALUE", "%s wants %s", name,
			map[bool]string{true: "one value or more", false: "one value"}[k.list])}
	}
	for i, v := range values {
		if values[i], err = k.check(s, v); err != nil {
			return refused{err}
		}
	}
	node := scalar(values[0])
	if k.list {
		node = list(values)
	}
	return s.edit(func(_ file, root *yaml.Node) bool {
		mapping := (&lazyMapping{root: root, path: k.mapping(s.Profile)}).make()
		name := k.path[len(k.path)-1]
		if at := indexFold(mapping, name); at >= 0 && len(k.path) > 1 {
			name = mapping.Content[at-1].Value
		}
		set(mapping, name, node)
		return true
	})
}

// mapping is the path to the mapping that holds the setting.
func (k key) mapping(profile string) []string {
	if k.path[0] == currentProfile {
		return nil
	}
	return append([]string{"profiles", profile}, k.path[:len(k.path)-1]...)
}

// check returns a value as it is to be written, or why it can't be. Errors don't repeat what may be a secret.
func (k key) check(s Settings, value string) (string, error) {
	name, setting := k.path[len(k.path)-1], strings.Join(k.path, ".")
	if name != "ca_file" && looksLikeKey(setting, value) {
		return "", keyPlace("a key doesn't belong in the settings file")
	}
	if allowed := choices()[name]; allowed != nil && len(k.path) == 1 && name != "credential" {
		if !slices.Contains(allowed, value) {
			return "", problem.New("choose one", "%s is %s", name, strings.Join(allowed, " or "))
		}
		return value, nil
	}
	if value == "" {
		return "", problem.New("take it out: mcpctl config unset "+setting, "%s can't be empty", name)
	}
	if len(k.path) > 1 {
		return value, checkHeader(setting, name, value)
	}
	switch name {
	case currentProfile:
		if s.Profile = value; !s.KnowsProfile() {
			return "", problem.New("make it: mcpctl profile set NAME", "there is no such profile")
		}
	case "credential":
		return "", problem.New("run mcpctl login, or mcpctl login --insecure-storage", "login says where the key is")
	case "gateway_url", "control_plane_url":
		u, err := parseBase(value)
		if err == nil {
			err = checkBase(u, s.AllowHTTP)
		}
		if err != nil {
			return "", err
		}
		return strings.TrimRight(u.String(), "/"), nil
	case "allow_http":
		origin, ok := plainOrigin(value)
		if !ok {
			return "", problem.New("write it as http://HOST:PORT", "allow_http wants plain-http origins, and none of portkey.ai")
		}
		return origin, nil
	case "proxy":
		return value, checkProxy(value)
	case "ca_file":
		return checkFile(value)
	}
	return value, nil
}

func checkProxy(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return problem.New("write it as http://HOST:PORT", "proxy is not a URL")
	}
	if u.User != nil {
		return problem.New("leave the user out, or set HTTPS_PROXY", "a password doesn't belong in a command: it is in your shell's history now")
	}
	return nil
}

func checkFile(value string) (string, error) {
	path, err := filepath.Abs(value)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", problem.With(err, "name a PEM file of certificates")
	}
	return path, nil
}

func checkHeader(setting, name, value string) error {
	switch {
	case strings.EqualFold(name, web.PortkeyHeader):
		return keyPlace("a key doesn't belong in the settings file")
	case isSecretSetting(setting) && !isReference(value):
		return problem.New("keep it in the OS keyring (service mcpctl, any account) and write keyring:ACCOUNT here, or ${VARIABLE}",
			"the header %s holds a secret, which doesn't belong in the settings file (nor in a command: it is in your shell's history now)", name)
	case strings.ContainsAny(value, "\r\n\x00"):
		return problem.New("leave them out", "the header %s has line breaks in it", name)
	}
	return nil
}

// Unset takes a setting out of the profile of s, and reports whether it was there.
func Unset(s Settings, name string) (was bool, err error) {
	k, err := parseKey(name)
	if err != nil {
		return false, refused{err}
	}
	err = s.edit(func(_ file, root *yaml.Node) bool {
		was = remove(root, append(k.mapping(s.Profile), k.path[len(k.path)-1]), 2)
		return was
	})
	return was, err
}

// remove takes what is at path out of a mapping, and the mappings above it that are empty then, but for the first keep.
func remove(mapping *yaml.Node, path []string, keep int) bool {
	at := index(mapping, path[0])
	if at < 0 && len(path) == 1 {
		at = indexFold(mapping, path[0])
	}
	if at < 0 {
		return false
	}
	if len(path) > 1 {
		inner := mapping.Content[at]
		if inner.Kind != yaml.MappingNode || !remove(inner, path[1:], keep-1) {
			return false
		}
		if len(inner.Content) > 0 || keep > 0 {
			return true
		}
	}
	mapping.Content = slices.Delete(mapping.Content, at-1, at+1)
	return true
}

// indexFold is index, upper and lower case aside: the names of headers have none.
func indexFold(mapping *yaml.Node, key string) int {
	for i := 0; i < len(mapping.Content); i += 2 {
		if strings.EqualFold(mapping.Content[i].Value, key) {
			return i + 1
		}
	}
	return -1
}

// UseProfile makes name the profile of commands that name none.
func UseProfile(s Settings, name string) error {
	return s.edit(func(f file, root *yaml.Node) bool {
		if f.current == name || f.current == "" && name == DefaultProfile {
			return false
		}
		set(root, currentProfile, scalar(name))
		return true
	})
}

// RemoveProfile takes the profile called name out of the file, and reports whether it was the current one, in whose place
// the default profile steps.
func RemoveProfile(s Settings, name string) (wasCurrent bool, err error) {
	err = s.edit(func(f file, root *yaml.Node) bool {
		changed := remove(root, []string{"profiles", name}, 0)
		if wasCurrent = f.current == name; wasCurrent {
			changed = remove(root, []string{currentProfile}, 0) || changed
		}
		return changed
	})
	return wasCurrent, err
}
