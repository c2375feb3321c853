package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/member"
)

// The Service takes part in what happens to members.
var (
	_ member.Switches = (*Service)(nil)
	_ member.Merger   = (*Service)(nil)
	_ member.Card     = (*Service)(nil)
)

// settleCommand writes down what time alone has made true of a member. It is the daily run.
type settleCommand struct{ member int64 }

func (c settleCommand) Needs() Needs { return Needs{Members: []int64{c.member}} }

func (c settleCommand) Decide(s *State) (any, error) {
	_, err := s.Account(c.member)
	return struct{}{}, err
}

// switchCommand sets whether a member may earn and spend; nil leaves a switch as it is.
type switchCommand struct {
	member      int64
	earn, spend *bool
	reason      string
}

func (c switchCommand) Needs() Needs { return Needs{Members: []int64{c.member}} }

// switchBody is the body of member.blocked and member.unblocked: which switches moved.
type switchBody struct {
	Earn   bool   `json:"earn,omitempty"`
	Spend  bool   `json:"spend,omitempty"`
	Reason string `json:"reason"`
}

func (c switchCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.member)
	if err != nil {
		return nil, err
	}
	off, on := switchBody{Reason: c.reason}, switchBody{Reason: c.reason}
	s.edit(a)
	if c.earn != nil && *c.earn != a.MayEarn {
		a.MayEarn = *c.earn
		off.Earn, on.Earn = !a.MayEarn, a.MayEarn
	}
	if c.spend != nil && *c.spend != a.MaySpend {
		a.MaySpend = *c.spend
		off.Spend, on.Spend = !a.MaySpend, a.MaySpend
	}
	if off.Earn || off.Spend {
		s.tellAs(a, "member.blocked", off)
	}
	if on.Earn || on.Spend {
		s.tellAs(a, "member.unblocked", on)
	}
	return struct{}{}, nil
}

// SetSwitches sets whether a member may earn and spend; nil leaves a switch as it is.
func (s *Service) SetSwitches(ctx context.Context, m member.ID, earn, spend *bool, reason string) error {
	return s.order(ctx, int64(m), func(m int64) Command { return switchCommand{m, earn, spend, reason} })
}

// mergeCommand moves all that one member has to another, or back what is left of it.
type mergeCommand struct {
	from, into int64
	by         string
	undo       bool
	with       []Companion
}

func (c mergeCommand) Needs() Needs {
	both := []int64{c.from, c.into}
	n := Needs{Members: both, Lots: both}
	for _, w := range c.with {
		n.Rows = append(n.Rows, append(w.Rows(c.from), w.Rows(c.into)...)...)
	}
	return n
}

// linkBody is the body of ledger.merged and ledger.unmerged.
type linkBody struct {
	From member.ID `json:"from"`
	Into member.ID `json:"into"`
	By   string    `json:"by"`
}

func (c mergeCommand) Decide(s *State) (any, error) {
	from, err := s.Account(c.from)
	if err != nil {
		return nil, err
	}
	into, err := s.Account(c.into)
	if err != nil {
		return nil, err
	}
	body := linkBody{member.ID(c.from), member.ID(c.into), c.by}
	if c.undo {
		return struct{}{}, c.unmerge(s, from, into, body)
	}
	switch {
	case from.MergedInto == c.into:
		return struct{}{}, nil // by an earlier try
	case from.MergedInto != 0 || into.MergedInto != 0:
		return nil, member.ErrMerged
	}
	if err := s.Merge(from, into, Posting{}); err != nil {
		return nil, err
	}
	for _, w := range c.with {
		if err := w.Merged(s, from, into); err != nil {
			return nil, err
		}
	}
	s.tellAs(from, "ledger.merged", body)
	return struct{}{}, nil
}

// ErrUnmergeFirst refuses to undo a merge inside another one.
var ErrUnmergeFirst = errs.New(errs.Conflict, "ledger.unmerge_first", "The member into whom this one was merged has been merged too. Undo that merge first.", "该会员并入的会员后来也被合并，请先撤销后一次合并。")

func (c mergeCommand) unmerge(s *State, from, into *Account, body linkBody) error {
	if from.MergedInto == 0 {
		return nil // by an earlier try
	}
	switch {
	case from.MergedInto != c.into:
		return member.ErrNotMerged
	case into.MergedInto != 0: // what came from here lies further on
		return ErrUnmergeFirst
	}
	var ask Needs
	for _, seq := range MergedLots(c.from, into) {
		if s.lot(from, seq) == nil {
			ask.LotSeqs = append(ask.LotSeqs, LotKey{c.from, seq})
		}
	}
	if len(ask.LotSeqs) > 0 {
		return &Again{ask}
	}
	if err := s.Unmerge(from, into, Posting{}); err != nil {
		return err
	}
	for _, w := range c.with {
		if err := w.Unmerged(s, from, into); err != nil {
			return err
		}
	}
	s.tellAs(from, "ledger.unmerged", body)
	return nil
}

// Merge posts what l.From owns to l.Into, and then points the one record at the other.
//
// These are two transactions: postings go through the engine. The account comes first, as
// it is what postings look at; a crash in between leaves a member whose record still stands
// alone while postings already go to the survivor. The event of the first transaction sees
// to it that the second happens (onLinks). Where the second is refused, the first is undone.
func (s *Service) Merge(ctx context.Context, l member.Link) error {
	if err := s.move(ctx, l, false); err != nil {
		return err
	}
	err := s.link(ctx, l)
	if e := errs.As(err); e != nil && e.Kind == errs.Conflict {
		if undone := s.move(ctx, l, true); undone != nil {
			return fmt.Errorf("undo the merge of %d into %d: %w", l.From, l.Into, undone)
		}
	}
	return err
}

// Unmerge gives l.From back what is left of it, and then takes the pointer away.
func (s *Service) Unmerge(ctx context.Context, l member.Link) error {
	if err := s.move(ctx, l, true); err != nil {
		return err
	}
	return s.unlink(ctx, l)
}

func (s *Service) move(ctx context.Context, l member.Link, undo bool) error {
	c := mergeCommand{int64(l.From), int64(l.Into), l.By, undo, s.companions}
	return s.engine.Do(ctx, Request{Command: c, Actor: actorOf(ctx)}).Err
}

// link points the record of l.From at that of l.Into, unless somebody has done so already.
func (s *Service) link(ctx context.Context, l member.Link) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return member.LinkMerged(ctx, tx, l) })
	s.members.Forget(l.From)
	if !errors.Is(err, member.ErrMerged) {
		return err
	}
	s.members.Forget(l.Into)
	found, ferr := s.members.FindMany(ctx, []member.Ref{member.RefID(l.From), member.RefID(l.Into)})
	if ferr != nil {
		return ferr
	}
	if found[0] == found[1] {
		return nil
	}
	return err
}

// unlink takes the pointer away, unless somebody has done so already.
func (s *Service) unlink(ctx context.Context, l member.Link) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return member.UnlinkMerged(ctx, tx, l) })
	s.members.Forget(l.From)
	if errors.Is(err, member.ErrNotMerged) {
		return nil
	}
	return err
}

// linkPause is how long the one who merges has to point the records themselves, before the
// job looks after it.
const linkPause = 5 * time.Second

// linkKind is the job that finishes a merge.
const linkKind = "ledger.link"

// linkArgs name a merge whose records are to follow the accounts.
type linkArgs struct {
	linkBody
	AtMS int64 `json:"at_ms"`
}

// onLinks has every merge looked at once more, after a while.
func (s *Service) onLinks(ctx context.Context, tx *db.Tx, events []event.Event) error {
	for _, e := range events {
		if e.Kind != "ledger.merged" && e.Kind != "ledger.unmerged" {
			continue
		}
		args := linkArgs{AtMS: e.AtMS}
		if err := json.Unmarshal(e.Body, &args.linkBody); err != nil {
			return fmt.Errorf("event %d: %w", e.Position, err)
		}
		now := s.clock.Now()
		if _, err := job.Enqueue(ctx, tx, job.New{Kind: linkKind, Args: args, RunAt: now.Add(linkPause), Now: now}); err != nil {
			return err
		}
	}
	return nil
}

var mergedIntoSQL = db.Define("ledger.mergedInto", `
	SELECT merged_into
	FROM account
	WHERE shard = $1 AND member_id = $2`)

// follow is the job of linkKind: it makes the record of a member point where the account
// does now. What the event told may be out of date by then; the account is not.
func (s *Service) follow(ctx context.Context, run *job.Run) error {
	var args linkArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	var into int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, mergedIntoSQL, args.From.Shard(), int64(args.From)).Scan(&into)
	})
	if err != nil {
		return fmt.Errorf("read where member %d went: %w", args.From, err)
	}
	l := member.Link{From: args.From, Into: args.Into, At: time.UnixMilli(args.AtMS), By: args.By}
	switch into {
	case 0:
		return s.unlink(ctx, l)
	case int64(args.Into):
		return s.link(ctx, l)
	}
	return nil // merged elsewhere since: that merge has a job of its own
}
