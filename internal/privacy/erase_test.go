package privacy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// J is a JSON object.
type J = apptest.J

// view is what the tests read of a member.
type view struct {
	ID          string
	Name        string
	City        string
	Tags        []string
	Identifiers []J
	Attributes  J
	ErasedAt    string `json:"erased_at"`
}

// enrol makes a member with everything, points and a sale among it.
func enrol(a *apptest.App, n int) string {
	phone := fmt.Sprintf("1381234%04d", n)
	var m view
	a.Post("/v1/members", J{"external_id": fmt.Sprint("shop/", n), "phone": phone, "email": fmt.Sprintf("li%d@example.com", n), "name": "李明 Li", "birthday": "1990-02-28",
		"address": "1 Tea Road", "city": "Suzhou", "gender": "male", "language": "zh-CN", "tags": []string{"likes-oolong"}, "consents": []string{"marketing", "profiling"}}).Into(&m)
	a.Give(m.ID, 500)
	a.Post("/v1/sales", a.Sale(J{"member": m.ID, "attributes": J{"note": "for his mother"}}))
	return m.ID
}

// erase erases a member and returns the records that went.
func erase(a *apptest.App, ref string, more J) []string {
	var out struct {
		Records []string
		Done    bool
	}
	a.Must(200, "POST", "/v1/members/"+ref+"/erase", apptest.With(J{"reason": "request"}, more)).Into(&out)
	if !out.Done {
		panic("the erasure was left to the job")
	}
	return out.Records
}

func read(a *apptest.App, ref string) (v view) {
	a.Get("/v1/members/" + ref).Into(&v)
	return v
}

// gone fails the test unless nothing is left of a member but the number.
func gone(t *testing.T, a *apptest.App, id string, n int) {
	t.Helper()
	v := read(a, id)
	if v.ErasedAt == "" || v.Name != "" || v.City != "" || len(v.Tags)+len(v.Identifiers)+len(v.Attributes) > 0 {
		t.Errorf("after the erasure: %+v", v)
	}
	for _, ref := range []string{fmt.Sprintf("phone:1381234%04d", n), fmt.Sprintf("email:li%d@example.com", n), "ext:shop%2F" + fmt.Sprint(n)} {
		a.Do("GET", "/v1/members/"+ref, nil).Refused(404, "member.not_found")
	}
	var found struct{ Items []J }
	a.Get("/v1/members?q=" + "%E6%9D%8E%E6%98%8E").Into(&found)
	for _, m := range found.Items {
		if m["id"] == id {
			t.Error("the name is still found")
		}
	}
	if w := a.Wallet(id); w.Available != 0 || w.Pending != 0 || w.Held != 0 || w.Debt != 0 {
		t.Errorf("wallet of one who was erased: %+v", w)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		id := enrol(a, 1)
		var hold struct{ ID string }
		a.Post("/v1/holds", J{"member": id, "currency": "points", "amount": 40, "ttl_seconds": 600, "purpose": "tea for Li"}).Into(&hold)
		before := a.Wallet(id)
		if got := erase(a, id, nil); len(got) != 1 || got[0] != id {
			t.Errorf("erased %v", got)
		}
		gone(t, a, id, 1)

		// The books are whole, and say what happened: what was left is forfeited.
		var entries struct{ Items []J }
		a.Get("/v1/members/" + id + "/entries").Into(&entries)
		if e := entries.Items[0]; e["kind"] != "adjust" || e["reason"] != "erased" || e["amount"] != -float64(before.Available+before.Held) {
			t.Errorf("last entry: %v, of %+v", e, before)
		}
		a.Do("POST", "/v1/holds/"+hold.ID+"/capture", J{}).Refused(409, "ledger.hold_over")

		// Nothing more can happen to them.
		for _, write := range []struct {
			method, path string
			body         J
		}{
			{"PATCH", "/v1/members/" + id, J{"name": "Li"}},
			{"POST", "/v1/members/" + id + "/tags", J{"add": []string{"x"}}},
			{"POST", "/v1/members/" + id + "/consents", J{"consents": []J{{"purpose": "marketing", "granted": true}}}},
			{"POST", "/v1/members/" + id + "/identifiers", J{"kind": "card", "value": "9"}},
			{"POST", "/v1/members/" + id + "/earnings", J{"currency": "points", "amount": 1, "reason": "t", "source": "t", "document": "1"}},
			{"POST", "/v1/members/" + id + "/adjustments", J{"currency": "points", "amount": 1, "reason": "t"}},
			{"POST", "/v1/members/" + id + "/unblock", J{"reason": "t"}},
			{"POST", "/v1/members/" + id + "/erase", J{"reason": "request"}},
			{"POST", "/v1/events", J{"type": "visit", "member": id, "at": "2026-03-10", "key": "k"}},
			{"POST", "/v1/sales", a.Sale(J{"member": id})},
			{"GET", "/v1/members/" + id + "/export", nil},
		} {
			var body any
			if write.body != nil {
				body = write.body
			}
			if r := a.Do(write.method, write.path, body); r.Status != 404 {
				t.Errorf("%s %s of one who was erased: %d %s", write.method, write.path, r.Status, r.Body)
			}
		}
		for _, pair := range [][2]string{{id, a.Member()}, {a.Member(), id}} {
			a.Do("POST", "/v1/members/"+pair[0]+"/merge", J{"into": pair[1]}).Refused(404, "member.not_found")
		}
		// Who has the phone now may join with it.
		a.Post("/v1/members", J{"phone": "13812340001"})
		if n := a.Number("SELECT COUNT(*) FROM tombstone WHERE done_ms > 0"); n != 1 {
			t.Errorf("%d tombstones", n)
		}
	})
}

// A person goes with all records, by whichever of them they are named.
func TestEraseMerged(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		ids := []string{enrol(a, 1), enrol(a, 2), enrol(a, 3)}
		a.Must(200, "POST", "/v1/members/"+ids[0]+"/merge", J{"into": ids[1]})
		a.Must(200, "POST", "/v1/members/"+ids[1]+"/merge", J{"into": ids[2]})
		if got := erase(a, ids[0], nil); len(got) != 3 || got[0] != ids[2] {
			t.Errorf("erased %v", got)
		}
		for n, id := range ids {
			gone(t, a, id, n+1)
		}
		a.Do("POST", "/v1/members/"+ids[0]+"/unmerge", nil).Refused(404, "member.erased")
	})
}

// Stored value is the member's own money: it keeps them from being erased, unless they give
// it up.
func TestEraseStoredValue(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/currencies", J{"code": "cash", "kind": "stored", "name_en": "Cash", "name_zh": "储值", "policy": J{"decimals": 2}})
		id := enrol(a, 1)
		a.Post("/v1/members/"+id+"/topups", J{"currency": "cash", "principal": 5000, "bonus": 500, "payment": J{"kind": "cash", "reference": "r1"}, "source": "till", "document": "T1"})
		a.Do("POST", "/v1/members/"+id+"/erase", J{"reason": "request"}).Refused(409, "ledger.stored_left")
		if read(a, id).Name == "" || a.Wallet(id).Available == 0 {
			t.Fatal("a refused erasure has begun")
		}
		erase(a, id, J{"forfeit": true})
		gone(t, a, id, 1)
	})
}

// What is free text at rest is gone after the erasure, and the answer that was kept for a
// retry tells nothing any more.
func TestEraseFreeText(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		enrolment := J{"external_id": "shop/9", "name": "Li Ming"}
		var m view
		a.Post("/v1/members", enrolment, apptest.Keyed("enrol-9")).Into(&m)
		sale := a.Sale(J{"member": m.ID, "attributes": J{"note": "x"}, "payments": []J{{"kind": "wechat", "amount": 10000, "reference": "wx-1"}},
			"lines": []J{apptest.With(apptest.Line(1, 1, 10000), J{"attributes": J{"engraved": "Li"}})}})
		var sold apptest.Sold
		a.Post("/v1/sales", sale).Into(&sold)
		a.Post("/v1/events", J{"type": "visit", "member": m.ID, "at": "2026-03-10", "key": "k1", "properties": J{"note": "with wife"}})
		a.Must(200, "POST", "/v1/members/"+m.ID+"/block", J{"earn": true, "reason": "neighbour of Li"})
		a.Drain()
		if r := a.Do("POST", "/v1/members", enrolment, apptest.Keyed("enrol-9")); !r.Replayed() {
			t.Fatalf("a retry: %d %s", r.Status, r.Body)
		}
		erase(a, m.ID, nil)
		a.Do("POST", "/v1/members", enrolment, apptest.Keyed("enrol-9")).Refused(409, "request.answer_lost")
		var after struct {
			Attributes J
			Total      int64
			Lines      []struct{ Attributes J }
			Payments   []struct{ Reference string }
		}
		a.Get("/v1/sales/" + sold.ID).Into(&after)
		if after.Total != 10000 || after.Attributes != nil || after.Lines[0].Attributes != nil || after.Payments[0].Reference != "" {
			t.Errorf("the sale after the erasure: %+v", after)
		}
		a.Drain()
		if n := a.Number(`SELECT COUNT(*) FROM event WHERE body LIKE '%wife%' OR body LIKE '%neighbour%' OR body LIKE '%"k1"%'`); n != 0 {
			t.Errorf("%d events still have what was written", n)
		}
	})
}

// Erase a member, restore an older copy of the database, and
// they are erased before anything is served; the books verify. Somebody else who got the
// number of one that the copy does not have is left alone.
func TestRestoreErasesAgain(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			testRestore(t, e)
		})
	}
}

func testRestore(t *testing.T, e db.Engine) {
	s := apptest.Setup{Database: dbtest.Options(t, e), Dir: t.TempDir(), Box: seal.Test()}
	if s.Database.Dir != "" {
		s.Dir = s.Database.Dir
	}
	a := apptest.OpenAt(t, s)
	old, alive := enrol(a, 1), enrol(a, 2)
	a.Stop()
	backup := dbtest.Copy(t, s.Database)

	s.First = 1000
	a = apptest.OpenAt(t, s)
	young := enrol(a, 3) // of whom the backup does not know
	erase(a, old, nil)
	erase(a, young, nil)
	a.Stop()

	restored := apptest.Setup{Database: backup, Dir: s.Dir, Box: s.Box, First: 2000}
	if backup.Dir != "" { // the file of tombstones stays where the restored database comes to lie
		copyFile(t, filepath.Join(s.Dir, "erased.log"), filepath.Join(backup.Dir, "erased.log"))
		restored.Dir = backup.Dir
	}
	a = apptest.OpenAt(t, restored)
	gone(t, a, old, 1)
	if v := read(a, alive); v.Name == "" || v.ErasedAt != "" {
		t.Errorf("one who was not erased: %+v", v)
	}
	a.Clock.Advance(time.Second)
	again := enrol(a, 4)
	if again != young {
		t.Fatalf("the numbers of %s and %s differ: the copy counts on from where it was", again, young)
	}
	a.Stop() // verifies
	restored.First = 3000
	a = apptest.OpenAt(t, restored)
	gone(t, a, old, 1)
	if v := read(a, again); v.Name == "" || v.ErasedAt != "" {
		t.Errorf("one who has a number that was another's: %+v", v)
	}
	if id, err := member.ParseID(old); err != nil || a.Number("SELECT COUNT(*) FROM member WHERE id = $1 AND erased_ms > 0 AND LENGTH(wrapped_key) = 0", int64(id)) != 1 {
		t.Error("the key of the record is there", err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Everything that a wallet can hold ends with the member, and the books add up: pending and
// usable points, what a hold pins, and a debt.
func TestEraseEveryBalance(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		owes, has := a.Member(), a.Member()
		var sold apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": owes})).Into(&sold)
		a.Post("/v1/members/"+owes+"/spendings", J{"currency": "points", "amount": 90, "reason": "t", "source": "t", "document": "1"})
		a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R1", "at": "2026-03-10 12:00"})
		a.Post("/v1/members/"+owes+"/earnings", J{"currency": "points", "amount": 30, "reason": "t", "source": "t", "document": "2", "pending_until": "2026-04-01"})
		a.Give(has, 70)
		a.Post("/v1/members/"+has+"/earnings", J{"currency": "points", "amount": 50, "reason": "t", "source": "t", "document": "3", "pending_until": "2026-04-01"})
		a.Post("/v1/holds", J{"member": has, "currency": "points", "amount": 20, "ttl_seconds": 600, "purpose": "t"})
		if w := a.Wallet(owes); w.Debt != 90 || w.Pending != 30 {
			t.Fatalf("before: %+v", w)
		}
		if w := a.Wallet(has); w.Available != 50 || w.Held != 20 || w.Pending != 50 {
			t.Fatalf("before: %+v", w)
		}
		for _, id := range []string{owes, has} {
			erase(a, id, nil)
			if w := a.Wallet(id); w.Available+w.Held+w.Pending+w.Debt != 0 {
				t.Errorf("after: %+v", w)
			}
		}
		a.Verify()
		// What time would have done to it does nothing any more, and a return of what they
		// bought takes back nothing that is not there.
		a.Clock.Advance(60 * 24 * time.Hour)
		if w := a.Wallet(has); w.Available+w.Held+w.Pending+w.Debt != 0 {
			t.Errorf("two months later: %+v", w)
		}
	})
}

// Several who erase one member at once, while others sell to them, change, tag and merge
// them: one erasure takes place, nothing of the member is left by whoever came last, and the
// books add up.
func TestEraseAmidWrites(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		for round := range 4 {
			id, other := enrol(a, 10*round+1), enrol(a, 10*round+2)
			var all sync.WaitGroup
			var decided atomic.Int64
			write := func(method, path string, body J) {
				all.Go(func() {
					for range 5 {
						if r, err := a.Send(method, path, body); err != nil || r.Status >= 500 {
							t.Errorf("%s %s: %v, %d %s", method, path, err, r.Status, r.Body)
						}
					}
				})
			}
			write("PATCH", "/v1/members/"+id, J{"name": "Somebody Else"})
			write("POST", "/v1/members/"+id+"/tags", J{"add": []string{"late"}})
			write("POST", "/v1/sales", a.Sale(J{"member": id, "attributes": J{"note": "late"}}))
			write("POST", "/v1/members/"+id+"/earnings", J{"currency": "points", "amount": 1, "reason": "t", "source": "race", "document": fmt.Sprint(round)})
			write("POST", "/v1/members/"+id+"/consents", J{"consents": []J{{"purpose": "marketing", "granted": false}}})
			if round%2 == 1 {
				write("POST", "/v1/members/"+other+"/merge", J{"into": id})
			}
			for range 3 {
				all.Go(func() {
					r, err := a.Send("POST", "/v1/members/"+id+"/erase", J{"reason": "request"})
					if err != nil || r.Status >= 500 {
						t.Errorf("erase: %v, %d %s", err, r.Status, r.Body)
					} else if r.Status == 200 {
						decided.Add(1)
					}
				})
			}
			all.Wait()
			if decided.Load() == 0 { // all of them met a merge
				erase(a, id, nil)
			} else if decided.Load() != 1 {
				t.Errorf("%d erasures of one member", decided.Load())
			}
			a.Drain()
			a.Clock.Advance(6 * time.Minute) // the sweep takes what was under way
			ended(t, a, "privacy.erase")
			ended(t, a, "privacy.sweep")
			gone(t, a, id, 10*round+1)
			if n := a.Number(`SELECT COUNT(*) FROM sale s JOIN member m ON m.id = s.owner_id WHERE m.erased_ms > 0 AND s.body LIKE '%late%'`); n != 0 {
				t.Errorf("%d sales of one who was erased say what they should not", n)
			}
			if n := a.Number(`SELECT COUNT(*) FROM wallet w JOIN member m ON m.id = w.member_id WHERE m.erased_ms > 0 AND w.active + w.pending + w.held + w.debt > 0`); n != 0 {
				t.Errorf("%d wallets of members who were erased have something", n)
			}
			if n := a.Number(`SELECT COUNT(*) FROM member_tag g JOIN member m ON m.id = g.member_id WHERE m.erased_ms > 0`); n != 0 {
				t.Errorf("%d tags of members who were erased", n)
			}
		}
	})
}
