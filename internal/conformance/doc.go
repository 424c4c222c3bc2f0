// Package conformance holds the built program against the rules of a bridge between stdio and streamable HTTP: a scripted
// server on one side, the process's pipes on the other. All of it is tests.
//
// Each subtest carries the number of its rule: framing B01–B11, headers B12–B18, sessions B19–B26, event streams B27–B33,
// concurrency B34–B38, failure B39–B44, shutdown B52–B54, security B55–B58.
package conformance
