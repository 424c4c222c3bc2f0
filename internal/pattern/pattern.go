// Package pattern compiles a regular expression when it is first used.
package pattern

import (
	"regexp"
	"sync"
)

// New returns what compiles an expression (package regexp) at the first call, and panics there if it isn't one. Compiled before
// main, as variables of packages are, the few dozen of all packages took a tenth of the time that a bridge needs to start.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
