//go:build linux

// Package testuser runs a part of a test with the rights of another user.
package testuser

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Run calls f on a thread that has the user's and the group's rights, both called id, and no others. Only root can.
func Run(id int, f func()) { RunIn(id, id, f) }

// RunIn is Run for a user whose group is another.
func RunIn(user, group int, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for _, call := range []struct {
			number uintptr
			id     int
		}{{unix.SYS_SETRESGID, group}, {unix.SYS_SETRESUID, user}} {
			if _, _, errno := syscall.RawSyscall(call.number, uintptr(call.id), uintptr(call.id), uintptr(call.id)); errno != 0 {
				panic(errno)
			}
		}
		f()
	}()
	<-done
}
