package gateway

import (
	"os"
	"strings"
	"testing"
)

// TestDocs: the page about trouble has a line for each reason.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(meanings(), meaning{reason: "redirected"}) {
		if !strings.Contains(string(page), "`"+m.reason+"`") {
			t.Errorf("docs/troubleshooting.md says nothing about %s", m.reason)
		}
	}
}
