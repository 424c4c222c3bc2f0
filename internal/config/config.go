// Package config reads mcpctl's settings, each from the first of flag, environment, profile, default.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
	"github.com/mcpctl/mcpctl/internal/web"
)

// The hosted gateway, and the profile of whoever has only one.
const (
	DefaultGatewayURL      = "https://mcp.portkey.ai"
	DefaultControlPlaneURL = "https://api.portkey.ai/v1"
	DefaultProfile         = "default"
)

// Flags are the settings as they were given on the command line; empty means not given.
type Flags struct {
	ConfigFile      string
	Profile         string
	GatewayURL      string
	ControlPlaneURL string
	Workspace       string
	CAFile          string
	AllowHTTP       bool
	LogLevel        string
}

// Settings are the settings in force.
type Settings struct {
	// File is the absolute path of the settings file, whether or not it exists.
	File string
	// Profile is the profile's name, and Profiles are the names in the settings file, in its order.
	Profile  string
	Profiles []string
	// GatewayURL and ControlPlaneURL are base URLs without a trailing slash; they may have a path.
	GatewayURL, ControlPlaneURL string
	// Workspace is a workspace's UUID or slug, for organisation keys.
	Workspace string
	// CAFile is a PEM file whose certificates are trusted beside the system's; an absolute path.
	CAFile string
	// Proxy is a proxy's URL for all requests; empty means that the environment decides.
	Proxy string
	// AllowHTTP lists the origins off loopback that may be spoken to over plain http.
	AllowHTTP []string
	// KeyHeader is "x-portkey-api-key" or "authorization" where the profile names it; empty means what login found.
	KeyHeader string
	// KeyCommand is a program with arguments that prints the key.
	KeyCommand []string
	// CredentialStore is where login put the key: "keyring" (also when nothing is recorded) or "file".
	CredentialStore string
	// Headers go out with every request to an MCP server; ServerHeaders, by server, win over them. They aren't secret.
	Headers       map[string]string
	ServerHeaders map[string]map[string]string
	// Trace labels the requests to all servers, ServerTraces those to one: see TraceOf.
	Trace        Trace
	ServerTraces map[string]Trace
	// LogLevel is what a bridge writes down: debug, info, warn or error, unchecked where it came by flag or environment.
	// Empty leaves it to the bridge.
	LogLevel string
	// Sources says for each setting, by its name in the file, where its value comes from: "--gateway", the name of a variable,
	// FILE:LINE:COLUMN. What isn't in it has its default.
	Sources map[string]string
	// Unknown are the names in the profile that are no settings, with their places.
	Unknown []Unknown
	// Given holds the settings that came by flag or environment rather than from the settings file or a default, by
	// the name of the flag that sets them ("gateway", "profile", …): an installed entry has to repeat them.
	Given map[string]string
	// locks is where those take turns that change the file.
	locks state.Dir
}

// KnowsProfile reports whether the settings file has the profile in force. The default profile always exists.
func (s Settings) KnowsProfile() bool {
	return s.Profile == DefaultProfile || slices.Contains(s.Profiles, s.Profile)
}

// setting is a row of the precedence table: what differs between the settings that are a single value.
type setting struct {
	flag     string // the flag's name, and the key in Settings.Given
	env      string
	key      string // in a profile of the settings file
	fallback string
	ofFlags  func(*Flags) string
	field    func(*Settings) *string
	// isPath makes a relative value absolute: against the working folder, or the settings file's own folder.
	isPath bool
}

func table() []setting {
	return []setting{
		{"gateway", "MCPCTL_GATEWAY_URL", "gateway_url", DefaultGatewayURL,
			func(f *Flags) string { return f.GatewayURL }, func(s *Settings) *string { return &s.GatewayURL }, false},
		{"control-plane", "MCPCTL_CONTROL_PLANE_URL", "control_plane_url", DefaultControlPlaneURL,
			func(f *Flags) string { return f.ControlPlaneURL }, func(s *Settings) *string { return &s.ControlPlaneURL }, false},
		{"workspace", "MCPCTL_WORKSPACE", "workspace", "",
			func(f *Flags) string { return f.Workspace }, func(s *Settings) *string { return &s.Workspace }, false},
		{"ca-file", "", "ca_file", "",
			func(f *Flags) string { return f.CAFile }, func(s *Settings) *string { return &s.CAFile }, true},
		{"log-level", "MCPCTL_LOG_LEVEL", "log_level", "",
			func(f *Flags) string { return f.LogLevel }, func(s *Settings) *string { return &s.LogLevel }, false},
	}
}

// Load returns the settings in force on h. A settings file that doesn't exist is an empty one. An error names the flag,
// the variable, or the file with line and column that it is about; a profile that the file lacks is no error here, since
// login makes it (see Settings.KnowsProfile).
//
// Nothing is ever read from the working folder: a project's file must not say where a key goes.
func Load(h host.Host, f Flags) (Settings, error) {
	s := Settings{Given: map[string]string{}, Sources: map[string]string{}, CredentialStore: "keyring", locks: state.At(h.StateDir())}
	if err := s.findFile(h, f); err != nil {
		return s, err
	}
	file, err := readFile(s.File)
	if err != nil {
		return s, err
	}
	s.Profiles = file.profiles
	s.chooseProfile(h, f, file)
	profile, err := file.profile(s.Profile)
	if err != nil {
		return s, err
	}
	profile.fill(&s)
	origin := map[string]string{} // of each value: what an error has to name
	for _, row := range table() {
		if err := s.apply(row, h, &f, profile, origin); err != nil {
			return s, err
		}
		if !row.isPath && looksLikeKey(row.key, *row.field(&s)) { // it would be shown, sent as what it isn't, and written into clients' files
			return s, keyInside{problem.New("take it out (mcpctl config unset "+row.key+", if it is in the file): mcpctl login asks for the key, and keeps it in the OS keyring",
				"%s: that looks like a key (not shown here)", origin[row.flag])}
		}
	}
	return s, s.checkURLs(f.AllowHTTP, origin)
}

// ErrKeyInside is a setting in whose value there is a key. It doesn't keep Set and Unset from replacing that.
var ErrKeyInside = errors.New("a key in a setting")

type keyInside struct{ error }

func (keyInside) Is(target error) bool { return target == ErrKeyInside }
func (e keyInside) Unwrap() error      { return e.error }

// File returns the absolute path of the settings file, whether or not it exists or can be read.
func File(h host.Host, f Flags) (string, error) {
	s := Settings{Given: map[string]string{}}
	err := s.findFile(h, f)
	return s.File, err
}

func (s *Settings) chooseProfile(h host.Host, f Flags, file file) {
	env := h.Getenv("MCPCTL_PROFILE")
	switch {
	case f.Profile != "":
		s.Profile, s.Sources[currentProfile] = f.Profile, "--profile"
	case env != "":
		s.Profile, s.Sources[currentProfile] = env, "MCPCTL_PROFILE"
	case file.current != "":
		s.Profile, s.Sources[currentProfile] = file.current, file.placeOf(file.root, currentProfile)
		return
	default:
		s.Profile = DefaultProfile
		return
	}
	s.Given["profile"] = s.Profile
}

func (s *Settings) findFile(h host.Host, f Flags) error {
	given := first(f.ConfigFile, h.Getenv("MCPCTL_CONFIG"))
	if given == "" {
		s.File = h.Join(h.ConfigDir(), "config.yaml")
		return nil
	}
	path, err := filepath.Abs(given)
	if err != nil {
		return err
	}
	s.File, s.Given["config"] = path, path
	return nil
}

// apply sets one setting by its precedence: flag, environment, profile, default.
func (s *Settings) apply(row setting, h host.Host, f *Flags, p profile, origin map[string]string) error {
	field := row.field(s)
	env := ""
	if row.env != "" {
		env = h.Getenv(row.env)
	}
	switch flag := row.ofFlags(f); {
	case flag != "":
		*field, origin[row.flag] = flag, "--"+row.flag
		s.Sources[row.key] = "--" + row.flag
	case env != "":
		*field, origin[row.flag] = env, row.env
		s.Sources[row.key] = row.env
	case p.has(row.key):
		*field, origin[row.flag] = p.text(row.key), p.where(row.key)
		if row.isPath && *field != "" && !filepath.IsAbs(*field) {
			*field = filepath.Join(filepath.Dir(s.File), *field)
		}
		return nil
	default:
		*field, origin[row.flag] = row.fallback, row.flag
		return nil
	}
	if row.isPath {
		abs, err := filepath.Abs(*field)
		if err != nil {
			return err
		}
		*field = abs
	}
	s.Given[row.flag] = *field
	return nil
}

// checkURLs validates the two base URLs and brings them into one form. With allowHTTP, their origins become allowed.
func (s *Settings) checkURLs(allowHTTP bool, origin map[string]string) error {
	if allowHTTP {
		s.Given["allow-http"] = "true"
	}
	for _, base := range []struct {
		flag  string
		field *string
	}{{"gateway", &s.GatewayURL}, {"control-plane", &s.ControlPlaneURL}} {
		u, err := parseBase(*base.field)
		if err == nil {
			if o := web.Origin(u); allowHTTP && u.Scheme == "http" && !slices.Contains(s.AllowHTTP, o) && !web.IsLoopback(u.Hostname()) {
				s.AllowHTTP = append(s.AllowHTTP, o)
				s.Sources["allow_http"] = "--allow-http"
			}
			err = checkBase(u, s.AllowHTTP)
		}
		if err != nil {
			return problem.With(fmt.Errorf("%s: %w", origin[base.flag], err), problem.NextStep(err))
		}
		*base.field = strings.TrimRight(u.String(), "/")
		if _, given := s.Given[base.flag]; given {
			s.Given[base.flag] = *base.field
		}
	}
	return nil
}

// parseBase keeps the text of a URL out of its errors: it may hold a password.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, problem.New("write it as https://HOST or https://HOST/PATH", "not a URL")
	}
	return u, nil
}

func checkBase(u *url.URL, allowHTTP []string) error {
	switch {
	case u.User != nil:
		return problem.New("leave the user out; the key is stored by mcpctl login", "%s: a base URL can't hold a user or password", web.Redact(u))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return problem.New("write it as https://HOST or https://HOST/PATH", "%s: a base URL can't have a query or fragment", web.Redact(u))
	case u.Scheme == "http" && web.IsPortkey(u):
		return problem.New("write it as https://"+u.Host, "%s: portkey.ai is never spoken to over plain http", web.Redact(u))
	}
	return web.CheckURL(u, allowHTTP)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// readFile reads the settings file. Where there is none it costs one system call: a bridge must not wait for a parser
// that has nothing to parse.
func readFile(path string) (file, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file{}, nil
	}
	if err != nil {
		return file{}, problem.With(fmt.Errorf("read the settings: %w", err), "check the path, or name another file with --config")
	}
	return parse(path, data)
}
