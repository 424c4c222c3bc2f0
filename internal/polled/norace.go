//go:build !race

package polled

// raceDetector says whether the race detector looks on.
const raceDetector = false
