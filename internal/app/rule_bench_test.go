package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/rule"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// fortyRules are what a large programme has live: some of all kinds, most of which a sale does
// not meet. Of giving rules two give on a sale of the benchmark (one of them on Fridays only),
// which is two entries and two lots more; of the others none does.
func fortyRules(giving bool) (list []rule.Definition) {
	for i := range 40 {
		d := rule.Definition{
			Code: fmt.Sprintf("r%02d", i), NameEN: fmt.Sprint("Rule ", i), Trigger: rule.Trigger{On: rule.OnSale},
			Effect: rule.Effect{Kind: rule.Fixed, Currency: "points", Points: 1},
		}
		switch i % 8 {
		case 0:
			d.Valid.Weekdays = []int64{int64(i/8%7 + 1)}
			if !giving {
				d.Valid.Weekdays[0] = (int64(time.Now().Weekday())+1)%7 + 1 // another day than today
			}
			d.Effect = rule.Effect{Kind: rule.Multiplier, Currency: "points", Percent: 200}
			d.Stack.Stage = 1
		case 1:
			d.Condition = fmt.Sprintf(`sale.total >= money("%d")`, 100+i)
		case 2:
			d.Scope.Categories = []string{fmt.Sprintf("c%d", i)}
		case 3:
			d.Scope.SKUs = []string{"tea", "mug"}
			if i > 3 || !giving {
				d.Scope.SKUs[0] = fmt.Sprintf("x%d", i)
			}
			d.Caps.Day = 20
		case 4:
			d.Condition = fmt.Sprintf(`member.birthday.this_month && sale.channel == "c%d"`, i)
		case 5:
			d.Condition = fmt.Sprintf(`member.spend(90) >= money("%d")`, 1000*i)
		case 6:
			d.Condition = fmt.Sprintf(`member.tier.rank >= %d && sale.lines.exists(l, l.quantity >= 3.0)`, i%4+1)
		case 7:
			d.Scope.Stores = []string{fmt.Sprintf("s%d", i)}
		}
		list = append(list, d)
	}
	return list
}

// BenchmarkRules posts sales by 64 callers with 40 live rules and without, in one run, and then
// tests the rules on what was sold. slower is how much longer a sale took with the rules.
func BenchmarkRules(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(engine.String(), func(b *testing.B) {
			n := max(b.N, 2_000)
			plain, _ := sellAtOnce(b, engine, nil, n)
			idle, _ := sellAtOnce(b, engine, fortyRules(false), n)
			rules, test := sellAtOnce(b, engine, fortyRules(true), n)
			b.ReportMetric(plain, "sales/s-without")
			b.ReportMetric(idle, "sales/s-with")
			b.ReportMetric(rules, "sales/s-giving")
			b.ReportMetric(plain/idle, "slower")
			b.ReportMetric(plain/rules, "slower-giving")
			b.ReportMetric(test, "tested/s")
		})
	}
}

// sellAtOnce posts n sales and returns how many it did in a second, and how many a back-test does.
func sellAtOnce(b *testing.B, engine db.Engine, rules []rule.Definition, n int) (sold, tested float64) {
	const members, callers = 5_000, 64
	o := dbtest.Options(b, engine)
	c := config.Defaults()
	c.DataDir, c.DatabaseURL = o.Dir, o.URL
	if c.DataDir == "" {
		c.DataDir = b.TempDir()
	}
	a, err := app.Open(b.Context(), app.Options{Config: c, Box: seal.Test()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	}()
	a.Start(b.Context())
	ctx := staff.AsSystem(b.Context(), "bench")
	for _, d := range rules {
		if _, err := a.Rules.Create(ctx, d); err != nil {
			b.Fatal(d.Code, err)
		}
		if _, err := a.Rules.Publish(ctx, d.Code, 0, time.Time{}); err != nil {
			b.Fatal(d.Code, err)
		}
	}
	list := make([]member.Enrolment, members)
	for i := range list {
		list[i] = member.Enrolment{External: fmt.Sprintf("bench/%d", i), Source: "bench"}
	}
	made, err := a.Members.CreateMany(ctx, list)
	if err != nil {
		b.Fatal(err)
	}
	at := time.Now().Format(time.RFC3339)
	begun := time.Now()
	var all sync.WaitGroup
	for k := range callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(k)))
			for i := k; i < n; i += callers {
				doc := fmt.Sprintf("d%d", i)
				res := a.Sales.Record(ctx, sale.New{
					Source: "bench", Document: doc, Member: made[r.IntN(members)].ID.String(), At: at, Currency: "CNY", Total: 4350,
					Lines: []sale.NewLine{
						{Line: 1, SKU: "tea", Quantity: 1000, Amount: 2800, Name: "龙井茶"},
						{Line: 2, SKU: "cake", Quantity: 2000, Amount: 1200, Name: "绿豆糕"},
						{Line: 3, SKU: "bag", Quantity: 1000, Amount: 350, Name: "手提袋"},
					},
				}, sale.Ask{})
				if res.Err != nil {
					b.Error(res.Err)
					return
				}
			}
		})
	}
	all.Wait()
	sold = float64(n) / time.Since(begun).Seconds()
	if rules == nil {
		return sold, 0
	}
	begun = time.Now()
	report, err := a.Rules.BackTest(context.WithoutCancel(ctx), rule.Asked{
		From: time.Now().AddDate(0, 0, -2).Format(time.DateOnly), Until: time.Now().AddDate(0, 0, 1).Format(time.DateOnly),
	})
	if err != nil || report.Sales != int64(n) {
		b.Fatalf("%d of %d sales tested: %v", report.Sales, n, err)
	}
	return sold, float64(n) / time.Since(begun).Seconds()
}
