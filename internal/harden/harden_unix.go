//go:build unix

package harden

import "golang.org/x/sys/unix"

// Process forbids core files of this process, which would hold the key. On Linux it also makes the process undumpable: no
// other process of the same user can attach to it or read its environment in /proc (prctl(2), PR_SET_DUMPABLE).
//
// The programs that it starts inherit the limit of core files unless restore is called before; the rest ends with execve.
// What an operating system refuses is left as it is.
func Process() (restore func()) {
	undumpable()
	var before unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &before) != nil || before.Cur == 0 {
		return func() {}
	}
	none := before
	none.Cur = 0
	if unix.Setrlimit(unix.RLIMIT_CORE, &none) != nil {
		return func() {}
	}
	return func() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &before) }
}
