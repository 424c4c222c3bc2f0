package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// brokenInput falls over the key that it was to deliver.
type brokenInput struct{}

func (brokenInput) Read([]byte) (int, error) { panic("canary-0123456789") }

// TestT29CommandsQuoteNothing: a fault in a command, or in a goroutine that it waits for, is an error like others, without what it
// was about.
func TestT29CommandsQuoteNothing(t *testing.T) {
	var out, errs bytes.Buffer
	a := newUser(t, "https://gateway.invalid").app(brokenInput{}, &out, &errs)
	code := a.run(context.Background(), []string{"login", "--with-key"})
	text := errs.String()
	if code != exitFailed || !strings.Contains(text, "mcpctl: a fault in mcpctl (string at ") || !strings.Contains(text, "please report it") {
		t.Errorf("exit %d, %s", code, text)
	}
	err := execute(context.Background(), &cobra.Command{RunE: func(*cobra.Command, []string) error { panic("canary-0123456789") }})
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(text+err.Error()+out.String(), "canary") {
		t.Errorf("quotes what it was about: %s %v", text, err)
	}
}
