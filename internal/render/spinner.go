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
func Spin(w io.Writer, term, text string) (stop func()) { return NewSpinner(w, term, text).Stop }

// Spinner shows what is being worked on, where that changes. It shows itself as Spin does. It is safe for concurrent use.
type Spinner struct {
	w     io.Writer
	stop  func()
	mu    sync.Mutex
	text  string
	width int // of what stands on the line, in columns
	frame int
}

// NewSpinner returns a spinner that begins with text (see Clean), until Stop is called.
func NewSpinner(w io.Writer, term, text string) *Spinner {
	if !IsTerminal(w) || term == "dumb" {
		return &Spinner{w: w, text: text, stop: func() {}}
	}
	return newSpinner(w, Clean(text))
}

func newSpinner(w io.Writer, text string) *Spinner {
	s := &Spinner{w: w, text: text}
	done, ended := make(chan struct{}), make(chan struct{})
	s.stop = sync.OnceFunc(func() {
		close(done)
		<-ended
	})
	go func() {
		defer close(ended)
		defer s.clear()
		delay := time.NewTimer(spinnerDelay)
		defer delay.Stop()
		select {
		case <-done:
			return
		case <-delay.C:
		}
		tick := time.NewTicker(spinnerTick)
		defer tick.Stop()
		for {
			s.draw()
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return s
}

// Stop takes the spinner away. It may be called more than once.
func (s *Spinner) Stop() { s.stop() }

// Set changes the text, which may come from elsewhere: see Clean.
func (s *Spinner) Set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = Clean(text)
}

// Print writes text (see CleanLines), whole lines, where the spinner stands, which goes on below it.
func (s *Spinner) Print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	_, _ = io.WriteString(s.w, CleanLines(text))
}

func (s *Spinner) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	const frames = `|/-\` // every font has these
	text := truncate(s.text, max(columns(s.w)-3, minLast))
	width := displayWidth(text) + 2
	line := "\r" + string(frames[s.frame%len(frames)]) + " " + text
	if width < s.width {
		line += strings.Repeat(" ", s.width-width)
	}
	s.frame, s.width = s.frame+1, width
	_, _ = io.WriteString(s.w, line)
}

func (s *Spinner) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
}

// erase empties the line. s.mu must be held.
func (s *Spinner) erase() {
	if s.width > 0 {
		_, _ = io.WriteString(s.w, "\r"+strings.Repeat(" ", s.width)+"\r")
	}
	s.width = 0
}
