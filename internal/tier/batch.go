package tier

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// look is why a member is looked at in a batch.
type look struct {
	snap    *Snapshot
	profile *cond.Member // who they are; nil where no scheme asks
	joined  Day
	on      Day  // of the purchase, 0 for none
	ret     bool // a return
	quiet   bool // of the past: as of its own day, and nobody is told
}

// needs names what a look at a member takes.
func needs(member int64) ledger.Needs {
	return ledger.Needs{Members: []int64{member}, Rows: []ledger.RowKey{Row(member)}}
}

// decide brings the standings of a member up to date in a batch: rows, history, bonuses, events.
// It returns the code of the tier in the main scheme.
func (k look) decide(s *ledger.State, a *ledger.Account) (string, error) {
	row, err := load(s, a.ID)
	if err != nil {
		return "", err
	}
	outs, err := k.evaluate(s, a, &row)
	if err != nil {
		return "", err
	}
	if k.knows() {
		row.Joined = k.joined
	}
	for i, l := range k.snap.Ladders {
		row.set(outs[i].Standing)
		for _, c := range outs[i].Changes {
			row.N++
			k.record(s, a, l, row.N, c, "")
		}
	}
	for i, l := range k.snap.Ladders {
		if err := k.award(s, a, l, &outs[i], &row); err != nil {
			return "", err
		}
		k.tell(s, a, l, &outs[i])
	}
	return k.snap.put(s, a, row), nil
}

// knows reports whether the look has asked who the member is.
func (k look) knows() bool { return k.profile != nil }

// evaluate asks Evaluate about every ladder, and has the documents of the bonuses that are due
// looked for, before anything changes.
func (k look) evaluate(s *ledger.State, a *ledger.Account, row *standings) ([]Outcome, error) {
	sums := sumsOf(s, a, k.profile)
	now := dayAt(s.NowMS, s.Config.Zone)
	joined := k.joined
	if !k.knows() {
		joined = row.Joined
	}
	outs := make([]Outcome, len(k.snap.Ladders))
	var ask ledger.Needs
	for i, l := range k.snap.Ladders {
		if !k.knows() && (l.daily || l.yearly() && joined == 0) { // somebody who can ask looks soon
			outs[i].Standing = row.of(l.ID)
			outs[i].Standing.Next = lookSoon
			continue
		}
		in := Input{Sums: sums, Joined: joined, Now: now, On: k.on, Current: row.of(l.ID), Return: k.ret, Quiet: k.quiet, NoBonus: !a.MayEarn}
		if k.quiet && k.on != 0 { // as of then, if nothing later was decided yet
			in.Now = min(now, max(k.on, l.decided(in.Current)))
		}
		outs[i] = Evaluate(l, in)
		for _, w := range outs[i].Awards {
			ask.Rows = append(ask.Rows, w.document(l, a.ID).Need())
		}
	}
	return outs, s.Require(ask)
}

// put writes the row of a member if it changed, and returns the tier in the main scheme.
func (n *Snapshot) put(s *ledger.State, a *ledger.Account, row standings) string {
	code, text := n.codeOf(&row), row.pack()
	was := s.Row(memberTable, int64(a.Shard), a.ID)
	if was == nil || was[2].(string) != code || was[4].(string) != text {
		s.Put(memberTable, int64(a.Shard), a.ID, code, int64(row.next()), text)
	}
	return code
}

// out is the code under which who was merged or erased stands, which no tier has.
const out = "!"

// decided is the first day of what a standing has decided: nothing before it is judged anew. Who
// stands where everybody does has decided nothing.
func (l *Ladder) decided(st Standing) Day {
	rank := l.rankOf(st)
	if rank == 0 {
		return firstDay
	}
	if c, _ := l.criteria(rank, true); c.empty() && !st.Hand {
		return firstDay
	}
	return st.From
}

// codeOf is the tier in the main scheme under which lists show a member.
func (n *Snapshot) codeOf(row *standings) string {
	if row.Out {
		return out
	}
	if n.main == nil {
		return ""
	}
	return n.main.code(n.main.rankOf(row.of(n.main.ID)))
}

// record writes a row of history.
func (k look) record(s *ledger.State, a *ledger.Account, l *Ladder, seq int64, c Change, reason string) {
	evidence := ""
	if c.Evidence != nil {
		b, err := json.Marshal(c.Evidence)
		if err != nil {
			panic(err) // plain values
		}
		evidence = string(b)
	}
	s.Put(historyTable, int64(a.Shard), a.ID, seq, l.ID, string(c.Kind), c.From, c.To, int64(c.Day), int64(c.Until), s.NowMS, s.Actor(), reason, evidence)
}

// document is the natural key of a welcome bonus.
func (w Award) document(l *Ladder, member int64) ledger.Document {
	return ledger.Document{Kind: ledger.DocWelcome, Source: l.Code, Document: fmt.Sprintf("%d/%s/%d", member, w.Tier, w.Cycle)}
}

// award gives the welcome bonuses that are due. One that was given before, or that the ledger
// refuses, is passed over: a standing never waits for points.
func (k look) award(s *ledger.State, a *ledger.Account, l *Ladder, out *Outcome, row *standings) error {
	for _, w := range out.Awards {
		doc := w.document(l, a.ID)
		if _, seen := s.FindDoc(doc); seen {
			continue
		}
		cur, err := s.Config.Currency(w.Currency)
		if err != nil {
			continue // it was taken out of use since
		}
		g := ledger.Grant{Posting: ledger.Posting{Rule: "tier:" + l.Code + "/" + w.Tier}, Kind: ledger.Earn, Currency: cur, Amount: w.Amount}
		got, err := s.Grant(a, g)
		if errs.As(err) != nil || err == nil && got.Lot == nil {
			continue
		}
		if err != nil {
			return err
		}
		s.PutDoc(doc, ledger.Doc{Kind: ledger.DocWelcome, Member: a.ID, Seq: got.Lot.Seq})
	}
	return nil
}

// changed is the body of tier.changed.
type changed struct {
	Scheme string `json:"scheme"`
	From   string `json:"from"`
	To     string `json:"to"`
	Kind   Kind   `json:"kind"`
	Day    string `json:"day"`
	Until  string `json:"until,omitempty"`
	Quiet  bool   `json:"quiet,omitempty"`
}

// tell adds the events of an outcome.
func (k look) tell(s *ledger.State, a *ledger.Account, l *Ladder, out *Outcome) {
	for _, c := range out.Changes {
		tell(s, a, "tier.changed", changed{l.Code, c.From, c.To, c.Kind, c.Day.String(), text(c.Until), k.quiet})
	}
	rank := l.rankOf(out.Standing)
	if out.Near {
		tell(s, a, "tier.near_upgrade", struct {
			Scheme string `json:"scheme"`
			Tier   string `json:"tier"`
			Next   string `json:"next"`
		}{l.Code, l.code(rank), l.code(rank + 1)})
	}
	if out.Drop {
		tell(s, a, "tier.about_to_drop", struct {
			Scheme string `json:"scheme"`
			Tier   string `json:"tier"`
			Until  string `json:"until"`
		}{l.Code, l.code(rank), text(out.Standing.Until)})
	}
}

func tell(s *ledger.State, a *ledger.Account, kind string, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain values
	}
	s.Event(a, kind, s.NowMS, string(b))
}

// text is a day as it is written, "" for none.
func text(d Day) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// lookCommand looks at one member: after growth value moved, when their day has come, when the
// rules have changed.
type lookCommand struct {
	look
	member int64
}

func (c lookCommand) Needs() ledger.Needs { return needs(c.member) }

// Decide is part of ledger.Command.
func (c lookCommand) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	tier, err := c.decide(s, a)
	return tier, err
}

// setCommand gives a member a tier by hand, or takes a lock away.
type setCommand struct {
	look
	member int64
	ladder *Ladder
	tier   string // "" for none
	until  Day    // 0 for as long as the scheme says, or the lock for ever
	lock   bool
	unlock bool
	reason string
}

func (c setCommand) Needs() ledger.Needs { return needs(c.member) }

// SetAnswer is what became of a tier that was set by hand.
type SetAnswer struct {
	Scheme string `json:"scheme" doc:"The scheme."`
	Tier   string `json:"tier" doc:"Code of the tier, empty for none."`
	Since  string `json:"since,omitempty" doc:"First day."`
	Until  string `json:"until,omitempty" doc:"First day on which it is not held for certain any more; absent for no end."`
	Locked bool   `json:"locked" doc:"Whether it is locked."`
}

// Status is part of ledger.Statuser.
func (SetAnswer) Status() int { return 200 }

// Decide is part of ledger.Command.
func (c setCommand) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	row, err := load(s, a.ID)
	if err != nil {
		return nil, err
	}
	today := dayAt(s.NowMS, s.Config.Zone)
	st := row.of(c.ladder.ID)
	change := Change{Kind: Set, From: st.Tier, To: c.tier, Day: today}
	if c.unlock {
		if !st.Locked || st.LockUntil != 0 && today >= st.LockUntil {
			return nil, ErrNoLock
		}
		change.Kind, change.To = Unlocked, st.Tier
		st.Locked, st.LockUntil, st.Floor, st.FloorUntil, st.Hand, st.Reason = false, 0, "", 0, false, ""
		change.Until = st.Until
	} else {
		st = c.given(st, today)
		change.Until = st.Until
	}
	row.set(st)
	row.N++
	c.record(s, a, c.ladder, row.N, change, c.reason)
	if change.From != change.To {
		tell(s, a, "tier.changed", changed{c.ladder.Code, change.From, change.To, c.ladder.way(change), today.String(), text(change.Until), false})
	}
	c.snap.put(s, a, row)
	if _, err := c.decide(s, a); err != nil { // the next look, and what an unlocked standing has missed
		return nil, err
	}
	if row, err = load(s, a.ID); err != nil {
		return nil, err
	}
	st = row.of(c.ladder.ID)
	return SetAnswer{c.ladder.Code, st.Tier, text(st.Since), text(st.Until), st.Locked}, nil
}

// given is a standing after it was set by hand.
func (c setCommand) given(was Standing, today Day) Standing {
	e := &evaluation{l: c.ladder, in: &Input{Joined: c.joined, Now: today}, out: Outcome{Standing: was}}
	rank := c.ladder.rank(c.tier)
	st := e.st()
	if c.tier != was.Tier {
		st.Since = today
	}
	st.Tier, st.Rank, st.From, st.Proof, st.Kept = c.tier, rank, today, today, false
	st.Until, st.Hand, st.Reason = c.until, true, c.reason
	if c.until == 0 && !c.lock {
		st.Until = e.end(rank, today)
	}
	st.Locked, st.LockUntil, st.Floor, st.FloorUntil = c.lock, 0, c.tier, st.Until
	if c.lock {
		st.LockUntil = c.until
	}
	if rank == 0 {
		st.Since, st.From, st.Proof, st.Until, st.Floor, st.FloorUntil = 0, 0, 0, 0, "", 0
	}
	return *st
}

// way says whether a change by hand went up or down.
func (l *Ladder) way(c Change) Kind {
	switch from, to := l.rank(c.From), l.rank(c.To); {
	case to == 0:
		return Left
	case to < from:
		return Downgraded
	}
	return Upgraded
}

// checkReason refuses no reason, and one that is no sentence.
func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 1 || n > 500 {
		return "", ErrReason.At("body.reason")
	}
	return reason, nil
}

// rowID is where the rows of a member lie.
func rowID(member int64) int64 { return int64(id.Shard(member)) }
