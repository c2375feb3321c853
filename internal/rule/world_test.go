package rule_test

import (
	"fmt"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

// shop is a programme with rules.
type shop struct {
	*apptest.App
	t testing.TB
}

func each(t *testing.T, body func(t *testing.T, s shop)) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) { body(t, shop{a, t}) })
}

// rule is a rule on sales that gives 10 points, with edits.
func rule(code string, edits J) J {
	return apptest.With(J{
		"code": code, "name_en": "Rule " + code, "trigger": J{"on": "sale"},
		"effect": J{"kind": "fixed", "currency": "points", "points": 10},
	}, edits)
}

// shown is a rule as the API shows it.
type shown struct {
	ID, State string
	Version   int64
	Latest    int64 `json:"latest_version"`
	Revision  int64
	Stage     int64
	Rule      def
	Draft     *def
	Words     struct{ EN, ZH string }
	Given     *struct{ Points, Times int64 }
	Budget    *struct{ Total, Used, Left int64 }
	LiveFrom  string `json:"live_from"`
	Next      *struct {
		Version int64
		From    string
	}
}

type def struct {
	Code   string
	NameEN string `json:"name_en"`
	NameZH string `json:"name_zh"`
	Effect struct{ Points int64 }
	Caps   struct{ Budget, Day int64 }
}

// live makes a rule and publishes it, from long ago.
func (s shop) live(code string, edits J) (r shown) {
	s.t.Helper()
	s.Must(201, "POST", "/v1/rules", rule(code, edits))
	s.Must(200, "POST", "/v1/rules/"+code+"/publish", J{"from": "2000-01-01"}).Into(&r)
	return r
}

// sell makes a sale and returns what it earned, by rule.
func (s shop) sell(member string, edits J) (apptest.Sold, map[string]int64) {
	s.t.Helper()
	var sold apptest.Sold
	s.Post("/v1/sales", s.Sale(apptest.With(J{"member": member}, edits))).Into(&sold)
	return sold, byRule(sold)
}

func byRule(sold apptest.Sold) map[string]int64 {
	out := map[string]int64{}
	for _, p := range sold.Points {
		out[p.Rule] += p.Amount
	}
	return out
}

// giveBack returns all that is left of a sale, or some lines.
func (s shop) giveBack(sale string, lines ...J) (r apptest.Returned) {
	s.t.Helper()
	body := J{"document": fmt.Sprint("R", s.Unique()), "at": s.Clock.Now().Format("2006-01-02T15:04:05Z07:00")}
	if lines != nil {
		body["lines"] = lines
	}
	s.Post("/v1/sales/"+sale+"/returns", body).Into(&r)
	return r
}
