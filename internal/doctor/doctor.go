// Package doctor checks each link of the chain from the program to an AI client's list of tools.
//
// A Check is data: what it is about, whether it needs the network, how long it may take. Run runs them side by side and
// always comes to an end, whatever hangs.
package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// Status is the outcome of a check. The words are part of the command line's promise.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Result is what a check found.
type Result struct {
	Check    string `json:"check"`
	Subject  string `json:"subject"`
	Status   Status `json:"status"`
	Detail   string `json:"detail"`
	NextStep string `json:"next_step"`
}

// finding is a Result whose check and subject are those of the Check.
func finding(s Status, next, format string, args ...any) Result {
	return Result{Status: s, Detail: fmt.Sprintf(format, args...), NextStep: next}
}

// failure is the finding of an error that has a next step.
func failure(err error) Result { return finding(Failed, problem.NextStep(err), "%s", err) }

// Check is one link.
type Check struct {
	// Name and Subject say what is checked, and of what.
	Name, Subject string
	// Online says that the check needs the network.
	Online bool
	// Limit is how long it may take; 0 is Options.Limit.
	Limit time.Duration
	// Run returns what it found: one finding, or one for each thing that is wrong. Its context ends at the limit, and it is
	// left behind if it goes on for longer than grace after that.
	Run func(context.Context) []Result
}

const (
	// grace is what a check gets after its limit to end what it has begun.
	grace = 3 * time.Second
	// atOnce is how many checks run at the same time: each may start a process.
	atOnce = 16
)

// Run runs checks side by side, and returns what they found in their order. Each takes its limit, by default limit, and
// grace at most. Offline skips those that need the network.
func Run(ctx context.Context, checks []Check, limit time.Duration, offline bool) []Result {
	found := make([][]Result, len(checks))
	turn := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, c := range checks {
		if offline && c.Online {
			found[i] = []Result{finding(Skipped, "", "needs the network")}
			continue
		}
		if c.Limit == 0 {
			c.Limit = limit
		}
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			found[i] = c.limited(ctx)
		})
	}
	wg.Wait()
	var results []Result
	for i, c := range checks {
		for _, r := range found[i] {
			r.Check, r.Subject = c.Name, c.Subject
			results = append(results, r)
		}
	}
	return results
}

func (c Check) limited(ctx context.Context) []Result {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	done := make(chan []Result, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- []Result{finding(Failed, "please report this", "the check itself broke")}
			}
		}()
		done <- c.Run(ctx)
	}()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
	}
	select {
	case found := <-done:
		return found
	case <-time.After(grace):
		return []Result{finding(Failed, "", "no answer within %s", c.Limit)}
	}
}
