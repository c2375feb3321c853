package till_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// offline lets tills of a shop take vouchers and points for a day without a line.
func (w shop) offline(o program.Offline) {
	w.t.Helper()
	if o.Hours == 0 {
		o.Hours = 24
	}
	if _, err := w.Program.ChangeSettings(w.Context(), program.SettingsChange{Offline: &o}); err != nil {
		w.t.Fatal(err)
	}
}

// claims are what a till reads of a snapshot.
type claims struct {
	KID    int64
	Most   int64
	Points []struct {
		Currency      string
		Balance, Most int64
	}
	Vouchers []struct {
		Code  string
		Terms struct{ Effect struct{ Kind string } }
	}
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// takeAlong is a snapshot of a member for a till of the default store.
func (w shop) takeAlong(member, till string) (token string, c claims) {
	w.t.Helper()
	var out struct {
		Items []struct {
			Snapshot string
			Claims   claims
			Problem  json.RawMessage
		}
	}
	w.Must(200, "POST", "/v1/offline/snapshots", J{"store": w.Program.Snapshot().DefaultStore().Code, "till": till, "members": []string{member}}).Into(&out)
	if len(out.Items) != 1 || out.Items[0].Snapshot == "" {
		w.t.Fatalf("no snapshot: %s", out.Items[0].Problem)
	}
	return out.Items[0].Snapshot, out.Items[0].Claims
}

// taken is a sale of 100 yuan by a snapshot.
func (w shop) taken(token, document string, more J) J {
	return apptest.With(J{
		"snapshot": token, "source": "off", "document": document, "at": w.Clock.Now().Format(time.RFC3339), "lines": []J{apptest.Line(1, 1, 10000)},
	}, more)
}

func uses(code string, off int64) J { return J{"coupons": []J{{"code": code, "off": off}}} }

func pays(points int64) J { return J{"spend": []J{{"currency": "points", "amount": points}}} }

type conflict struct {
	ID, Kind, State, Outcome, Ref, Why string
	SaleID                             string `json:"sale_id"`
	Amount, Worth                      int64
	By                                 string `json:"settled_by"`
}

func (w shop) conflicts(query string) []conflict {
	w.t.Helper()
	var page struct{ Items []conflict }
	w.Get("/v1/offline/conflicts" + query).Into(&page)
	return page.Items
}

// noEarning keeps what sales earn out of the sums of a test.
func (w shop) noEarning() { w.Earning(func(e *program.Earning) { e.Points = 0 }) }

// Two tills without a line take the same voucher and the same points. Whichever uploads first,
// one redemption is posted and the points go down to nothing and no further; what the second gave
// is a conflict, settled by the policy. Uploaded again, nothing changes.
func TestOfflineTwice(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.noEarning()
		for _, policy := range []struct {
			policy  program.Policy
			outcome string
		}{{program.Honour, "programme"}, {program.Charge, "store"}, {program.Review, ""}} {
			for _, order := range [][]int{{0, 1}, {1, 0}} {
				w.offline(program.Offline{Policy: policy.policy})
				name := fmt.Sprint(policy.policy, order)
				m := w.Member()
				w.Give(m, 1000)
				c := w.coupon(strings.ToLower(fmt.Sprintf("o-%s-%d", policy.policy, order[0])), J{"effect": J{"kind": "percent", "percent": 2000}, "stack": J{"order": 1}})
				code := w.give(c, m)
				tokens := make([]string, 2)
				for i := range tokens {
					var got claims
					tokens[i], got = w.takeAlong(m, fmt.Sprint("T", i))
					if len(got.Vouchers) != 1 || got.Vouchers[0].Code != code || got.Vouchers[0].Terms.Effect.Kind != "percent" || len(got.Points) != 1 || got.Points[0].Balance != 1000 || got.Points[0].Most != 1000 {
						t.Fatalf("%s: %+v", name, got)
					}
				}
				w.Clock.Advance(time.Hour)
				bodies := make([]J, 2)
				for i := range bodies {
					bodies[i] = w.taken(tokens[i], fmt.Sprint(m[4:], i), apptest.With(uses(code, 2000), pays(600)))
				}
				if err := w.Audit.Chain(w.Context()); err != nil {
					t.Fatal(err)
				}
				w.Clock.Advance(48 * time.Hour) // the snapshots are over; the sales were in time
				var sold [2]struct {
					ID      string
					Total   int64
					Notices []struct{ Code string }
				}
				for _, i := range order {
					w.Post("/v1/offline/sales", bodies[i]).Into(&sold[i])
				}
				for _, i := range []int{1, 0, 1} {
					if r := w.Post("/v1/offline/sales", bodies[i]); !r.Replayed() {
						t.Errorf("%s: again: %s", name, r.Body)
					}
				}
				first, second := sold[order[0]], sold[order[1]]
				if first.Total != 8000 || second.Total != 8000 || len(first.Notices) != 0 || len(second.Notices) != 2 {
					t.Errorf("%s: %+v", name, sold)
				}
				if got := w.Wallet(m); got.Available != 0 || got.Spent != 1000 || got.Debt != 0 || got.Held != 0 {
					t.Errorf("%s: %+v", name, got)
				}
				if got := w.counts(c); got != (counts{Issued: 1, Used: 1, Off: 2000}) || w.voucher(code) != "redeemed" {
					t.Errorf("%s: %+v %s", name, got, w.voucher(code))
				}
				list := w.conflicts("?limit=2")
				if len(list) != 2 {
					t.Fatalf("%s: %+v", name, list)
				}
				slices.SortFunc(list, func(a, b conflict) int { return strings.Compare(a.Kind, b.Kind) })
				points, voucher := list[0], list[1]
				if points.Kind != "points" || points.Amount != 200 || points.Worth != 200 || points.Why != "ledger.insufficient" || points.SaleID != second.ID || points.Outcome != policy.outcome {
					t.Errorf("%s: %+v", name, points)
				}
				if voucher.Kind != "voucher" || voucher.Ref != code || voucher.Worth != 2000 || voucher.Why != "coupon.used" || voucher.SaleID != second.ID || voucher.Outcome != policy.outcome {
					t.Errorf("%s: %+v", name, voucher)
				}
				if by := voucher.By; (policy.outcome != "") != (by == "policy" && voucher.State == "settled") {
					t.Errorf("%s: %+v", name, voucher)
				}
			}
		}
		w.Verify()
	})
}

// A person settles what the policy leaves open, once; the report adds it all up.
func TestOfflineSettle(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.noEarning()
		w.offline(program.Offline{Policy: program.Review})
		m := w.Member()
		w.Give(m, 500)
		token, _ := w.takeAlong(m, "T1")
		w.Post("/v1/offline/sales", w.taken(token, "A", pays(500)))
		w.Post("/v1/offline/sales", w.taken(token, "B", pays(300)))
		list := w.conflicts("?state=open")
		if len(list) != 1 || list[0].Amount != 300 || len(w.conflicts("?state=settled")) != 0 {
			t.Fatalf("%+v", list)
		}
		path := "/v1/offline/conflicts/" + list[0].ID + "/settle"
		report := func() (r struct {
			Items []struct {
				Kind, State, Outcome string
				Count, Worth         int64
			}
			Lost, Open int64
		}) {
			w.Get("/v1/reports/offline?from=2026-03-10&to=2026-03-11").Into(&r)
			return r
		}
		if r := report(); r.Open != 300 || r.Lost != 0 || len(r.Items) != 1 || r.Items[0].Count != 1 {
			t.Errorf("%+v", r)
		}
		w.Key("sales.write", "sales.read").Do("POST", path, J{"outcome": "store"}).Refused(403, "request.permission")
		var c conflict
		w.Must(200, "POST", path, J{"outcome": "store", "note": "the till was told"}).Into(&c)
		if c.State != "settled" || c.Outcome != "store" || c.By == "" || c.By == "policy" {
			t.Errorf("%+v", c)
		}
		w.Do("POST", path, J{"outcome": "programme"}).Refused(409, "offline.settled")
		w.Do("POST", "/v1/offline/conflicts/ofc_x/settle", J{"outcome": "programme"}).Refused(404, "offline.no_conflict")
		if r := report(); r.Open != 0 || r.Lost != 300 || r.Items[0].Outcome != "store" {
			t.Errorf("%+v", r)
		}
		w.Do("GET", "/v1/reports/offline?from=2026-03-10&to=2027-03-12", nil).Refused(422, "offline.span")
	})
}

// What was not signed here, was changed, is of another store, or is told of a time before or
// after the snapshot is refused, and so is what does not stand in it.
func TestOfflineRefused(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m := w.Member()
		w.Give(m, 1000)
		w.Do("POST", "/v1/offline/snapshots", J{"store": "main", "till": "T1", "members": []string{m}}).Refused(409, "offline.off")
		w.offline(program.Offline{Hours: 2})
		w.Key("sales.write").Do("POST", "/v1/offline/snapshots", J{"store": "main", "till": "T1", "members": []string{m}}).Refused(403, "request.permission")
		code := w.give(w.coupon("twenty", J{"effect": J{"kind": "amount", "amount": 2000}}), m)
		w.give(w.coupon("rich", J{"effect": J{"kind": "amount", "amount": 2000}, "condition": "sale.total > money(\"5000\")"}), m)
		token, got := w.takeAlong(m, "T1")
		if len(got.Vouchers) != 1 {
			t.Errorf("a till cannot work out a condition: %+v", got.Vouchers)
		}
		part := strings.Split(token, ".")
		text, err := base64.RawURLEncoding.DecodeString(part[1])
		if err != nil {
			t.Fatal(err)
		}
		altered := func(from, to string) string {
			b := bytes.Replace(text, []byte(from), []byte(to), 1)
			if bytes.Equal(b, text) {
				t.Fatalf("%s is not in %s", from, text)
			}
			return part[0] + "." + base64.RawURLEncoding.EncodeToString(b) + "." + part[2]
		}
		flipped := []byte(part[2])
		flipped[10] ^= 1
		at := func(d time.Duration) J { return J{"at": w.Clock.Now().Add(d).Format(time.RFC3339)} }
		for i, tt := range []struct {
			name string
			body J
			code int
			want string
		}{
			{"more points", w.taken(altered(`"balance":1000`, `"balance":9000`), "x", nil), 422, "offline.snapshot"},
			{"a longer time", w.taken(altered(`"expires_at":"2026-03-10T06`, `"expires_at":"2026-03-10T09`), "x", nil), 422, "offline.snapshot"},
			{"another key", w.taken(altered(`"kid":1`, `"kid":2`), "x", nil), 422, "offline.snapshot"},
			{"another signature", w.taken(part[0]+"."+part[1]+"."+string(flipped), "x", nil), 422, "offline.snapshot"},
			{"no signature", w.taken(part[0]+"."+part[1]+".", "x", nil), 422, "offline.snapshot"},
			{"no snapshot", w.taken("hello", "x", nil), 422, "offline.snapshot"},
			{"before it", w.taken(token, "x", at(-6*time.Minute)), 422, "offline.time"},
			{"the instant of its end", w.taken(token, "x", at(2*time.Hour)), 422, "offline.time"},
			{"a voucher of nobody", w.taken(token, "x", uses("ANOTHER", 2000)), 409, "offline.not_in_snapshot"},
			{"a currency of nobody", w.taken(token, "x", J{"spend": []J{{"currency": "growth", "amount": 1}}}), 409, "offline.not_in_snapshot"},
			{"more off than it says", w.taken(token, "x", uses(code, 2001)), 409, "offline.terms"},
			{"more points than the basket", w.taken(token, "x", apptest.With(pays(1000), J{"lines": []J{apptest.Line(1, 1, 999)}})), 422, "offline.overpaid"},
		} {
			t.Log(i, tt.name)
			w.Do("POST", "/v1/offline/sales", tt.body).Refused(tt.code, tt.want)
		}
		if w.Wallet(m).Available != 1000 || w.voucher(code) != "claimed" || len(w.conflicts("")) != 0 {
			t.Errorf("a refused sale took something: %+v", w.Wallet(m))
		}
		w.Post("/v1/offline/sales", w.taken(token, "x", at(-4*time.Minute)))
		w.Do("POST", "/v1/offline/sales", w.taken(token, "x", nil)).Refused(409, "sale.document_taken")

		// A new key signs from now on; what the old one signed is still good.
		w.Post("/v1/offline/keys", J{})
		_, fresh := w.takeAlong(m, "T1")
		if fresh.KID != 2 {
			t.Errorf("signed by key %d", fresh.KID)
		}
		w.Post("/v1/offline/sales", w.taken(token, "y", uses(code, 2000)))
		var keys struct {
			Items []struct {
				ID      int64
				Public  string     `json:"public_key"`
				Retired *time.Time `json:"retired_at"`
			}
		}
		w.Get("/v1/offline/keys").Into(&keys)
		public, err1 := base64.RawURLEncoding.DecodeString(keys.Items[1].Public)
		mark, err2 := base64.RawURLEncoding.DecodeString(part[2])
		if err1 != nil || err2 != nil || !ed25519.Verify(public, []byte(part[0]+"."+part[1]), mark) {
			t.Errorf("a till cannot check the snapshot by the published key: %v %v", err1, err2)
		}
		if len(keys.Items) != 2 || keys.Items[0].ID != 2 || keys.Items[0].Retired != nil || keys.Items[1].Retired == nil || len(keys.Items[0].Public) != 43 {
			t.Errorf("%+v", keys)
		}
	})
}

// What one snapshot and one store may give is bounded: what is beyond stands, and is noted.
func TestOfflineLimits(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.noEarning()
		w.offline(program.Offline{PerMember: 700, PerStore: 1000})
		a, b := w.Member(), w.Member()
		w.Give(a, 5000)
		w.Give(b, 5000)
		one, got := w.takeAlong(a, "T1")
		other, _ := w.takeAlong(b, "T1")
		if got.Most != 700 || got.Points[0].Most != 700 {
			t.Errorf("%+v", got)
		}
		w.Post("/v1/offline/sales", w.taken(one, "A", pays(600)))
		w.Post("/v1/offline/sales", w.taken(one, "B", pays(300))) // 200 above what the snapshot may
		w.Post("/v1/offline/sales", w.taken(other, "C", pays(400)))
		var over []int64
		for _, c := range w.conflicts("") {
			if c.Kind != "limit" || c.Why != "offline.limit" {
				t.Errorf("%+v", c)
			}
			over = append(over, c.Worth)
		}
		slices.Sort(over)
		if !slices.Equal(over, []int64{200, 300}) || w.Wallet(a).Available != 4100 || w.Wallet(b).Available != 4600 {
			t.Errorf("%v %+v %+v", over, w.Wallet(a), w.Wallet(b))
		}
		var r struct{ Lost, Open int64 }
		w.Get("/v1/reports/offline?from=2026-03-10&to=2026-03-11").Into(&r)
		if r.Lost != 0 || r.Open != 0 {
			t.Errorf("of a limit nothing is lost: %+v", r)
		}
	})
}

// A sale that a till made without a line comes back as any other: the voucher, and the points
// that paid. What was lost on it does not turn up.
func TestOfflineReturn(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.offline(program.Offline{})
		m := w.Member()
		w.Give(m, 500)
		c := w.coupon("back", J{"effect": J{"kind": "amount", "amount": 2000}})
		code := w.give(c, m)
		token, _ := w.takeAlong(m, "T1")
		var sold struct {
			ID, MemberID string
			Points       []struct{ Amount int64 }
		}
		w.Post("/v1/offline/sales", w.taken(token, "A", apptest.With(uses(code, 2000), pays(500)))).Into(&sold)
		if len(sold.Points) != 1 || sold.Points[0].Amount != 80 {
			t.Errorf("%+v", sold)
		}
		var twice struct{ ID string }
		w.Post("/v1/offline/sales", w.taken(token, "B", apptest.With(uses(code, 2000), pays(500)))).Into(&twice)
		for i, id := range []string{twice.ID, sold.ID} {
			w.Post("/v1/sales/"+id+"/returns", J{"document": fmt.Sprint("R", i), "at": w.Clock.Now().Format(time.RFC3339)})
		}
		if got := w.Wallet(m); got.Available+got.Pending != 500 || got.Debt != 0 || w.voucher(code) != "claimed" || w.counts(c) != (counts{Issued: 1}) {
			t.Errorf("%+v %s %+v", got, w.voucher(code), w.counts(c))
		}
		w.Verify()
	})
}

// However many tills upload at once what they took of one member, one voucher is one use, and
// points are spent once.
func TestOfflineRace(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.noEarning()
		w.offline(program.Offline{})
		m := w.Member()
		w.Give(m, 1000)
		c := w.coupon("race", J{"effect": J{"kind": "amount", "amount": 500}})
		code := w.give(c, m)
		const n = 16
		bodies := make([]J, n)
		for i := range bodies {
			token, _ := w.takeAlong(m, fmt.Sprint("T", i))
			bodies[i] = w.taken(token, fmt.Sprint("D", i), apptest.With(uses(code, 500), pays(300)))
		}
		var wg sync.WaitGroup
		for i := range 2 * n { // each twice
			wg.Go(func() {
				if r := w.Do("POST", "/v1/offline/sales", bodies[i/2]); r.Status != 201 {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			})
		}
		wg.Wait()
		var points, vouchers int64
		for _, x := range w.conflicts("?limit=200") {
			if x.Kind == "points" {
				points += x.Amount
			} else {
				vouchers++
			}
		}
		if got := w.Wallet(m); got.Available != 0 || got.Spent != 1000 || points != n*300-1000 || vouchers != n-1 || w.counts(c) != (counts{Issued: 1, Used: 1, Off: 500}) {
			t.Errorf("%+v, %d points and %d vouchers lost, %+v", got, points, vouchers, w.counts(c))
		}
		if sales := w.Number("SELECT COUNT(*) FROM sale WHERE source = 'off'"); sales != n {
			t.Errorf("%d sales of %d", sales, n)
		}
		w.Verify()
	})
}
