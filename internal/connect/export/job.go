package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

const (
	runKind    = "export.run"
	sweepKind  = "export.sweep"
	sweepEvery = time.Hour
	runTries   = 5

	// keep is for how long a file can be fetched.
	keep = 3 * 24 * time.Hour
	// maxOpen is how many exports one person may have waiting or running.
	maxOpen = 5

	prefix = "exp_"
)

var (
	// ErrUnknown answers for an export that is not there, or is somebody else's.
	ErrUnknown = errs.New(errs.NotFound, "export.unknown", "There is no such export, or it is no longer kept.", "没有这个导出，或其文件已过期。")
	// ErrUnfinished refuses to hand out a file that is not written yet.
	ErrUnfinished = errs.New(errs.Conflict, "export.unfinished", "The file is not written yet, or could not be.", "文件尚未生成，或生成失败。")
	// ErrMany refuses one more export while others of the same person are under way.
	ErrMany = errs.New(errs.Conflict, "export.many", "You have {most} exports under way already. Wait for one of them.", "您已有 {most} 个导出在进行中，请稍候。")
)

// Export is one that was asked for.
type Export struct {
	ID         int64
	List       string
	Format     string
	Maker      string // "staff:stf_…"
	Job        job.ID
	Stash      int64
	Rows       int64
	Made, Done time.Time // Done is zero while it is not
	Until      time.Time
}

// PublicID is what the outside calls it.
func (e Export) PublicID() string { return id.Encode(prefix, 0, e.ID) }

// memo is what lies sealed beside the file: the request may name a person.
type memo struct {
	Request   Request          `json:"request"`
	Caller    caller           `json:"caller"`
	Can       []api.Permission `json:"can"`
	Merchants []int64          `json:"merchants"`
	Stores    []int64          `json:"stores"`
}

type caller struct{ Kind, ID, Name string }

// caller is who asked, with the rights that they had then.
func (m memo) caller() api.Caller {
	c := api.Caller{Kind: m.Caller.Kind, ID: m.Caller.ID, Name: m.Caller.Name, Can: map[api.Permission]bool{}, Merchants: m.Merchants, Stores: m.Stores}
	for _, p := range m.Can {
		c.Can[p] = true
	}
	return c
}

const exportColumns = `id, list, format, maker, job_id, stash_id, row_n, made_ms, done_ms, until_ms`

var (
	insertSQL = db.Define("export.insert", `
		INSERT INTO file_export (id, list, format, maker, job_id, stash_id, row_n, made_ms, done_ms, until_ms)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, $8)`)
	getSQL = db.Define("export.get", `
		SELECT `+exportColumns+`
		FROM file_export
		WHERE id = $1`)
	ofMakerSQL = db.Define("export.ofMaker", `
		SELECT `+exportColumns+`
		FROM file_export
		WHERE maker = $1 AND id < $2
		ORDER BY id DESC
		LIMIT $3`)
	allSQL = db.Define("export.all", `
		SELECT `+exportColumns+`
		FROM file_export
		WHERE id < $1
		ORDER BY id DESC
		LIMIT $2`)
	openSQL = db.Define("export.open", `
		SELECT COUNT(*)
		FROM file_export e
		JOIN job j ON j.id = e.job_id
		WHERE e.maker = $1 AND e.done_ms = 0 AND j.state IN ('ready', 'running')`)
	doneSQL = db.Define("export.done", `
		UPDATE file_export
		SET row_n = $2, done_ms = $3
		WHERE id = $1`)
	dropSQL = db.Define("export.drop", `
		DELETE FROM file_export
		WHERE id = $1`)
	overSQL = db.Define("export.over", `
		DELETE FROM file_export
		WHERE until_ms <= $1`)
)

func scan(row interface{ Scan(...any) error }) (e Export, err error) {
	var made, done, until int64
	err = row.Scan(&e.ID, &e.List, &e.Format, &e.Maker, &e.Job, &e.Stash, &e.Rows, &made, &done, &until)
	e.Made, e.Until = time.UnixMilli(made).UTC(), time.UnixMilli(until).UTC()
	if done != 0 {
		e.Done = time.UnixMilli(done).UTC()
	}
	return e, err
}

// Ask begins an export in the background.
func (s *Service) Ask(ctx context.Context, ask Request) (e Export, err error) {
	w, err := s.plan(ask)
	if err != nil {
		return e, err
	}
	c := api.CallerOf(ctx)
	if err := api.Require(ctx, w.list.needs); err != nil {
		return e, err
	}
	if w.list.wide && len(c.Merchants)+len(c.Stores) > 0 {
		return e, program.ErrLimited
	}
	m := memo{Request: ask, Caller: caller{c.Kind, c.ID, c.Name}, Merchants: c.Merchants, Stores: c.Stores}
	for _, p := range staff.Permissions() {
		if c.Can[p] {
			m.Can = append(m.Can, p)
		}
	}
	now := s.o.Clock.Now()
	e = Export{List: ask.List, Format: string(ask.Format), Maker: staff.ActorOf(ctx), Made: now.UTC(), Until: now.Add(keep).UTC()}
	if e.ID, err = s.o.DB.NextID(ctx, "file_export"); err != nil {
		return e, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var open int64
		if err := tx.QueryRow(ctx, openSQL, e.Maker).Scan(&open); err != nil {
			return err
		}
		if open >= maxOpen {
			return ErrMany.With("most", maxOpen)
		}
		if e.Stash, err = s.o.Stash.Make(ctx, tx, m, e.Until); err != nil {
			return err
		}
		if e.Job, err = job.Enqueue(ctx, tx, job.New{Kind: runKind, Args: e.ID, MaxTries: runTries, Now: now}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertSQL, e.ID, e.List, e.Format, e.Maker, e.Job, e.Stash, now.UnixMilli(), e.Until.UnixMilli()); err != nil {
			return err
		}
		names := make([]string, 0, len(ask.Filter)) // without their values, which may name a person
		for _, f := range w.list.filters {
			if ask.Filter[f] != "" {
				names = append(names, f)
			}
		}
		return s.o.Audit.Record(ctx, tx, "export.ask", e.PublicID(), nil, map[string]any{"list": ask.List, "format": ask.Format, "filters": names, "columns": ask.Columns})
	})
	if err != nil {
		return e, fmt.Errorf("ask for an export: %w", err)
	}
	s.o.Jobs.Nudge()
	return e, nil
}

// run writes the file of an export. A run that was cut short begins anew.
func (s *Service) run(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	e, m, err := s.read(ctx, n)
	if errors.Is(err, ErrUnknown) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	to, err := s.o.Stash.Write(ctx, e.Stash)
	if err != nil {
		return err
	}
	rows, err := s.Write(api.WithCaller(ctx, m.caller()), to, m.Request, func(rows int64) { run.Progress(rows, 0, "") })
	if err == nil {
		err = to.Close()
	}
	if err != nil {
		if refused := errs.As(err); refused != nil && refused.Kind != errs.Internal && refused.Kind != errs.Unavailable {
			return job.Permanent(err) // it will be refused the next time too
		}
		return err
	}
	run.Progress(rows, rows, "")
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, doneSQL, e.ID, rows, s.o.Clock.Now().UnixMilli()); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "export.done", e.PublicID(), nil, map[string]int64{"rows": rows, "bytes": to.Bytes()})
	})
}

func (s *Service) read(ctx context.Context, n int64) (e Export, m memo, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		e, err = scan(tx.QueryRow(ctx, getSQL, n))
		if errors.Is(err, sql.ErrNoRows) || err == nil && !e.Until.After(s.o.Clock.Now()) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		_, err = s.o.Stash.Memo(ctx, tx, e.Stash, &m)
		return err
	})
	return e, m, err
}

// mayRead reports whether the caller may see an export: its maker may, and who runs the
// business or owns it.
func mayRead(ctx context.Context, e Export) bool {
	return e.Maker == staff.ActorOf(ctx) || overseer(ctx)
}

// overseer reports whether the caller may see everybody's exports.
func overseer(ctx context.Context) bool {
	c := api.CallerOf(ctx)
	return c.Can[program.Manage] && len(c.Merchants)+len(c.Stores) == 0
}

// Get returns an export that the caller may see.
func (s *Service) Get(ctx context.Context, n int64) (Export, memo, error) {
	e, m, err := s.read(ctx, n)
	if err == nil && !mayRead(ctx, e) {
		err = ErrUnknown
	}
	return e, m, err
}

// List returns exports before a number (0 = the newest), newest first: the caller's own, or
// everybody's for who may see those.
func (s *Service) List(ctx context.Context, before int64, limit int) (list []Export, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		stmt, args := ofMakerSQL, []any{staff.ActorOf(ctx), before, limit}
		if overseer(ctx) {
			stmt, args = allSQL, args[1:]
		}
		return db.ReadRows(func(rows *db.Rows) error {
			e, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, e)
			return nil
		})(tx.Query(ctx, stmt, args...))
	})
	return list, err
}

// Remove stops an export that is under way, and removes its file.
func (s *Service) Remove(ctx context.Context, n int64) error {
	e, _, err := s.Get(ctx, n)
	if err != nil {
		return err
	}
	if _, err := s.o.Jobs.Cancel(ctx, e.Job); err != nil && !errors.Is(err, job.ErrCancel) && !errors.Is(err, job.ErrUnknown) {
		return err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, dropSQL, e.ID); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "export.remove", e.PublicID(), nil, nil)
	})
	if err != nil {
		return err
	}
	return s.o.Stash.Drop(ctx, e.Stash)
}

// sweep forgets exports whose time is over; their files go with the stash.
func (s *Service) sweep(ctx context.Context, _ *job.Run) error {
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, overSQL, s.o.Clock.Now().UnixMilli())
		return err
	})
}
