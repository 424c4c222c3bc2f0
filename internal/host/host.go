// Package host describes the machine that mcpctl runs on: its operating system, its environment, and the
// folders that follow from the two.
package host

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
)

// Host is an operating system with an environment. A test builds one by hand to see the paths of an OS that it
// doesn't run on; mcpctl itself uses Current.
type Host struct {
	// OS is a GOOS value: "darwin", "linux", "windows".
	OS string
	// Home is the user's home folder, an absolute path in the OS's own notation.
	Home string
	// AppData and LocalAppData are the Windows folders of these names (FOLDERID_RoamingAppData and
	// FOLDERID_LocalAppData); empty elsewhere.
	AppData, LocalAppData string
	// Env looks a variable up; nil means an empty environment. An empty value counts as unset.
	Env func(name string) string
}

// Current describes this machine. It fails where the user has no home folder: neither by the environment, which services are
// often started without, nor by the system's list of users.
func Current() (Host, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		var u *user.User
		if u, err = user.Current(); err == nil {
			home = u.HomeDir
		}
	}
	if err != nil || !filepath.IsAbs(home) {
		return Host{}, fmt.Errorf("no home folder: set HOME to an absolute path (%q now)", home)
	}
	h := Host{OS: runtime.GOOS, Home: home, Env: os.Getenv}
	h.AppData, h.LocalAppData = appData(home)
	return h, nil
}

// Seal returns a host that knows the values that these variables have now, and takes them out of this process's environment:
// no program that it starts, such as a browser that runs for weeks, inherits them.
func (h Host) Seal(names ...string) Host {
	sealed := map[string]string{}
	for _, name := range names {
		sealed[name] = h.Getenv(name)
		os.Unsetenv(name)
	}
	env := h.Env
	h.Env = func(name string) string {
		if value, ok := sealed[name]; ok {
			return value
		}
		return env(name)
	}
	return h
}

// Getenv returns the value of a variable, "" if it is unset or empty.
func (h Host) Getenv(name string) string {
	if h.Env == nil {
		return ""
	}
	return h.Env(name)
}

// Join joins path elements with the host's own separator, whatever OS this program runs on. Empty elements
// are left out; nothing else is cleaned.
func (h Host) Join(elem ...string) string {
	sep := "/"
	if h.OS == "windows" {
		sep = `\`
	}
	kept := make([]string, 0, len(elem))
	for i, e := range elem {
		if e == "" {
			continue
		}
		if i > 0 && h.OS == "windows" {
			e = strings.ReplaceAll(e, "/", sep)
		}
		kept = append(kept, e)
	}
	return strings.Join(kept, sep)
}

// XDGConfigHome is $XDG_CONFIG_HOME if that is an absolute path, else ~/.config (XDG Base Directory
// Specification: a relative value must be ignored).
func (h Host) XDGConfigHome() string {
	if d := h.Getenv("XDG_CONFIG_HOME"); strings.HasPrefix(d, "/") {
		return d
	}
	return h.Join(h.Home, ".config")
}

// ConfigDir is the folder of mcpctl's own settings.
func (h Host) ConfigDir() string {
	if h.OS == "windows" {
		return h.Join(h.AppData, "mcpctl")
	}
	return h.Join(h.XDGConfigHome(), "mcpctl")
}

// StateDir is the folder of what mcpctl has to remember: records, backups, locks.
func (h Host) StateDir() string {
	if h.OS == "windows" {
		return h.Join(h.LocalAppData, "mcpctl")
	}
	if d := h.Getenv("XDG_STATE_HOME"); strings.HasPrefix(d, "/") {
		return h.Join(d, "mcpctl")
	}
	return h.Join(h.Home, ".local", "state", "mcpctl")
}
