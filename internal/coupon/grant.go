package coupon

import (
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// Grant is a voucher that another noun gives within its own posting. It is prepared before
// the batch: the code is drawn then. One Grant gives one voucher.
type Grant struct {
	coupon *Coupon
	v      *version
	limits Limits
	code   string
	from   Origin
	zone   *snapshot
	atMS   int64 // 0: the posting's own time
	batch  int64 // the sending that it is of
}

// PrepareGrant draws a voucher of a coupon (cpn_… or its code) for an instant, 0 for that of the
// batch. It refuses a coupon that is not issued then. Whether the member is of its audience is for
// whoever gives it to say.
func (s *Service) PrepareGrant(ref string, from Origin, atMS int64) (*Grant, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	n := s.now.Load()
	when := atMS
	if when == 0 {
		when = s.nowMS()
	}
	if err := n.issues(c, when); err != nil {
		return nil, err
	}
	return n.grant(c, defaultPattern.draw(1)[0], from, atMS), nil
}

func (n *snapshot) grant(c *Coupon, code string, from Origin, atMS int64) *Grant {
	return &Grant{coupon: c, v: n.latest(c), limits: c.Terms.Limits, code: code, from: from, zone: n, atMS: atMS}
}

// issues refuses a coupon that gives no vouchers at an instant.
func (n *snapshot) issues(c *Coupon, atMS int64) error {
	if c.Terms.SharedCode != "" {
		return ErrNoUse
	}
	switch c.Standing(atMS, n.zone) {
	case Live:
		return nil
	case Paused:
		return ErrPaused
	}
	return ErrNotLive
}

// claimKey is what counts vouchers that were issued: of a member, or with 0 of all.
func claimKey(coupon, member int64) quota.Key {
	if member > 0 {
		return quota.Key{Kind: quota.CouponClaims, ID: coupon, Part: member}
	}
	return quota.Key{Kind: quota.CouponClaim, ID: coupon}
}

// ErrDrawn says that a code was drawn that is there: it is drawn anew.
var ErrDrawn = errs.New(errs.Unavailable, "coupon.drawn", "Try again in a moment.", "请稍后重试。")

// Coupon is what it is a voucher of.
func (g *Grant) Coupon() *Coupon { return g.coupon }

// Code is the code that the voucher will have.
func (g *Grant) Code() string { return g.code }

// Needs names what Decide looks at and writes.
func (g *Grant) Needs(member int64) ledger.Needs {
	n := ledger.Needs{Members: []int64{member}, Fresh: []ledger.RowKey{voucherRow(g.code)}}
	n.Rows = claimRows(g.coupon.ID, member)
	if g.limits.PerMember > 0 && member > 0 {
		n.Rows = append(n.Rows, quota.KinRow(member))
	}
	return n
}

// May refuses where a limit leaves no voucher for a member. It changes nothing.
func (g *Grant) May(st *ledger.State, a *ledger.Account) error {
	if a.ID <= 0 {
		return ErrMember
	}
	if err := st.Require(ledger.Needs{Rows: claimRows(g.coupon.ID, a.ID)}); err != nil {
		return err
	}
	if g.limits.PerMember > 0 {
		if err := quota.Related(st, claimKey(g.coupon.ID, a.ID)); err != nil {
			return err
		}
	}
	switch {
	case !a.MayEarn:
		return ledger.ErrMayNotEarn
	case quota.Left(st, claimKey(g.coupon.ID, a.ID), quota.Limit{N: g.limits.PerMember}).N == 0:
		return ErrOften
	case quota.Left(st, claimKey(g.coupon.ID, 0), quota.Limit{N: g.limits.Stock}).N == 0:
		return ErrStock
	case load(st, g.code) != nil:
		return ErrDrawn
	}
	return nil
}

// Decide gives the voucher to a member, whose account is not merged. Where it refuses, it has
// changed nothing, so that a posting may go on without it.
func (g *Grant) Decide(st *ledger.State, a *ledger.Account) (*Voucher, error) {
	if err := g.May(st, a); err != nil {
		return nil, err
	}
	for _, k := range []quota.Key{claimKey(g.coupon.ID, 0), claimKey(g.coupon.ID, a.ID)} {
		if err := quota.Take(st, k, quota.Limit{}, 1, 0); err != nil {
			return nil, err
		}
	}
	v := g.voucher(st.NowMS)
	v.Member, v.Stage, v.ClaimedMS = a.ID, Claimed, v.IssuedMS
	v.step(st, a, g.coupon, Step{Kind: StepClaimed, AtMS: v.ClaimedMS}, map[string]any{"from": v.Origin.Kind, "ref": v.Origin.Ref, "until_ms": v.Until, "issued": true})
	return v, nil
}

// voucher makes one that nobody holds yet.
func (g *Grant) voucher(nowMS int64) *Voucher {
	atMS := g.atMS
	if atMS == 0 {
		atMS = nowMS
	}
	v := &Voucher{Code: g.code, Coupon: g.coupon.ID, Version: g.v.n, Stage: Issued, IssuedMS: atMS, Origin: g.from, Batch: g.batch}
	v.From, v.Until = g.v.terms.window(atMS, g.zone.zone)
	v.End = v.Until
	return v
}
