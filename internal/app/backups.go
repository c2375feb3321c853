package app

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The job that backs up onto the shelf.
const (
	backupKind  = "backup.make"
	backupTries = 3
	// backupSlot is the key that the calendar gives its jobs: a backup that was asked for
	// by hand and one of the calendar never run side by side.
	backupSlot = "slot"
)

// schedule registers the job, and puts it into the calendar unless that is switched off.
func (b *backups) schedule() {
	if b.name == sandboxName {
		return
	}
	b.app.Jobs.Register(backupKind, b.run)
	if b.app.config.BackupAt == config.Off || b.app.config.BackupAt == "" {
		return
	}
	at, err := time.Parse("15:04", b.app.config.BackupAt)
	if err != nil {
		panic("app: backup_at is no time of day: the configuration has checked it")
	}
	daily := job.Daily(at.Hour(), at.Minute(), func() *time.Location { return b.app.Program.Snapshot().Zone })
	b.app.Jobs.Every(daily, job.New{Kind: backupKind, MaxTries: backupTries})
}

// ready makes the key at the first start rather than in the first night, so that it can be
// copied on the first day.
func (b *backups) ready() {
	if b.name == sandboxName || b.app.config.BackupAt == config.Off || b.app.config.BackupAt == "" {
		return
	}
	if _, err := b.app.recipients(); err != nil {
		b.app.Log.Error("there is no key for backups, so there will be none", "error", err)
	}
}

// shelf is where backups of the calendar and of the API go.
func (b *backups) shelf() backup.Shelf {
	dir := b.app.config.BackupDir
	if dir == "" {
		dir = filepath.Join(b.app.config.DataDir, backupsFolder)
	}
	return backup.Shelf{Dir: dir, Name: b.app.installation()}
}

// newest says when the newest good backup was made; false where the calendar makes none.
// Before there is one, it is as if one had been made when this process was started.
func (b *backups) newest() (at time.Time, kept bool, err error) {
	if b.name == sandboxName || b.app.config.BackupAt == config.Off || b.app.config.BackupAt == "" {
		return at, false, nil
	}
	list, err := b.shelf().List()
	for _, m := range list {
		if m.Error == "" && m.At.After(at) {
			at = m.At
		}
	}
	if at.IsZero() {
		at = b.since
	}
	return at, true, err
}

// run makes a backup onto the shelf and lets old ones go. Old ones go after it: while the
// disk is full they are all there is.
func (b *backups) run(ctx context.Context, run *job.Run) error {
	shelf := b.shelf()
	now := b.app.Clock.Now()
	path, err := shelf.Path(now)
	if err != nil {
		return err
	}
	made, err := b.app.Backup(ctx, path, func(step string, done, total int64) { run.Progress(done, total, step) })
	if err != nil && !errors.Is(err, ErrBadBackup) {
		return err
	}
	if err != nil {
		made.Error = reason(err)
		err = job.Permanent(err) // the next would be the same
	}
	keep := time.Duration(b.app.config.BackupKeepDays) * 24 * time.Hour
	_, perr := shelf.Prune(now.Add(-keep))
	err = errors.Join(err, shelf.Note(made), perr)
	if err == nil {
		run.Progress(1, 1, made.Name)
		b.app.Log.Info("backed up", "name", made.Name, "bytes", made.Bytes, "members", made.Members, "entries", made.Entries, "seconds", made.Seconds)
	}
	return err
}

// routes adds what operators ask and want of backups.
func (b *backups) routes() {
	tags := []string{"System"}
	api.Get(b.app.API, "/v1/backups", b.getBackups, api.Doc{
		ID: "listBackups", Summary: "List the backups of this node, newest first.", Tags: tags, Needs: staff.Operate,
		Description: "Those that the calendar and this API have made and that are still kept; the configuration says where they lie. " +
			"A verified one was restored into a scratch place, and its books were recomputed there.",
	})
	api.Post(b.app.API, "/v1/backups", b.postBackup, api.Doc{
		ID: "makeBackup", Summary: "Make a backup in the background.", Tags: tags, Needs: staff.Operate, Status: http.StatusAccepted,
		Description: "Follow the job that it answers. Where a backup is being made already, the job is that one's.",
		Fails:       []error{ErrSandbox},
	})
}

type backupItem struct {
	Name     string    `json:"name" doc:"Of the file."`
	Bytes    int64     `json:"bytes" doc:"Size of the file."`
	At       time.Time `json:"made_at" doc:"When the data were as they are in it."`
	Verified bool      `json:"verified" doc:"It was restored into a scratch place, and its books add up."`
	Members  int64     `json:"members" doc:"Accounts in it."`
	Entries  int64     `json:"entries" doc:"Ledger entries in it."`
	Seconds  float64   `json:"seconds" doc:"How long it took, with its verification."`
	Error    string    `json:"error" doc:"Why it is bad, in English; empty where it is good."`
}

type backupsOut struct {
	Body api.List[backupItem]
}

// The list has no pages: what is kept is bounded by days.
func (b *backups) getBackups(context.Context, *struct{}) (*backupsOut, error) {
	out := &backupsOut{}
	out.Body.Items = []backupItem{}
	if b.name == sandboxName {
		return out, nil
	}
	list, err := b.shelf().List()
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		out.Body.Items = append(out.Body.Items, backupItem(m))
	}
	return out, nil
}

type backupOut struct {
	Body struct {
		Job string `json:"job_id" doc:"The job that makes it: see /v1/jobs."`
	}
}

func (b *backups) postBackup(ctx context.Context, _ *struct{}) (*backupOut, error) {
	if b.name == sandboxName {
		return nil, ErrSandbox
	}
	var id job.ID
	err := b.app.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, err = job.Enqueue(ctx, tx, job.New{Kind: backupKind, UniqueKey: backupSlot, MaxTries: backupTries, Now: b.app.Clock.Now()})
		if err != nil {
			return err
		}
		return b.app.Audit.Record(ctx, tx, "backup.make", id.String(), nil, nil)
	})
	if err != nil {
		return nil, err
	}
	b.app.Jobs.Nudge()
	out := &backupOut{}
	out.Body.Job = id.String()
	return out, nil
}
