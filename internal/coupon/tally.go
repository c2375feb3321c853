package coupon

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Figures of coupons are sums by day that events keep, in the dispatcher's transaction: each
// event counts exactly once.

// told is what events of coupons tell, as far as it is counted.
type told struct {
	Coupon  string `json:"coupon"`
	N       int64  `json:"n"`       // of issued: how many
	Issued  bool   `json:"issued"`  // of claimed: it was made for the member then
	Revived bool   `json:"revived"` // of redeemed: it had been written down as over
	Back    bool   `json:"back"`    // of reversed: the use came back, not money alone
	Amount  int64  `json:"amount"`
	Total   int64  `json:"total"` // of redeemed: what the sale came to
	Voucher string `json:"code"`
}

// sums are the columns of day_coupon.
type sums struct{ issued, claimed, redeemed, reversed, revoked, expired, off, sales, sold int64 }

type tallyKey struct {
	coupon int64
	day    program.Day
}

var (
	addDaySQL = db.Define("coupon.addDay", `
		INSERT INTO day_coupon (coupon_id, day, issued, claimed, redeemed, reversed, revoked, expired, off, sales, sold)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (coupon_id, day) DO UPDATE SET
			issued = day_coupon.issued + excluded.issued, claimed = day_coupon.claimed + excluded.claimed, redeemed = day_coupon.redeemed + excluded.redeemed,
			reversed = day_coupon.reversed + excluded.reversed, revoked = day_coupon.revoked + excluded.revoked, expired = day_coupon.expired + excluded.expired,
			off = day_coupon.off + excluded.off, sales = day_coupon.sales + excluded.sales, sold = day_coupon.sold + excluded.sold`)
	reachSQL = db.Define("coupon.reach", `
		INSERT INTO coupon_reach (coupon_id, shard, member_id, at_ms)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (coupon_id, shard, member_id) DO NOTHING`)
	daysSQL = db.Define("coupon.days", `
		SELECT day, issued, claimed, redeemed, reversed, revoked, expired, off, sales, sold
		FROM day_coupon
		WHERE coupon_id = $1 AND day >= $2
		ORDER BY day
		LIMIT 400`)
	sumSQL = db.Define("coupon.sum", `
		SELECT CAST(COALESCE(SUM(issued), 0) AS BIGINT), CAST(COALESCE(SUM(claimed), 0) AS BIGINT), CAST(COALESCE(SUM(redeemed), 0) AS BIGINT),
			CAST(COALESCE(SUM(reversed), 0) AS BIGINT), CAST(COALESCE(SUM(revoked), 0) AS BIGINT), CAST(COALESCE(SUM(expired), 0) AS BIGINT),
			CAST(COALESCE(SUM(off), 0) AS BIGINT), CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(sold), 0) AS BIGINT)
		FROM day_coupon
		WHERE coupon_id = $1`)
	reachedSQL = db.Define("coupon.reached", `
		SELECT COUNT(*)
		FROM coupon_reach
		WHERE coupon_id = $1`)
)

// onEvents counts.
func (s *Service) onEvents(ctx context.Context, tx *db.Tx, events []event.Event) error {
	zone, all := s.zone(), map[tallyKey]*sums{}
	for _, e := range events {
		what, ours := strings.CutPrefix(e.Kind, "coupon.")
		if !ours {
			continue
		}
		var t told
		if err := json.Unmarshal(e.Body, &t); err != nil {
			return fmt.Errorf("read event %s: %w", e.Kind, err)
		}
		_, n, err := id.Decode(couponPrefix, t.Coupon)
		if err != nil {
			return err
		}
		k := tallyKey{n, program.DayOf(e.At(), zone)}
		if all[k] == nil {
			all[k] = &sums{}
		}
		all[k].count(what, &t)
		if what == "redeemed" && e.Member > 0 {
			if _, err := tx.Exec(ctx, reachSQL, n, int64(id.Shard(e.Member)), e.Member, e.AtMS); err != nil {
				return err
			}
		}
	}
	keys := make([]tallyKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b tallyKey) int { return cmp.Or(cmp.Compare(a.coupon, b.coupon), cmp.Compare(a.day, b.day)) })
	for _, k := range keys {
		v := all[k]
		if _, err := tx.Exec(ctx, addDaySQL, k.coupon, k.day, v.issued, v.claimed, v.redeemed, v.reversed, v.revoked, v.expired, v.off, v.sales, v.sold); err != nil {
			return err
		}
	}
	return nil
}

// count adds one event.
func (v *sums) count(what string, t *told) {
	switch what {
	case "issued":
		v.issued += t.N
	case "claimed":
		v.claimed++
		if t.Issued {
			v.issued++
		}
	case "redeemed":
		v.redeemed, v.off, v.sales, v.sold = v.redeemed+1, v.off+t.Amount, v.sales+1, v.sold+t.Total
		if t.Revived {
			v.expired--
		}
	case "reversed":
		v.off -= t.Amount
		if t.Back {
			v.reversed++
		}
	case "revoked":
		v.revoked++
	case "expired":
		v.expired++
	}
}

func scanSums(v *sums) []any {
	return []any{&v.issued, &v.claimed, &v.redeemed, &v.reversed, &v.revoked, &v.expired, &v.off, &v.sales, &v.sold}
}

func (s *Service) figureRoutes(r *api.Router) {
	api.Get(r, "/v1/coupons/{id}/figures", s.getFigures, api.Doc{ID: "couponFigures", Summary: "Say what a coupon came to: vouchers, uses, what it took off, and by day.", Tags: tags, Needs: staff.ReadRules,
		Description: "Counted from events, a second or so behind. Days are those of the programme on which it happened: a sale counts on its own day, a return on the day of the return.", Fails: []error{ErrNotFound}})
}

type Figures struct {
	Issued   int64 `json:"issued" doc:"Vouchers that were made."`
	Claimed  int64 `json:"claimed" doc:"Of these, given to a member: claimed, sent, bought, or added by code."`
	Redeemed int64 `json:"redeemed" doc:"Uses on sales, those that came back included."`
	Reversed int64 `json:"reversed" doc:"Of these, uses that returns brought back."`
	Revoked  int64 `json:"revoked" doc:"Vouchers that were taken back before they were used."`
	Expired  int64 `json:"expired" doc:"Vouchers that ended unused, or not used as often as they could be, as far as the sweep has written it down."`
	Off      int64 `json:"off" doc:"What it took off, less what returns gave back, in minor units of the programme's currency."`
	Sales    int64 `json:"sales" doc:"Sales with it. A sale with two vouchers of the coupon counts twice."`
	Sold     int64 `json:"sold" doc:"What customers paid for these sales, before returns, in minor units."`
}

func (v sums) view() Figures {
	return Figures{v.issued, v.claimed, v.redeemed, v.reversed, v.revoked, v.expired, v.off, v.sales, v.sold}
}

type figuresIn struct {
	CouponRef
	Days int `query:"days" minimum:"1" maximum:"400" default:"90" doc:"For how many days back to tell by day."`
}

type figureDay struct {
	Day string `json:"day" format:"date" doc:"The day."`
	Figures
}

type figuresOut struct {
	Body struct {
		Figures
		Members int64       `json:"members" doc:"Members who have used it at least once, whatever came back since."`
		Days    []figureDay `json:"days" doc:"By day of the programme."`
	}
}

func (s *Service) getFigures(ctx context.Context, in *figuresIn) (*figuresOut, error) {
	c, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	out := &figuresOut{}
	b := &out.Body
	from := s.o.Program.Snapshot().Day(s.o.Clock.Now()) - program.Day(in.Days) + 1
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		b.Days = []figureDay{}
		var all sums
		if err := tx.QueryRow(ctx, sumSQL, c.ID).Scan(scanSums(&all)...); err != nil {
			return err
		}
		b.Figures = all.view()
		if err := tx.QueryRow(ctx, reachedSQL, c.ID).Scan(&b.Members); err != nil {
			return err
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var day program.Day
			var v sums
			err := rows.Scan(append([]any{&day}, scanSums(&v)...)...)
			b.Days = append(b.Days, figureDay{day.String(), v.view()})
			return err
		})(tx.Query(ctx, daysSQL, c.ID, from))
	})
	return out, err
}
