package tier

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Export is the live schemes as a file keeps them, in the order in which they were made.
func (s *Service) Export(ctx context.Context) ([]Scheme, error) {
	list, err := s.Schemes(ctx)
	out := []Scheme{}
	for _, st := range list {
		if st.State == Live {
			out = append(out, *st.Live)
		}
	}
	return out, err
}

// Applied is what Apply did to a scheme.
type Applied struct {
	Code   string `json:"code" doc:"The scheme."`
	Action string `json:"action" enum:"add,change,end" doc:"What was done."`
}

// Apply makes the live schemes those of a file, in the caller's transaction: it publishes what is
// new or differs and ends what is not in it, and leaves drafts of others alone. What is the same
// is not touched. Call Refresh after the commit.
func (s *Service) Apply(ctx context.Context, tx *db.Tx, want []Scheme) (done []Applied, err error) {
	list, err := readSchemes(ctx, tx)
	if err != nil {
		return nil, err
	}
	byCode, wanted := map[string]Stored{}, map[string]bool{}
	for _, st := range list {
		byCode[st.Code] = st
	}
	for _, d := range want {
		if wanted[d.Code] {
			return nil, ErrTaken.At(d.Code)
		}
		wanted[d.Code] = true
	}
	for _, st := range list { // those that end make room for another main scheme
		if st.State == Live && !wanted[st.Code] {
			done = append(done, Applied{st.Code, "end"})
			if err := s.end(ctx, tx, st); err != nil {
				return nil, err
			}
		}
	}
	for _, main := range []bool{false, true} { // who gives the main place up comes first
		for _, d := range want {
			if d.Main != main {
				continue
			}
			action, err := s.applyOne(ctx, tx, byCode[d.Code], d)
			if err != nil {
				return nil, err
			}
			if action != "" {
				done = append(done, Applied{d.Code, action})
			}
		}
	}
	return done, nil
}

func (s *Service) end(ctx context.Context, tx *db.Tx, st Stored) error {
	before := st
	st.State, st.Draft = Ended, nil
	if err := updateScheme(ctx, tx, st, s.o.Clock.Now()); err != nil {
		return err
	}
	if err := s.sweep(ctx, tx); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "tier.end", st.Code, trail(before), trail(st))
}

// applyOne publishes one scheme where it differs from what is live.
func (s *Service) applyOne(ctx context.Context, tx *db.Tx, st Stored, d Scheme) (action string, err error) {
	l, err := s.check(ctx, d)
	if err != nil {
		return "", fmt.Errorf("tier scheme %s: %w", d.Code, err)
	}
	if st.State == Live && packScheme(st.Live) == packScheme(&l.Scheme) {
		return "", nil
	}
	action = "change"
	if st.ID == 0 {
		action = "add"
		if st, err = s.insert(ctx, tx, l); err != nil {
			return "", err
		}
	}
	before, draft := st, st.Draft
	if before.State == Ended {
		return "", ErrEnded
	}
	st.Draft = &l.Scheme
	if err := s.publish(ctx, tx, &st); err != nil {
		return "", err
	}
	if before.Version > 0 {
		st.Draft = draft
	}
	if err := updateScheme(ctx, tx, st, s.o.Clock.Now()); err != nil {
		return "", err
	}
	return action, s.o.Audit.Record(ctx, tx, "tier.apply", d.Code, trail(before), trail(st))
}

// insert writes a scheme that is not there yet, as a draft.
func (s *Service) insert(ctx context.Context, tx *db.Tx, l *Ladder) (Stored, error) {
	n, err := s.o.DB.NextID(ctx, "tier_scheme")
	if err != nil {
		return Stored{}, err
	}
	at := s.o.Clock.Now()
	if _, err := tx.Exec(ctx, insertSchemeSQL, n, l.Code, packScheme(&l.Scheme), at.UnixMilli()); err != nil {
		return Stored{}, fmt.Errorf("insert tier scheme %s: %w", l.Code, err)
	}
	return Stored{ID: n, Code: l.Code, State: Draft, Edited: 1, Draft: &l.Scheme, Changed: at.UTC()}, nil
}
