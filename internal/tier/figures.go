package tier

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/staff"
)

// metric is what a scheme counts first.
func (s *Service) metric(l *Ladder) (metric, unit string) {
	metric = "spend"
	for _, t := range l.Tiers {
		if t.Qualify.Growth+t.Qualify.Spend+t.Qualify.Visits == 0 {
			continue
		}
		switch {
		case t.Qualify.Growth > 0:
			metric = "growth"
		case t.Qualify.Spend == 0:
			metric = "visits"
		}
		break
	}
	return metric, s.unitOf(l, metric)
}

var (
	insertTrySQL = db.Define("tier.insertTry", `
		INSERT INTO tier_try (id, scheme, draft, maker, job_id, result, made_ms, done_ms)
		VALUES ($1, $2, $3, $4, $5, '', $6, 0)`)
	trySQL = db.Define("tier.try", `
		SELECT scheme, job_id, result, made_ms
		FROM tier_try
		WHERE id = $1`)
)

// tryKind is the job of a what-if that is not answered at once.
const tryKind = "tier.what_if"

// Try asks what a scheme would do, the saved draft where none is given.
func (s *Service) Try(ctx context.Context, code string, d *Scheme) (TryView, error) {
	if d == nil {
		st, err := s.Scheme(ctx, code)
		if err != nil {
			return TryView{}, err
		}
		if d = st.Draft; d == nil {
			d = st.Live
		}
	}
	one := *d
	one.Code = code
	l, err := s.check(ctx, one)
	if err != nil {
		return TryView{}, err
	}
	n, err := s.o.DB.NextID(ctx, "tier_try")
	if err != nil {
		return TryView{}, err
	}
	now := s.o.Clock.Now()
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := job.Enqueue(ctx, tx, job.New{Kind: tryKind, Args: n, Now: now})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertTrySQL, n, code, packScheme(&l.Scheme), staff.ActorOf(ctx), int64(j), now.UnixMilli())
		return err
	})
	if err != nil {
		return TryView{}, fmt.Errorf("ask for a what-if: %w", err)
	}
	s.o.Jobs.Nudge()
	return s.await(ctx, n)
}

// Tried reads a what-if.
func (s *Service) Tried(ctx context.Context, n int64) (TryView, error) {
	v := TryView{ID: id.Encode(tryPrefix, 0, n)}
	var jobID, made int64
	var result string
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, trySQL, n).Scan(&v.Scheme, &jobID, &result, &made)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNoTry
	}
	if err != nil {
		return v, err
	}
	v.MadeAt = time.UnixMilli(made).UTC()
	if result != "" {
		v.State, v.Result = "done", &Result{}
		if err := json.Unmarshal([]byte(result), v.Result); err != nil {
			return v, fmt.Errorf("read what-if %d: %w", n, err)
		}
		v.Progress, v.Total = v.Result.Members, v.Result.Members
		return v, nil
	}
	j, err := s.o.Jobs.Get(ctx, job.ID(jobID))
	if err != nil {
		return v, err
	}
	v.State, v.Progress, v.Total = stateOf(j), j.Progress, j.Total
	return v, nil
}

// A what-if that is done within patience is answered at once.
const (
	patience = time.Second
	glance   = 40 * time.Millisecond
)

// await reads a what-if as soon as it is done, or as it is when patience ends.
func (s *Service) await(ctx context.Context, n int64) (TryView, error) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for range patience / glance {
		select {
		case <-ctx.Done():
			return TryView{}, ctx.Err()
		case <-tick.C:
		}
		if v, err := s.Tried(ctx, n); err != nil || v.State != "running" {
			return v, err
		}
	}
	return s.Tried(ctx, n)
}

var (
	draftSQL = db.Define("tier.tryDraft", `
		SELECT scheme, draft
		FROM tier_try
		WHERE id = $1`)
	endTrySQL = db.Define("tier.endTry", `
		UPDATE tier_try
		SET result = $2, done_ms = $3
		WHERE id = $1`)
)

// runTry is the job of a what-if.
func (s *Service) runTry(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	var code, draft string
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, draftSQL, n).Scan(&code, &draft)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was thrown away
	}
	if err != nil {
		return fmt.Errorf("read what-if %d: %w", n, err)
	}
	d, err := unpackScheme(draft)
	if err != nil {
		return err
	}
	l, err := s.check(ctx, *d)
	if err != nil {
		return job.Permanent(err)
	}
	r, err := s.WhatIf(ctx, l, run.Progress)
	if err != nil {
		return err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, endTrySQL, n, string(b), s.o.Clock.Now().UnixMilli())
		return err
	})
}
