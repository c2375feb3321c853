package insight

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// Dashboard is today and this month, each figure with what it is compared with.
type Dashboard struct {
	Day      string    `json:"day" format:"date" doc:"The day that is today in the report, in the programme's zone."`
	Zone     string    `json:"zone" doc:"The programme's zone: where its days begin and end."`
	AsOf     time.Time `json:"as_of" doc:"The instant that the figures are of."`
	LagMS    int64     `json:"lag_ms" doc:"For how long the oldest happening that is not counted yet has been waiting."`
	Store    string    `json:"store,omitempty" doc:"The store that was asked for."`
	Merchant string    `json:"merchant,omitempty" doc:"The merchant that was asked for."`
	Currency string    `json:"currency" doc:"The currency of money."`
	Points   string    `json:"points" doc:"Code of the point currency."`
	Decimals int       `json:"point_decimals" doc:"Decimals of the point currency."`
	Figures  []Figure  `json:"figures" doc:"The figures, the most asked for first."`
	Series   []Series  `json:"series" doc:"The same, day by day."`
}

// Figure is one number with its comparison and its meaning.
type Figure struct {
	Key         string    `json:"key" doc:"Stays the same for ever."`
	Title       string    `json:"title" doc:"What it is called, in the language of the caller."`
	Unit        Unit      `json:"unit" enum:"count,money,points,basis_points" doc:"How to read the values: money in minor units, points in the smallest unit, basis_points as hundredths of a percent."`
	Definition  string    `json:"definition" doc:"What it counts, in a line."`
	Explanation string    `json:"explanation" doc:"What it counts, at length."`
	Formula     string    `json:"formula" doc:"The same as a formula."`
	Today       *Compared `json:"today" doc:"Today so far; null where there is no such figure for what was asked."`
	Month       *Compared `json:"month" doc:"This month so far; null as above."`
	Worth       *int64    `json:"worth,omitempty" doc:"Of points owed: what they are worth by the unit value of the currency, in minor units of the programme's money."`
	Missing     string    `json:"missing,omitempty" doc:"Why there is no such figure for what was asked."`
	AsOf        time.Time `json:"as_of" doc:"The instant that it is of."`
}

// Compared is a value and the values that it is set against.
type Compared struct {
	Value   *int64     `json:"value" doc:"Null where it cannot be given, as a share of nothing."`
	From    string     `json:"from" format:"date" doc:"First day."`
	To      string     `json:"to" format:"date" doc:"Last day."`
	Compare []Compared `json:"compare,omitempty" doc:"Of today: the same weekday a week before and four weeks before, whole days. Of the month: the month before up to the same day."`
	Against string     `json:"against,omitempty" enum:"week_before,four_weeks_before,month_before" doc:"Of what it is compared with: which."`
}

// Series is a figure day by day.
type Series struct {
	Key        string     `json:"key" doc:"That of the figure."`
	Title      string     `json:"title" doc:"What it is called."`
	Unit       Unit       `json:"unit" enum:"count,money,points,basis_points" doc:"As of the figure."`
	Definition string     `json:"definition" doc:"What it counts, in a line."`
	Days       []DayValue `json:"days" doc:"Oldest first; the last one is today, so far."`
}

// DayValue is a day of a series.
type DayValue struct {
	Day     string `json:"day" format:"date" doc:"The day."`
	Value   int64  `json:"value" doc:"Of the day."`
	Compare int64  `json:"four_weeks_before" doc:"Of the same weekday four weeks before."`
}

// Bounds of the dashboard.
const (
	fourWeeks = 28
	someDays  = 14 // of the series, where nothing else is asked for
)

var (
	// Why a figure is missing.
	errSomeStores = [2]string{"Choose one store, one merchant or all.", "请选择一家门店、一个商户或全部。"}
	errWholeOnly  = [2]string{"Only for the programme as a whole.", "仅按整个计划提供。"}
	// ErrBoth refuses a store and a merchant at once.
	ErrBoth = errs.New(errs.Invalid, "report.store_and_merchant", "Name a store or a merchant, not both.", "门店与商户只能指定其一。")
	// ErrAhead refuses a report of a day to come.
	ErrAhead = errs.New(errs.Invalid, "report.ahead", "This day has not come yet.", "该日期尚未到来。")
)

// Ask says which dashboard.
type Ask struct {
	Store, Merchant string // public id or code; empty for all that the caller sees
	Currency        string // of money; the programme's where empty
	Points          string // code; what sales earn where empty
	At              string // a day, or a time; now where empty
	Days            int    // of the series; 14 where 0
}

// place is over which stores a report goes.
type place struct {
	stores          []int64 // of sums: everywhere, or some
	scope           *scope  // of active members; nil where there is none
	whole           bool    // the programme
	store, merchant string  // public ids
}

// place reads which stores are asked for, and takes off what the caller may not see.
func (s *Service) place(ctx context.Context, snap *program.Snapshot, a Ask) (p place, err error) {
	who := api.CallerOf(ctx)
	limited := len(who.Merchants)+len(who.Stores) > 0
	switch {
	case a.Store != "" && a.Merchant != "":
		return p, ErrBoth
	case a.Store != "":
		st, err := snap.FindStore(a.Store)
		if err != nil || !snap.SeesStore(who, st.ID) {
			return p, program.ErrNoStore.At("query.store")
		}
		return place{stores: []int64{st.ID}, scope: &scope{ofStore, st.ID}, store: program.StoreID(st.ID)}, nil
	case a.Merchant != "":
		m, err := snap.FindMerchant(a.Merchant)
		if err != nil || !snap.SeesMerchant(who, m.ID) {
			return p, program.ErrNoMerchant.At("query.merchant")
		}
		p.merchant = program.MerchantID(m.ID)
		all := true
		for st := range snap.Stores() {
			if st.Merchant != m.ID {
				continue
			}
			if !snap.SeesStore(who, st.ID) {
				all = false
				continue
			}
			p.stores = append(p.stores, st.ID)
		}
		if all {
			p.scope = &scope{ofMerchant, m.ID}
		}
	case !limited:
		return place{stores: []int64{everywhere}, scope: &scope{ofProgram, 0}, whole: true}, nil
	default:
		for st := range snap.Stores() {
			if snap.SeesStore(who, st.ID) {
				p.stores = append(p.stores, st.ID)
			}
		}
		if len(who.Merchants) == 1 && len(who.Stores) == 0 {
			p.scope = &scope{ofMerchant, who.Merchants[0]}
		}
	}
	if len(p.stores) == 1 {
		p.scope = &scope{ofStore, p.stores[0]}
	}
	return p, nil
}

// daily is what a report reads: sums by day.
type daily struct {
	sums      [tables]map[program.Day]*row
	active    map[program.Day][2]int64 // members, and first in the month; nil where there is none
	netBefore int64                    // of points, before the first day that was read
}

var (
	readSaleSQL = db.Define("insight.daySale", `
	SELECT day, sales, total, returns, returned, member_sales, member_total, member_returns, member_returned
	FROM day_sale
	WHERE store_id = $1 AND currency = $2 AND day >= $3 AND day <= $4`)
	readPointSQL = db.Define("insight.dayPoint", `
	SELECT day, issued, opened, redeemed, restored, expired, clawed, adjusted, fees, net
	FROM day_point
	WHERE store_id = $1 AND currency_id = $2 AND day >= $3 AND day <= $4`)
	readMemberSQL = db.Define("insight.dayMember", `
	SELECT day, joined
	FROM day_member
	WHERE store_id = $1 AND day >= $2 AND day <= $3`)
	readCountsSQL = db.Define("insight.dayActive", `
	SELECT day, members, first_members
	FROM day_active
	WHERE scope = $1 AND scope_id = $2 AND day >= $3 AND day <= $4`)
	netBeforeSQL = db.Define("insight.netBefore", `
	SELECT CAST(COALESCE(SUM(net), 0) AS BIGINT)
	FROM day_point
	WHERE store_id = $1 AND currency_id = $2 AND day < $3`)
)

// read reads the days of a place.
func read(ctx context.Context, tx *db.Tx, p place, currency string, points int64, from, to program.Day) (*daily, error) {
	d := &daily{}
	for i := range d.sums {
		d.sums[i] = map[program.Day]*row{}
	}
	for _, store := range p.stores {
		for _, q := range []struct {
			t    table
			stmt *db.Stmt
			args []any
		}{
			{daySale, readSaleSQL, []any{store, currency, from, to}},
			{dayPoint, readPointSQL, []any{store, points, from, to}},
			{dayMember, readMemberSQL, []any{store, from, to}},
		} {
			if err := d.add(ctx, tx, q.t, q.stmt, q.args...); err != nil {
				return nil, err
			}
		}
	}
	if p.whole {
		if err := tx.QueryRow(ctx, netBeforeSQL, everywhere, points, from).Scan(&d.netBefore); err != nil {
			return nil, err
		}
	}
	if p.scope == nil {
		return d, nil
	}
	d.active = map[program.Day][2]int64{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var day program.Day
		var n [2]int64
		if err := rows.Scan(&day, &n[0], &n[1]); err != nil {
			return err
		}
		d.active[day] = n
		return nil
	})(tx.Query(ctx, readCountsSQL, p.scope.kind, p.scope.id, from, to))
	return d, err
}

// add adds the rows of one store in one table.
func (d *daily) add(ctx context.Context, tx *db.Tx, t table, stmt *db.Stmt, args ...any) error {
	n := len(shapes[t].sums)
	return db.ReadRows(func(rows *db.Rows) error {
		var day program.Day
		var r row
		to := make([]any, 0, 1+n)
		to = append(to, &day)
		for i := range n {
			to = append(to, &r[i])
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		sum := d.sums[t][day]
		if sum == nil {
			sum = &row{}
			d.sums[t][day] = sum
		}
		for i := range sum {
			sum[i] += r[i]
		}
		return nil
	})(tx.Query(ctx, stmt, args...))
}

// Dashboard reads the figures of a day and its month.
func (s *Service) Dashboard(ctx context.Context, a Ask) (*Dashboard, error) {
	snap, now := s.o.Program.Snapshot(), s.o.Clock.Now()
	today, asOf, err := s.today(snap, a.At, now)
	if err != nil {
		return nil, err
	}
	p, err := s.place(ctx, snap, a)
	if err != nil {
		return nil, err
	}
	currency, points, err := s.units(snap, a)
	if err != nil {
		return nil, err
	}
	if a.Days == 0 {
		a.Days = someDays
	}
	month := monthSpan(today)
	from := min(month.before.from, today-program.Day(a.Days-1)-fourWeeks)
	var d *daily
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		d, err = read(ctx, tx, p, currency, points.ID, from, today)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the dashboard: %w", err)
	}
	out := &Dashboard{
		Day: today.String(), Zone: snap.Zone.String(), AsOf: asOf, LagMS: s.o.Events.Behind().Milliseconds(), Store: p.store, Merchant: p.merchant,
		Currency: currency, Points: points.Code, Decimals: points.Policy.Decimals, Figures: []Figure{}, Series: []Series{},
	}
	lang := api.Language(ctx)
	for i := range figures {
		f := s.figure(&figures[i], d, p, today, month, lang)
		f.AsOf = asOf
		if f.Key == "points_outstanding" && f.Today != nil {
			f.Worth = worth(points, *f.Today.Value)
		}
		out.Figures = append(out.Figures, f)
	}
	for _, key := range charted {
		if f := figureOf(key); f.missing(p) == nil {
			out.Series = append(out.Series, f.series(d, today, a.Days, lang))
		}
	}
	return out, nil
}

// today is the day that is asked for, and the instant up to which it goes.
func (s *Service) today(snap *program.Snapshot, at string, now time.Time) (program.Day, time.Time, error) {
	day := snap.Day(now)
	if at == "" {
		return day, now.UTC(), nil
	}
	t, err := snap.ParseTime(at)
	if err != nil {
		return 0, now, program.ErrTime.At("query.at")
	}
	asked := snap.Day(t)
	switch {
	case asked > day:
		return 0, now, ErrAhead.At("query.at")
	case asked == day:
		return day, now.UTC(), nil
	}
	return asked, (asked + 1).Start(snap.Zone).UTC(), nil
}

// units are the currency of money and that of points.
func (s *Service) units(snap *program.Snapshot, a Ask) (string, *ledger.Currency, error) {
	currency := snap.Settings.Currency
	if a.Currency != "" {
		if _, err := money.Decimals(a.Currency); err != nil {
			return "", nil, errs.As(err).At("query.currency")
		}
		currency = a.Currency
	}
	code := a.Points
	if code == "" {
		code = snap.Settings.Earning.Currency
	}
	c := s.o.Ledger.Config().ByCode[code]
	if c == nil {
		return "", nil, ledger.ErrCurrency.With("code", code).At("query.points")
	}
	return currency, c, nil
}

// span is days, both included.
type span struct{ from, to program.Day }

// months are this month up to a day, and the one before up to the same day of it.
type months struct{ this, before span }

// monthSpan is the month of a day up to it. Where the month before has no such day, it is
// taken whole.
func monthSpan(today program.Day) months {
	month, _ := monthOf(today)
	first, before := firstOf(month), firstOf(month-1)
	return months{span{first, today}, span{before, min(before+(today-first), first-1)}}
}

// missing says why there is no such figure for a place, or nil.
func (f *figure) missing(p place) *[2]string {
	switch {
	case f.whole && !p.whole:
		return &errWholeOnly
	case f.one && p.scope == nil:
		return &errSomeStores
	}
	return nil
}

func (s *Service) figure(f *figure, d *daily, p place, today program.Day, m months, lang string) Figure {
	i := pick(lang)
	out := Figure{Key: f.key, Title: f.title[i], Unit: f.unit, Definition: f.definition[i], Explanation: f.explanation[i], Formula: f.formula}
	if why := f.missing(p); why != nil {
		out.Missing = why[i]
		return out
	}
	day := f.over(d, span{today, today})
	for _, c := range []struct {
		back    program.Day
		against string
	}{{7, "week_before"}, {fourWeeks, "four_weeks_before"}} {
		then := f.over(d, span{today - c.back, today - c.back})
		then.Against = c.against
		day.Compare = append(day.Compare, then)
	}
	month, before := f.over(d, m.this), f.over(d, m.before)
	before.Against = "month_before"
	month.Compare = []Compared{before}
	out.Today, out.Month = &day, &month
	return out
}

func (f *figure) over(d *daily, s span) Compared {
	c := Compared{From: s.from.String(), To: s.to.String()}
	if n, ok := f.of(d, s.from, s.to); ok {
		c.Value = &n
	}
	return c
}

func (f *figure) series(d *daily, today program.Day, days int, lang string) Series {
	i := pick(lang)
	out := Series{Key: f.key, Title: f.title[i], Unit: f.unit, Definition: f.definition[i]}
	for day := today - program.Day(days-1); day <= today; day++ {
		v, _ := f.of(d, day, day)
		before, _ := f.of(d, day-fourWeeks, day-fourWeeks)
		out.Days = append(out.Days, DayValue{day.String(), v, before})
	}
	return out
}

// worth is what points are worth, rounded down, in minor units of the programme's money;
// nil where it does not fit.
func worth(c *ledger.Currency, n int64) *int64 {
	v := new(big.Int).Mul(big.NewInt(n), big.NewInt(c.Policy.UnitValue))
	if v.Div(v, big.NewInt(1_000_000)); !v.IsInt64() {
		return nil
	}
	out := v.Int64()
	return &out
}

// reports is the index of the reports, in its order.
var reports = []struct {
	name, path string
	params     []string
	Term
}{
	{"dashboard", "/v1/reports/dashboard", []string{"store", "merchant", "currency", "points", "at", "days"}, Term{
		title:      [2]string{"Dashboard", "总览"},
		definition: [2]string{"Today against the same weekday before, and this month against last.", "今天对比上周与四周前同日，本月对比上月同期。"},
	}},
	{"liability", "/v1/reports/liability", []string{"as_of"}, Term{
		title:      [2]string{"Liability", "积分负债"},
		definition: [2]string{"What the programme owes its members, by month of issue, issuer and currency.", "计划欠会员的积分，按发放月份、发放方与币种。"},
	}},
}

// ReportNames lists the names of all reports.
func ReportNames() (names []string) {
	for _, r := range reports {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}
