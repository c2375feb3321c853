package rule

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Item is a rule as the programme's file has it: the version that counts, or its draft where
// nothing was published. A draft beside a published rule is nobody's business yet.
type Item struct {
	Code   string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9][a-z0-9_-]*$" doc:"Short name, unique and fixed: entries bear it." example:"double-tuesday"`
	State  string `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Whether it counts."`
	Starts string `json:"starts_at,omitempty" maxLength:"40" doc:"Of scheduled: from when on it counts." example:"2026-05-01T00:00:00+08:00"`
	Definition
}

// GroupItem is a group as the programme's file has it.
type GroupItem struct {
	Code   string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9][a-z0-9_-]*$" doc:"Short name, unique and fixed."`
	NameEN string `json:"name_en,omitempty" maxLength:"100" doc:"Name in English; one of the two is needed."`
	NameZH string `json:"name_zh,omitempty" maxLength:"100" doc:"Name in Chinese."`
	Mode   string `json:"mode" enum:"all,first,best,least" doc:"Which of its rules count: all, the first by priority that gives anything, the one that gives most, or the one that gives least (but something)."`
	Stage  int64  `json:"stage" minimum:"0" maximum:"99" doc:"When they run."`
}

// InCode is the groups and the rules as sections of the programme's file. Currencies and tiers
// stand before them.
func (s *Service) InCode() (groups, rules code.Part) {
	hold := func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, raiseSQL)
		return err
	}
	groups = code.List[GroupItem]{
		Section: "rule_groups", Called: errs.Word{EN: "group of rules", ZH: "规则组"}, Code: func(g GroupItem) string { return g.Code }, Hold: hold,
		All: func(ctx context.Context, tx *db.Tx) ([]GroupItem, error) {
			list, err := readGroups(ctx, tx)
			var out []GroupItem
			for _, g := range list {
				out = append(out, GroupItem{g.Code, g.NameEN, g.NameZH, g.Mode, g.Stage})
			}
			return out, err
		},
		Forms: func(g *GroupItem) { g.NameEN, g.NameZH = bothNames(g.NameEN, g.NameZH) },
		Put:   s.putGroupItem,
		Drop: func(ctx context.Context, tx *db.Tx, was GroupItem) error {
			b, err := readBook(ctx, tx)
			if err != nil {
				return err
			}
			if used := b.users(was.Code, s.clock.Now().UnixMilli()); len(used) > 0 {
				return ErrGroupUse.With("rules", listed(used))
			}
			_, err = tx.Exec(ctx, deleteGroupSQL, was.Code)
			return err
		},
		Done: s.Refresh,
	}
	rules = code.List[Item]{
		Section: "rules", Called: errs.Word{EN: "earning rule", ZH: "积分规则"}, Code: func(i Item) string { return i.Code }, Hold: hold,
		Ready: s.ledger.Declared,
		All:   s.items,
		Forms: func(i *Item) { i.form(s.program.Snapshot().Zone) },
		Put:   s.putItem,
		Drop: func(ctx context.Context, tx *db.Tx, was Item) error {
			b, err := readBook(ctx, tx)
			if err != nil {
				return err
			}
			r, err := b.find(was.Code)
			if err != nil {
				return err
			}
			n, err := tx.Exec(ctx, deleteRuleSQL, r.ID, r.Revision)
			if err == nil && n == 0 {
				return ErrState.With("state", stateWord(was.State))
			}
			return err
		},
		Done: s.Refresh,
	}
	return groups, rules
}

// form brings a rule of the file into the form that it is kept in. What is wrong with it is
// told when it is put.
func (i *Item) form(zone *time.Location) {
	i.Definition.Code = i.Code
	if i.State != Scheduled {
		i.Starts = ""
	} else if at, err := program.ParseTime(i.Starts, zone); err == nil {
		i.Starts = at.In(zone).Format(time.RFC3339)
	}
	d := i.Definition
	if d.check(zone) == nil {
		i.Definition = d
	}
}

func (s *Service) items(ctx context.Context, tx *db.Tx) ([]Item, error) {
	b, err := readBook(ctx, tx)
	if err != nil {
		return nil, err
	}
	nowMS := s.clock.Now().UnixMilli()
	var out []Item
	for _, r := range b.rules {
		d, _ := r.Counts(nowMS)
		i := Item{Code: r.Code, State: r.State(nowMS), Definition: *d}
		if p := r.Planned(nowMS); i.State == Scheduled && p != nil {
			i.Starts = time.UnixMilli(p.FromMS).In(s.program.Snapshot().Zone).Format(time.RFC3339)
		}
		out = append(out, i)
	}
	return out, nil
}

func (s *Service) putGroupItem(ctx context.Context, tx *db.Tx, _ *GroupItem, is GroupItem) error {
	g := Group{Code: is.Code, NameEN: is.NameEN, NameZH: is.NameZH, Mode: is.Mode, Stage: is.Stage}
	if err := g.check(); err != nil {
		return err
	}
	b, err := readBook(ctx, tx)
	if err != nil {
		return err
	}
	was := b.group(g.Code)
	if was == nil {
		if len(b.groups) >= maxGroups {
			return ErrMany.With("most", maxGroups)
		}
		_, err := tx.Exec(ctx, insertGroupSQL, g.Code, g.NameEN, g.NameZH, g.Mode, g.Stage)
		return err
	}
	if g.Mode != was.Mode && (g.Mode == Best || g.Mode == Least) {
		if err := b.oneCurrency(g.Code); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, updateGroupSQL, g.Code, g.NameEN, g.NameZH, g.Mode, g.Stage, was.Revision)
	return err
}

// putItem writes one rule of the file.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	d := is.Definition
	if err := s.acceptIn(ctx, tx, &d); err != nil {
		return err
	}
	now := s.clock.Now()
	zone := s.program.Snapshot().Zone
	start := now
	if is.State == Scheduled {
		at, err := program.ParseTime(is.Starts, zone)
		if err != nil || !at.After(now) {
			return ErrFrom.At("starts_at")
		}
		start = at
	}
	if was == nil {
		n, err := s.db.NextID(ctx, "rule")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertRuleSQL, n, d.Code, d.text(), now.UnixMilli()); err != nil {
			return fmt.Errorf("add rule %s: %w", d.Code, err)
		}
		if is.State != Scheduled { // as a rule that is published by hand
			start = startOfDay(now, zone)
		}
	}
	b, err := readBook(ctx, tx)
	if err != nil {
		return err
	}
	r, err := b.find(d.Code)
	if err != nil {
		return err
	}
	if was == nil && len(b.rules) > maxRules {
		return ErrMany.With("most", maxRules)
	}
	if err := b.fits(&d); err != nil {
		return err
	}
	if was != nil && (was.State == Ended || was.State != Draft && is.State == Draft) {
		return ErrState.With("state", stateWord(was.State)).At("state")
	}
	if is.State == Draft {
		r.Draft = &d
		return r.save(ctx, tx, now)
	}
	return s.publishItem(ctx, tx, r, &d, is.State, start)
}

// publishItem makes a definition the version of a rule that counts, and takes on a state.
func (s *Service) publishItem(ctx context.Context, tx *db.Tx, r *Rule, d *Definition, state string, start time.Time) error {
	now := s.clock.Now().UnixMilli()
	if r.Version == 0 || r.Versions[r.Version].text() != d.text() {
		r.Version++
		if _, err := tx.Exec(ctx, insertVersionSQL, r.ID, r.Version, d.text(), now, staff.ActorOf(ctx)); err != nil {
			return err
		}
		r.Versions[r.Version] = d
		for slice := range int64(slices16) {
			if d.Caps.Budget == 0 {
				break
			}
			if _, err := tx.Exec(ctx, makeBudgetSQL, r.ID*slices16+slice); err != nil {
				return err
			}
		}
	}
	r.Draft = nil
	if _, err := tx.Exec(ctx, unplanSQL, r.ID, now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertRunSQL, r.ID, r.Version, start.UnixMilli()); err != nil {
		return err
	}
	if to, turned := map[string]int64{Paused: 0, Ended: ended}[state]; turned {
		if _, err := tx.Exec(ctx, insertRunSQL, r.ID, to, max(now, start.UnixMilli())); err != nil {
			return err
		}
	}
	return r.save(ctx, tx, s.clock.Now())
}

// acceptIn is accept by the currencies that the transaction sees.
func (s *Service) acceptIn(ctx context.Context, tx *db.Tx, d *Definition) error {
	config, err := s.ledger.ConfigIn(ctx, tx)
	if err != nil {
		return err
	}
	words, err := s.ledger.WordsOf(ctx, config)
	if err != nil {
		return err
	}
	zone := s.program.Snapshot().Zone
	if err := d.check(zone); err != nil {
		return err
	}
	if cur := config.ByCode[d.Effect.Currency]; d.Effect.Currency != "" && (cur == nil || !cur.Active || cur.Kind == ledger.Stored) {
		return ledger.ErrCurrency.With("code", d.Effect.Currency).At("body.effect.currency")
	}
	_, err = compile(d, 0, 0, words, zone)
	return err
}
