//go:build !windows

package logfile

import (
	"errors"
	"os"
	"syscall"
)

// markAlive shows other processes that f is still being written to, until it is closed or its process ends, however that
// happens. The lock doesn't hinder readers.
func markAlive(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

// isAlive reports whether the process that writes to path lives.
func isAlive(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	// Shared, so that two processes that look at once don't take each other for the writer.
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
