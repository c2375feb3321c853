package stash_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/connect/stash"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A file comes back as it was written, also where its writer was cut short and began anew;
// it lies in parts, nothing of it in the clear, and is gone when its time is over.
func TestStash(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		s := stash.New(d, seal.Test(), c)
		content := make([]byte, 700<<10)
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(content)
		copy(content, "telephone 13800138000")
		var id int64
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
			id, err = s.Make(ctx, tx, "memo of 13800138000", c.Now().Add(time.Hour))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []bool{true, false} {
			w, err := s.Write(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if cut {
				_, err = w.Write(content[:300<<10]) // and then the process dies
			} else if _, err = w.Write(content); err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			read, err := s.Read(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(read)
			if cut && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("a file that was cut short ends with %v", err)
			}
			if !cut && (err != nil || !bytes.Equal(got, content)) {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(content), err)
			}
		}
		err = d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			var memo string
			size, err := s.Memo(ctx, tx, id, &memo)
			if err != nil || memo != "memo of 13800138000" || size != int64(len(content)) {
				t.Errorf("memo %q of %d bytes, %v", memo, size, err)
			}
			rows, err := tx.QueryText(ctx, "SELECT body FROM stash_part UNION ALL SELECT memo FROM stash")
			if err != nil {
				return err
			}
			defer rows.Close()
			parts := 0
			for ; rows.Next(); parts++ {
				var body []byte
				if err := rows.Scan(&body); err != nil {
					return err
				}
				if bytes.Contains(body, []byte("13800138000")) || len(body) > 140<<10 {
					t.Errorf("part %d: %d bytes, or in the clear", parts, len(body))
				}
			}
			if parts < 6 {
				t.Errorf("%d parts", parts)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
		if _, err := s.Read(t.Context(), id); !errors.Is(err, stash.ErrGone) {
			t.Errorf("when its time is over: %v", err)
		}
	})
}
