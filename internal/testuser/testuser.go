//go:build linux

// Package testuser runs a part of a test with the rights of another user.
package testuser

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Folder returns a folder of the test's in which every user may write. It skips the test where it isn't root's: nobody else can make
// a file of someone else, or become someone. CI is root.
func Folder(t testing.TB) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user, and give files away")
	}
	folder := t.TempDir()
	for _, dir := range []string{folder, filepath.Dir(folder)} { // the outer one is the test's too
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

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
