package sale

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/member"
)

// maxBought bounds the sales of one member that a condition looks at: its latest ones.
const maxBought = 5_000

// Bought calls f for the sales that a member owns, made in [from, to), in no order. What was
// bought before a merge under another record is not among them.
func Bought(ctx context.Context, tx *db.Tx, owner member.ID, from, to int64, f func(*Document)) error {
	for _, assigned := range []int64{0, 1} {
		docs, err := run{int64(owner), assigned}.read(ctx, tx, nil, from, to, maxBought)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if d.Kind == Purchase && d.Owner == int64(owner) {
				f(d)
			}
		}
	}
	return nil
}

// Kept is what of a line did not come back: pieces in thousandths, and money in the
// programme's smallest unit at the rate of the sale's day.
func (d *Document) Kept(l *Line) (milli, worth int64) {
	amount := l.Amount - l.BackAmount
	if d.Effect.Worth != d.Total && d.Total > 0 {
		amount, _ = money.MulDiv(amount, d.Effect.Worth, d.Total, money.HalfUp)
	}
	return l.Milli - l.BackMilli, amount
}

// streamSQL reads sales by time; see Stream.
var streamSQL = db.Define("sale.stream", `
	SELECT `+columns+`
	FROM sale
	WHERE at_ms < $1 AND (at_ms, shard, member_id, seq) > ($2, $3, $4, $5)
	ORDER BY at_ms, shard, member_id, seq
	LIMIT $6`)

// Place is where a Stream stands: the key of the last document.
type Place struct{ AtMS, Shard, Member, Seq int64 }

// Stream reads the next sales and returns by their own time after a place and before an
// instant; fewer than n where there are no more.
func Stream(ctx context.Context, tx *db.Tx, after Place, to int64, n int) ([]*Document, error) {
	return list(ctx, tx, streamSQL, to, after.AtMS, after.Shard, after.Member, after.Seq, n)
}

var countSQL = db.Define("sale.countBetween", `
	SELECT COUNT(*)
	FROM sale
	WHERE at_ms >= $1 AND at_ms < $2`)

// Count is how many sales and returns there are in [from, to).
func Count(ctx context.Context, tx *db.Tx, from, to int64) (n int64, err error) {
	err = tx.QueryRow(ctx, countSQL, from, to).Scan(&n)
	return n, err
}
