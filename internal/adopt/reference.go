package adopt

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/pattern"
)

// What clients replace by something from outside of their file, as a whole value: a key may have such characters in it.
var references = []func() *regexp.Regexp{
	pattern.New(`^(\$\{(?:env:)?[A-Za-z_]\w*)(?::?[-=?+].*)?(\})$`), // ${NAME}, ${env:NAME}, with a default or without
	pattern.New(`^\$\{(?:input|file):[^{}]+\}$`),
	pattern.New(`^%[A-Za-z_]\w*%$`),          // Gemini CLI, on Windows
	pattern.New(`^\{(?:env|file):[^{}]+\}$`), // opencode
	pattern.New(`^\$[A-Z_][A-Z0-9_]*$`),      // as in shells
}

// dollarName is one more notation, which fits keys too, so that it counts for the clients alone that have it.
var dollarName = pattern.New(`^\$[A-Za-z_]\w*$`)

// referenceIn returns the reference that value is, without a default: that may be a key.
func referenceIn(c clients.Client, value string) (reference string, ok bool) {
	if c.DollarNames && dollarName().MatchString(value) {
		return value, true
	}
	for _, r := range references {
		if m := r().FindStringSubmatch(value); m != nil {
			return strings.Join(m[min(1, len(m)-1):], ""), true
		}
	}
	if strings.HasPrefix(value, "${") && strings.HasSuffix(value, "}") { // of a kind that isn't known here, with anything in it
		return "${…}", true
	}
	return "", false
}

// variable fits the notation in which mcp-remote puts a variable into a header.
var variable = pattern.New(`\$\{(\w+)\}`)

// expand replaces the variables that the entry itself sets, and notes in used which are there.
func expand(text string, env map[string]string, used map[string]bool) string {
	return variable().ReplaceAllStringFunc(text, func(v string) string {
		name := v[2 : len(v)-1]
		used[name] = true
		if value, ok := env[name]; ok {
			return value
		}
		return v
	})
}

// unused names the variables of env, and those that e has passed on to what it starts, but for what is in used.
func unused(e clients.Launch, env map[string]string, used map[string]bool) []string {
	var names []string
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(env)), e.Pass) {
		if !used[name] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
