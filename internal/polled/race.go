//go:build race

package polled

// raceDetector: it learns what happens before what from the system calls that package syscall makes, and from no others.
const raceDetector = true
