package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Some say yes, some no, and the asker takes it back, all at once: one of them is heard,
// and it is posted if and only if that was a yes. All of one mind get the same answer.
func TestApprovalContest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("careful", "points", `{"decimals":0,"approve_above":1}`)
		m := w.member("1")
		balance := int64(0)
		for round := range 12 {
			id := w.post(202, "/v1/members/"+m+"/adjustments", `{"currency":"careful","amount":50,"reason":"r"}`)["approval_id"].(string)
			var yes, no, back atomic.Int64
			var all sync.WaitGroup
			say := func(what, who string, count *atomic.Int64, i int) {
				all.Go(func() {
					r := w.send(ask{method: "POST", path: "/v1/approvals/" + id + "/" + what, who: who, key: fmt.Sprint(what, round, "-", i)})
					switch {
					case r.status == 200:
						count.Add(1)
					case r.status != 409 || !strings.Contains(string(r.body), "approval.decided"):
						t.Errorf("%s: %d %s", what, r.status, r.body)
					}
				})
			}
			for i := range 4 {
				say("approve", fmt.Sprint("ben", i), &yes, i)
				say("reject", fmt.Sprint("cat", i), &no, i)
			}
			say("withdraw", "ann", &back, 0)
			all.Wait()
			state := w.get("/v1/approvals/" + id)["state"]
			want := map[any][3]int64{"approved": {4, 0, 0}, "rejected": {0, 4, 0}, "withdrawn": {0, 0, 1}}[state]
			if got := [3]int64{yes.Load(), no.Load(), back.Load()}; got != want {
				t.Errorf("%v: %v were heard, want %v", state, got, want)
			}
			if state == "approved" {
				balance += 50
			}
			w.has(m, "careful", balance, 0, 0, 0)
		}
		w.verify()
	})
}

// verify recomputes the books.
func (w *world) verify() {
	w.t.Helper()
	r, err := ledger.Verify(w.t.Context(), w.db, w.ledger.Config(), nil)
	if err != nil || !r.Clean() {
		w.t.Errorf("the books: %+v, %v", r, err)
	}
}

// An adjustment that nobody decided on for thirty days is over, whether or not the run has
// written that down; one tick earlier it is not.
func TestApprovalExpires(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("careful", "points", `{"decimals":0,"approve_above":1}`)
		m := w.member("1")
		ask1 := func() string {
			return w.post(202, "/v1/members/"+m+"/adjustments", `{"currency":"careful","amount":50,"reason":"r"}`)["approval_id"].(string)
		}
		early, late := ask1(), ask1()
		w.clock.Advance(30*24*time.Hour - time.Millisecond)
		w.read(200, ask{method: "POST", path: "/v1/approvals/" + early + "/approve?dry_run=true", who: "ben"})
		w.has(m, "careful", 0, 0, 0, 0)
		w.read(200, ask{method: "POST", path: "/v1/approvals/" + early + "/approve", who: "ben"})
		w.clock.Advance(time.Millisecond)
		for _, what := range []string{"approve", "reject"} {
			text := w.refuse(409, "approval.decided", ask{method: "POST", path: "/v1/approvals/" + late + "/" + what, who: "ben"})
			if !strings.HasSuffix(text, "it was expired.") {
				t.Errorf("%s: %q", what, text)
			}
		}
		w.has(m, "careful", 50, 0, 0, 0)
		if got := w.get("/v1/approvals/" + late); got["state"] != "expired" {
			t.Errorf("shown as %v", got)
		}
	})
}
