package offer_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// rows reads a table of testdata without its header; see testdata/NOTICE.md.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var from io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	list, err := csv.NewReader(from).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return list[1:]
}

// Case 276: a point with one decimal for every 50 pounds; members with 7 and more are Mega
// Bytes, with 5 and more Bytes. The genders in each category, in percent, as conditions on
// points find them.
func TestPointsByCategory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Must(200, "PATCH", "/v1/program", J{"currency": "GBP"})
		w.Post("/v1/currencies", J{"code": "byte", "kind": "points", "name_en": "Bytes", "policy": J{"decimals": 1}})
		w.Must(200, "PATCH", "/v1/program", J{"earning": J{"currency": "byte", "points": 1, "per": 500, "rounding": "half_up", "excluded_categories": []string{}, "pending_days": 0}})
		var people, sales []J
		for i, r := range rows(t, "bytes.csv") {
			pence, err := strconv.ParseFloat(r[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			total := int64(math.Round(100 * pence))
			who := fmt.Sprint("byte/", i)
			people = append(people, J{"idempotency_key": who, "external_id": who, "gender": strings.ToLower(r[0])})
			sales = append(sales, apptest.With(w.Sale(J{"member": "ext:" + who, "currency": "GBP", "total": total, "lines": []J{apptest.Line(1, 1, total)}}), J{"idempotency_key": who}))
		}
		for from := 0; from < len(people); from += 200 {
			w.Must(200, "POST", "/v1/members/batch", J{"items": people[from:min(from+200, len(people))]})
			w.Must(200, "POST", "/v1/sales/batch", J{"items": sales[from:min(from+200, len(sales))]})
		}
		offer := w.offer("byte", nil)
		count := func(category, gender string) float64 {
			s := w.send(offer, J{"condition": fmt.Sprintf(`%s && member.gender == %q`, category, gender)})
			return float64(s.Sent)
		}
		for _, tt := range []struct {
			name, condition string
			female, male    float64
		}{
			{"No Byte", `member.points("byte") < 50`, 49.3, 50.7},
			{"Byte", `member.points("byte") >= 50 && member.points("byte") < 70`, 55.8, 44.2},
			{"Mega Byte", `member.points("byte") >= 70`, 47, 53},
		} {
			women, men := count(tt.condition, "female"), count(tt.condition, "male")
			percent := func(n float64) float64 { return math.Round(1000*n/(women+men)) / 10 }
			if percent(women) != tt.female || percent(men) != tt.male {
				t.Errorf("%s: %v and %v percent of %v, want %v and %v", tt.name, percent(women), percent(men), women+men, tt.female, tt.male)
			}
		}
	})
}

// Case 263: which tier customers reach by their flights, in buckets of five and of ten, and what
// the benefits of it and of those below cost in a year. Who is eligible and which tier they reach
// is asked in the language of conditions.
func TestTierBenefitCost(t *testing.T) {
	t.Parallel()
	env, err := cond.NewEnv(cond.Config{Decimals: 2, Attributes: []cond.Attribute{{Key: "flights", Type: cond.Whole, EN: "Flights", ZH: "航班数"}, {Key: "last", Type: cond.Date, EN: "Last", ZH: "最近乘机"}}})
	if err != nil {
		t.Fatal(err)
	}
	type cost struct{ flight, year float64 } // of a benefit: for each flight, or for the year
	free := cost{}
	for _, scenario := range []struct {
		bucket int
		tiers  [][]cost // from tier 1, those of tier 0 have none
		want   map[int64][2]float64
	}{
		{5, [][]cost{{free}, {{flight: 15}}, {free}, {{flight: 35}}, {{flight: 50}}, {{flight: 50}, {year: 250}}},
			map[int64][2]float64{1: {0, 1238}, 2: {137435, 1217}, 3: {192780, 1220}, 4: {799833.3333333336, 1170}, 5: {2082166.666666667, 1238}, 6: {2101950, 681}}},
		{10, [][]cost{{free, {flight: 15}}, {free, {flight: 35}}, {{flight: 50}, {flight: 50}, {year: 250}}},
			map[int64][2]float64{1: {330215, 2437}, 2: {1840916.6666666666, 2408}, 3: {2101950, 681}}},
	} {
		eligible, err := env.Compile(`member.attributes.last >= "2023-02-21"`, cond.OfMember)
		if err != nil {
			t.Fatal(err)
		}
		tier, err := env.CompileAmount(fmt.Sprintf("member.attributes.flights / %d", scenario.bucket), cond.OfMember)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int64][2]float64{}
		for _, r := range rows(t, "flights.csv.gz") {
			flights, err := strconv.ParseInt(r[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			facts := &cond.Facts{Now: cond.NewMoment(apptest.Noon, apptest.Noon.Location()), Member: &cond.Member{Attributes: map[string]cond.Value{"flights": cond.WholeValue(flights), "last": cond.TextValue(r[1])}}}
			ok, err := eligible.Eval(facts)
			if err != nil {
				t.Fatal(err)
			}
			reached, err := tier.Amount(facts)
			if err != nil {
				t.Fatal(err)
			}
			if !ok || reached == 0 {
				continue
			}
			first, last := year(t, r[0]), year(t, r[1])
			v := got[reached]
			v[1]++
			for _, benefits := range scenario.tiers[:min(int(reached), len(scenario.tiers))] {
				for _, c := range benefits {
					v[0] += c.year + c.flight*float64(flights)/max(1, last-first+1)
				}
			}
			got[reached] = v
		}
		for level, want := range scenario.want {
			if v := got[level]; math.Abs(v[0]-want[0]) > 1e-3 || v[1] != want[1] {
				t.Errorf("buckets of %d, tier %d: %v, want %v", scenario.bucket, level, v, want)
			}
		}
		if len(got) != len(scenario.want) {
			t.Errorf("buckets of %d: %d tiers, want %d", scenario.bucket, len(got), len(scenario.want))
		}
	}
}

func year(t *testing.T, date string) float64 {
	t.Helper()
	n, err := strconv.Atoi(date[:4])
	if err != nil {
		t.Fatal(err)
	}
	return float64(n)
}
