package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "mcpctl-canary/+ 0123456789abcdef"

func TestSecretIsNeverShown(t *testing.T) {
	type nested struct {
		Public  Secret
		private Secret
		Pointer *Secret
		List    []Secret
		Map     map[string]Secret
		Any     any
	}
	s := New(canary)
	n := nested{s, s, &s, []Secret{s}, map[string]Secret{"k": s}, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3s"} {
		for _, v := range []any{s, &s, n, &n, fmt.Errorf("wrapped: %v", s)} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	fmt.Fprintln(&out, s, n)
	for _, v := range []any{s, n} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		y, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(j)
		out.Write(y)
		slog.New(slog.NewTextHandler(&out, nil)).Error("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Error("x", "v", v)
	}
	text := out.String()
	for _, leak := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), "0123456789"} {
		if strings.Contains(text, leak) {
			t.Errorf("shows %q", leak)
		}
	}
	if !strings.Contains(text, redacted) {
		t.Error("doesn't say that something was redacted")
	}
	if s.Reveal() != canary || s.Hint() != "…cdef" || New("short").Hint() != "…" || !New("").IsZero() {
		t.Error("Reveal, Hint or IsZero is wrong")
	}
}

func TestRedactingWriter(t *testing.T) {
	forms := map[string]string{"raw": canary, "query": url.QueryEscape(canary), "path": url.PathEscape(canary)}
	for shift := range 4 {
		for after := range 3 {
			plain := []byte(strings.Repeat("u", shift) + canary + strings.Repeat("z", after))
			forms[fmt.Sprint("base64 ", shift, after)] = base64.StdEncoding.EncodeToString(plain)
			forms[fmt.Sprint("base64url ", shift, after)] = base64.URLEncoding.EncodeToString(plain)
		}
	}
	for name, form := range forms {
		text := "before mcpctl " + form + form + " after\n"
		for chunk := 1; chunk <= len(text); chunk++ {
			var r Redactor
			r.Hide(New(canary))
			var out bytes.Buffer
			w := r.Writer(&out)
			for rest := text; rest != ""; {
				n := min(chunk, len(rest))
				if m, err := w.Write([]byte(rest[:n])); m != n || err != nil {
					t.Fatalf("Write: %d, %v", m, err)
				}
				rest = rest[n:]
			}
			got := out.String()
			if !strings.HasPrefix(got, "before mcpctl ") || !strings.HasSuffix(got, " after\n") || strings.Count(got, redacted) != 2 ||
				strings.Contains(got, form[4:len(form)-4]) {
				t.Fatalf("%s in chunks of %d: %q", name, chunk, got)
			}
		}
	}
}

func TestRedactingWriterLosesNothingElse(t *testing.T) {
	var r Redactor
	r.Hide(New(canary))
	r.Hide(New("short"))
	r.Hide(Secret{})
	var out bytes.Buffer
	w := r.Writer(&out)
	for _, s := range []string{"a short mcpctl-can", "teen mcpctl-canary"} {
		if _, err := w.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "a short mcpctl-canteen " {
		t.Errorf("before Flush: %q", got)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "a short mcpctl-canteen mcpctl-canary" {
		t.Errorf("after Flush: %q", got)
	}
	var none *Redactor
	none.Hide(New(canary))
	out.Reset()
	if fmt.Fprint(none.Writer(&out), canary); out.String() != canary {
		t.Errorf("a nil Redactor: %q", out.String())
	}
}
