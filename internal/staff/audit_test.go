package staff

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// The trail grows and does nothing else, whoever tries.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.person("li", Cashier)
		before := w.count("SELECT COUNT(*) FROM audit")
		attacks := []string{"UPDATE audit SET actor = 'x'", "DELETE FROM audit", "UPDATE audit SET after = NULL WHERE id = 1", "DELETE FROM audit WHERE id = 1"}
		if d.Engine() == db.Postgres {
			attacks = append(attacks, "TRUNCATE audit")
		}
		for _, sql := range attacks {
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, sql)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", sql, err)
			}
		}
		if after := w.count("SELECT COUNT(*) FROM audit WHERE actor <> 'x'"); after != before || before == 0 {
			t.Errorf("%d entries became %d", before, after)
		}
	})
}

// An entry is kept with its change or not at all.
func TestAuditIsAtomic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		undone := errors.New("undone")
		err := d.InTx(w.ctx(), func(ctx context.Context, tx *db.Tx) error {
			if err := w.staff.audit.Record(ctx, tx, "x", "y", nil, 1); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) || w.count("SELECT COUNT(*) FROM audit") != 0 {
			t.Errorf("%v, and the entry was kept", err)
		}
	})
}

// Entries tell who, what, before, after and from where; filters and pages find each once;
// no name and no address of a person is in the table.
func TestAuditOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		boss := w.person("zhuge-boss", Owner)
		secret := w.signIn(boss)
		w.clock.Advance(time.Hour)
		change := w.clock.Now()
		if out := w.call("PATCH", "/v1/program", secret, map[string]any{"zone": "Asia/Tokyo"}); out.Code != 200 {
			t.Fatal(out.Code, out.Body)
		}
		li := w.person("zhuge-li", Cashier)
		if out := w.call("PATCH", "/v1/staff/"+li.PublicID(), secret, map[string]any{"name": "zhuge-new", "role": "agent"}); out.Code != 200 {
			t.Fatal(out.Code, out.Body)
		}
		type entry struct {
			ID, Actor, Action, Subject, IP string
			Kind                           string `json:"actor_kind"`
			Trace                          string `json:"trace_id"`
			At                             time.Time
			Before, After                  struct{ Zone, Role string }
		}
		read := func(query string) (list []entry, next string) {
			t.Helper()
			out := w.call("GET", "/v1/audit"+query, secret, nil)
			var page struct {
				Items []entry
				Next  string `json:"next_cursor"`
			}
			if err := json.Unmarshal(out.Body.Bytes(), &page); err != nil || out.Code != 200 {
				t.Fatal(query, out.Code, out.Body, err)
			}
			return page.Items, page.Next
		}
		all, next := read("")
		var actions []string
		for _, e := range all {
			actions = append(actions, e.Action)
		}
		if got := strings.Join(actions, " "); got != "staff.change staff.add program.change session.start staff.add" || next != "" {
			t.Fatalf("the trail is %s", got)
		}
		if e := all[1+1]; e.Kind != "staff" || e.Actor != boss.PublicID() || e.Subject != "program" || e.Before.Zone != "Asia/Shanghai" ||
			e.After.Zone != "Asia/Tokyo" || e.IP != "192.0.2.1" || len(e.Trace) != 32 || !e.At.Equal(change) {
			t.Errorf("the change of settings is %+v", e)
		}
		if e := all[0]; e.Before.Role != "cashier" || e.After.Role != "agent" || e.Subject != li.PublicID() {
			t.Errorf("the change of staff is %+v", e)
		}
		for query, want := range map[string]int{
			"?actor=" + boss.PublicID():         3,
			"?actor=test":                       2,
			"?action=staff.add":                 2,
			"?subject=program":                  1,
			"?subject=program&action=staff.add": 0,
			"?from=" + url.QueryEscape(change.Format(time.RFC3339)): 3,
			"?to=" + url.QueryEscape(change.Format(time.RFC3339)):   2,
		} {
			if list, _ := read(query); len(list) != want {
				t.Errorf("%s finds %d, want %d", query, len(list), want)
			}
		}
		seen := map[string]bool{}
		for query := "?limit=2"; ; {
			list, next := read(query)
			for _, e := range list {
				if seen[e.ID] {
					t.Errorf("%s is on two pages", e.Action)
				}
				seen[e.ID] = true
			}
			if next == "" {
				break
			}
			query = "?limit=2&cursor=" + next
		}
		if len(seen) != len(all) {
			t.Errorf("pages show %d of %d", len(seen), len(all))
		}
		if n := w.count("SELECT COUNT(*) FROM audit WHERE before LIKE '%zhuge%' OR after LIKE '%zhuge%' OR subject LIKE '%zhuge%' OR actor LIKE '%zhuge%'"); n != 0 {
			t.Errorf("%d entries name a person", n)
		}
	})
}
