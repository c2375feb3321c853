package db

import (
	"context"
	"log/slog"
	"time"
)

// Poll calls look every so often until ctx ends: how a process learns what another changed. While
// look fails, what was known stays in use; the log says complaint once, until it succeeds again.
// Its transactions are upkeep: see Begun.
func Poll(ctx context.Context, log *slog.Logger, every time.Duration, complaint string, look func(context.Context) error) {
	ctx = Upkeep(ctx)
	tick := time.NewTicker(every)
	defer tick.Stop()
	told := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := look(ctx)
		if err != nil && !told && ctx.Err() == nil {
			log.Warn(complaint, "error", err)
		}
		told = err != nil
	}
}

type upkeepKey struct{}

// Upkeep marks what the program does for itself, whether anybody calls it or not.
func Upkeep(ctx context.Context) context.Context { return context.WithValue(ctx, upkeepKey{}, true) }
