package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/problem"
)

type named string

func (n named) String() string { return string(n) }

// TestT29PanicsQuoteNothing: whatever a goroutine falls over, its value is nowhere in the error, and the place is.
func TestT29PanicsQuoteNothing(t *testing.T) {
	const canary = "canary-0123456789"
	for _, v := range []any{canary, errors.New(canary), named(canary), struct{ s string }{canary}, fmt.Errorf("wrapped: %w", errors.New(canary)), 7} {
		got := make(chan error)
		Go(func() { fall(v) }, func(err error) { got <- err })
		err := <-got
		text := err.Error() + " " + problem.NextStep(err)
		if strings.Contains(text, canary) || !strings.Contains(err.Error(), "fault.fall:") || !strings.Contains(err.Error(), fmt.Sprintf("%T", v)) {
			t.Errorf("%s", text)
		}
		var f *Fault
		if !errors.As(err, &f) {
			t.Errorf("%v is no *Fault", err)
		}
	}
	done := make(chan struct{})
	Go(func() { close(done) }, func(err error) { t.Error(err) })
	<-done
}

func fall(v any) { panic(v) }
