// Package realclients lets AI clients from npm read what the built program's install writes, and call a tool through its
// bridge (build tag clients). All of it is tests.
package realclients
