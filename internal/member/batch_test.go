package member_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type enrolled struct {
	Items []struct {
		Status   int
		Replayed bool
		Member   *struct{ ID, Number string }
		Problem  *apptest.Problem
	}
}

func enrol(t testing.TB, c apptest.Client, items []apptest.J) (out enrolled) {
	t.Helper()
	c.Must(200, "POST", "/v1/members/batch", apptest.J{"items": items}).Into(&out)
	if len(out.Items) != len(items) {
		t.Fatalf("%d answers to %d items", len(out.Items), len(items))
	}
	return out
}

// newcomer is item n of a batch.
func newcomer(n int) apptest.J {
	return apptest.J{"idempotency_key": fmt.Sprint("k", n), "external_id": fmt.Sprint("crm/", n), "phone": fmt.Sprintf("+8612%09d", n), "name": "王小明"}
}

// A batch takes up to 200 members; each stands or falls alone, twins in one batch are one
// member, and a batch that comes again gets the first answers.
func TestBatch(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var items []apptest.J
		for i := range 190 {
			items = append(items, newcomer(i))
		}
		wrong := []struct {
			item     apptest.J
			status   int
			replayed bool
			code     string
		}{
			{items[0], 201, true, ""},
			{apptest.With(items[1], apptest.J{"idempotency_key": "other-key"}), 409, false, "member.identifier_taken"},
			{apptest.With(items[2], apptest.J{"name": "other content"}), 422, false, "request.key_reused"},
			{apptest.J{"idempotency_key": "nobody"}, 422, false, "member.identifier_needed"},
			{apptest.With(newcomer(500), apptest.J{"phone": "12"}), 422, false, "member.phone"},
			{apptest.With(newcomer(501), apptest.J{"idempotency_key": "with space"}), 400, false, "request.key_form"},
			{apptest.With(newcomer(502), apptest.J{"store": "nowhere"}), 404, false, "program.no_store"},
			{apptest.With(newcomer(503), apptest.J{"advisor": "stf_anybody"}), 422, false, "member.advisor_alone"},
		}
		for _, w := range wrong {
			items = append(items, w.item)
		}
		got := enrol(t, a.Client, items)
		for i, r := range got.Items[:190] {
			if r.Status != 201 || r.Replayed || r.Member == nil || r.Problem != nil {
				t.Fatalf("item %d: %+v", i, r)
			}
			var m struct{ ID, Number string }
			if i%50 == 0 {
				if a.Get(fmt.Sprint("/v1/members/ext:crm%2F", i)).Into(&m); m.ID != r.Member.ID || m.Number != r.Member.Number {
					t.Errorf("item %d is %+v, found %+v", i, r.Member, m)
				}
			}
		}
		for i, w := range wrong {
			r := got.Items[190+i]
			if r.Status != w.status || r.Replayed != w.replayed || (r.Problem == nil) != (w.code == "") || r.Problem != nil && r.Problem.Code != w.code {
				t.Errorf("item %d: %+v, %+v, want %+v", 190+i, r, r.Problem, w)
			}
		}
		if *got.Items[190].Member != *got.Items[0].Member {
			t.Errorf("a twin in the same batch is %+v, the first %+v", got.Items[190].Member, got.Items[0].Member)
		}
		if n := a.Number(`SELECT COUNT(*) FROM member`); n != 190 {
			t.Errorf("%d members", n)
		}
		if n := a.Number(`SELECT COUNT(*) FROM audit WHERE action = 'member.created'`); n != 190 {
			t.Errorf("%d entries of the audit trail", n)
		}
		for i, r := range enrol(t, a.Client, items[100:192]).Items {
			first := got.Items[100+i]
			if r.Status != first.Status || !r.Replayed || r.Member != nil && *r.Member != *first.Member || r.Problem != nil && r.Problem.Code != first.Problem.Code {
				t.Errorf("item %d again: %+v, first %+v", 100+i, r, first)
			}
		}
		if r := enrol(t, a.Client, []apptest.J{apptest.With(items[7], apptest.J{"name": "x"})}).Items[0]; r.Status != 422 || r.Problem.Code != "request.key_reused" {
			t.Errorf("a key with other content: %+v, %+v", r, r.Problem)
		}
		if r := enrol(t, a.Key("members.write"), items[:1]).Items[0]; r.Status != 409 {
			t.Errorf("the key of another caller: %+v", r)
		}
		a.Do("POST", "/v1/members/batch", apptest.J{"items": append(items, items[:4]...)}).Refused(422, "request.invalid")
		a.Do("POST", "/v1/members/batch", apptest.J{"items": []apptest.J{}}).Refused(422, "request.invalid")
		a.Key("members.read").Do("POST", "/v1/members/batch", apptest.J{"items": items[:1]}).Refused(403, "request.permission")
		a.Drain()
		a.Verify()
	})
}

// Of callers who send the same members at once, in batches that overlap, each is answered,
// and each member is made once.
func TestBatchRace(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		const callers, members = 8, 60
		answers := make([]enrolled, callers)
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				var items []apptest.J
				for i := range members { // every caller in another order
					items = append(items, newcomer((i*7+c*13)%members))
				}
				answers[c] = enrol(t, a.Client, items)
			})
		}
		all.Wait()
		fresh, ids := 0, map[string]string{}
		for c, got := range answers {
			for i, r := range got.Items {
				if r.Status != 201 {
					t.Fatalf("caller %d, item %d: %+v, %+v", c, i, r, r.Problem)
				}
				if !r.Replayed {
					fresh++
				}
				key := fmt.Sprint((i*7 + c*13) % members)
				if was := ids[key]; was != "" && was != r.Member.ID {
					t.Errorf("member %s is %s and %s", key, was, r.Member.ID)
				}
				ids[key] = r.Member.ID
			}
		}
		if n := a.Number(`SELECT COUNT(*) FROM member`); fresh != members || n != members {
			t.Errorf("%d made, %d there, want %d", fresh, n, members)
		}
	})
}
