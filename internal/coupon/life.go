package coupon

import (
	"context"
	"errors"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// The kinds of Origin that this package gives.
const (
	fromClaim   = "claim"
	fromStaff   = "staff"
	fromBatch   = "batch"
	fromSending = "sending"
	fromSale    = "sale"
)

// claim is the command by which a member gets a voucher of a coupon, and pays for it where it
// has a price.
type claim struct {
	member int64
	grant  *Grant
	price  Price // empty: for nothing
}

// Needs names the member, their voucher to be, and the points that pay for it.
func (c *claim) Needs() ledger.Needs {
	n := c.grant.Needs(c.member)
	if c.price.Amount > 0 {
		n.Heads = append(n.Heads, ledger.Head{Member: c.member, Currency: c.price.Currency})
	}
	return n
}

// Decide answers with the *Voucher.
func (c *claim) Decide(st *ledger.State) (any, error) {
	a, err := standing(st, c.member)
	if err != nil {
		return nil, err
	}
	if err := c.grant.May(st, a); err != nil {
		return nil, err
	}
	if c.price.Amount > 0 {
		cur, err := st.Config.Currency(c.price.Currency)
		if err != nil {
			return nil, err
		}
		of := &c.grant.coupon.Terms
		reason := of.NameZH
		if of.NameEN != of.NameZH {
			reason += " / " + of.NameEN
		}
		if _, err := st.Spend(a, cur, c.price.Amount, ledger.Posting{Reason: reason, Source: "coupon", Document: c.grant.code}); err != nil {
			return nil, err
		}
	}
	return c.grant.Decide(st, a)
}

// standing is the account of a member, or Moved where they were merged.
func standing(st *ledger.State, m int64) (*ledger.Account, error) {
	a, err := st.Account(m)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	return a, nil
}

// Claim gives a member a voucher that they ask for in the claim centre, for its price.
func (s *Service) Claim(ctx context.Context, m int64, ref string) (*Voucher, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if !c.Terms.Listed {
		return nil, ErrManual
	}
	return s.give(ctx, m, c, Origin{Kind: fromClaim}, c.Terms.Price)
}

// Hand gives a member a voucher in the name of staff; charge says whether they pay its price.
func (s *Service) Hand(ctx context.Context, m int64, ref string, charge bool) (*Voucher, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	price := Price{}
	if charge {
		price = c.Terms.Price
	}
	return s.give(ctx, m, c, Origin{Kind: fromStaff}, price)
}

func (s *Service) give(ctx context.Context, m int64, c *Coupon, from Origin, price Price) (*Voucher, error) {
	g, err := s.PrepareGrant(c.PublicID(), from, 0)
	if err != nil {
		return nil, err
	}
	ok, err := s.eligible(ctx, []int64{m}, []*cond.Cond{g.v.audience})
	if err != nil {
		return nil, err
	}
	if !ok[m] {
		return nil, ErrAudience
	}
	got, err := s.do(ctx, m, func(m int64) ledger.Command { return &claim{member: m, grant: g, price: price} })
	if err != nil {
		return nil, err
	}
	return got.(*Voucher), nil
}

// eligible says of which members all conditions hold, now; nil ones hold. One that cannot be
// worked out holds for nobody.
func (s *Service) eligible(ctx context.Context, ids []int64, conditions []*cond.Cond) (map[int64]bool, error) {
	out := make(map[int64]bool, len(ids))
	var ask []*cond.Cond
	var needs []cond.Need
	for _, c := range conditions {
		if c != nil {
			ask, needs = append(ask, c), append(needs, c.Needs()...)
		}
	}
	if len(ask) == 0 {
		for _, m := range ids {
			out[m] = true
		}
		return out, nil
	}
	members := make([]member.ID, len(ids))
	for i, m := range ids {
		members[i] = member.ID(m)
	}
	profiles, err := s.o.Members.Profiles(ctx, members)
	if err != nil {
		return nil, err
	}
	found := map[int64]cond.Found{}
	if len(needs) > 0 {
		var rs []ledger.Request
		for _, m := range ids {
			rs = append(rs, ledger.Request{Command: sale.Look{Member: m, Facts: needs}, DryRun: true, Bulk: len(ids) > 1})
		}
		for _, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			if got, ok := a.Value.(sale.Looked); ok {
				found[got.Member] = got.Found
			}
		}
	}
	now := cond.NewMoment(s.o.Clock.Now(), s.zone())
	for m, p := range profiles {
		f := &cond.Facts{Member: p, Now: now, Found: found[int64(m)]}
		holds := true
		for _, c := range ask {
			ok, err := c.Eval(f)
			holds = holds && ok && err == nil
		}
		out[int64(m)] = holds
	}
	return out, nil
}

// change is a command about one voucher: a member takes one that nobody holds, or it is taken
// back, or given away.
type change struct {
	member int64 // whose request it is; a stand-in where staff act on a voucher of nobody
	code   string
	n      *snapshot
	needs  ledger.Needs
	merged bool // it is about that very record, be it merged or not
	do     func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error
}

// Needs names the member and the voucher.
func (c *change) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{voucherRow(c.code)}}
	n.Add(c.needs)
	return n
}

// Decide answers with the *Voucher.
func (c *change) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 && !c.merged {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	v := load(st, c.code)
	if v == nil {
		return nil, ErrUnknown
	}
	of := c.n.of(v.Coupon, v.Version)
	if of == nil {
		return nil, ErrUnknown
	}
	if err := c.do(st, a, v, of); err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Service) changeOne(ctx context.Context, m int64, code string, needs func(m int64) ledger.Needs, do func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error) (*Voucher, error) {
	n := s.now.Load()
	got, err := s.do(ctx, m, func(m int64) ledger.Command {
		c := &change{member: m, code: code, n: n, do: do}
		if needs != nil {
			c.needs = needs(m)
		}
		return c
	})
	if err != nil {
		return nil, err
	}
	return got.(*Voucher), nil
}

// Take gives a member a voucher that nobody holds, by its code: one that was printed. What is
// not there and what is somebody else's is answered alike.
func (s *Service) Take(ctx context.Context, m int64, text string) (*Voucher, error) {
	code := fold(text)
	was, err := s.Voucher(ctx, code)
	if err != nil {
		return nil, err
	}
	of := s.now.Load().of(was.Coupon, was.Version)
	if of == nil {
		return nil, ErrUnknown
	}
	ok, err := s.eligible(ctx, []int64{m}, []*cond.Cond{of.audience})
	if err != nil {
		return nil, err
	}
	if !ok[m] {
		return nil, ErrAudience
	}
	needs := func(m int64) ledger.Needs { return ledger.Needs{Rows: []ledger.RowKey{claimKey(was.Coupon, m).Row()}} }
	return s.changeOne(ctx, m, code, needs, func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
		if v.Member != 0 {
			if err := owns(st, a, v); errors.Is(err, ErrForeign) {
				return ErrUnknown
			} else if err != nil {
				return err
			}
			return nil // it is theirs already
		}
		if err := v.usable(st.NowMS, max(st.NowMS, v.From), 0); err != nil {
			return err
		}
		return v.take(st, a, of)
	})
}

// take makes a member the holder of a voucher that nobody held. Days count from now.
func (v *Voucher) take(st *ledger.State, a *ledger.Account, of *version) error {
	k := claimKey(v.Coupon, a.ID)
	if !a.MayEarn {
		return ledger.ErrMayNotEarn
	}
	if err := takeOne(st, k, of.coupon.Terms.Limits.PerMember, ErrOften); err != nil {
		return err
	}
	v.Member, v.Stage, v.ClaimedMS = a.ID, Claimed, st.NowMS
	v.step(st, a, of.coupon, Step{Kind: StepClaimed}, map[string]any{"from": v.Origin.Kind, "ref": v.Origin.Ref, "until_ms": v.Until})
	return nil
}

// Revoke takes a voucher back from whoever holds it. Used ones stay used. What it counted for
// stock and member counts no more. The trail has who did, and why.
func (s *Service) Revoke(ctx context.Context, text, reason string) (*Voucher, error) {
	code := fold(text)
	was, err := s.Voucher(ctx, code)
	if err != nil {
		return nil, err
	}
	m := was.Member
	if m == 0 {
		m = nobody
	}
	needs := func(int64) ledger.Needs {
		return ledger.Needs{Members: []int64{max(0, was.Member)}, Rows: claimRows(was.Coupon, was.Member)}
	}
	if was.Member == 0 {
		needs = func(int64) ledger.Needs { return ledger.Needs{Rows: claimRows(was.Coupon, 0)} }
	}
	v, err := s.changeOne(ctx, m, code, needs, func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
		if v.Member != was.Member {
			return ErrEdited
		}
		return v.revoke(st, a, of.coupon)
	})
	if err != nil {
		return nil, err
	}
	return v, s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, "voucher.revoke", code, nil, map[string]any{"coupon": was.Coupon, "reason": reason})
	})
}

// nobody is the account under which what happens to vouchers that nobody holds is told: a
// stand-in of no store.
const nobody = int64(-1)
