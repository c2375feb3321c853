package sale_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// line is the test's own account of a line.
type line struct{ milli, amount int64 }

// A sale that is returned whole leaves what was there before, however it is cut: by lines,
// by quantities of up to three decimals, by money that is named or left out, over several
// documents, with points that paid for a part of it, lines that cost nothing included. On
// the way nothing is given back twice.
func TestReturnedWhole(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var members atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			m := member.ID(members.Add(1))
			give(t, a, m, 500)
			n, lines := drawSale(rt, m)
			if rapid.Bool().Draw(rt, "paid with points") {
				n.Payments = []sale.NewPayment{{Kind: "points", Reference: held(t, a, m, rapid.Int64Range(1, 500).Draw(rt, "held"))}}
			}
			sold := record(a, m, n, sale.Ask{})
			if sold.Err != nil {
				rt.Fatalf("sale: %v", sold.Err)
			}
			var earned, clawed, restored int64
			for _, p := range sold.Answer.Points {
				earned += p.Amount
			}
			for part := 0; left(lines) > 0; part++ {
				asked := drawReturn(rt, lines, part)
				r := a.Sales.TakeBack(a.Context(), sale.NewReturn{
					Source: "till", Document: name("R", m, "-", part), At: at(0), Of: &sale.Of{Source: "till", Document: n.Document}, Lines: asked,
				}, 0, sale.Ask{})
				if r.Err != nil {
					rt.Fatalf("return %d of %+v: %v", part, asked, r.Err)
				}
				clawed, restored = clawed+sum(rt, r.Return.ClawedBack), restored+sum(rt, r.Return.Restored)
			}
			w := walletOf(t, a, m)
			if b := activityOf(t, a, m); b.Visits(40000, 0) != 0 || b.Spend(40000, 0) != 0 || b.Earned(1, 40000, 0) != 500 {
				rt.Fatalf("of a sale that is gone, %d visits, %d money and %d points are left", b.Visits(40000, 0), b.Spend(40000, 0), b.Earned(1, 40000, 0)-500)
			}
			if clawed != earned || w != (wallet{available: 500, earned: 500}) {
				rt.Fatalf("of %d earned, %d came back; %d restored; %+v", earned, clawed, restored, w)
			}
		})
	})
}

func sum(t *rapid.T, list []sale.MovedPoints) (n int64) {
	for _, m := range list {
		if m.Amount <= 0 || m.Debt != 0 || m.Waived != 0 {
			t.Fatalf("moved %+v", m)
		}
		n += m.Amount
	}
	return n
}

func drawSale(t *rapid.T, m member.ID) (sale.New, map[int64]*line) {
	n := sale.New{Source: "till", Document: name("S", m), At: at(-1), Currency: "CNY"}
	lines := map[int64]*line{}
	for i := range rapid.Int64Range(1, 4).Draw(t, "lines") {
		l := &line{rapid.Int64Range(1, 3001).Draw(t, "milli"), rapid.SampledFrom([]int64{0, 1, 99, 100, 333, 1000, 9999}).Draw(t, "amount")}
		lines[i+1] = l
		n.Lines = append(n.Lines, sale.NewLine{Line: i + 1, SKU: "x", Quantity: sale.Quantity(l.milli), Amount: l.amount})
		n.Total += l.amount
	}
	return n, lines
}

// left is how many pieces did not come back.
func left(lines map[int64]*line) (n int64) {
	for _, l := range lines {
		n += l.milli
	}
	return n
}

// drawReturn takes a part of some lines, or all of them, for less money too; in the end, or
// where it takes none, all that is left. It counts only money that it names: then it has to
// know what is left.
func drawReturn(t *rapid.T, lines map[int64]*line, part int) (out []sale.Asked) {
	for n := int64(1); n <= int64(len(lines)) && part < 4; n++ {
		l := lines[n]
		if l.milli == 0 || !rapid.Bool().Draw(t, "this line") {
			continue
		}
		q := sale.Asked{Line: n, Milli: rapid.Int64Range(1, l.milli).Draw(t, "back"), Amount: -1}
		l.milli -= q.Milli
		if l.amount < 0 || rapid.Bool().Draw(t, "in proportion") {
			l.amount = -1 // from now on the program alone counts this line's money
		} else {
			q.Amount = rapid.Int64Range(0, l.amount).Draw(t, "money")
			l.amount -= q.Amount
		}
		out = append(out, q)
	}
	if out == nil {
		clear(lines)
	}
	return out
}

func walletOf(t testing.TB, a *apptest.App, m member.ID) wallet {
	t.Helper()
	list, err := a.Ledger.Wallets(a.Context(), int64(m))
	if err != nil {
		t.Fatal(err)
	}
	w := list[0]
	return wallet{w.Available, w.Pending, w.Held, w.Debt, w.Earned, w.Spent}
}

// A third of a kilogram three times is not a kilogram: the last gram stays, with its money
// and its points, until it is returned too.
func TestThirds(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		var sold apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": m, "lines": []J{apptest.Line(1, 1, 10000)}})).Into(&sold)
		for i, want := range []struct{ total, clawed, left int64 }{{3330, 33, 67}, {3330, 33, 34}, {3330, 33, 1}, {10, 1, 0}} {
			quantity := 0.333
			if i == 3 {
				quantity = 0.001
				p := a.Do("POST", "/v1/sales/"+sold.ID+"/returns", J{"document": "too much", "at": at(0), "lines": []J{{"line": 1, "quantity": 0.002, "amount": 1}}}).Refused(409, "sale.too_much")
				if !strings.Contains(p.Detail, "0.001") {
					t.Errorf("it says %s", p.Detail)
				}
			}
			var r apptest.Returned
			a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": name("R", i), "at": at(0), "lines": []J{apptest.Back(1, quantity)}}).Into(&r)
			if r.Total != want.total || r.ClawedBack[0].Amount != want.clawed || r.Balances["points"] != want.left {
				t.Errorf("part %d: %+v, want %+v", i, r, want)
			}
		}
		a.Do("POST", "/v1/sales/"+sold.ID+"/returns", J{"document": "R9", "at": at(0)}).Refused(409, "sale.nothing_left")
	})
}

// The order of parts of a line makes no difference to its money. Before parts were cut
// from the whole, 1 of 5 pieces that cost 1 fen together, after 2 of them, was worth 1 fen,
// and the other way round nothing.
func TestPartsInAnyOrder(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		totals := map[int64]bool{}
		for i, order := range [][]int64{{1000, 2000}, {2000, 1000}} {
			n := sale.New{Source: "till", Document: name("S", i), At: at(-1), Currency: "CNY", Total: 1, Lines: []sale.NewLine{{Line: 1, SKU: "x", Quantity: 5000, Amount: 1}}}
			if r := record(a, 1, n, sale.Ask{}); r.Err != nil {
				t.Fatal(r.Err)
			}
			var total int64
			for j, milli := range order {
				r := a.Sales.TakeBack(a.Context(), sale.NewReturn{
					Source: "till", Document: name("R", i, j), At: at(0), Of: &sale.Of{Source: "till", Document: n.Document}, Lines: []sale.Asked{{Line: 1, Milli: milli, Amount: -1}},
				}, 0, sale.Ask{})
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				total += r.Return.Total
			}
			totals[total] = true
		}
		if len(totals) != 1 {
			t.Errorf("the order of parts makes a difference: %v", totals)
		}
	})
}

// activityOf is what a member did by day, as it stands in the database.
func activityOf(t testing.TB, a *apptest.App, m member.ID) *activity.Book {
	t.Helper()
	var packed []byte
	err := a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT activity FROM account WHERE member_id = $1", int64(m))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&packed); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := activity.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t testing.TB, public string) member.ID {
	t.Helper()
	n, _, err := id.Decode("mem_", public)
	if err != nil {
		t.Fatal(err)
	}
	return member.ID(n)
}

// What members did by day goes along with a merge and comes apart with its undoing, and a
// return finds the day of its sale with whoever has it.
func TestActivityMerged(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		one, two := a.Member(), a.Member()
		sell := func(m string, document, at string, total int64) {
			a.Must(201, "POST", "/v1/sales", apptest.J{"source": "till", "document": document, "member": m, "at": at, "currency": "CNY", "total": total,
				"lines": []apptest.J{{"line": 1, "sku": "tea", "quantity": 2, "amount": total}}})
		}
		day := func(text string) int32 { d, _ := program.ParseDay(text); return int32(d) }
		sell(one, "A1", "2026-03-01T10:00:00+08:00", 10000)
		sell(one, "A2", "2026-03-01T11:00:00+08:00", 5000)
		sell(two, "B1", "2026-03-02T23:59:59+08:00", 7000)
		check := func(m string, visits, spend, points int64) {
			t.Helper()
			b := activityOf(t, a, number(t, m))
			if v, s, e := b.Visits(day("2026-03-02"), 2), b.Spend(day("2026-03-02"), 2), b.Earned(1, day("2026-03-02"), 2); v != visits || s != spend || e != points {
				t.Errorf("%s: %d visits, %d money, %d points; want %d, %d, %d", m, v, s, e, visits, spend, points)
			}
		}
		check(one, 2, 15000, 150)
		check(two, 1, 7000, 70)
		a.Must(200, "POST", "/v1/members/"+one+"/merge", apptest.J{"into": two})
		check(two, 3, 22000, 220)
		a.Must(201, "POST", "/v1/returns", apptest.J{"source": "till", "document": "R1", "of": apptest.J{"source": "till", "document": "A1"}, "at": "2026-03-05T10:00:00+08:00",
			"lines": []apptest.J{{"line": 1, "quantity": 1, "amount": 5000}}})
		check(two, 3, 17000, 170)
		a.Must(200, "POST", "/v1/members/"+one+"/unmerge", apptest.J{})
		check(one, 2, 10000, 100)
		check(two, 1, 7000, 70)
		a.Must(201, "POST", "/v1/returns", apptest.J{"source": "till", "document": "R2", "of": apptest.J{"source": "till", "document": "A1"}, "at": "2026-03-05T11:00:00+08:00"})
		check(one, 1, 5000, 50)
	})
}
