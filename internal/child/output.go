package child

import (
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// output is a pipe from a program to a writer, which may be slow.
type output struct {
	read, write *os.File
	to          io.Writer
	// writing says that the writer is at work: what takes so long is its reader, and nothing may be lost.
	writing atomic.Bool
	done    chan struct{}
}

// newOutput makes a pipe to a writer. Package os/exec would make one as well, but then gives up on a slow reader as on a process
// that was left behind (Cmd.WaitDelay).
func newOutput(to io.Writer) (*output, error) {
	read, write, err := os.Pipe()
	return &output{read: read, write: write, to: to, done: make(chan struct{})}, err
}

func (o *output) copy() {
	defer close(o.done)
	defer o.read.Close() // after an error of the writer too: the program is to notice
	for piece := make([]byte, 32<<10); ; {
		n, err := o.read.Read(piece)
		if n > 0 {
			o.writing.Store(true)
			_, failed := o.to.Write(piece[:n])
			o.writing.Store(false)
			if failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// finish waits for what a program, which has ended, has written. A process that it left behind may hold the pipes: that is given
// lastWords, in which nobody is slow to take what there is already.
func finish(outputs []*output) {
	const step = 20 * time.Millisecond
	clock := time.NewTicker(step)
	defer clock.Stop()
	idle := time.Duration(0)
	for _, o := range outputs {
		for waiting := true; waiting; {
			select {
			case <-o.done:
				waiting = false
			case <-clock.C:
				if !slices.ContainsFunc(outputs, func(o *output) bool { return o.writing.Load() }) {
					idle += step
				}
				if idle == lastWords {
					closeAll(outputs)
				}
			}
		}
	}
}

func closeAll(outputs []*output) {
	for _, o := range outputs {
		o.read.Close()
	}
}
