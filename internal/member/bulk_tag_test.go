package member_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type bulkTagged struct {
	ID, State                                        string
	Total, Members, Changed, Added, Removed, Refused int64
}

func tagged(t *testing.T, a *apptest.App, body apptest.J) (b bulkTagged) {
	t.Helper()
	a.Must(202, "POST", "/v1/members/bulk-tags", body).Into(&b)
	return tagEnd(t, a, b.ID)
}

func tagEnd(t *testing.T, a *apptest.App, id string) (b bulkTagged) {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if a.Get("/v1/bulk-tags/" + id).Into(&b); b.State != "ready" && b.State != "running" {
			return b
		}
	}
	t.Fatalf("the job does not end: %+v", b)
	return b
}

// All that a list or a filter names are tagged, each with one event; a second time changes
// nothing; who can bear no more tags is passed over; a job that was killed goes on where it
// was, and its counts are of both runs together.
func TestBulkTag(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		const many = 40
		members := make([]string, many)
		for i := range members {
			members[i] = a.Member()
		}
		events := func() int64 { return a.Number("SELECT COUNT(*) FROM event WHERE kind = 'member.tagged'") }
		b := tagged(t, a, apptest.J{"add": []string{"new", "vip"}, "members": append(members[:20:20], members[0])})
		a.Drain()
		if b.State != "done" || b.Total != 20 || b.Members != 20 || b.Changed != 20 || b.Added != 40 || events() != 20 {
			t.Errorf("%+v, %d events", b, events())
		}
		b = tagged(t, a, apptest.J{"add": []string{"all"}, "remove": []string{"vip"}, "filter": apptest.J{}})
		a.Drain()
		if b.Members != many || b.Changed != many || b.Added != many || b.Removed != 20 || events() != 20+many {
			t.Errorf("everybody: %+v, %d events", b, events())
		}
		b = tagged(t, a, apptest.J{"remove": []string{"new"}, "filter": apptest.J{"tag": "new"}})
		if b.Members != 20 || b.Removed != 20 {
			t.Errorf("those with a tag, which goes: %+v", b)
		}
		b = tagged(t, a, apptest.J{"remove": []string{"new"}, "add": []string{"all"}, "filter": apptest.J{"joined_from": "2026-01-01"}})
		if b.Members != many || b.Changed != 0 {
			t.Errorf("a second time: %+v", b)
		}
		full := make([]string, 99)
		for i := range full {
			full[i] = fmt.Sprint("t", i)
		}
		a.Must(200, "POST", "/v1/members/"+members[5]+"/tags", apptest.J{"add": full})
		b = tagged(t, a, apptest.J{"add": []string{"more"}, "members": members[:10]})
		if b.Members != 10 || b.Changed != 9 || b.Refused != 1 {
			t.Errorf("one bears no more: %+v", b)
		}

		// As a kill leaves it: half is done and written down, the job is ready again.
		if err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.ExecText(ctx, "DELETE FROM member_tag WHERE tag = 'more'"); err != nil {
				return err
			}
			if _, err := tx.ExecText(ctx, "UPDATE bulk_tag SET place = '7', members = 7, changed = 7, added = 7, refused = 0, done_ms = 0 WHERE place = '10'"); err != nil {
				return err
			}
			_, err := tx.ExecText(ctx, "UPDATE job SET state = 'ready', done_ms = NULL WHERE id = (SELECT MAX(id) FROM job WHERE kind = 'member.bulk_tag')")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		a.Jobs.Nudge()
		b = tagEnd(t, a, b.ID)
		if n := a.Number("SELECT COUNT(*) FROM member_tag WHERE tag = 'more'"); b.Members != 10 || b.Changed != 10 || n != 3 {
			t.Errorf("after a kill: %+v, %d tagged by the second run, want 3", b, n)
		}
		if n := a.Number("SELECT COUNT(*) FROM audit WHERE action = 'member.bulk_tagged'"); n != 6 {
			t.Errorf("%d ends on the trail, want 6", n)
		}
		for code, body := range map[string]apptest.J{
			"member.bulk_tag": {"add": []string{"a"}, "remove": []string{"a"}, "filter": apptest.J{}},
			"member.tag":      {"add": []string{""}, "filter": apptest.J{}},
			"member.ref":      {"add": []string{"a"}, "members": []string{"nonsense"}},
		} {
			a.Do("POST", "/v1/members/bulk-tags", body).Refused(422, code)
		}
		for _, body := range []apptest.J{{"filter": apptest.J{}}, {"add": []string{"a"}}, {"add": []string{"a"}, "members": members[:1], "filter": apptest.J{}}} {
			a.Do("POST", "/v1/members/bulk-tags", body).Refused(422, "member.bulk_tag")
		}
		a.Do("POST", "/v1/members/bulk-tags", apptest.J{"add": []string{"a"}, "members": []string{"no:8999999"}}).Refused(404, "member.not_found")
	})
}
