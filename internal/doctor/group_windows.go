package doctor

import (
	"os/exec"

	"golang.org/x/sys/windows"
)

// startGroup starts cmd in a job object of its own. kill ends all that is in it.
func startGroup(cmd *exec.Cmd) (kill func(), err error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, process)
		windows.CloseHandle(process)
	}
	return func() {
		if err != nil { // without the job, the process alone
			_ = cmd.Process.Kill()
		}
		_ = windows.TerminateJobObject(job, 1)
	}, nil
}
