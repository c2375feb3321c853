package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// storageKind is the daily look at every page of the embedded database, in the small hours
// of the programme.
const storageKind = "storage.check"

func (a *App) watchStorage() {
	a.Jobs.Register(storageKind, func(ctx context.Context, _ *job.Run) error { return a.checkPages(ctx) })
	zone := func() *time.Location { return a.Program.Snapshot().Zone }
	a.Jobs.Every(job.Daily(3, 30, zone), job.New{Kind: storageKind, MaxTries: 1})
}

// checkPages fails where the disk has changed the database. It stops nobody: a page that
// is needed and cannot be read stops the server by itself, and one that is not can wait for
// a person, who is told by the log and finds the job among the failed ones.
func (a *App) checkPages(ctx context.Context) error {
	wrong, err := a.DB.Check(ctx, db.Quick)
	if err != nil {
		return err
	}
	if len(wrong) == 0 {
		return nil
	}
	a.Log.Error("the database file is damaged; keep a copy, verify it, and go back to a backup", "places", len(wrong), "first", wrong[0])
	return errors.New("the database file is damaged: " + wrong[0])
}

// storage is the check of the file as a part of a verification.
func storage() ledger.Check {
	return ledger.Check{Name: "storage", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		wrong, err := d.Check(ctx, db.Full)
		for _, w := range wrong {
			found(ledger.Finding{Invariant: "file", Where: "patron.db", EN: w, ZH: fmt.Sprintf("数据库文件损坏：%s", w)})
		}
		return err
	}}
}
