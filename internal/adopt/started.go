package adopt

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/pattern"
)

// launchers are the programs that people start a bridge with, as in "cmd /c npx -y mcp-remote".
var launchers = []string{
	"npx", "npm", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "node", "cmd", "env", "docker", "podman", "mise", "volta",
	"mcp-remote", "supergateway",
}

// startedBridge reads an entry that starts mcp-remote or supergateway.
func startedBridge(e clients.Launch) (remote, bool) {
	words := append([]string{e.Command}, e.Args...)
	if len(e.Args) == 0 { // a whole line as the command
		words = strings.Fields(e.Command)
	}
	if len(words) == 0 || !slices.Contains(launchers, programName(words[0])) {
		return remote{}, false
	}
	env := maps.Clone(e.Env)
	if env == nil {
		env = map[string]string{}
	}
	for i, w := range words {
		name, value, assigned := strings.Cut(w, "=")
		if assigned && variableName().MatchString(name) { // env NAME=VALUE, docker -e NAME=VALUE
			env[name] = value
			continue
		}
		kind, ok := packageKind(w)
		if !ok {
			continue
		}
		rest := slices.Clone(words[i+1:])
		used := map[string]bool{}
		for j := range rest {
			rest[j] = expand(rest[j], env, used)
		}
		r, ok := parseBridge(kind, rest)
		r.variables = unused(e, env, used)
		return r, ok
	}
	return remote{}, false
}

var variableName = pattern.New(`^[A-Za-z_]\w*$`)

// programName is the name of a program without folder and suffix, in lower case.
func programName(path string) string {
	name := strings.ToLower(path[strings.LastIndexAny(path, `/\`)+1:])
	return strings.TrimSuffix(strings.TrimSuffix(name, ".exe"), ".cmd")
}

// packageKind reports which of the two a word names: mcp-remote, mcp-remote@0.1.29, npm:mcp-remote, a path like
// …/node_modules/mcp-remote/dist/proxy.js, an image like supercorp/supergateway:latest.
func packageKind(word string) (Kind, bool) {
	if strings.Contains(word, "://") {
		return "", false
	}
	word = strings.TrimPrefix(strings.ToLower(word), "npm:")
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return r == '/' || r == '\\' }) {
		if i := strings.IndexAny(part, "@:"); i > 0 {
			part = part[:i]
		}
		switch k := Kind(programName(part)); k {
		case MCPRemote, Supergateway:
			return k, true
		}
	}
	return "", false
}

// parseBridge reads the arguments of a bridge. Both take --header 'NAME: VALUE', any number of times.
func parseBridge(kind Kind, args []string) (remote, bool) {
	r := remote{kind: kind}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "--") {
			if kind == MCPRemote && r.url == "" && isURL(args[i]) {
				r.url = args[i]
			}
			continue
		}
		option := optionName(name)
		if !slices.Contains([]string{"header", "streamablehttp", "oauth2bearer"}, option) {
			if !slices.Contains(ownOptions, option) && plainOption().MatchString(name) {
				r.options = append(r.options, name)
			}
			continue
		}
		if !joined && i+1 < len(args) {
			i++
			value = args[i]
		}
		switch option {
		case "header":
			if name, value, ok := strings.Cut(value, ":"); ok {
				r.headers = append(r.headers, header{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		case "streamablehttp":
			r.url = value
		case "oauth2bearer":
			r.headers = append(r.headers, header{"Authorization", "Bearer " + value})
		}
	}
	return r, r.url != ""
}

// ownOptions are those that are about the bridge itself, and mean nothing to another.
var ownOptions = []string{
	"transport", "outputtransport", "loglevel", "debug", "silent", "allowhttp", "host", "port", "baseurl", "ssepath", "messagepath",
	"streamablehttppath", "healthendpoint", "cors", "stateful", "sessiontimeout", "protocolversion",
}

// plainOption fits what can be the name of an option, and is shown.
var plainOption = pattern.New(`^--[A-Za-z][A-Za-z0-9-]{0,40}$`)

// optionName is an option without its dashes: supergateway takes --streamableHttp and --streamable-http alike.
func optionName(word string) string { return strings.ToLower(strings.ReplaceAll(word, "-", "")) }

func isURL(word string) bool {
	return strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://")
}
