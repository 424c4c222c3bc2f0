package child

import (
	"errors"
	"os"
)

func replace(string, []string, []string) error { return errors.ErrUnsupported }

// passed are the events of the console. It sends them to the program as well, so that this process only has to outlive them.
func passed() []os.Signal { return []os.Signal{os.Interrupt} }

func pass(*os.Process, os.Signal) {}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
