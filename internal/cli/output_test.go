package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// evil is what no terminal may get: escapes of both kinds, a bell, a carriage return, changes of direction.
const evil = "a\x1b]0;pwned\a\x1b[31mb\u009b31mc\rd\u202ee\u2066f\x7fg"

// harmful returns the runes in text that a terminal would act on.
func harmful(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return r
		}
		return -1
	}, text)
}

// TestWordsAreCleaned: whatever a gateway or a file has put into what mcpctl says.
func TestWordsAreCleaned(t *testing.T) {
	var out, errs bytes.Buffer
	a := newUser(t, "https://gateway.invalid").app(nil, &out, &errs)
	a.talk("%s\n", evil)
	a.prompt("%s\n", evil)
	a.report(problem.New(evil+"\nsecond "+evil, "%s", evil))
	if bad := harmful(errs.String()); bad != "" {
		t.Errorf("%q in %q", bad, errs.String())
	}
	if n := strings.Count(errs.String(), "�[31mb�31mc d�e�f�g"); n != 5 || !strings.Contains(errs.String(), "\n  second a") {
		t.Errorf("%d in %q", n, errs.String())
	}
}

// TestAuthTypeIsOneLine: what a listing says of a server can't make lines of its own either.
func TestAuthTypeIsOneLine(t *testing.T) {
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"slug": "odd", "auth_type": evil + "\n\tmcpctl: all is well"})
	}))
	defer g.Close()
	u := newUser(t, g.URL)
	u.env["MCPCTL_API_KEY"] = "k-0123456789"
	code, _, text := u.run("", "connect", "odd")
	if code != 0 || strings.Count(text, "\n") != 1 || harmful(text) != "" {
		t.Errorf("exit %d, %q", code, text)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestOutputThatIsLost: a command whose answer couldn't be written has failed.
func TestOutputThatIsLost(t *testing.T) {
	for _, args := range []string{
		"", "--help", "help", "help exit-codes", "help install", "config", "config get --help", "config path", "config get gateway_url",
		"config ls", "version", "snippet notes", "completion bash", "install cursor notes --link --command mcpctl",
		"install cursor notes --force --dry-run --command mcpctl",
	} {
		var errs bytes.Buffer
		code := newUser(t, "https://gateway.example").app(nil, fullDisk{}, &errs).run(t.Context(), strings.Fields(args))
		if code != exitFailed || errs.String() != "mcpctl: no space left\n" {
			t.Errorf("mcpctl %s: exit %d, %q", args, code, errs.String())
		}
	}
}
