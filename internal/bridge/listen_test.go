package bridge

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestListener: who waits for the stream is let go once it is open or its time is over; who comes after it has broken wants it
// again, once for all who come.
func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(nil, nil)
		free := func() bool {
			select {
			case <-l.ask():
				return true
			default:
				return false
			}
		}
		wanted := func() bool {
			select {
			case <-l.wanted:
				return true
			default:
				return false
			}
		}
		expect := func(when string, wantFree, wantWanted bool) {
			t.Helper()
			if got := free(); got != wantFree {
				t.Errorf("%s: free %v", when, got)
			}
			if free(); len(l.wanted) > 0 != wantWanted {
				t.Errorf("%s: wanted %v", when, !wantWanted)
			}
		}
		l.begin()
		expect("at first", false, false)
		l.settle()
		expect("open", true, false)
		l.miss()
		expect("broken", false, true)
		if !wanted() {
			t.Error("nobody can know that it is wanted")
		}
		l.begin()
		expect("opening again", false, false)
		l.settle()
		l.settle()
		expect("open again", true, false)

		l.miss()
		l.begin() // in its time, before anybody asked
		expect("opening in its time", false, false)
		time.Sleep(listenLead)
		synctest.Wait()
		expect("nobody answers", true, false)
		l.settle()
		l.miss()
		expect("broken again", false, true)
		time.Sleep(listenLead)
		synctest.Wait()
		expect("nobody opens it", true, true)
		l.begin()
		l.settle()
		expect("opened late", true, false)
	})
}
