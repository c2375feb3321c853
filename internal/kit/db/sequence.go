package db

import (
	"context"
	"fmt"
	"sync"
)

const (
	firstBlock = 16   // what the first lease of a name takes, so that a restart wastes little
	maxBlock   = 4096 // each lease takes twice the one before up to here, so that an import seldom waits
	// maxIDs bounds one call; nobody has a use for more at once.
	maxIDs = 1 << 20
)

var leaseSQL = Define("db.lease", `
	INSERT INTO sequence (name, next)
	VALUES ($1, 1 + CAST($2 AS BIGINT))
	ON CONFLICT (name) DO UPDATE
	SET next = sequence.next + CAST($2 AS BIGINT)
	RETURNING next`)

// span is integers from next up to, not including, end.
type span struct{ next, end int64 }

// blocks are the integers that this process has leased and not given out.
type blocks struct {
	mu     sync.Mutex
	byName map[string]*block
}

type block struct {
	spans []span
	size  int64         // of the next lease
	turn  chan struct{} // one lease at a time outside of transactions
}

// NextID returns an integer that no other call for this name has had or will have, from 1
// up. There are gaps after a restart or a rollback, and no order between processes.
//
// It is taken from a block in memory; when that is empty, a transaction of its own leases
// the next. Inside a write transaction of SQLite, whose one writer is then taken, the lease
// is part of that transaction: pass the context that the transaction gave.
func (d *DB) NextID(ctx context.Context, name string) (int64, error) {
	return d.NextIDs(ctx, name, 1)
}

// NextIDs returns the first of n integers in a row; see NextID.
func (d *DB) NextIDs(ctx context.Context, name string, n int) (first int64, err error) {
	if n < 1 || n > maxIDs {
		panic(fmt.Sprintf("db: %d ids of %q asked at once", n, name))
	}
	want := int64(n)
	if tx := d.inside(ctx); tx != nil && d.Engine() == SQLite {
		first, err = tx.nextIDs(ctx, name, want)
	} else {
		first, err = d.nextIDs(ctx, name, want)
	}
	if err != nil {
		return 0, fmt.Errorf("next id of %q: %w", name, err)
	}
	return first, nil
}

// nextIDs takes n from memory, else from a new lease in its own transaction.
func (d *DB) nextIDs(ctx context.Context, name string, n int64) (int64, error) {
	if first, ok := d.blocks.take(name, n); ok {
		return first, nil
	}
	turn := d.blocks.turn(name)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if first, ok := d.blocks.take(name, n); ok { // leased by whoever went before
		return first, nil
	}
	size := d.blocks.grow(name, n)
	first, err := d.store.lease(ctx, name, size)
	if err != nil {
		return 0, d.translate(err)
	}
	d.blocks.add(name, span{first + n, first + size})
	return first, nil
}

// nextIDs takes n from memory, else from what this transaction has leased, else leases in
// it. What is left is published only when the transaction has been kept: after a rollback
// others will be given the same integers. It never waits for another goroutine, which
// might itself wait for the writer that this one holds.
func (tx *Tx) nextIDs(ctx context.Context, name string, n int64) (int64, error) {
	if first, ok := tx.db.blocks.take(name, n); ok {
		return first, nil
	}
	if s := tx.leased[name]; s != nil && s.end-s.next >= n {
		s.next += n
		return s.next - n, nil
	}
	size := tx.db.blocks.grow(name, n)
	var next int64
	if err := tx.QueryRow(ctx, leaseSQL, name, size).Scan(&next); err != nil {
		return 0, err
	}
	if tx.leased == nil {
		tx.leased = map[string]*span{}
	}
	first := next - size
	tx.leased[name] = &span{first + n, next}
	return first, nil
}

// of returns the block of a name. The caller holds mu.
func (b *blocks) of(name string) *block {
	if b.byName == nil {
		b.byName = map[string]*block{}
	}
	if b.byName[name] == nil {
		b.byName[name] = &block{size: firstBlock, turn: make(chan struct{}, 1)}
	}
	return b.byName[name]
}

func (b *blocks) turn(name string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(name).turn
}

// take gives out n in a row if a span has them.
func (b *blocks) take(name string, n int64) (first int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.of(name)
	for i := range k.spans {
		s := &k.spans[i]
		if s.end-s.next < n {
			continue
		}
		first = s.next
		s.next += n
		if s.next == s.end {
			k.spans = append(k.spans[:i], k.spans[i+1:]...)
		}
		return first, true
	}
	return 0, false
}

// grow says how many to lease for somebody who wants n.
func (b *blocks) grow(name string, n int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.of(name)
	size := max(k.size, n)
	k.size = min(2*k.size, maxBlock)
	return size
}

// maxSpans bounds the remainders that are kept; a forgotten one is a gap.
const maxSpans = 16

func (b *blocks) add(name string, s span) {
	if s.next >= s.end {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.of(name)
	if k.spans = append(k.spans, s); len(k.spans) > maxSpans {
		k.spans = k.spans[1:]
	}
}

// publish adds what a committed transaction has leased and not used.
func (b *blocks) publish(leased map[string]*span) {
	for name, s := range leased {
		b.add(name, *s)
	}
}
