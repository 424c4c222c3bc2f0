package adopt

import (
	"regexp"
	"strings"
)

// references fits what clients replace by something from outside of their file: ${NAME}, ${env:NAME} and ${input:ID} in most
// of them, $NAME and %NAME% in Gemini CLI, {env:NAME} and {file:PATH} in opencode.
var references = regexp.MustCompile(`\$\{[^}]*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|\{(?:env|file):[^}]+\}`)

// withoutDefault leaves the default out of ${NAME:-default}: it may be a key.
func withoutDefault(reference string) string {
	name, _, found := strings.Cut(reference, ":-")
	if !found {
		return reference
	}
	return name + "}"
}

// variable fits the notation in which mcp-remote puts a variable into a header.
var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// expand replaces the variables that the entry itself sets, and notes in used which these are.
func expand(text string, env map[string]string, used map[string]bool) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		name := v[2 : len(v)-1]
		if value, ok := env[name]; ok {
			used[name] = true
			return value
		}
		return v
	})
}
