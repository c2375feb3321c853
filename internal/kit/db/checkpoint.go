package db

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// When the log of SQLite is written back into the file. This is the knob between rate and
// the slowest answers: every 30 batches gave a p99 of 60 ms where every 200 gave 145 ms.
const (
	checkpointTxs  = 64
	checkpointRows = 8192 // a large batch counts for more; about a page of log each
	// longLog, in pages of 4 KiB (4 MiB), is when the writer has to pause for the end of a
	// checkpoint: only a log that has been written back wholly begins anew, and one that
	// is written to all the time never is, so it would grow without end.
	longLog = 1024
	// checkpointTick writes the rest back after a burst.
	checkpointTick = 15 * time.Second
)

// checkpointer writes the log back on a connection of its own, beside the writer.
type checkpointer struct {
	lite      *lite
	conn      *sql.Conn
	txs, rows atomic.Int64 // since the last checkpoint
	count     atomic.Int64 // of checkpoints
	took      atomic.Int64 // by all of them, in nanoseconds
	last      atomic.Int64 // by the newest
	due       chan struct{}
	quit      context.CancelFunc
	done      sync.WaitGroup
}

func startCheckpointer(l *lite, conn *sql.Conn) *checkpointer {
	ctx, quit := context.WithCancel(context.Background())
	c := &checkpointer{lite: l, conn: conn, due: make(chan struct{}, 1), quit: quit}
	c.done.Go(func() { c.loop(ctx) })
	return c
}

// wrote counts a write transaction. It does not wait.
func (c *checkpointer) wrote(rows int64) {
	txs, all := c.txs.Add(1), c.rows.Add(rows)
	if txs < checkpointTxs && all < checkpointRows {
		return
	}
	select {
	case c.due <- struct{}{}:
	default: // one is due already
	}
}

// stop ends the loop and waits for it.
func (c *checkpointer) stop() {
	c.quit()
	c.done.Wait()
	c.conn.Close()
}

func (c *checkpointer) loop(ctx context.Context) {
	tick := time.NewTicker(checkpointTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
		case <-tick.C:
			if c.txs.Load() == 0 {
				continue
			}
		}
		c.txs.Store(0)
		c.rows.Store(0)
		began := time.Now()
		err := c.checkpoint(ctx)
		c.note(time.Since(began))
		if err != nil && ctx.Err() == nil {
			c.lite.db.log.Warn("checkpoint", "error", c.lite.db.translate(err))
		}
	}
}

func (c *checkpointer) note(took time.Duration) {
	c.count.Add(1)
	c.took.Add(int64(took))
	c.last.Store(int64(took))
}

// checkpoint writes back what it can beside the writer, and, when the log has become long,
// the tail while the writer stands still, so that the next transaction begins the log anew.
func (c *checkpointer) checkpoint(ctx context.Context) error {
	pages, err := c.passive(ctx)
	if err != nil || pages < longLog {
		return err
	}
	if err := c.lite.queue.lock(ctx, posting); err != nil {
		return err
	}
	defer c.lite.queue.unlock()
	_, err = c.passive(ctx)
	return err
}

// passive returns how many pages the log has.
func (c *checkpointer) passive(ctx context.Context) (pages int, err error) {
	var busy, back int
	err = c.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &back)
	return pages, err
}

// errReaders says that a snapshot is still read from the log.
var errReaders = errors.New("the log is still being read from")

// scrub writes all of the log back and cuts it to nothing, while the writer stands still.
func (l *lite) scrub(ctx context.Context, _ []string) error {
	if err := l.queue.lock(ctx, foreground); err != nil {
		return err
	}
	defer l.queue.unlock()
	var busy, pages, back int
	err := l.writer.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &back)
	if err == nil && busy != 0 {
		err = errReaders
	}
	return err
}
