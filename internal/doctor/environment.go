package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/host"
)

// environment is what a client gives to the servers that it starts.
type environment struct {
	// only names the variables that are passed on; nil is all of them.
	only []string
	// without are parts of names that are held back.
	without []string
	// desktop says that the client is started from a desktop: on macOS it then has a PATH of system folders alone.
	desktop bool
}

// common is what the official TypeScript SDK passes on (client/stdio.ts), on which most clients are built.
func common(os string) []string {
	if os == "windows" {
		return []string{"APPDATA", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATH", "PROCESSOR_ARCHITECTURE", "SYSTEMDRIVE",
			"SYSTEMROOT", "TEMP", "USERNAME", "USERPROFILE", "PROGRAMFILES"}
	}
	return []string{"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"}
}

// environments has the clients that differ from the rest; the rest, "", is what the SDK does for a desktop program. Codex:
// codex-rs/rmcp-client/src/utils.rs in openai/codex; Gemini CLI: docs/tools/mcp-server.md; the others were watched.
func environments(os string) map[string]environment {
	codex := []string{"HOME", "LOGNAME", "PATH", "SHELL", "USER", "__CF_USER_TEXT_ENCODING", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "SSL_CERT_FILE"}
	if os == "windows" {
		codex = common(os)
	}
	return map[string]environment{
		"":            {only: common(os), desktop: true},
		"codex":       {only: codex},
		"claude-code": {},
		"opencode":    {},
		"cline":       {},
		"copilot-cli": {without: []string{"COPILOT_OFFLINE", "COPILOT_PROVIDER_BASE_URL"}},
		"gemini-cli":  {without: []string{"TOKEN", "SECRET", "PASSWORD", "KEY", "AUTH", "CREDENTIAL", "SSL_CERT_FILE"}},
	}
}

func environmentOf(os, client string) environment {
	table := environments(os)
	if e, ok := table[client]; ok {
		return e
	}
	return table[""]
}

// with returns an environment in which the variables of these names are passed on too.
func (e environment) with(names []string) environment {
	if e.only != nil {
		e.only = slices.Concat(e.only, names)
	}
	return e
}

// list returns the variables of environ, each NAME=VALUE, that the client passes on, with those of the entry.
func (e environment) list(h host.Host, environ []string, entry map[string]string) []string {
	vars := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if name != "" && e.passes(h.OS, name) {
			vars[name] = value
		}
	}
	if e.desktop && h.OS == "darwin" {
		vars["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
	}
	maps.Copy(vars, entry)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, name+"="+vars[name])
	}
	return list
}

func (e environment) passes(os, name string) bool {
	if os == "windows" {
		name = strings.ToUpper(name)
	}
	if slices.ContainsFunc(e.without, func(part string) bool { return strings.Contains(strings.ToUpper(name), part) }) {
		return false
	}
	return e.only == nil || slices.Contains(e.only, name)
}
