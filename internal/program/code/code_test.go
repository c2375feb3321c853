package code_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

// yamlType is what the route takes.
var yamlType = apptest.Header{Name: "Content-Type", Value: "application/yaml"}

// shape makes a programme with something in every part: names that YAML could take for
// something else among it.
func shape(a *apptest.App) {
	a.Post("/v1/currencies", J{"code": "growth", "kind": "growth", "name_en": "yes", "name_zh": "012", "policy": J{"decimals": 0, "expiry": J{"policy": "rolling", "count": 12, "unit": "month", "round": "year"}}})
	a.Post("/v1/currencies", J{"code": "coins", "kind": "points", "name_en": "null", "name_zh": "~ # x: y", "policy": J{"decimals": 2, "limits": []J{{"action": "earn", "window": "day", "amount": 5000}}}})
	a.Must(200, "PATCH", "/v1/currencies/coins", J{"active": false})
	a.Must(200, "PATCH", "/v1/program", J{"earning": J{"currency": "points", "points": 3, "per": 200, "rounding": "half_up", "excluded_categories": []string{"tea/green"}, "pending_days": 7}})
	a.Post("/v1/plans", J{"code": "silver", "terms": J{
		"name_en": "Silver: \"the first\"", "name_zh": "银卡\n两行", "every": "year", "price": J{"amount": 9900, "currency": "CNY"}, "trial_days": 0, "grace_days": 0, "remind_days": 0,
		"benefits": J{"multiplier": 1200}, "sale_from": "2026-03-01",
	}})
	a.Post("/v1/plans", J{"code": "gold", "terms": J{
		"name_en": "Gold", "name_zh": "金卡", "every": "month", "price": J{"amount": 2500, "currency": "CNY"}, "trial_days": 7, "grace_days": 3, "remind_days": 5,
		"benefits": J{"multiplier": 1500, "free_delivery": true, "others": []J{{"en": "Tea", "zh": "茶"}}}, "start_gifts": []J{{"currency": "points", "amount": 100}},
	}})
	a.Must(200, "POST", "/v1/plans/gold/state", J{"state": "live"})
}

func export(a *apptest.App) string { return string(a.Get("/v1/programme/code").Body) }

// What was exported and applied to an empty programme is exported again byte for byte, and
// applied once more it changes nothing.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		shape(a)
		text := export(a)
		fresh := apptest.Open(t, a.DB.Engine())
		fresh.Must(200, "POST", "/v1/programme/code", text, yamlType)
		if got := export(fresh); got != text {
			t.Errorf("exported:\n%s\nand then:\n%s", text, got)
		}
		var r struct {
			Applied     bool
			Differences []J
		}
		fresh.Must(200, "POST", "/v1/programme/code", text, yamlType).Into(&r)
		if r.Applied || len(r.Differences) > 0 {
			t.Errorf("applied again: %+v", r)
		}
		// What was applied is in use: a sale earns by it.
		m := fresh.Member()
		fresh.Post("/v1/sales", fresh.Sale(J{"member": m}))
		if w := fresh.Wallet(m); w.Pending != 150 {
			t.Errorf("a sale of 100 yuan earned %+v", w)
		}
		if n := fresh.Number("SELECT COUNT(*) FROM audit WHERE action = 'programme.apply'"); n != 1 {
			t.Errorf("%d entries of the trail", n)
		}
		if n := fresh.Number("SELECT COUNT(*) FROM audit WHERE action LIKE 'plan.%' OR action LIKE 'currency.%' OR action LIKE 'program.%'"); n != 0 {
			t.Errorf("%d entries beside the one of the apply", n)
		}
	})
}

// Where one part is wrong nothing of the others is applied, and each refusal names its place
// and line, in the language of the caller.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		shape(a)
		text := export(a)
		line := func(text, of string) int {
			before, _, found := strings.Cut(text, of)
			if !found {
				t.Fatalf("no %q in the file", of)
			}
			return strings.Count(before, "\n") + 1
		}
		for _, tt := range []struct {
			name, old, new string
			path, code, at string // at: text of the line that is named
		}{
			{"a currency that is not there", "currency: points\n  points: 3", "currency: gems\n  points: 3", "earning.currency", "ledger.currency", "currency: gems"},
			{"a gift of what is not in use", "- currency: points\n        amount: 100", "- currency: coins\n        amount: 100", "plans[0].start_gifts[0].currency", "plan.gift", "currency: coins\n        amount: 100"},
			{"another kind", "kind: growth", "kind: points", "currencies[1].kind", "ledger.kind_fixed", "kind: points\n    name_en: \"yes\""},
			{"another length of a live plan", "every: month", "every: year", "plans[0].every", "plan.fixed", "every: year"},
			{"a field that is none", "free_delivery: true", "free_delivry: true", "plans[0].benefits.free_delivry", "field.unknown", "free_delivry"},
			{"a value out of its bounds", "trial_days: 7", "trial_days: 999", "plans[0].trial_days", "value.maximum", "trial_days: 999"},
			{"text for a number", "trial_days: 7", "trial_days: seven", "plans[0].trial_days", "value.integer", "trial_days: seven"},
			{"a code twice", "code: silver", "code: gold", "plans[1].code", "programme.twice", ""},
			{"a currency left out", text[line2(text, "  - code: coins"):line2(text, "  - code: growth")], "", "currencies", "programme.gone", "- code: growth"},
			{"the currency that sales earn", "name_zh: 积分\n    active: true", "name_zh: 积分\n    active: false", "currencies[2].active", "ledger.currency_in_use", "active: false\n    policy:\n      decimals: 0\nearning"},
			{"no version", "version: 1", "", "version", "programme.format", ""},
			{"an anchor", "name_en: Gold", "name_en: &x Gold", "plans[0].name_en", "programme.anchor", "name_en: &x"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				wrong := strings.Replace(text, tt.old, tt.new, 1)
				if wrong == text {
					t.Fatalf("%q is not in the file:\n%s", tt.old, text)
				}
				wrong = strings.Replace(wrong, "grace_days: 3", "grace_days: 4", 1) // what would be right
				var r struct {
					Applied  bool
					Refusals []struct {
						Path, Code, Reason string
						Line               int
					}
				}
				a.Must(200, "POST", "/v1/programme/code?dry_run=true", wrong, yamlType).Into(&r)
				if len(r.Refusals) != 1 || r.Applied || r.Refusals[0].Path != tt.path || r.Refusals[0].Code != tt.code {
					t.Fatalf("refused: %+v", r.Refusals)
				}
				if tt.at != "" && r.Refusals[0].Line != line(wrong, tt.at) {
					t.Errorf("line %d, want %d", r.Refusals[0].Line, line(wrong, tt.at))
				}
				p := a.Do("POST", "/v1/programme/code", wrong, yamlType, apptest.Language("zh-CN")).Refused(409, "programme.refused")
				if len(p.Errors) != 1 || !strings.HasPrefix(p.Errors[0].Location, tt.path) || p.Errors[0].Message == r.Refusals[0].Reason {
					t.Errorf("as a problem: %+v", p.Errors)
				}
				if got := export(a); got != text {
					t.Errorf("something was changed:\n%s", got)
				}
			})
		}
		a.Do("POST", "/v1/programme/code", "version: 1\nplans: [", yamlType).Refused(400, "programme.yaml")
		a.Key("rules.write").Do("POST", "/v1/programme/code", text, yamlType).Refused(403, "request.permission")
		// All that is wrong is told at once, of whatever part.
		var r struct{ Refusals []J }
		both := strings.Replace(strings.Replace(text, "kind: growth", "kind: points", 1), "every: month", "every: year", 1)
		if a.Must(200, "POST", "/v1/programme/code?dry_run=true", both, yamlType).Into(&r); len(r.Refusals) != 2 {
			t.Errorf("refused: %+v", r.Refusals)
		}
	})
}

func line2(text, of string) int { return strings.Index(text, of) }

// A difference says what the file has otherwise, by code and field; a section that the file has
// not is left alone.
func TestDiff(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		shape(a)
		text := "version: 1\nplans:\n" + strings.SplitAfter(export(a), "\nplans:\n")[1]
		text = strings.Replace(text, "amount: 2500", "amount: 3000", 1)
		text = strings.Replace(text, "      free_delivery: true\n", "      discount_percent: 5\n", 1)
		text = strings.Replace(text, "code: silver", "code: bronze", 1)
		r, err := a.Code.Diff(a.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := r.WriteDiff(&out); err != nil {
			t.Fatal(err)
		}
		want := "~ plans gold\n    + benefits.discount_percent: 5\n    - benefits.free_delivery: true\n    ~ price.amount: 2500 → 3000\n+ plans bronze\n- plans silver\n"
		if out.String() != want {
			t.Errorf("the difference:\n%s\nwant:\n%s", out.String(), want)
		}
		a.Must(200, "POST", "/v1/programme/code", text, yamlType)
		if r, err = a.Code.Diff(a.Context(), []byte(text)); err != nil || !r.Same() {
			t.Errorf("after the apply: %+v %v", r, err)
		}
	})
}

// Two who apply at the same time both find whole programmes: one after the other.
func TestTogether(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		shape(a)
		text := export(a)
		done := make(chan error)
		for i := range 4 {
			edited := strings.NewReplacer("points: 3", fmt.Sprintf("points: %d", i+1), "trial_days: 7", fmt.Sprintf("trial_days: %d", i+1)).Replace(text)
			go func() {
				_, err := a.Code.Apply(context.WithoutCancel(a.Context()), []byte(edited), false)
				done <- err
			}()
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		got := export(a)
		one := false
		for i := range 4 {
			one = one || strings.Contains(got, fmt.Sprintf("points: %d\n  per", i+1)) && strings.Contains(got, fmt.Sprintf("trial_days: %d\n", i+1))
		}
		if !one {
			t.Errorf("a mixture of two:\n%s", got)
		}
	})
}

// The schema in the documentation is that of the structs.
func TestSchema(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	want, err := a.Code.Schema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/programme.schema.json")
	if err != nil || string(got) != string(want) {
		t.Errorf("docs/programme.schema.json is not what the code says: run make gen (%v)", err)
	}
}

// A programme that uses every section is applied to an empty database at once, though its parts
// name each other, and is then what the file says; what it gives is in use.
func TestWhole(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Must(200, "POST", "/v1/programme/code", string(file), yamlType)
		r, err := a.Code.Diff(a.Context(), file)
		if err != nil || !r.Same() {
			t.Fatalf("after the apply: %+v %v", r.Differences, err)
		}
		text := export(a)
		fresh := apptest.Open(t, a.DB.Engine())
		fresh.Must(200, "POST", "/v1/programme/code", text, yamlType)
		if got := export(fresh); got != text {
			t.Errorf("exported:\n%s\nand then:\n%s", text, got)
		}
		m := fresh.Member()
		var sold struct {
			Points []struct {
				Currency string
				Amount   int64
			}
		}
		fresh.Post("/v1/sales", fresh.Sale(J{"member": m})).Into(&sold)
		if fmt.Sprint(sold.Points) != "[{points 100} {growth 100}]" {
			t.Errorf("a sale earned %v", sold.Points)
		}
		// What is there is changed in place: a new version of a rule, one that ends, an offer that rests.
		edited := strings.NewReplacer(
			"currency: growth\n      points: 1\n      per: 100", "currency: growth\n      points: 2\n      per: 100",
			"code: ten-visits\n    state: live", "code: ten-visits\n    state: paused",
			"code: rests\n    state: paused", "code: rests\n    state: ended",
			"growth: 1000", "growth: 2000",
		).Replace(text)
		fresh.Must(200, "POST", "/v1/programme/code", edited, yamlType)
		if got := export(fresh); got != edited {
			t.Errorf("changed to:\n%s\nexported:\n%s", edited, got)
		}
		fresh.Post("/v1/sales", fresh.Sale(J{"member": m})).Into(&sold)
		if fmt.Sprint(sold.Points) != "[{points 100} {growth 200}]" {
			t.Errorf("by the new version a sale earned %v", sold.Points)
		}
		// What a part refuses stands at its place.
		for _, tt := range []struct{ old, new, path, code string }{
			{"code: ten-visits\n    state: paused", "code: ten-visits\n    state: draft", "offers[0].state", "offer.state"},
			{"badge: early", "badge: late", "offers[0].reward.badge", "offer.reward_badge"},
			{"group: days", "group: nights", "rules[0].stack.group", "rule.group"},
			{"code: rests\n    state: ended", "code: rests\n    state: live", "rules[4].state", "rule.state"},
		} {
			var r struct{ Refusals []struct{ Path, Code string } }
			fresh.Must(200, "POST", "/v1/programme/code?dry_run=true", strings.Replace(edited, tt.old, tt.new, 1), yamlType).Into(&r)
			if len(r.Refusals) != 1 || r.Refusals[0].Path != tt.path {
				t.Errorf("%s: refused %+v", tt.new, r.Refusals)
			}
		}
	})
}

// Rewards go along with the coupon that one of them gives: applied to an empty programme they can
// be ordered there, are changed by the file, and of those that it leaves out only drafts go.
func TestRewards(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		shape(a)
		a.Post("/v1/coupons", J{"code": "hello", "name_en": "20 off", "effect": J{"kind": "amount", "amount": 2000}, "grant_on": []J{{"on": "birthday", "days_before": 3}}})
		a.Must(200, "POST", "/v1/coupons/hello/publish", nil)
		prices := []J{{"currency": "points", "points": 80, "until": "2026-12-01", "condition": `"vip" in member.tags`}, {"currency": "points", "points": 600, "money": 100, "least": 200, "step": 50, "worth": 10000}}
		a.Post("/v1/rewards", J{"code": "tin", "name_en": "Tea tin", "name_zh": "茶叶罐", "kind": "goods", "stock": "common", "ways": []string{"ship", "pickup"}, "tags": []string{"spring"}, "limits": J{"day": 1}, "prices": prices})
		a.Post("/v1/rewards", J{"code": "voucher", "name_en": "20 off", "kind": "coupon", "coupon": "hello", "prices": []J{{"currency": "points", "points": 50}}})
		a.Must(200, "POST", "/v1/rewards/voucher/publish", nil)
		text := export(a)
		fresh := apptest.Open(t, a.DB.Engine())
		fresh.Must(200, "POST", "/v1/programme/code", text, yamlType)
		if got := export(fresh); got != text {
			t.Fatalf("exported:\n%s\nand then:\n%s", text, got)
		}
		var r struct{ Applied bool }
		if fresh.Must(200, "POST", "/v1/programme/code", text, yamlType).Into(&r); r.Applied {
			t.Error("applied again, it changed something")
		}

		m := fresh.Member()
		fresh.Give(m, 100)
		order := func() (o struct {
			Order struct {
				Points   int64
				GiftCode string `json:"gift_code"`
			}
		}) {
			fresh.Must(201, "POST", "/v1/members/"+m+"/reward-orders", J{"reward": "voucher"}).Into(&o)
			return o
		}
		if o := order(); o.Order.Points != 50 || o.Order.GiftCode == "" {
			t.Errorf("ordered %+v", o)
		}
		dearer := strings.Replace(text, "points: 50\n", "points: 40\n", 1)
		if dearer == text {
			t.Fatalf("no price in\n%s", text)
		}
		fresh.Must(200, "POST", "/v1/programme/code", dearer, yamlType)
		if o := order(); o.Order.Points != 40 {
			t.Errorf("at the new price %+v", o)
		}

		at := strings.Index(text, "  - code: voucher\n")
		end := strings.Index(text[at:], "\nplans:")
		without := text[:at] + text[at+end+1:]
		fresh.Do("POST", "/v1/programme/code", without, yamlType).Refused(409, "programme.refused")
		at = strings.Index(text, "  - code: tin\n")
		fresh.Must(200, "POST", "/v1/programme/code", text[:at]+text[strings.Index(text, "  - code: voucher\n"):], yamlType)
		fresh.Do("GET", "/v1/rewards/tin", nil).Refused(404, "reward.unknown")
	})
}
