//go:build unix

package cli

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/mcpctl/mcpctl/internal/fault"
)

// keepHidden has the terminal fd show nothing of what is typed, until show is called. A shell gives a program that it lets go on
// after Ctrl-Z its own idea of the terminal, with echo: it is taken away again then, and ask is called. Whoever stops or ends
// this process meanwhile, from the keyboard, finds the terminal as it was.
func keepHidden(fd int, ask func()) (show func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	hide := func() { _ = unix.IoctlSetTermios(fd, setTermios, &hidden) }
	restore := func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }
	signals, done := make(chan os.Signal, 4), make(chan struct{})
	signal.Notify(signals, unix.SIGCONT, unix.SIGTSTP, unix.SIGQUIT)
	hide()
	fault.Go(func() {
		for {
			select {
			case s := <-signals:
				switch s {
				case unix.SIGCONT:
					hide()
					ask()
				case unix.SIGTSTP:
					restore()
					_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
				case unix.SIGQUIT:
					restore()
					os.Exit(128 + int(unix.SIGQUIT))
				}
			case <-done:
				return
			}
		}
	}, func(error) {})
	return func() {
		signal.Stop(signals)
		close(done)
		restore()
	}, nil
}
