// Package promises holds the built binary against the promises of SECURITY.md, by their numbers.
package promises
