//go:build unix

package child

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// replace makes the program this process.
func replace(path string, args, env []string) error {
	return &os.PathError{Op: "exec", Path: path, Err: syscall.Exec(path, args, env)}
}

// passed are the signals that the program gets instead of this process.
func passed() []os.Signal {
	list := []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
		syscall.SIGWINCH, syscall.SIGCONT}
	if !inForeground() { // else Ctrl-Z stops both, and a shell wants to see this process stopped
		list = append(list, syscall.SIGTSTP)
	}
	return list
}

// pass gives the program a signal. One that the terminal sends has gone to the program already: both are in the terminal's
// foreground group.
func pass(p *os.Process, s os.Signal) {
	switch s {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH:
		if inForeground() {
			return
		}
	}
	_ = p.Signal(s) // the program may have ended by itself
	if s == syscall.SIGTSTP {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// inForeground reports whether what is typed at the terminal, such as Ctrl-C, reaches this process and the program.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
