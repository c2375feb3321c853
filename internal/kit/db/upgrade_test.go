package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Version 16 finds entries of the audit trail, which it has to chain, and approvals of
// adjustments, which become one kind of many: what they said is said by the new rows.
func TestUpgrade16(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			d := dbtest.OpenAt(t, fresh(t, e))
			if err := d.MigrateBelow(t.Context(), 16); err != nil {
				t.Fatal(err)
			}
			const entry = `INSERT INTO audit (at_ms, actor_kind, actor, action, subject, before, after, ip, user_agent, trace_id) VALUES (1, 'staff', 'a', 'b', 'c', NULL, '{}', '', '', '')`
			const approval = `INSERT INTO approval (id, member_id, currency_id, amount, reason, store_id, issuer_id, state, asked_by, asked_ms, decided_by, decided_ms, entry_member, entry_seq) VALUES `
			write(t, d, entry, entry, entry,
				approval+`(7, 3, 1, -500, 'it''s "too much"', 4, 2, 'waiting', 'staff:stf_a', 1000, '', 0, 0, 0)`,
				approval+`(8, 3, 2, 900, '太多', 0, 0, 'approved', 'staff:stf_a', 1000, 'staff:stf_b', 2000, 5, 11)`,
				approval+`(9, 3, 2, 1, 'r', 0, 0, 'rejected', 'key:key_a', 1000, 'staff:stf_b', 3000, 0, 0)`)
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			text := map[db.Engine]string{db.SQLite: "CAST(payload AS TEXT)", db.Postgres: "convert_from(payload, 'UTF8')"}[e]
			got := lines(t, d, `SELECT id || ' ' || kind || ' ' || member_id || ' ' || merchant_id || ' ' || `+text+` || ' ' || reason || ' ' || state || ' ' ||
				asked_by || ' ' || asked_ms || ' ' || until_ms || ' ' || decided_by || ' ' || decided_ms || ' ' || done_ms || ' ' || result FROM approval ORDER BY id`)
			want := []string{
				`7 adjustment 3 2 {"currency":1,"amount":-500,"store":4} it's "too much" waiting staff:stf_a 1000 0  0 0 `,
				`8 adjustment 3 0 {"currency":2,"amount":900,"store":0} 太多 approved staff:stf_a 1000 0 staff:stf_b 2000 2000 5/11`,
				`9 adjustment 3 0 {"currency":2,"amount":1,"store":0} r rejected key:key_a 1000 0 staff:stf_b 3000 0 `,
			}
			if !slices.Equal(got, want) {
				t.Errorf("approvals\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got := lines(t, d, `SELECT audit_id || '' FROM audit_waiting ORDER BY audit_id`); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("to be chained: %v", got)
			}
		})
	}
}

func write(t *testing.T, d *db.DB, statements ...string) {
	t.Helper()
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for _, s := range statements {
			if _, err := tx.ExecText(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lines reads a query of one text column.
func lines(t *testing.T, d *db.DB, query string) (list []string) {
	t.Helper()
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			list = append(list, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Version 17 finds events that wait one by one in the outbox. They wait on, in their order,
// in the form that the version after reads; package event shows that it does.
func TestUpgrade17(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			d := dbtest.OpenAt(t, fresh(t, e))
			if err := d.MigrateBelow(t.Context(), 17); err != nil {
				t.Fatal(err)
			}
			const old = `INSERT INTO outbox (shard, member_id, kind, at_ms, body) VALUES `
			write(t, d, old+`(3, 12345678901234567, 'sale.recorded', 5, '{"n":1,  "a":"茶\"\u8336"}')`,
				old+`(0, 0, 'shop.opened', -7, 'null')`, old+`(9, -4, 'a.b', 6, '{"n":2}')`,
				`INSERT INTO request (shard, hash, body_hash, status, at_ms) VALUES (1, '01', '02', 200, 777)`,
				`DELETE FROM outbox WHERE kind = 'a.b'`, old+`(9, -4, 'a.b', 6, '{"n":3}')`)
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			text := map[db.Engine]string{db.SQLite: "CAST(events AS TEXT)", db.Postgres: "convert_from(events, 'UTF8')"}[e]
			got := lines(t, d, `SELECT n || ' ' || at_ms || ' ' || `+text+` FROM outbox ORDER BY id`)
			for i := range got { // as a compact form: PostgreSQL puts in spaces
				got[i] = strings.NewReplacer(`" : `, `":`, `, "`, `,"`).Replace(got[i])
			}
			want := []string{
				`1 0 [{"m":12345678901234567,"t":5,"k":"sale.recorded","b":"{\"n\":1,  \"a\":\"茶\\\"\\u8336\"}"}]`,
				`1 0 [{"m":0,"t":-7,"k":"shop.opened","b":"null"}]`,
				`1 0 [{"m":-4,"t":6,"k":"a.b","b":"{\"n\":3}"}]`,
			}
			if !slices.Equal(got, want) {
				t.Errorf("what waits\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got := lines(t, d, `SELECT at_ms || '' FROM event_dispatcher`); !slices.Equal(got, []string{"777"}) {
				t.Errorf("the newest posting: %v", got)
			}
		})
	}
}
