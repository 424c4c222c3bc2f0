package clients

import (
	"maps"
	"slices"
)

// Launch is what an entry makes its client do: start a program, or connect to a URL by itself. It holds what stands in the
// file, which may be secret.
type Launch struct {
	Command string
	Args    []string
	Env     map[string]string
	// Pass names variables that the client passes on beside those that it always does: Codex.
	Pass []string
	URL  string
	// Headers are by name as written. A value may refer to something outside of the file in the client's own notation; one
	// that a client takes from a variable named beside it is written as ${NAME}.
	Headers map[string]string
	// Off says that the entry is switched off.
	Off bool
}

// The names that clients have for the parts of an entry. No client gives another meaning to any of them.
var (
	commandNames = []string{"command", "cmd"}
	envNames     = []string{"env", "environment", "envs"}
	urlNames     = []string{"url", "serverUrl", "httpUrl", "uri"}
	headerNames  = []string{"headers", "http_headers"}
)

// reaching are the members of an entry that say how to reach the server, further those that mean something to one way of reaching
// it alone. Some clients refuse an entry that has some of both ways: codex-rs/config/src/mcp_types.rs in openai/codex.
// All others are the owner's business, such as which tools may be called, and outlive a change of the way.
var (
	reaching = slices.Concat(commandNames, envNames, urlNames, headerNames, []string{
		"args", "type", "transport", "transportType", "source", "env_vars", "requestInit", "env_http_headers", "bearer_token_env_var",
	})
	further = []string{
		"cwd", "envFile", "env_keys", "bearer_token", "headersHelper", "eventSourceInit", "auth", "oauth", "oauth_resource",
		"authProviderType", "targetAudience", "targetServiceAccount", "socket",
	}
)

// LaunchOf reads a decoded entry of any client.
func LaunchOf(entry map[string]any) Launch {
	l := Launch{Env: map[string]string{}, Headers: map[string]string{}}
	for _, name := range commandNames {
		switch command := entry[name].(type) {
		case string:
			l.Command = command
		case []any: // opencode has program and arguments in one list
			if line := texts(command); len(line) > 0 {
				l.Command, l.Args = line[0], line[1:]
			}
		}
	}
	if args, ok := entry["args"].([]any); ok && l.Args == nil {
		l.Args = texts(args)
	}
	for _, name := range envNames {
		maps.Copy(l.Env, textMap(entry[name]))
	}
	if names, ok := entry["env_vars"].([]any); ok {
		l.Pass = texts(names)
	}
	for _, name := range urlNames {
		if u, ok := entry[name].(string); ok {
			l.URL = u
		}
	}
	l.Off = entry["disabled"] == true || entry["enabled"] == false
	l.readHeaders(entry)
	return l
}

func (l *Launch) readHeaders(entry map[string]any) {
	for _, name := range headerNames {
		maps.Copy(l.Headers, textMap(entry[name]))
	}
	if init, ok := entry["requestInit"].(map[string]any); ok { // GitHub Copilot for JetBrains
		maps.Copy(l.Headers, textMap(init["headers"]))
	}
	for header, variable := range textMap(entry["env_http_headers"]) { // this and the next: Codex
		l.Headers[header] = "${" + variable + "}"
	}
	if variable, ok := entry["bearer_token_env_var"].(string); ok {
		l.Headers["Authorization"] = "Bearer ${" + variable + "}"
	}
}

// textMap returns the members of an object that are strings.
func textMap(v any) map[string]string {
	m := map[string]string{}
	object, _ := v.(map[string]any)
	for name, value := range object {
		if s, ok := value.(string); ok {
			m[name] = s
		}
	}
	return m
}

// HeaderNames returns the names of the headers, sorted.
func (l Launch) HeaderNames() []string { return slices.Sorted(maps.Keys(l.Headers)) }
