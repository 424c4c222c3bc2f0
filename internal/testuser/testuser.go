//go:build linux

// Package testuser runs a part of a test with the rights of another user.
package testuser

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Run calls f on a thread that has the user's and the group's rights, both called id, and no others. Only root can.
func Run(id int, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		u := uintptr(id)
		for _, number := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
			if _, _, errno := syscall.RawSyscall(number, u, u, u); errno != 0 {
				panic(errno)
			}
		}
		f()
	}()
	<-done
}
