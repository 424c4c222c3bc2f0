package render

import (
	"io"
	"strings"
	"sync"
	"time"
)

const (
	spinnerDelay = 300 * time.Millisecond // short work needs no show
	spinnerTick  = 100 * time.Millisecond
)

// Spin shows that text is being worked on, until the returned function is called, which takes it away again and may be
// called more than once. Nothing is shown for the first 300 ms, nor where w isn't a terminal or, by term (the value of
// TERM), is one that can't rewrite a line.
func Spin(w io.Writer, term, text string) (stop func()) {
	if !IsTerminal(w) || term == "dumb" {
		return func() {}
	}
	return spin(w, text)
}

func spin(w io.Writer, text string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		delay := time.NewTimer(spinnerDelay)
		defer delay.Stop()
		select {
		case <-done:
			return
		case <-delay.C:
		}
		tick := time.NewTicker(spinnerTick)
		defer tick.Stop()
		const frames = `|/-\` // every font has these
		for i := 0; ; i++ {
			_, _ = io.WriteString(w, "\r"+string(frames[i%len(frames)])+" "+text)
			select {
			case <-done:
				_, _ = io.WriteString(w, "\r"+strings.Repeat(" ", displayWidth(text)+2)+"\r")
				return
			case <-tick.C:
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
	})
}
