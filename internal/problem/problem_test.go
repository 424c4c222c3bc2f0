package problem

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestNextStep(t *testing.T) {
	inner := New("inner step", "read %s: %w", "f", io.EOF)
	outer := fmt.Errorf("outer: %w", With(inner, "outer step"))
	if got := NextStep(outer); got != "outer step" {
		t.Errorf("%q", got)
	}
	if outer.Error() != "outer: read f: EOF" || !errors.Is(outer, io.EOF) {
		t.Error(outer)
	}
	if With(nil, "x") != nil || NextStep(nil) != "" || NextStep(io.EOF) != "" {
		t.Error("something out of nothing")
	}
}
