//go:build !windows

package doctor

import (
	"os/exec"
	"syscall"
)

// startGroup starts cmd in a process group of its own. kill ends all that is in it: a signal to the process alone would
// leave what it has started, and what ignores the signal.
func startGroup(cmd *exec.Cmd) (kill func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	group := cmd.Process.Pid
	// The number of a group isn't given away as long as something is in it.
	return func() { _ = syscall.Kill(-group, syscall.SIGKILL) }, nil
}
