package db

import (
	"context"
	"sync"
)

// claim is what must be written together with the first write of a request: the record of
// its idempotency key.
type claim struct {
	mu   sync.Mutex // held while a transaction with the claim runs, so that one of two at once makes it
	done bool       // committed
	make func(context.Context, *Tx) error
}

type claimKey struct{}

// WithClaim returns a context whose first write transaction (InTx or InBackground, not
// InPosting) runs fn before its own work. If that transaction is undone, so is the claim,
// and the next one makes it. An error of fn ends the transaction and is returned as it is.
func WithClaim(ctx context.Context, fn func(context.Context, *Tx) error) context.Context {
	return context.WithValue(ctx, claimKey{}, &claim{make: fn})
}

// claimed is write with the claim of ctx, if there is one that has not been made.
func (d *DB) claimed(ctx context.Context, m mode, fn func(context.Context, *Tx) error) error {
	c, _ := ctx.Value(claimKey{}).(*claim)
	if c == nil {
		return d.write(ctx, m, fn)
	}
	c.mu.Lock()
	if c.done {
		c.mu.Unlock()
		return d.write(ctx, m, fn)
	}
	defer c.mu.Unlock()
	err := d.write(ctx, m, func(ctx context.Context, tx *Tx) error {
		if err := c.make(ctx, tx); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	c.done = err == nil
	return err
}
