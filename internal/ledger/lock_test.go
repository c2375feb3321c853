package ledger

import (
	"context"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// What another node has under its lock is decided about only when that node is done, and
// then from what it left. The key of an entry would catch some of what went wrong without
// the lock, by failing one of the two batches; but a batch that writes no entry, and a
// decision that is answered from what was read, has nothing else to rely on.
func TestDecidesUnderLock(t *testing.T) {
	t.Parallel()
	b := newBench(t, dbtest.Open(t, db.Postgres), 1)
	b.must(earn(1, 1, 10))

	locked, release := make(chan struct{}), make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() { // another node, in the middle of blocking the member's spending
		err := b.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.ExecText(ctx, "UPDATE account SET may_spend = 0 WHERE member_id = 1"); err != nil {
				return err
			}
			close(locked)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-locked
	decided := make(chan bool, 1)
	var posted sync.WaitGroup
	posted.Go(func() {
		b.Do(t.Context(), Request{Command: on(1, func(_ *State, a *Account) (any, error) {
			decided <- a.MaySpend
			return nil, nil
		})})
	})
	waits := func() bool { // for a lock, in this database
		return b.number("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	}
	for early := false; !early && !waits(); {
		select {
		case <-decided:
			t.Error("decided about a member whom another node has locked")
			early = true
		case <-t.Context().Done():
			t.Fatal("the command neither waited nor was decided")
		default:
		}
	}
	close(release)
	other.Wait()
	posted.Wait()
	select {
	case maySpend := <-decided:
		if maySpend {
			t.Error("decided from what the member was before the other node was done")
		}
	default:
	}
}
