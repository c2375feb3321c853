package tier

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
)

// Item is a scheme as the programme's file has it: what is live of it, or its draft where
// nothing was published. A draft beside a live scheme is nobody's business yet.
type Item struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Its short name, unique and for ever." example:"club"`
	State State  `json:"state" enum:"draft,live,ended" doc:"How far it has come."`
	Scheme
}

var holdSQL = db.Define("tier.hold", `
	UPDATE tier_scheme
	SET edited = edited`)

// InCode is the schemes as a section of the programme's file. Currencies stand before it.
func (s *Service) InCode() code.Part {
	return code.List[Item]{
		Section: "tiers", Called: errs.Word{EN: "tier scheme", ZH: "等级体系"}, Code: func(i Item) string { return i.Code },
		Ready: s.o.Ledger.Declared,
		Hold: func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, holdSQL) // there are few
			return err
		},
		All: func(ctx context.Context, tx *db.Tx) ([]Item, error) {
			list, err := readSchemes(ctx, tx)
			var out []Item
			for _, st := range list {
				is := st.Live
				if st.State == Draft {
					is = st.Draft
				}
				out = append(out, Item{st.Code, st.State, *is})
			}
			return out, err
		},
		Forms: func(i *Item) {
			i.Scheme.Code = i.Code
			i.NameEN, i.NameZH, _ = names(i.NameEN, i.NameZH)
			for k := range i.Tiers {
				t := &i.Tiers[k]
				t.NameEN, t.NameZH, _ = names(t.NameEN, t.NameZH)
			}
		},
		Put: s.putItem,
		Done: func(ctx context.Context) error {
			s.o.Jobs.Nudge()
			return s.Refresh(ctx)
		},
	}
}

// putItem writes one scheme of the file.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	l, err := s.compileIn(ctx, tx, is.Scheme)
	if err != nil {
		return err
	}
	var st Stored
	if was == nil {
		n, err := s.o.DB.NextID(ctx, "tier_scheme")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertSchemeSQL, n, is.Code, packScheme(&l.Scheme), s.o.Clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("add tier scheme %s: %w", is.Code, err)
		}
	}
	if st, err = readScheme(ctx, tx, is.Code); err != nil {
		return err
	}
	switch {
	case st.State == Ended, st.State == Live && is.State == Draft:
		return ErrEnded.At("state")
	case is.State == Draft:
		st.Draft = &l.Scheme
	case st.State == Draft || was == nil || !sameScheme(was.Scheme, l.Scheme):
		st.Draft = &l.Scheme
		if err := s.publish(ctx, tx, &st); err != nil {
			return err
		}
	}
	if is.State == Ended {
		st.State, st.Draft = Ended, nil
		if err := s.sweep(ctx, tx); err != nil {
			return err
		}
	}
	return updateScheme(ctx, tx, st, s.o.Clock.Now())
}

func sameScheme(a, b Scheme) bool { return packScheme(&a) == packScheme(&b) }

// compileIn compiles a scheme by the currencies that the transaction sees.
func (s *Service) compileIn(ctx context.Context, tx *db.Tx, d Scheme) (*Ladder, error) {
	config, err := s.o.Ledger.ConfigIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	env, err := s.o.Ledger.WordsOf(ctx, config)
	if err != nil {
		return nil, err
	}
	return compile(d, env, config, "body")
}
