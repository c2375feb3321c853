package insight_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// shop makes a random history of all that is counted: sales of somebody and of nobody, in
// the present and the past, returns in parts, before their sale and of no sale, assignments,
// points by hand, used, held and given away, members who move, are merged and are erased.
type shop struct {
	a       *apptest.App
	r       *rand.Rand
	members []string
	sales   []string // documents
	nobody  []string // ids of sales that nobody owns
	stores  []string
	n       int
}

func newShop(a *apptest.App, seed uint64) *shop {
	s := &shop{a: a, r: rand.New(rand.NewPCG(seed, 1)), stores: []string{""}}
	a.Post("/v1/merchants", J{"code": "m2", "name_en": "Second", "name_zh": "第二"})
	for _, code := range []string{"s2", "s3"} {
		merchant := map[string]string{"s2": "m2", "s3": "m2"}[code]
		a.Post("/v1/stores", J{"code": code, "merchant": merchant, "name_en": code, "name_zh": code})
		s.stores = append(s.stores, code)
	}
	for range 4 {
		s.members = append(s.members, a.Member())
	}
	return s
}

func pick[T any](s *shop, list []T) T { return list[s.r.IntN(len(list))] }

// at is a time of the last forty days, often around midnight of the programme.
func (s *shop) at() string {
	day := apptest.Noon.Add(-time.Duration(s.r.IntN(40)) * 24 * time.Hour)
	if s.r.IntN(2) == 0 {
		day = day.Add(-12*time.Hour + time.Duration(s.r.IntN(3)-1)*time.Millisecond)
	}
	return day.Format(time.RFC3339Nano)
}

func (s *shop) step() {
	a := s.a
	s.n++
	ok := func(apptest.Response) {}
	switch m := pick(s, s.members); s.r.IntN(16) {
	case 0, 1, 2, 3:
		doc := fmt.Sprint("D", s.n)
		in := J{"document": doc, "at": s.at(), "total": 1000 * (1 + s.r.IntN(9)), "currency": pick(s, []string{"CNY", "CNY", "USD"})}
		in["lines"] = []J{apptest.Line(1, 2, int64(in["total"].(int)))}
		if st := pick(s, s.stores); st != "" {
			in["store"] = st
		}
		if s.r.IntN(3) > 0 {
			in["member"] = m
		}
		var sold apptest.Sold
		res := a.Do("POST", "/v1/sales", a.Sale(in))
		if res.Status == 201 {
			res.Into(&sold)
			s.sales = append(s.sales, doc)
			if in["member"] == nil {
				s.nobody = append(s.nobody, sold.ID)
			}
		}
	case 4, 5, 6:
		of := fmt.Sprint("D", s.n+1+s.r.IntN(6)) // perhaps one that comes later
		if len(s.sales) > 0 && s.r.IntN(3) > 0 {
			of = pick(s, s.sales)
		}
		ret := J{"lines": []J{{"line": 1, "quantity": 0.5}}, "at": apptest.Noon.Format(time.RFC3339)}
		if s.r.IntN(4) == 0 {
			ret["lines"] = nil
		}
		ok(a.Do("POST", "/v1/returns", a.Return(of, ret)))
	case 7, 8:
		if len(s.nobody) > 0 {
			ok(a.Do("POST", "/v1/sales/"+pick(s, s.nobody)+"/assign", J{"member": m}))
		}
	case 9:
		ok(a.Do("POST", "/v1/members/"+m+"/earnings", J{"currency": "points", "amount": 50, "reason": "x", "source": "t", "document": fmt.Sprint(s.n)}))
	case 10:
		ok(a.Do("POST", "/v1/members/"+m+"/spendings", J{"currency": "points", "amount": 7, "reason": "x", "source": "t", "document": fmt.Sprint(s.n)}))
	case 11:
		ok(a.Do("POST", "/v1/transfers", J{"from": m, "to": pick(s, s.members), "currency": "points", "amount": 5}))
	case 12:
		ok(a.Do("POST", "/v1/members/"+m+"/adjustments", J{"currency": "points", "amount": s.r.IntN(41) - 20, "reason": "x"}))
	case 13:
		ok(a.Do("PATCH", "/v1/members/"+m, J{"store": pick(s, s.stores[1:])}))
	case 14:
		if s.r.IntN(3) == 0 {
			s.members = append(s.members, a.Member())
			ok(a.Do("POST", "/v1/members/"+m+"/merge", J{"into": s.members[len(s.members)-1]}))
		}
	case 15:
		if err := a.Audit.Chain(a.Context()); err != nil { // as it would be long before
			panic(err)
		}
		a.Clock.Advance(time.Duration(s.r.IntN(30)) * time.Hour)
	}
	if s.r.IntN(5) == 0 {
		a.Drain()
	}
}

// Whatever happened, and wherever the log was cut into batches, the sums are those of the
// books: the end of every test verifies them.
func TestSumsAreThoseOfTheBooks(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(a, 7)
		for range 150 {
			s.step()
		}
		if n := a.Number("SELECT COUNT(*) FROM day_sale"); n < 20 {
			t.Errorf("only %d rows of sales: the history is too small to tell", n)
		}
	})
}

var dumps = []string{
	"SELECT CAST(store_id AS TEXT) || ' ' || currency || ' ' || day || ' ' || sales || ' ' || total || ' ' || returns || ' ' || returned || ' ' || member_sales || ' ' || member_total || ' ' || member_returns || ' ' || member_returned FROM day_sale",
	"SELECT CAST(store_id AS TEXT) || ' ' || currency_id || ' ' || day || ' ' || issued || ' ' || opened || ' ' || redeemed || ' ' || restored || ' ' || expired || ' ' || clawed || ' ' || adjusted || ' ' || fees || ' ' || net FROM day_point",
	"SELECT CAST(store_id AS TEXT) || ' ' || day || ' ' || joined FROM day_member",
	"SELECT CAST(member_id AS TEXT) || ' ' || month || ' ' || store_id || ' ' || days FROM active_month",
	"SELECT CAST(scope AS TEXT) || ' ' || scope_id || ' ' || day || ' ' || members || ' ' || first_members FROM day_active",
}

// dump is all that is kept, without rows of nothing.
func dump(t *testing.T, d *db.DB) string {
	t.Helper()
	var all []string
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		all = nil
		for i, q := range dumps {
			rows, err := tx.QueryText(ctx, q)
			if err != nil {
				return err
			}
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					return err
				}
				key := []int{3, 3, 2, 0, 3}[i] // where the sums begin
				if f := strings.Fields(line)[key:]; slices.ContainsFunc(f, func(n string) bool { return n != "0" }) {
					all = append(all, fmt.Sprint(i, " ", line))
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
			rows.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// The order of events and their batches make no difference.
func TestOrderMakesNoDifference(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(a, 11)
		for range 120 {
			s.step()
		}
		a.Drain()
		want := dump(t, a.DB)
		var log []event.Event
		err := a.DB.Read(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
			log, _, err = event.List(ctx, tx, 0, "", event.MaxPage)
			return err
		})
		if err != nil || len(log) < 100 {
			t.Fatalf("the log has %d events: %v", len(log), err)
		}
		for range 3 {
			for _, table := range []string{"day_sale", "day_point", "day_member", "day_active", "active_month"} {
				a.Exec("DELETE FROM " + table)
			}
			s.r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
			for at := 0; at < len(log); {
				n := min(1+s.r.IntN(40), len(log)-at)
				err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return a.Insight.Apply(ctx, tx, log[at:at+n]) })
				if err != nil {
					t.Fatal(err)
				}
				at += n
			}
			if got := dump(t, a.DB); got != want {
				t.Fatalf("another order gives\n%s\nwant\n%s", got, want)
			}
		}
	})
}

// Whatever is wrong with the sums, verify tells of it and a rebuild mends it.
func TestRebuild(t *testing.T) {
	t.Parallel()
	for _, wreck := range []string{
		"DELETE FROM day_sale", "DELETE FROM day_point WHERE store_id = -1", "UPDATE day_member SET joined = joined + 1", "UPDATE day_active SET first_members = first_members - 1",
		"UPDATE active_month SET days = days - 1 WHERE days % 2 = 1", "UPDATE active_month SET days = days + 2147483648 - 1 WHERE days % 2 = 1",
		"DELETE FROM active_month", "UPDATE day_sale SET total = total - 1", "INSERT INTO day_active (scope, scope_id, day, members, first_members) VALUES (2, 1, 3, 1, 1)",
		"UPDATE day_point SET clawed = clawed + 5, expired = expired - 5",
	} {
		t.Run(wreck, func(t *testing.T) {
			t.Parallel()
			a := apptest.Open(t, dbtest.Engines[len(wreck)%2])
			s := newShop(a, uint64(len(wreck)))
			for range 60 {
				s.step()
			}
			a.Post("/v1/sales", a.Sale(J{"member": s.members[len(s.members)-1], "at": "2026-03-01T10:00:00+08:00"})) // so that there is a first of a month
			a.Drain()
			want := dump(t, a.DB)
			a.Exec(wreck)
			r, err := a.App.Verify(a.Context(), nil)
			if err != nil || r.Clean() {
				t.Errorf("verify sees nothing: %v", err)
			}
			if n, err := a.Insight.Rebuild(a.Context(), nil); err != nil || n == 0 {
				t.Errorf("rebuilt %d: %v", n, err)
			}
			if got := dump(t, a.DB); got != want {
				t.Errorf("rebuilt\n%s\nwant\n%s", got, want)
			}
			if n, err := a.Insight.Rebuild(a.Context(), nil); err != nil || n != 0 {
				t.Errorf("rebuilt again: %d, %v", n, err)
			}
		})
	}
}

// A rebuild and a verify beside tills that go on selling find what is wrong and no more.
func TestRebuildWhileSelling(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(a, 3)
		for range 40 {
			s.step()
		}
		a.Drain()
		a.Exec("DELETE FROM day_sale")
		a.Exec("DELETE FROM active_month")
		a.Exec("DELETE FROM day_active")
		a.Exec("DELETE FROM day_point")
		stop := make(chan struct{})
		var selling sync.WaitGroup
		selling.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.step()
				}
			}
		})
		if _, err := a.Insight.Rebuild(a.Context(), nil); err != nil {
			t.Error(err)
		}
		found, err := a.App.Verify(a.Context(), nil)
		close(stop)
		selling.Wait()
		if err != nil {
			t.Error(err)
		}
		for _, f := range found.Findings {
			if f.Invariant == "S1" {
				t.Errorf("verify beside tills: %s: %s", f.Where, f.EN)
			}
		}
	})
}

// What a subscriber could not take is not missing from the sums: it comes later.
func TestSetAside(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Drain()
		a.Exec("ALTER TABLE day_sale RENAME TO gone")
		a.Post("/v1/sales", a.Sale(J{"member": m}))
		deadline := time.Now().Add(20 * time.Second)
		for a.Number("SELECT COUNT(*) FROM event_failure") == 0 {
			if time.Now().After(deadline) {
				t.Fatal("nothing is set aside")
			}
			time.Sleep(10 * time.Millisecond)
		}
		a.Exec("ALTER TABLE gone RENAME TO day_sale")
		a.Verify()
		if n := a.Number("SELECT COUNT(*) FROM day_sale"); n != 0 {
			t.Errorf("%d rows came from nowhere", n)
		}
		if _, err := a.Events.Replay(a.Context(), ""); err != nil {
			t.Fatal(err)
		}
		for a.Number("SELECT COUNT(*) FROM event_failure") > 0 {
			if time.Now().After(deadline.Add(20 * time.Second)) {
				t.Fatal("nothing is replayed")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := a.Number("SELECT sales FROM day_sale WHERE store_id = -1"); n != 1 {
			t.Errorf("%d sales are counted", n)
		}
	})
}

// Sums keep the zone that they were begun in until they are rebuilt, and then have the
// programme's.
func TestZone(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m, "at": "2026-03-09T06:00:00+08:00"}))
		a.Drain()
		zone := "America/New_York"
		if _, err := a.Program.ChangeSettings(a.Context(), program.SettingsChange{Zone: &zone}); err != nil {
			t.Fatal(err)
		}
		a.Verify()
		a.Post("/v1/sales", a.Sale(J{"member": m, "at": "2026-03-09T06:00:00+08:00"})) // tells that it is time
		a.Drain()
		eighth, _ := program.ParseDay("2026-03-08")
		deadline := time.Now().Add(20 * time.Second)
		for a.Number("SELECT COUNT(*) FROM rollup WHERE built_ms > 0 AND zone = 'America/New_York'") == 0 {
			if time.Now().After(deadline) {
				t.Fatal("the sums were not rebuilt")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := a.Number("SELECT sales FROM day_sale WHERE store_id = -1 AND day = $1", eighth); n != 2 {
			t.Errorf("%d sales on the day before, which it is in New York", n)
		}
		if n := a.Number("SELECT members FROM day_active WHERE scope = 0 AND day = $1", eighth); n != 1 {
			t.Errorf("%d active members there", n)
		}
	})
}
