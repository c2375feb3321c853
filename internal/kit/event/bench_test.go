package event

import (
	"context"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// BenchmarkDispatch moves a backlog to the log, with a subscriber that writes one row a
// batch as a roll-up does. The promise is 5,000 events/s.
func BenchmarkDispatch(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			d := dbtest.Open(b, e)
			q := newDispatcher(b, d, clock.System())
			roll(b, d, q)
			fill(b, d, b.N)
			b.ResetTimer()
			if err := q.Drain(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(q.size.now()), "batch")
		})
	}
}

func roll(b *testing.B, d *db.DB, q *Dispatcher) {
	err := d.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, "CREATE TABLE total (one SMALLINT PRIMARY KEY, n BIGINT NOT NULL)")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	q.Subscribe("total", func(ctx context.Context, tx *db.Tx, events []Event) error {
		_, err := tx.ExecText(ctx, `
			INSERT INTO total (one, n) VALUES (1, $1)
			ON CONFLICT (one) DO UPDATE SET n = total.n + $1`, len(events))
		return err
	})
}

// fill writes n events of about 250 bytes over many members and a few kinds.
func fill(b *testing.B, d *db.DB, n int) {
	kinds := []string{"sale.recorded", "points.earned", "member.changed", "points.spent"}
	body := MustBody(map[string]any{
		"sale": "sal_0123456789abcdefghjkmnpqrs", "document": "20260301-000123", "total": 12800, "currency": "CNY",
		"points": []map[string]any{{"currency": "points", "amount": 128, "rule": "base", "lot": "lot_0123456789abcdefghjkmnpqrs"}},
	})
	const slice = 1000
	for from := 0; from < n; from += slice {
		list := make([]Event, 0, slice)
		for i := from; i < min(n, from+slice); i++ {
			e := of(kinds[i%len(kinds)], int64(i*7919%100_000+1), 0)
			e.Body = body
			list = append(list, e)
		}
		if err := d.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error { return AppendAll(ctx, tx, list) }); err != nil {
			b.Fatal(err)
		}
	}
}
