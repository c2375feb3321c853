package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
)

// The jobs of a rotation.
const (
	rotateKind = "privacy.rotate" // makes a new wrapping key and brings everything under it
	retireKind = "privacy.retire" // looks once more, and drops the older keys
)

// retireAfter is how long after a pass the older keys stay. A write that sealed something
// under the old key just before the new one came has ended long before (requests take half
// a minute at most), and other nodes have the new key file.
const retireAfter = 10 * time.Minute

// rotateTries is how often a pass is tried again: the pauses grow to an hour, so that a
// database that is away for a day ends no rotation.
const rotateTries = 40

// ErrBorrowed refuses a rotation in a programme that works with another's keys.
var ErrBorrowed = errs.New(errs.Conflict, "privacy.borrowed",
	"The sandbox uses the keys of the live programme; rotate them there.", "沙盒使用正式计划的密钥，请在正式计划中轮换。")

// rotateArgs names the primary key that a rotation began with: where it is another one, the
// new key has been made already. 0 goes on with a rotation whose key is there.
type rotateArgs struct {
	From uint32 `json:"from"`
}

// retireArgs names the primary key under which everything was brought.
type retireArgs struct {
	Primary uint32 `json:"primary"`
}

// Keys is how the wrapping keys stand.
type Keys struct {
	Primary string // number of the one in use
	Count   int    // more than one while a rotation is under way
}

// Keys tells how the wrapping keys stand.
func (s *Service) Keys() Keys {
	return Keys{fmt.Sprintf("%08x", s.o.Box.Primary()), s.o.Box.Wrapping()}
}

// Rotate asks for a new wrapping key, under which all record keys and kept answers are then
// brought beside all other work, and returns the job that does it. Where a rotation was
// left half done, it goes on with that.
func (s *Service) Rotate(ctx context.Context) (id job.ID, err error) {
	if s.o.Borrowed {
		return 0, ErrBorrowed
	}
	args := rotateArgs{From: s.o.Box.Primary()}
	if s.o.Box.Wrapping() > 1 {
		args.From = 0
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		id, err = job.Enqueue(ctx, tx, job.New{Kind: rotateKind, Args: args, UniqueKey: "keys", MaxTries: rotateTries, Now: s.o.Clock.Now()})
		if err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "keys.rotated", "sealing", nil, map[string]any{"from": fmt.Sprintf("%08x", s.o.Box.Primary())})
	})
	return id, err
}

// runRotate may be killed at any point and run again: the new key is made once, and what
// lies under it is not touched again.
func (s *Service) runRotate(ctx context.Context, run *job.Run) error {
	var args rotateArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	if s.o.Borrowed {
		return job.Permanent(ErrBorrowed)
	}
	if args.From == s.o.Box.Primary() {
		if err := s.o.Box.Rotate(); err != nil {
			return err
		}
	}
	if _, err := s.rewrap(ctx, func(moved int64) { run.Progress(moved, 0, "moved to the new key") }); err != nil {
		return err
	}
	return s.retireLater(ctx, retireArgs{s.o.Box.Primary()})
}

func (s *Service) retireLater(ctx context.Context, args retireArgs) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		now := s.o.Clock.Now()
		_, err := job.Enqueue(ctx, tx, job.New{Kind: retireKind, Args: args, RunAt: now.Add(retireAfter), MaxTries: rotateTries, Now: now})
		return err
	})
}

// rewrap goes over everything once and returns how many it moved.
func (s *Service) rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	s.mu.Lock()
	list := append([]Keyed(nil), s.sealed...)
	s.mu.Unlock()
	for _, x := range list {
		before := moved
		n, err := x.Rewrap(ctx, func(n int64) { progress(before + n) })
		moved += n
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// runRetire drops the older keys after a pass that has found nothing under them. Where it
// finds something, it comes again.
func (s *Service) runRetire(ctx context.Context, run *job.Run) error {
	var args retireArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	if s.o.Borrowed || args.Primary != s.o.Box.Primary() {
		return nil // another rotation has begun since, and will retire for both
	}
	moved, err := s.rewrap(ctx, func(moved int64) { run.Progress(moved, 0, "late writes moved to the new key") })
	if err != nil {
		return err
	}
	if moved > 0 {
		return s.retireLater(ctx, args)
	}
	if err := s.o.Box.Retire(); err != nil {
		return err
	}
	s.o.Log.Info("the older wrapping keys are retired")
	return nil
}
