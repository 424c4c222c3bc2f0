package credential

import (
	"errors"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// Kind is what is wrong with a key or its store.
type Kind int

// The kinds.
const (
	// Failed is any failure that is none of the others.
	Failed Kind = iota
	// NotFound: the store works, and holds no such key.
	NotFound
	// Absent: this machine, or this session on it, has no such store.
	Absent
	// Locked: the store wants to be unlocked, and nobody did.
	Locked
	// Timeout: the store, or the person that it asked, didn't answer.
	Timeout
	// TooBig: the key is too long for the store.
	TooBig
	// Corrupt: what the store holds isn't what mcpctl wrote.
	Corrupt
	// Denied: the store, or the person that it asked, said no.
	Denied
	// Elsewhere: the key was verified for other origins than the configured ones.
	Elsewhere
)

// Error is a failure of a store. It has a next step (see package problem).
type Error struct {
	Kind Kind
	err  error
}

// NewError returns an Error with a next step; see problem.New.
func NewError(kind Kind, next, format string, args ...any) *Error {
	return &Error{kind, problem.New(next, format, args...)}
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error that has the next step.
func (e *Error) Unwrap() error { return e.err }

// KindOf returns the kind of a store's error, and false if err is none.
func KindOf(err error) (Kind, bool) {
	var e *Error
	if !errors.As(err, &e) {
		return Failed, false
	}
	return e.Kind, true
}
