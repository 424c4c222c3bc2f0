package promises

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// last is the number of the last promise.
const last = 33

// shown names the tests that show a promise and don't carry its number: PACKAGE TEST, or script NAME for a file of
// testdata/script. The others are called TestT07….
func shown() map[int][]string {
	return map[int][]string{
		3:  {"script install", "script install_settings"},
		4:  {"internal/credential TestFileModes", "internal/atomicfile TestWriteStopped"},
		5:  {"internal/credential TestFileRefusesLinks", "internal/credential TestFileRefusesAnOpenFolder", "internal/credential TestFileRefusesAForeignOwner"},
		6:  {"internal/e2e TestKeyringsThatFail", "internal/cli TestLoginWithoutAKeyring"},
		7:  {"internal/credential TestDismissedPrompts"},
		8:  {"script logout", "script profile", "internal/cli TestLogout"},
		9:  {"internal/web TestRedirects", "internal/web TestKeyGoesOnlyToItsOrigins", "internal/conformance TestSecurity"},
		10: {"internal/credential TestStoredKeyStaysWithItsOrigins", "internal/cli TestChangedAddressNeedsLogin"},
		12: {"internal/web TestPlainHTTP"},
		13: {"internal/web TestCAFile"},
		15: {"internal/credential TestPortkeyVariableStaysWithPortkey"},
		16: {"internal/consent TestCheckRefuses", "internal/conformance TestSecurity"},
		17: {"internal/conformance TestSecurity"},
		18: {"script consent_processes", "internal/host TestSeal"},
		19: {"internal/consent TestFind"},
		20: {"script consent_processes", "internal/consent TestProcesses"},
		26: {"script bridge_consent"},
		27: {"internal/e2e TestKeyringsThatFail", "internal/credential TestKeyringHasALimit"},
		28: {"internal/e2e TestNoBus"},
		29: {"internal/bridge TestPanicInOneMessage"},
		30: {"internal/e2e TestTLSAndDebugLog"},
		31: {"internal/secret TestSecretIsNeverShown"},
	}
}

// TestEveryPromiseIsShown: SECURITY.md makes each promise once, each has a test, and each test that is named exists.
func TestEveryPromiseIsShown(t *testing.T) {
	root := filepath.Join("..", "..")
	numbered := map[int]bool{}
	tests := map[string]bool{}
	name := regexp.MustCompile(`(?m)^func (Test(?:T(\d\d))?\w*)\(`)
	for _, folder := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			rel, _ := filepath.Rel(root, filepath.Dir(path))
			for _, m := range name.FindAllStringSubmatch(string(text), -1) {
				tests[filepath.ToSlash(rel)+" "+m[1]] = true
				if n, err := strconv.Atoi(m[2]); err == nil {
					numbered[n] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n, list := range shown() {
		for _, test := range list {
			script, isScript := strings.CutPrefix(test, "script ")
			_, err := os.Stat(filepath.Join(root, "testdata", "script", script+".txtar"))
			if isScript && err != nil || !isScript && !tests[test] {
				t.Errorf("T%d: there is no %s", n, test)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range last {
		n++
		if !numbered[n] && len(shown()[n]) == 0 {
			t.Errorf("T%d has no test", n)
		}
		if c := strings.Count(string(text), fmt.Sprintf("- **T%d** ", n)); c != 1 {
			t.Errorf("SECURITY.md makes the promise T%d %d times", n, c)
		}
	}
	for n := range numbered {
		if n < 1 || n > last {
			t.Errorf("there is no promise T%d", n)
		}
	}
}
