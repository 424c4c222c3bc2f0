package secret

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Each place that sees a secret's value is known here, with the number of its calls. A new one belongs in this list after
// a look at where the value goes from there.
func TestWhoReveals(t *testing.T) {
	want := map[string]int{
		"internal/secret/secret.go":         3, // Hint: the last four characters; Equal
		"internal/secret/redact.go":         1, // what to blank
		"internal/web/key.go":               3, // the request's header, and what to blank in a server's words
		"internal/credential/credential.go": 1, // what a store keeps
		"internal/cli/exec.go":              2, // the environment of the program that the user named
		"internal/cli/header.go":            1, // the header that the user put it in
		"internal/oauth/keep.go":            4, // what a store keeps
		"internal/oauth/pending.go":         3, // the same
		"internal/oauth/oauth.go":           3, // the request's header, and comparisons with it
		"internal/oauth/login.go":           2, // the verifier: hashed for the page, and as it is for the token endpoint
		"internal/oauth/register.go":        2, // the client's secret, for the token endpoint
		"internal/oauth/renew.go":           7, // the refresh token, for the token endpoint, and comparisons
		"internal/oauth/revoke.go":          1, // for the revocation endpoint
	}
	root := filepath.Join("..", "..")
	got := map[string]int{}
	for _, folder := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if n := strings.Count(string(text), ".Reveal()"); n > 0 {
				rel, _ := filepath.Rel(root, path)
				got[filepath.ToSlash(rel)] = n
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
