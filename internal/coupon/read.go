package coupon

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/quota"
)

var (
	// Lists of a member go along voucher_of_member, state by state.
	ofMemberUpSQL = db.Define("coupon.ofMemberUp", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE member_id = $1 AND member_id <> 0 AND state = $2 AND until_ms >= $3
			AND (until_ms, shard, code) > ($4, $5, $6)
		ORDER BY until_ms, shard, code
		LIMIT $7`)
	ofMemberDownSQL = db.Define("coupon.ofMemberDown", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE member_id = $1 AND member_id <> 0 AND state = $2 AND until_ms < $3
			AND (until_ms, shard, code) < ($4, $5, $6)
		ORDER BY until_ms DESC, shard DESC, code DESC
		LIMIT $7`)
	ofCouponSQL = db.Define("coupon.ofCoupon", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE coupon_id = $1 AND (issued_ms, shard, code) < ($2, $3, $4)
		ORDER BY issued_ms DESC, shard DESC, code DESC
		LIMIT $5`)
	ofBatchSQL = db.Define("coupon.ofBatch", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE batch_id = $1 AND batch_id <> 0 AND (shard, code) > ($2, $3)
		ORDER BY shard, code
		LIMIT $4`)
	stepsSQL = db.Define("coupon.steps", `
		SELECT step, at_ms, member_id, actor, store_id, till, staff, sale_member, sale_seq, amount
		FROM voucher_step
		WHERE shard = $1 AND code = $2
		ORDER BY n
		LIMIT 1000`)
)

// Voucher reads one by its code, or gives ErrUnknown.
func (s *Service) Voucher(ctx context.Context, text string) (v *Voucher, err error) {
	code := fold(text)
	if len(code) > maxPattern+1 || !plain(code) {
		return nil, ErrUnknown
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		v, err = readVoucher(ctx, tx, code)
		return err
	})
	if err == nil && v == nil {
		err = ErrUnknown
	}
	return v, err
}

// Steps is what happened to a voucher since it was issued, in order.
func (s *Service) Steps(ctx context.Context, v *Voucher) (list []Step, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var x Step
			err := rows.Scan(&x.Kind, &x.AtMS, &x.Member, &x.Actor, &x.Store, &x.Till, &x.Staff, &x.Sale.Member, &x.Sale.Seq, &x.Amount)
			list = append(list, x)
			return err
		})(tx.Query(ctx, stepsSQL, shardOfCode(v.Code), v.Code))
	})
	return list, err
}

// Views of a member's vouchers.
const (
	viewUsable  = "usable"  // the soonest to end first
	viewUsed    = "used"    // the last to end first
	viewExpired = "expired" // over or taken back, the last to end first
)

// place is where a list of vouchers goes on: behind an instant and a code.
type place struct {
	ms   int64
	code string
}

// codeParts is how many numbers of a cursor a code is: twelve characters of five bits each.
const codeParts = 4

// cursor writes places into a cursor, with numbers before them.
func (p place) cursor(before ...int64) string {
	parts := make([]int64, codeParts)
	for i := range len(p.code) {
		parts[i/12] = parts[i/12]<<5 | int64(valueOf[p.code[i]]-1)
	}
	return api.EncodeCursor(append(append(before, p.ms, int64(len(p.code))), parts...)...)
}

// placeOf reads what cursor wrote behind some numbers.
func placeOf(text string, before int) (first []int64, p place, ok bool, err error) {
	n, err := api.DecodeCursor(text, before+2+codeParts)
	if err != nil || n == nil {
		return nil, p, false, err
	}
	p.ms = n[before]
	size, parts := n[before+1], n[before+2:]
	if size < 0 || size > 12*codeParts {
		return nil, p, false, api.ErrCursor
	}
	code := make([]byte, size)
	for i := len(code) - 1; i >= 0; i-- {
		code[i] = alphabet[parts[i/12]&31]
		parts[i/12] >>= 5
	}
	p.code = string(code)
	return n[:before], p, true, nil
}

// OfMember lists vouchers of a member and of whoever was merged into them. Of a record that was
// merged only the first page is shown, before those of the member: few have more.
func (s *Service) OfMember(ctx context.Context, m int64, view string, p api.Page) (list []*Voucher, next string, err error) {
	stage, at, goesOn, err := placeOf(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	from := walk{view: view, nowMS: s.nowMS(), at: at, on: goesOn}
	if goesOn {
		from.stage = int(min(max(stage[0], 0), 2))
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, next = nil, ""
		if !goesOn {
			records, err := recordsOf(ctx, tx, m)
			if err != nil {
				return err
			}
			for _, r := range records[1:] {
				part, _, err := from.page(ctx, tx, r, p.Limit)
				if err != nil {
					return err
				}
				list = append(list, part...)
			}
		}
		own, more, err := from.page(ctx, tx, m, p.Limit)
		list, next = append(list, own...), more
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the vouchers of member %d: %w", m, err)
	}
	return list, next, nil
}

// stagesOf says which stages a view goes along, one after the other.
var stagesOf = map[string][]Stage{viewUsable: {Claimed}, viewUsed: {Redeemed}, viewExpired: {Claimed, Expired, Revoked}}

// walk is a way along the vouchers of a member: of a view, from a stage and a place on.
type walk struct {
	view  string
	nowMS int64
	stage int
	at    place
	on    bool
}

// page reads the next vouchers.
func (w walk) page(ctx context.Context, tx *db.Tx, m int64, limit int) (list []*Voucher, next string, err error) {
	stages := stagesOf[w.view]
	for ; w.stage < len(stages) && len(list) < limit; w.stage++ {
		st, rest := stages[w.stage], limit-len(list)
		at := w.at
		if w.view == viewUsable {
			if !w.on {
				at = place{minMS, ""}
			}
			err = scanVouchers(&list)(tx.Query(ctx, ofMemberUpSQL, m, int64(st), w.nowMS, at.ms, shardIn(at.code), at.code, rest))
		} else {
			before := never + 1
			if st == Claimed { // over, and the sweep has not come by
				before = w.nowMS
			}
			if !w.on {
				at = place{never + 1, ""}
			}
			err = scanVouchers(&list)(tx.Query(ctx, ofMemberDownSQL, m, int64(st), before, at.ms, shardIn(at.code), at.code, rest))
		}
		if err != nil {
			return nil, "", err
		}
		if w.on = false; len(list) == limit {
			last := list[len(list)-1]
			return list, place{last.Until, last.Code}.cursor(int64(w.stage)), nil
		}
	}
	return list, "", nil
}

// shardIn is the shard of a code in a place; before all where there is none.
func shardIn(code string) int64 {
	if code == "" {
		return -1
	}
	return shardOfCode(code)
}

// OfCoupon lists the vouchers of a coupon, the newest first.
func (s *Service) OfCoupon(ctx context.Context, c *Coupon, p api.Page) (list []*Voucher, next string, err error) {
	_, at, goesOn, err := placeOf(p.Cursor, 0)
	if err != nil {
		return nil, "", err
	}
	if !goesOn {
		at = place{never + 1, ""}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return scanVouchers(&list)(tx.Query(ctx, ofCouponSQL, c.ID, at.ms, shardIn(at.code), at.code, p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the vouchers of coupon %s: %w", c.Code, err)
	}
	if len(list) == p.Limit {
		last := list[len(list)-1]
		next = place{last.IssuedMS, last.Code}.cursor()
	}
	return list, next, nil
}

// totals is what a coupon's own counters say.
type totals struct {
	claims, uses quota.Count
}

// totals reads the counters of coupons.
func (s *Service) totals(ctx context.Context, list []*Coupon) (map[int64]totals, error) {
	var keys []quota.Key
	for _, c := range list {
		keys = append(keys, claimKey(c.ID, 0), quota.Key{Kind: quota.CouponUse, ID: c.ID})
	}
	out := make(map[int64]totals, len(list))
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		counts, err := quota.Read(ctx, tx, keys, s.nowMS())
		for _, c := range list {
			out[c.ID] = totals{counts[claimKey(c.ID, 0)], counts[quota.Key{Kind: quota.CouponUse, ID: c.ID}]}
		}
		return err
	})
	return out, err
}
