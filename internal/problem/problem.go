// Package problem is for errors that a person will read: what happened, and what to do next.
package problem

import (
	"errors"
	"fmt"
)

// Error is an error with a next step.
type Error struct {
	err  error
	next string
}

// New returns an error whose text is format filled with args, and whose next step is next: one sentence,
// preferably a command that the user can type. The verb %w in format wraps as in fmt.Errorf.
func New(next, format string, args ...any) error {
	return &Error{err: fmt.Errorf(format, args...), next: next}
}

// With adds a next step to err, or returns nil if err is nil.
func With(err error, next string) error {
	if err == nil {
		return nil
	}
	return &Error{err: err, next: next}
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error that the next step was added to.
func (e *Error) Unwrap() error { return e.err }

// NextStep returns the outermost next step in err's chain, or "".
func NextStep(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.next
	}
	return ""
}
