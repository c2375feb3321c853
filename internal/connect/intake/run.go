package intake

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"

	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
)

// run imports a file. A run that was cut short begins anew.
func (s *Service) run(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	i, m, _, err := s.Get(ctx, n)
	if errors.Is(err, ErrUnknown) || err == nil && i.Job != run.ID {
		return nil // removed, or begun anew since
	}
	if err != nil {
		return err
	}
	report, err := s.bring(ctx, run, i, m)
	if err != nil {
		if refused := errs.As(err); refused != nil && refused.Kind != errs.Internal && refused.Kind != errs.Unavailable {
			return job.Permanent(err)
		}
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, doneSQL, i.ID, i.Job, string(text), s.o.Clock.Now().UnixMilli()); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "import.done", i.PublicID(), nil, report)
	})
}

// bring does the import of a run.
func (s *Service) bring(ctx context.Context, run *job.Run, i Import, m memo) (report connect.Report, err error) {
	path, done, err := s.onDisk(ctx, i, false)
	if err != nil {
		return report, err
	}
	defer done()
	refused, err := s.o.Stash.Write(ctx, i.Errors)
	if err != nil {
		return report, err
	}
	snap, plan := s.o.Program.Snapshot(), m.Plan
	if plan.Currency == "" {
		plan.Currency = snap.Settings.Currency
	}
	p := &progress{run: run}
	report, err = connect.Import(api.WithCaller(ctx, m.caller()), s.o.Sink(Target{plan.Source, plan.CreateMembers, plan.History, plan.Rates}), connect.Options{
		Kind: i.Kind, Path: path, File: file.Options{Sheet: plan.Sheet}, Map: plan.mapping(), Source: plan.Source, Currency: plan.Currency,
		Location: snap.Zone, Order: plan.DateOrder, DryRun: plan.DryRun, Errors: file.NewRefused(refused, plan.Language),
		Sales: file.SalesOptions{From: plan.DocumentFrom, ReturnsPrefix: plan.ReturnsPrefix, TempDir: filepath.Join(s.o.Dir, "imports")},
		Show:  p.show, Told: p.told,
	})
	if err == nil {
		err = refused.Close()
	}
	return report, err
}

// progress tells a job's row how far its import is: bytes, and the counts as its note.
type progress struct {
	run     *job.Run
	measure file.Measure
}

func (p *progress) show(_ string, m file.Measure) (stop func()) {
	p.measure = m
	return func() {}
}

func (p *progress) told(r connect.Report) {
	r.Reasons = nil // the note is short
	note, err := json.Marshal(r)
	if err != nil || p.measure == nil {
		return
	}
	read, total := p.measure()
	p.run.Progress(read, total, string(note))
}
