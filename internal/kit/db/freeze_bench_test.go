package db_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// BenchmarkFreeze copies a SQLite database of some 250 MB while a writer commits as fast as
// it can, and reports the longest that one commit took, with the copy and without it.
func BenchmarkFreeze(b *testing.B) {
	d := dbtest.Open(b, db.SQLite)
	big(b, d, 60_000)
	for range b.N {
		alone := make(chan struct{})
		go func() { time.Sleep(3 * time.Second); close(alone) }()
		n, longest := busy(b, d, alone)
		b.ReportMetric(float64(longest.Microseconds())/1000, "alone-longest-ms")
		b.ReportMetric(float64(n)/3, "alone-commits/s")

		copied, began := make(chan struct{}), time.Now()
		go func() {
			defer close(copied)
			f, err := d.Freeze(b.Context(), b.TempDir(), nil)
			if err != nil {
				b.Error(err)
				return
			}
			b.ReportMetric(float64(f.Bytes)/1e6, "MB")
			if err := f.Close(); err != nil {
				b.Error(err)
			}
		}()
		n, longest = busy(b, d, copied)
		took := time.Since(began)
		b.ReportMetric(float64(longest.Microseconds())/1000, "copying-longest-ms")
		b.ReportMetric(float64(n)/took.Seconds(), "copying-commits/s")
		b.ReportMetric(took.Seconds(), "copy-s")
	}
}

// big fills the database with rows of 4 KiB.
func big(b *testing.B, d *db.DB, rows int) {
	b.Helper()
	const batch = 1000
	for at := 0; at < rows; at += batch {
		err := d.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error {
			for i := at; i < at+batch; i++ {
				answer := make([]byte, 4000)
				if _, err := tx.ExecText(ctx, `INSERT INTO request (shard, hash, body_hash, status, answer, at_ms) VALUES ($1, $2, $2, 200, $3, 0)`, i%256, key(i), answer); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func key(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

// busy commits transactions like those of the posting engine until told to end. It returns
// how many, and the longest.
func busy(b *testing.B, d *db.DB, end <-chan struct{}) (n int, longest time.Duration) {
	b.Helper()
	for {
		select {
		case <-end:
			return n, longest
		default:
		}
		begin := time.Now()
		err := d.InPosting(b.Context(), func(ctx context.Context, tx *db.Tx) error {
			for range 20 {
				i := rand.IntN(60_000)
				if _, err := tx.ExecText(ctx, `UPDATE request SET at_ms = at_ms + 1 WHERE shard = $1 AND hash = $2`, i%256, key(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		n, longest = n+1, max(longest, time.Since(begin))
	}
}
