// Package intake brings files in that are uploaded over the API.
//
// Life: a file is uploaded into the stash. Its maker looks at a preview (what it is, its
// columns and first rows, which column seems to be what), and starts the import with a
// mapping and options, as a trial first if they like. A job imports it by the code of
// patron import; rows that are refused are gathered in a file of their own to be mended.
// The upload goes when its time is over.
//
// Laws:
//   - An import over the API and one of the command line are the same code, with the same
//     refusals and counts.
//   - A job that is killed begins the file anew; what is in counts as repeated, so nothing is
//     added twice.
//   - A file is never in memory as a whole, and on a node's disk only while it is read.
package intake

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/connect/stash"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

const (
	runKind    = "import.run"
	sweepKind  = "import.sweep"
	sweepEvery = time.Hour
	runTries   = 5
	prefix     = "imp_"

	// MaxFile bounds an upload.
	MaxFile = 200 << 20
	// keep is for how long an upload and its error file stay.
	keep = 7 * 24 * time.Hour
	// abandoned is when an upload that never ended goes.
	abandoned = 6 * time.Hour
	// maxKept is how many uploads one person may have lying here.
	maxKept = 20
	// peekBytes is how much of a text file a preview reads: enough to tell its encoding.
	peekBytes = 4 << 20
	peekRows  = 20
)

var (
	// ErrUnknown answers for an import that is not there.
	ErrUnknown = errs.New(errs.NotFound, "import.unknown", "There is no such import, or its file is no longer kept.", "没有这个导入，或其文件已过期。")
	// ErrRunning refuses to do something to an import that is under way.
	ErrRunning = errs.New(errs.Conflict, "import.running", "This import is under way. Wait for it, or cancel it.", "该导入正在进行，请等待或取消。")
	// ErrUploading refuses to look at a file that is not whole.
	ErrUploading = errs.New(errs.Conflict, "import.uploading", "The file is not uploaded as a whole. Upload it again.", "文件未完整上传，请重新上传。")
	// ErrIdle refuses to cancel or resume what is in no state for it.
	ErrIdle = errs.New(errs.Conflict, "import.idle", "There is nothing to stop or to resume: the import is not started, or done.", "无可停止或继续的操作：导入尚未开始或已完成。")
	// ErrClean answers where no row was refused.
	ErrClean = errs.New(errs.NotFound, "import.no_errors", "There is no file of refused rows: none was refused, or the import has not ended.", "没有错误文件：没有被拒绝的行，或导入尚未结束。")
	// ErrMany refuses one more upload.
	ErrMany = errs.New(errs.Conflict, "import.many", "You have {most} uploads lying here. Remove some.", "您已有 {most} 个上传文件，请先删除一些。")
)

// Target says where an import goes.
type Target struct {
	Source                 string
	CreateMembers, History bool
	Rates                  map[string]int64
}

// Options are what a Service is made of. All are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Audit   *staff.Audit
	Jobs    *job.Queue
	Stash   *stash.Stash
	Dir     string                    // where files lie while they are read
	Sink    func(Target) connect.Sink // takes what is in them
}

// Service imports uploads. It is safe for use by many goroutines.
type Service struct{ o Options }

// New makes the service and registers its jobs.
func New(o Options) *Service {
	s := &Service{o}
	o.Jobs.Register(runKind, s.run)
	o.Jobs.Register(sweepKind, s.sweep)
	o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind, MaxTries: 1})
	return s
}

// Plan says how a file is to be imported.
type Plan struct {
	Map           map[string]string `json:"map"` // field → column; empty maps by the names
	Source        string            `json:"source"`
	Currency      string            `json:"currency"`
	Rates         map[string]int64  `json:"rates"`
	CreateMembers bool              `json:"create_members"`
	History       bool              `json:"history"`
	DocumentFrom  []string          `json:"document_from"`
	ReturnsPrefix string            `json:"returns_prefix"`
	DateOrder     file.DateOrder    `json:"date_order"`
	Sheet         string            `json:"sheet"`
	DryRun        bool              `json:"dry_run"`
	Language      string            `json:"language"` // of the reasons in the error file
}

// mapping is the plan's as package file reads it.
func (p Plan) mapping() string {
	var parts []string
	for field, column := range p.Map {
		parts = append(parts, field+"="+column)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// memo is what lies sealed beside an upload.
type memo struct {
	Name string           `json:"name"` // as the maker calls the file
	Plan Plan             `json:"plan"`
	By   caller           `json:"by"`
	Can  []api.Permission `json:"can"`
}

type caller struct{ Kind, ID, Name string }

func (m memo) caller() api.Caller {
	c := api.Caller{Kind: m.By.Kind, ID: m.By.ID, Name: m.By.Name, Can: map[api.Permission]bool{}}
	for _, p := range m.Can {
		c.Can[p] = true
	}
	return c
}

// Import is one upload and what became of it.
type Import struct {
	ID         int64
	Kind       file.Kind
	State      string // as kept: what its job says comes on top, see Service.view
	Maker      string
	Job        job.ID
	Stash      int64
	Errors     int64
	DryRun     bool
	Report     connect.Report
	Made, Done time.Time
	Until      time.Time
}

// PublicID is what the outside calls it.
func (i Import) PublicID() string { return id.Encode(prefix, 0, i.ID) }

const importColumns = `id, kind, state, maker, job_id, stash_id, errors_id, dry_run, report, made_ms, done_ms, until_ms`

var (
	insertSQL = db.Define("intake.insert", `
		INSERT INTO file_import (id, kind, state, maker, job_id, stash_id, errors_id, dry_run, report, error, made_ms, done_ms, until_ms)
		VALUES ($1, $2, 'uploading', $3, 0, $4, 0, 0, '{}', '', $5, 0, $6)`)
	countSQL = db.Define("intake.count", `
		SELECT COUNT(*)
		FROM file_import
		WHERE maker = $1 AND until_ms > $2`)
	stateSQL = db.Define("intake.state", `
		UPDATE file_import
		SET state = $3
		WHERE id = $1 AND state = $2`)
	startSQL = db.Define("intake.start", `
		UPDATE file_import
		SET state = 'started', job_id = $2, errors_id = $3, dry_run = $4, report = '{}', done_ms = 0
		WHERE id = $1 AND job_id = $5 AND state <> 'uploading'`)
	doneSQL = db.Define("intake.done", `
		UPDATE file_import
		SET state = 'done', report = $3, done_ms = $4
		WHERE id = $1 AND job_id = $2`)
	getSQL = db.Define("intake.get", `
		SELECT `+importColumns+`
		FROM file_import
		WHERE id = $1 AND until_ms > $2`)
	listSQL = db.Define("intake.list", `
		SELECT `+importColumns+`
		FROM file_import
		WHERE id < $1 AND until_ms > $2
		ORDER BY id DESC
		LIMIT $3`)
	removeSQL = db.Define("intake.remove", `
		DELETE FROM file_import
		WHERE id = $1`)
	overSQL = db.Define("intake.over", `
		DELETE FROM file_import
		WHERE until_ms <= $1 OR state = 'uploading' AND made_ms < $2
		RETURNING stash_id, errors_id`)
)

func scan(row interface{ Scan(...any) error }) (i Import, err error) {
	var report string
	var made, done, until int64
	err = row.Scan(&i.ID, &i.Kind, &i.State, &i.Maker, &i.Job, &i.Stash, &i.Errors, &i.DryRun, &report, &made, &done, &until)
	if err != nil {
		return i, err
	}
	i.Made, i.Until = time.UnixMilli(made).UTC(), time.UnixMilli(until).UTC()
	if done != 0 {
		i.Done = time.UnixMilli(done).UTC()
	}
	return i, json.Unmarshal([]byte(report), &i.Report)
}

// allowed refuses callers who are limited: a file is of the whole programme.
func allowed(ctx context.Context) error {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return program.ErrLimited
	}
	return nil
}

// Upload takes a file in.
func (s *Service) Upload(ctx context.Context, kind file.Kind, name string, from io.Reader) (i Import, err error) {
	if err := allowed(ctx); err != nil {
		return i, err
	}
	now := s.o.Clock.Now()
	i = Import{Kind: kind, State: "uploading", Maker: staff.ActorOf(ctx), Made: now.UTC(), Until: now.Add(keep).UTC()}
	if i.ID, err = s.o.DB.NextID(ctx, "file_import"); err != nil {
		return i, err
	}
	c := api.CallerOf(ctx)
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var kept int64
		if err := tx.QueryRow(ctx, countSQL, i.Maker, now.UnixMilli()).Scan(&kept); err != nil {
			return err
		}
		if kept >= maxKept {
			return ErrMany.With("most", maxKept)
		}
		if i.Stash, err = s.o.Stash.Make(ctx, tx, memo{Name: name, By: caller{c.Kind, c.ID, c.Name}}, i.Until); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertSQL, i.ID, string(kind), i.Maker, i.Stash, now.UnixMilli(), i.Until.UnixMilli())
		return err
	})
	if err != nil {
		return i, fmt.Errorf("take a file in: %w", err)
	}
	if err := s.fill(ctx, i, from); err != nil {
		return i, errors.Join(err, s.drop(context.WithoutCancel(ctx), i))
	}
	i.State = "uploaded"
	return i, nil
}

// fill writes the content of an upload.
func (s *Service) fill(ctx context.Context, i Import, from io.Reader) error {
	w, err := s.o.Stash.Write(ctx, i.Stash)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, from); err != nil {
		return err
	}
	if w.Bytes() == 0 {
		return file.ErrEmpty.At("body")
	}
	if err := w.Close(); err != nil {
		return err
	}
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, stateSQL, i.ID, "uploading", "uploaded"); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "import.upload", i.PublicID(), nil, map[string]any{"kind": i.Kind, "bytes": w.Bytes()})
	})
}

func (s *Service) drop(ctx context.Context, i Import) error {
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, removeSQL, i.ID)
		return err
	})
	if err == nil {
		err = s.o.Stash.Drop(ctx, i.Stash)
	}
	if err == nil && i.Errors != 0 {
		err = s.o.Stash.Drop(ctx, i.Errors)
	}
	return err
}

// Get reads an import with its memo and the size of its file.
func (s *Service) Get(ctx context.Context, n int64) (i Import, m memo, size int64, err error) {
	if err := allowed(ctx); err != nil {
		return i, m, 0, err
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err = scan(tx.QueryRow(ctx, getSQL, n, s.o.Clock.Now().UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		m = memo{}
		size, err = s.o.Stash.Memo(ctx, tx, i.Stash, &m)
		return err
	})
	return i, m, size, err
}

// List returns imports with an id under before, newest first.
func (s *Service) List(ctx context.Context, before int64, limit int) (list []Import, err error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			i, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, i)
			return nil
		})(tx.Query(ctx, listSQL, before, s.o.Clock.Now().UnixMilli(), limit))
	})
	return list, err
}

// Start begins an import, or begins it anew.
func (s *Service) Start(ctx context.Context, n int64, plan Plan) (Import, error) {
	i, m, _, err := s.Get(ctx, n)
	if err != nil {
		return i, err
	}
	if i.State == "uploading" {
		return i, ErrUploading
	}
	if busy, err := s.busy(ctx, i); err != nil || busy {
		return i, errors.Join(err, ErrRunning)
	}
	if err := s.check(ctx, i, plan); err != nil {
		return i, err
	}
	c := api.CallerOf(ctx)
	m.Plan, m.By, m.Can = plan, caller{c.Kind, c.ID, c.Name}, nil
	for _, p := range staff.Permissions() {
		if c.Can[p] {
			m.Can = append(m.Can, p)
		}
	}
	now, before := s.o.Clock.Now(), i
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.o.Stash.SetMemo(ctx, tx, i.Stash, m); err != nil {
			return err
		}
		if i.Errors, err = s.o.Stash.Make(ctx, tx, "", i.Until); err != nil {
			return err
		}
		if i.Job, err = job.Enqueue(ctx, tx, job.New{Kind: runKind, Args: i.ID, MaxTries: runTries, Now: now}); err != nil {
			return err
		}
		count, err := tx.Exec(ctx, startSQL, i.ID, i.Job, i.Errors, plan.DryRun, before.Job)
		if err != nil {
			return err
		}
		if count == 0 {
			return ErrRunning // somebody else began it meanwhile
		}
		return s.o.Audit.Record(ctx, tx, "import.start", i.PublicID(), nil, map[string]any{
			"kind": i.Kind, "source": plan.Source, "dry_run": plan.DryRun, "history": plan.History, "create_members": plan.CreateMembers,
		})
	})
	if err != nil {
		return i, err
	}
	s.o.Jobs.Nudge()
	i.State, i.DryRun, i.Report, i.Done = "started", plan.DryRun, connect.Report{}, time.Time{}
	if before.Errors != 0 {
		err = s.o.Stash.Drop(ctx, before.Errors)
	}
	return i, err
}

// busy reports whether the job of an import is under way.
func (s *Service) busy(ctx context.Context, i Import) (bool, error) {
	if i.Job == 0 || i.State != "started" {
		return false, nil
	}
	j, err := s.o.Jobs.Get(ctx, i.Job)
	if errors.Is(err, job.ErrUnknown) {
		return false, nil
	}
	return err == nil && (j.State == job.Ready || j.State == job.Running), err
}

// check refuses a plan that the import would refuse before its first row, while the maker
// is still there to mend it.
func (s *Service) check(ctx context.Context, i Import, plan Plan) error {
	if plan.Source == "" {
		return connect.ErrSource.At("body.source")
	}
	path, done, err := s.onDisk(ctx, i, true)
	if err != nil {
		return err
	}
	defer done()
	r, err := file.Open(path, file.Options{Sheet: plan.Sheet})
	if err != nil {
		return err
	}
	defer r.Close()
	m, err := file.NewMapping(i.Kind, plan.mapping(), r.Header())
	if err == nil {
		err = errors.Join(file.CheckFrom(plan.DocumentFrom), m.Check(plan.DocumentFrom...))
	}
	if e := errs.As(err); e != nil {
		return e.At("body.mapping")
	}
	return err
}

// Cancel stops an import that is under way. What it brought in stays.
func (s *Service) Cancel(ctx context.Context, n int64) error {
	i, _, _, err := s.Get(ctx, n)
	if err != nil {
		return err
	}
	if busy, err := s.busy(ctx, i); err != nil || !busy {
		return errors.Join(err, ErrIdle)
	}
	if _, err := s.o.Jobs.Cancel(ctx, i.Job); err != nil {
		return err
	}
	return s.note(ctx, "import.cancel", i)
}

// Resume goes on with an import that failed or was cancelled.
func (s *Service) Resume(ctx context.Context, n int64) error {
	i, _, _, err := s.Get(ctx, n)
	if err != nil {
		return err
	}
	if i.State != "started" {
		return ErrIdle
	}
	if _, err := s.o.Jobs.Retry(ctx, i.Job); err != nil {
		if errors.Is(err, job.ErrRetry) {
			err = ErrRunning
		}
		return err
	}
	return s.note(ctx, "import.resume", i)
}

func (s *Service) note(ctx context.Context, action string, i Import) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, action, i.PublicID(), nil, nil)
	})
}

// Remove forgets an upload; what it brought in stays.
func (s *Service) Remove(ctx context.Context, n int64) error {
	i, _, _, err := s.Get(ctx, n)
	if err != nil {
		return err
	}
	if busy, err := s.busy(ctx, i); err != nil || busy {
		return errors.Join(err, ErrRunning)
	}
	if err := s.note(ctx, "import.remove", i); err != nil {
		return err
	}
	return s.drop(ctx, i)
}

// sweep forgets uploads whose time is over, and those that never ended.
func (s *Service) sweep(ctx context.Context, _ *job.Run) error {
	s.tidy(filepath.Join(s.o.Dir, "imports"))
	now := s.o.Clock.Now()
	var files []int64
	err := s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		files = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var a, b int64
			if err := rows.Scan(&a, &b); err != nil {
				return err
			}
			files = append(files, a, b)
			return nil
		})(tx.Query(ctx, overSQL, now.UnixMilli(), now.Add(-abandoned).UnixMilli()))
	})
	for _, n := range files {
		if err == nil && n != 0 {
			err = s.o.Stash.Drop(ctx, n)
		}
	}
	return err
}
