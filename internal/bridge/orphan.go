package bridge

import (
	"context"
	"time"
)

const (
	// orphanPause is the time between two looks at the parent.
	orphanPause = 30 * time.Second
	// orphanQuiet is how long nothing may have come from the client before a bridge without its parent ends.
	orphanQuiet = time.Minute
)

// orphaned returns a channel that is closed when the client is gone though stdin is still open: a process that the client
// had started besides may hold the other end of the pipe.
func (b *Bridge) orphaned(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	if b.ParentGone == nil {
		return gone
	}
	go b.guard("orphan", func() {
		tick := time.NewTicker(orphanPause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			b.mu.Lock()
			quiet := time.Since(b.lastUse)
			b.mu.Unlock()
			if quiet >= orphanQuiet && b.ParentGone() {
				b.Log.Info("the client is gone")
				close(gone)
				return
			}
		}
	})
	return gone
}
