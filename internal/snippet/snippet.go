// Package snippet is code that connects to a server of the gateway, in several languages, with the key from the environment.
package snippet

import (
	"embed"
	"strings"

	"github.com/mcpctl/mcpctl/internal/web"
)

//go:embed text
var text embed.FS

// Language is one that there is a snippet in.
type Language struct {
	Name string // as in --lang
	// Run is how to run the snippet under mcpctl exec, in a file that it names; "" if it isn't a program.
	Run string

	file string
	// header has how the header with the key is written, bearer the same for a key in Authorization.
	header, bearer string
}

// Languages returns all languages, the most popular first.
func Languages() []Language {
	return []Language{
		{"python", "python agent.py", "python.py",
			`"x-portkey-api-key": os.environ["PORTKEY_API_KEY"]`, `"Authorization": "Bearer " + os.environ["PORTKEY_API_KEY"]`},
		{"typescript", "npx tsx agent.mts", "typescript.ts",
			"\"x-portkey-api-key\": `${process.env.PORTKEY_API_KEY}`", "Authorization: `Bearer ${process.env.PORTKEY_API_KEY}`"},
		{"go", "go run .", "go.txt",
			`"x-portkey-api-key": os.Getenv("PORTKEY_API_KEY")`, `"Authorization": "Bearer " + os.Getenv("PORTKEY_API_KEY")`},
		{"curl", "sh agent.sh", "curl.sh",
			"x-portkey-api-key: $PORTKEY_API_KEY", "Authorization: Bearer $PORTKEY_API_KEY"},
		{"json", "", "json.json",
			`"x-portkey-api-key": "${PORTKEY_API_KEY}"`, `"Authorization": "Bearer ${PORTKEY_API_KEY}"`},
	}
}

// Code returns the snippet for the server called name at url, with the key in header: one of web's two, or "" for the usual.
func (l Language) Code(name, url, header string) (string, error) {
	code, err := text.ReadFile("text/" + l.file)
	if err != nil {
		return "", err
	}
	credential := l.header
	if header == web.AuthorizationHeader {
		credential = l.bearer
	}
	// What a URL may hold and a language might act on.
	quote := strings.NewReplacer("'", "%27", "$", "%24", `"`, "%22", "`", "%60", `\`, "%5C", "\n", "%0A").Replace
	return strings.NewReplacer("@NAME@", quote(name), "@URL@", quote(url), "@HEADER@", credential).Replace(string(code)), nil
}
