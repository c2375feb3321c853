package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

// LiabilityReport says what the programme owes its members: by month of issue, by the
// merchant who issued, and by currency.
//
// Granted = Redeemed + Expired + ClawedBack + Moved + Outstanding, in every row and every
// total. What is transferred or merged is granted again to the receiver, and moved with the
// sender. Outstanding less debt, over all rows of a currency, is the sum of all wallets.
type LiabilityReport struct {
	AsOf   string           `json:"as_of" format:"date-time" doc:"The instant that the figures are of."`
	Money  string           `json:"money" doc:"The currency of value."`
	Rows   []LiabilityRow   `json:"rows" doc:"By month of issue, issuer and currency."`
	Totals []LiabilityTotal `json:"totals" doc:"By currency."`
}

// Figures are what became of points that were granted.
type Figures struct {
	Granted     int64 `json:"granted" doc:"Given to members."`
	Redeemed    int64 `json:"redeemed" doc:"Used, less what returns gave back."`
	Expired     int64 `json:"expired" doc:"Ended unused."`
	ClawedBack  int64 `json:"clawed_back" doc:"Taken back by returns, corrections and repaid debts."`
	Moved       int64 `json:"moved" doc:"Went to other members, where they count as granted."`
	Outstanding int64 `json:"outstanding" doc:"Left: pending, active and held."`
	Pending     int64 `json:"pending" doc:"Of outstanding, what cannot be used yet."`
	Active      int64 `json:"active" doc:"Of outstanding, what can be used."`
	Held        int64 `json:"held" doc:"Of outstanding, what is set aside."`
	Value       int64 `json:"value" doc:"Worth of outstanding by the currency's unit value, in minor units of money, rounded down."`
}

// LiabilityRow is what became of the points of one month, issuer and currency.
type LiabilityRow struct {
	Month    string `json:"month" doc:"When they were earned, in the programme's zone." example:"2026-11"`
	Issuer   string `json:"issuer" doc:"The merchant who owes them."`
	Currency string `json:"currency" doc:"Code of the point currency."`
	Figures

	month, issuer, currency int64
}

// LiabilityTotal is the sum of the rows of a currency.
type LiabilityTotal struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Figures
	Debt int64 `json:"debt" doc:"What members owe the programme. A debt has no issuer, so callers who see some merchants only get 0."`
	Net  int64 `json:"net" doc:"Outstanding less debt."`
}

func (f *Figures) add(g Figures) {
	f.Granted, f.Redeemed, f.Expired = add(f.Granted, g.Granted), add(f.Redeemed, g.Redeemed), add(f.Expired, g.Expired)
	f.ClawedBack, f.Moved, f.Outstanding = add(f.ClawedBack, g.ClawedBack), add(f.Moved, g.Moved), add(f.Outstanding, g.Outstanding)
	f.Pending, f.Active, f.Held = add(f.Pending, g.Pending), add(f.Active, g.Active), add(f.Held, g.Held)
}

var (
	liabilitySQL = db.Define("ledger.liability", `
		SELECT month, issuer_id, currency_id,
			CAST(SUM(granted) AS BIGINT), CAST(SUM(spent) AS BIGINT), CAST(SUM(expired) AS BIGINT),
			CAST(SUM(clawed) AS BIGINT), CAST(SUM(moved) AS BIGINT), CAST(SUM(left_n) AS BIGINT),
			CAST(SUM(CASE WHEN state = 0 THEN left_n ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN state = 1 THEN left_n - held ELSE 0 END) AS BIGINT),
			CAST(SUM(held) AS BIGINT)
		FROM lot
		GROUP BY month, issuer_id, currency_id
		ORDER BY month, issuer_id, currency_id`)
	debtsSQL = db.Define("ledger.debts", `
		SELECT currency_id, CAST(SUM(debt) AS BIGINT)
		FROM wallet
		GROUP BY currency_id
		ORDER BY currency_id`)
)

// Liability reports what is written down now. The hourly run keeps that close to what is
// true; SettleDue before it makes it so.
func (s *Service) Liability(ctx context.Context) (*LiabilityReport, error) {
	var rows []LiabilityRow
	debts := map[int64]int64{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if rows, err = readLiability(ctx, tx); err != nil {
			return err
		}
		return readDebts(ctx, tx, debts)
	})
	if err != nil {
		return nil, fmt.Errorf("liability: %w", err)
	}
	return s.report(ctx, s.clock.Now(), rows, debts)
}

func readLiability(ctx context.Context, tx *db.Tx) ([]LiabilityRow, error) {
	list, err := tx.Query(ctx, liabilitySQL)
	if err != nil {
		return nil, err
	}
	defer list.Close()
	var out []LiabilityRow
	for list.Next() {
		var r LiabilityRow
		if err := list.Scan(&r.month, &r.issuer, &r.currency, &r.Granted, &r.Redeemed, &r.Expired, &r.ClawedBack, &r.Moved, &r.Outstanding, &r.Pending, &r.Active, &r.Held); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, list.Err()
}

func readDebts(ctx context.Context, tx *db.Tx, debts map[int64]int64) error {
	list, err := tx.Query(ctx, debtsSQL)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		var currency, debt int64
		if err := list.Scan(&currency, &debt); err != nil {
			return err
		}
		debts[currency] = debt
	}
	return list.Err()
}

// report names and sums what was read, of the merchants that the caller may see.
func (s *Service) report(ctx context.Context, at time.Time, rows []LiabilityRow, debts map[int64]int64) (*LiabilityReport, error) {
	now, who, cfg := s.program.Snapshot(), api.CallerOf(ctx), s.Config()
	out := &LiabilityReport{AsOf: stamp(at.UnixMilli()), Money: now.Settings.Currency, Rows: []LiabilityRow{}, Totals: []LiabilityTotal{}}
	sums := map[int64]*Figures{}
	for _, r := range rows {
		c := cfg.Currencies[r.currency]
		if c == nil || !now.SeesMerchant(who, r.issuer) {
			continue
		}
		r.Month, r.Issuer, r.Currency = fmt.Sprintf("%04d-%02d", r.month/100, r.month%100), program.MerchantID(r.issuer), c.Code
		var err error
		if r.Value, err = c.worth(r.Outstanding); err != nil {
			return nil, err
		}
		if sums[c.ID] == nil {
			sums[c.ID] = &Figures{}
		}
		sums[c.ID].add(r.Figures)
		out.Rows = append(out.Rows, r)
	}
	for _, c := range cfg.inOrder() {
		sum := sums[c.ID]
		if sum == nil {
			continue
		}
		t := LiabilityTotal{Currency: c.Code, Figures: *sum}
		if !limited(ctx) {
			t.Debt = debts[c.ID]
		}
		t.Net = t.Outstanding - t.Debt
		var err error
		if t.Value, err = c.worth(t.Outstanding); err != nil {
			return nil, err
		}
		out.Totals = append(out.Totals, t)
	}
	return out, nil
}

// worth is the value of an amount in minor units of the programme's money, rounded down. It
// is exact: a programme's total times a unit value may pass 64 bits on the way.
func (c *Currency) worth(amount int64) (int64, error) {
	v := new(big.Int).Mul(big.NewInt(amount), big.NewInt(c.Policy.UnitValue))
	if v.Quo(v, big.NewInt(1_000_000)); !v.IsInt64() {
		return 0, fmt.Errorf("the worth of %d %s does not fit 64 bits", amount, c.Code)
	}
	return v.Int64(), nil
}

// byIssue is the order of the rows of a report.
func byIssue(a, b LiabilityRow) int {
	return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.issuer, b.issuer), cmp.Compare(a.currency, b.currency))
}

// liabilityKey is what rows are gathered by.
type liabilityKey struct{ month, issuer, currency int64 }

func sortedRows(groups map[liabilityKey]*Figures) []LiabilityRow {
	out := make([]LiabilityRow, 0, len(groups))
	for k, f := range groups {
		out = append(out, LiabilityRow{Figures: *f, month: k.month, issuer: k.issuer, currency: k.currency})
	}
	slices.SortFunc(out, byIssue)
	return out
}
