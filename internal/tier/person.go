package tier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// maxMerges bounds a chain of merges.
const maxMerges = 8

// Standing says where a member stands in every live scheme as of now, whether or not the daily
// run has written it down yet.
func (s *Service) Standing(ctx context.Context, m member.ID) ([]StandingView, error) {
	snap := s.Snapshot()
	list, err := s.people(ctx, snap, []int64{int64(m)})
	if err != nil {
		return nil, fmt.Errorf("read the standing of member %d: %w", m, err)
	}
	today := s.today()
	out := []StandingView{}
	for _, p := range list {
		for _, l := range snap.Ladders {
			v := l.view(Input{Sums: p.sums, Joined: p.joined, Now: today, Current: p.row.of(l.ID)})
			if l.Main {
				out = append([]StandingView{v}, out...)
			} else {
				out = append(out, v)
			}
		}
	}
	return out, nil
}

func (s *Service) today() Day {
	return dayAt(s.o.Clock.Now().UnixMilli(), s.o.Program.Snapshot().Zone)
}

// view shows where a member stands and how far the next tier is.
func (l *Ladder) view(in Input) StandingView {
	out := Evaluate(l, in)
	st := out.Standing
	e := &evaluation{l: l, in: &in, out: out}
	v := StandingView{Scheme: l.Code, NameEN: l.NameEN, NameZH: l.NameZH, Main: l.Main, Since: text(st.Since), From: text(st.From), Until: text(st.Until), Hand: st.Hand}
	rank := l.rankOf(st)
	if rank > 0 {
		t := l.viewTier(rank)
		v.Tier = &t
	}
	if st.Until != 0 && l.GraceDays > 0 {
		v.Grace = text(st.Until + Day(l.GraceDays))
	}
	if st.Locked {
		v.Lock = &LockView{text(st.LockUntil), st.Reason}
	}
	if rank < len(l.Tiers) {
		until := Day(0)
		if d := l.Window.next(in.Now, in.Joined); d != lastDay {
			until = d
		}
		v.Next = e.progress(rank+1, false, in.Now, in.Now, until)
	}
	if rank > 0 && st.Until != 0 {
		last := st.Until - 1
		through := last
		if in.Now < last {
			through = in.Now
		} else if l.GraceDays > 0 {
			through = min(in.Now, last+Day(l.GraceDays))
		}
		v.Keep = e.progress(rank, true, last, through, st.Until)
	}
	return v
}

func (e *evaluation) progress(rank int, keeping bool, on, through, until Day) *Progress {
	v := e.evidence(rank, keeping, on, through)
	return &Progress{Tier: e.l.viewTier(rank), Percent: v.percent(), Until: text(until), Evidence: *v}
}

func (l *Ladder) viewTier(rank int) TierView {
	t := &l.Tiers[rank-1]
	return TierView{t.Code, rank, t.NameEN, t.NameZH, t.Color, t.Icon, t.Benefits}
}

// Card shows the tier of the main scheme on a member's page.
func (s *Service) Card(ctx context.Context, m member.ID) (name string, value any, err error) {
	list, err := s.Standing(ctx, m)
	if err != nil {
		return "tier", nil, err
	}
	for _, v := range list {
		if v.Main && v.Tier != nil {
			return "tier", v.Tier.Code, nil
		}
	}
	return "tier", nil, nil
}

var historySQL = db.Define("tier.history", `
	SELECT seq, scheme_id, kind, from_tier, to_tier, day, until_day, at_ms, actor, reason, evidence
	FROM tier_history
	WHERE shard = $1 AND member_id = $2 AND seq < $3 AND ($4 = 0 OR scheme_id = $4)
	ORDER BY seq DESC
	LIMIT $5`)

// History lists what changed a member's standing, newest first, in one scheme or in all for "".
func (s *Service) History(ctx context.Context, m member.ID, scheme string, page api.Page) (out api.List[HistoryView], err error) {
	after, err := api.DecodeCursor(page.Cursor, 1)
	if err != nil {
		return out, err
	}
	before := int64(1 << 62)
	if after != nil {
		before = after[0]
	}
	out.Items = []HistoryView{}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		codes, only, err := schemeCodes(ctx, tx, scheme)
		if err != nil {
			return err
		}
		list, err := readHistory(ctx, tx, int64(m), before, only, page.Limit+1)
		if err != nil {
			return err
		}
		for _, h := range list[:min(len(list), page.Limit)] {
			out.Items = append(out.Items, h.view(codes))
		}
		if len(list) > page.Limit {
			out.NextCursor = api.EncodeCursor(list[page.Limit-1].seq)
		}
		return nil
	})
	return out, err
}

// schemeCodes reads what schemes are called, and the number of one of them, 0 for "".
func schemeCodes(ctx context.Context, tx *db.Tx, code string) (map[int64]string, int64, error) {
	list, err := readSchemes(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	codes, only := map[int64]string{}, int64(0)
	for _, st := range list {
		codes[st.ID] = st.Code
		if st.Code == code {
			only = st.ID
		}
	}
	if code != "" && only == 0 {
		return nil, 0, ErrNoScheme
	}
	return codes, only, nil
}

// By is a tier that is given by hand.
type By struct {
	Scheme, Tier string
	Last         string // last day, "" for none
	Reason       string
	Lock         bool
}

// Set gives a member a tier by hand.
func (s *Service) Set(ctx context.Context, m member.ID, by By, dry bool) ledger.Answer {
	c, err := s.given(by)
	if err != nil {
		return ledger.Answer{Err: err}
	}
	a := s.hand(ctx, m, c, dry)
	if a.Err == nil && !dry && !a.Raw.Replayed {
		a.Err = s.note(ctx, "member.tier_set", m, map[string]any{"scheme": c.ladder.Code, "tier": c.tier, "until": text(c.until), "lock": c.lock})
	}
	return a
}

// given checks what is to be given.
func (s *Service) given(by By) (c setCommand, err error) {
	snap := s.Snapshot()
	if c, err = snap.command(by.Scheme); err != nil {
		return c, err
	}
	if c.reason, err = checkReason(by.Reason); err != nil {
		return c, err
	}
	if c.tier, c.lock = by.Tier, by.Lock; c.tier != "" && c.ladder.rank(c.tier) == 0 {
		return c, ErrNoTier.With("tier", c.tier).At("body.tier")
	}
	if by.Last != "" {
		last, err := program.ParseDay(by.Last)
		if err != nil || last < s.today() {
			return c, ErrUntil.At("body.until")
		}
		c.until = last + 1
	}
	return c, nil
}

// command begins a change by hand in a scheme.
func (n *Snapshot) command(scheme string) (setCommand, error) {
	l := n.Ladder(scheme)
	if l == nil && scheme == "" {
		return setCommand{}, ErrNoMain
	}
	if l == nil {
		return setCommand{}, ErrNoScheme
	}
	return setCommand{look: look{snap: n}, ladder: l}, nil
}

// Unlock takes the lock off a member's tier.
func (s *Service) Unlock(ctx context.Context, m member.ID, scheme, reason string) ledger.Answer {
	c, err := s.Snapshot().command(scheme)
	if err != nil {
		return ledger.Answer{Err: err}
	}
	c.unlock, c.reason = true, reason
	a := s.hand(ctx, m, c, false)
	if a.Err == nil && !a.Raw.Replayed {
		a.Err = s.note(ctx, "member.tier_unlocked", m, map[string]any{"scheme": c.ladder.Code})
	}
	return a
}

// note puts what was done by hand on the audit trail.
func (s *Service) note(ctx context.Context, action string, m member.ID, what any) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, action, m.String(), nil, what)
	})
}

// hand sends a command by hand, to the survivor where the member was merged.
func (s *Service) hand(ctx context.Context, m member.ID, c setCommand, dry bool) ledger.Answer {
	for range maxMerges {
		var err error
		if c.look, err = s.lookFor(ctx, c.snap, m); err != nil {
			return ledger.Answer{Err: err}
		}
		c.member = int64(m)
		r := ledger.RequestOf(ctx, c, dry)
		a := s.o.Ledger.Engine().Do(ctx, r)
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) {
			return a
		}
		m = member.ID(moved.To)
	}
	return ledger.Answer{Err: ledger.ErrMember}
}

// lookFor prepares a look at a member: who they are, where a scheme asks.
func (s *Service) lookFor(ctx context.Context, snap *Snapshot, m member.ID) (look, error) {
	k := look{snap: snap}
	if !snap.profile {
		return k, nil
	}
	list, err := s.o.Members.Profiles(ctx, []member.ID{m})
	if p := list[m]; err == nil && p != nil {
		k.profile, k.joined = p, Day(p.JoinedDay)
	}
	return k, err
}

// history is a row of history.
type history struct {
	seq, scheme    int64
	kind, from, to string
	day, until     int64
	atMS           int64
	actor, reason  string
	evidence       string
}

func readHistory(ctx context.Context, tx *db.Tx, m, before, scheme int64, limit int) (list []history, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var h history
		err := rows.Scan(&h.seq, &h.scheme, &h.kind, &h.from, &h.to, &h.day, &h.until, &h.atMS, &h.actor, &h.reason, &h.evidence)
		list = append(list, h)
		return err
	})(tx.Query(ctx, historySQL, int64(id.Shard(m)), m, before, scheme, limit))
	return list, err
}

func (h history) view(codes map[int64]string) HistoryView {
	v := HistoryView{
		Scheme: codes[h.scheme], Kind: Kind(h.kind), From: h.from, To: h.to, Day: text(Day(h.day)), Until: text(Day(h.until)),
		At: time.UnixMilli(h.atMS).UTC(), Actor: h.actor, Reason: h.reason,
	}
	if h.evidence != "" {
		v.Evidence = &Evidence{}
		if json.Unmarshal([]byte(h.evidence), v.Evidence) != nil {
			v.Evidence = nil // verify tells of it
		}
	}
	return v
}

// The service tells lists of members in which tier they stand.
var (
	_ member.Standings = (*Service)(nil)
	_ member.Card      = (*Service)(nil)
)

var (
	inTierSQL = db.Define("tier.inTier", `
		SELECT member_id
		FROM tier_member
		WHERE tier = $1 AND member_id < $2
		ORDER BY member_id DESC
		LIMIT $3`)
	rowsSQL = db.DefineBulk("tier.rows", db.QuerySizes, 2, `
		SELECT member_id, tier, body
		FROM tier_member
		WHERE (shard, member_id) IN (VALUES`, pairRow, `)`)
)

// pairRow is one row of an IN list of (shard, member). The types must be said: nothing else
// tells PostgreSQL what a list of values is of.
func pairRow(first int) string {
	return fmt.Sprintf("(CAST($%d AS SMALLINT), CAST($%d AS BIGINT))", first, first+1)
}

// InTier is part of member.Standings.
func (s *Service) InTier(ctx context.Context, tx *db.Tx, code string, below member.ID, n int) (ids []member.ID, err error) {
	if !codes.MatchString(code) {
		return nil, nil
	}
	err = db.ReadRows(func(rows *db.Rows) error {
		var m member.ID
		err := rows.Scan(&m)
		ids = append(ids, m)
		return err
	})(tx.Query(ctx, inTierSQL, code, below, n))
	return ids, err
}

// TierCodes is part of member.Standings.
func (s *Service) TierCodes(ctx context.Context, tx *db.Tx, ids []member.ID) (map[member.ID]string, error) {
	codes := make(map[member.ID]string, len(ids))
	args := make([]any, 0, 2*len(ids))
	for _, m := range ids {
		args = append(args, int64(m.Shard()), int64(m))
	}
	err := rowsSQL.Query(ctx, tx, args, func(rows *db.Rows) error {
		var m member.ID
		var code, body string
		err := rows.Scan(&m, &code, &body)
		if code != "" && code != out {
			codes[m] = code
		}
		return err
	})
	return codes, err
}

// Rung is a tier of a ladder with what it asks.
type Rung struct {
	TierView
	Any      bool   `json:"any,omitempty" doc:"Whether one of what is asked is enough."`
	Growth   int64  `json:"growth,omitempty" doc:"Growth value that is asked, in the smallest unit of its currency."`
	Currency string `json:"currency,omitempty" doc:"Code of the currency of growth value."`
	Spend    int64  `json:"spend,omitempty" doc:"Money that is asked, in minor units of the programme's currency."`
	Visits   int64  `json:"visits,omitempty" doc:"Purchases that are asked."`
	Window   Window `json:"window" doc:"Over which time."`
}

// Rungs are the tiers of a live scheme, the lowest first.
func (n *Snapshot) Rungs(scheme string) []Rung {
	l := n.Ladder(scheme)
	if l == nil {
		return []Rung{}
	}
	out := make([]Rung, 0, len(l.Tiers))
	for i := range l.Tiers {
		q := l.Tiers[i].Qualify
		r := Rung{TierView: l.viewTier(i + 1), Any: q.Any, Growth: q.Growth, Spend: q.Spend, Visits: q.Visits, Window: l.Window}
		if q.Growth > 0 {
			r.Currency = l.Currency
		}
		out = append(out, r)
	}
	return out
}
