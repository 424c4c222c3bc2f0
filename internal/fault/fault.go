// Package fault makes errors of panics, without what they quote: a value that the program fell over may be a key.
package fault

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// Fault is a panic. Its text names the place alone.
type Fault struct {
	Type  string // of the panic's value
	Stack string // FUNCTION:LINE of each caller, the innermost first, without arguments
}

func (f *Fault) Error() string {
	at, _, _ := strings.Cut(f.Stack, " ")
	return fmt.Sprintf("a fault in mcpctl (%s at %s)", f.Type, at)
}

// Catch ends a panic in the function that defers it, and hands it to then as an error with a next step (see package problem),
// in whose chain is the *Fault. Without a panic it does nothing.
func Catch(then func(error)) {
	if v := recover(); v != nil {
		f := &Fault{fmt.Sprintf("%T", v), stack()}
		then(problem.With(f, "please report it, with this: "+f.Stack))
	}
}

// Go runs f in a goroutine. A panic in it goes to then, as from Catch, and not to the runtime, which would print its value and
// end the program.
func Go(f func(), then func(error)) {
	go func() {
		defer Catch(then)
		f()
	}()
}

// stack returns the functions that led to a panic.
func stack() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	var list []string
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") { // the machinery of panics
			list = append(list, fmt.Sprintf("%s:%d", f.Function, f.Line))
		}
		if !more {
			return strings.Join(list, " ")
		}
	}
}
