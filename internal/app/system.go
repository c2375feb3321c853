package app

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/staff"
)

// systemRoutes adds what operators and load generators ask the server about itself.
func (a *App) systemRoutes() {
	api.Get(a.API, "/v1/system", a.getSystem, api.Doc{
		ID: "getSystem", Summary: "Say which version this is and how far it is behind with its events.",
		Description: "Counts are of this process since it was started. They go the full way to the database, so ask every few seconds, not more often.",
		Tags:        []string{"System"}, Needs: staff.Operate,
	})
}

type systemOut struct {
	Body struct {
		Version  string `json:"version" doc:"Of the program."`
		Engine   string `json:"engine" enum:"sqlite,postgresql" doc:"The database."`
		LagMS    int64  `json:"lag_ms" doc:"For how long the oldest event has been waiting to be handed on, in milliseconds."`
		Waiting  int64  `json:"waiting" doc:"How many events wait; counted up to 100,000."`
		Batches  int64  `json:"batches" doc:"Transactions of the posting engine."`
		Commands int64  `json:"commands" doc:"Requests that it decided in them."`

		DatabaseBytes int64 `json:"database_bytes" doc:"Size of the database."`
		DiskFree      int64 `json:"disk_free_bytes" doc:"Free on the disk of the data directory."`
		DiskAll       int64 `json:"disk_bytes" doc:"Size of that disk."`

		LastBackup *backupItem `json:"last_backup,omitempty" doc:"The newest backup of this node; absent where there is none."`
		LastVerify *lastVerify `json:"last_verify,omitempty" doc:"The newest verification that was asked for here; absent where there is none, or it has not ended."`
	}
}

func (a *App) getSystem(ctx context.Context, _ *struct{}) (*systemOut, error) {
	lag, waiting, err := a.Events.Lag(ctx)
	if err != nil {
		return nil, err
	}
	out := &systemOut{}
	out.Body.Version, out.Body.Engine = Version, a.DB.Engine().String()
	out.Body.LagMS, out.Body.Waiting = lag.Milliseconds(), waiting
	out.Body.Batches, out.Body.Commands = a.Ledger.Engine().Counts()
	return out, a.inspect(ctx, out)
}

// inspect adds what the pages of operators show: how large things are, and when they were
// last looked after.
func (a *App) inspect(ctx context.Context, out *systemOut) error {
	stats, err := a.DB.Stats(ctx)
	if err != nil {
		return err
	}
	b := &out.Body
	b.DatabaseBytes = stats.Bytes
	if b.DiskFree, b.DiskAll, err = a.disk(a.dir); err != nil {
		return err
	}
	kept, err := a.backups.getBackups(ctx, nil)
	if err != nil {
		return err
	}
	if len(kept.Body.Items) > 0 {
		b.LastBackup = &kept.Body.Items[0]
	}
	b.LastVerify, err = a.lastVerified(ctx)
	return err
}
