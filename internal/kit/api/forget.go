package api

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// forgetSQL leaves the row, so that a retry learns that its request took effect and is not
// carried out anew.
var forgetSQL = db.Define("api.forgetMember", `
	UPDATE request
	SET status = 0, answer = $2, member_id = 0
	WHERE member_id = $1 AND member_id <> 0`)

// ForgetMember takes away the kept answers that tell of a member, in the caller's
// transaction. A retry then gets ErrAnswerLost.
func (r *Router) ForgetMember(ctx context.Context, tx *db.Tx, member int64) error {
	if _, err := tx.Exec(ctx, forgetSQL, member, []byte{}); err != nil {
		return fmt.Errorf("forget answers that tell of member %d: %w", member, err)
	}
	return nil
}

// rewrapPage is how many answers one transaction of Rewrap looks at.
const rewrapPage = 200

// sealedSQL pages through the answers that a Vault closed: their first byte is Tink's, and
// that of a plain answer is a brace. Only the heads of the others are read.
var sealedSQL = db.Define("api.sealedAnswers", `
	SELECT shard, hash, CASE WHEN substr(answer, 1, 1) = $4 THEN answer END
	FROM request
	WHERE (shard, hash) > ($1, $2)
	ORDER BY shard, hash
	LIMIT $3`)

// rewrapSQL takes the place of the answer that was read, and of no other.
var rewrapSQL = db.Define("api.rewrapAnswer", `
	UPDATE request
	SET answer = $4
	WHERE shard = $1 AND hash = $2 AND answer = $3`)

// sealedAnswer is a kept answer as it lies in the table; nil where it is not sealed.
type sealedAnswer struct {
	shard  int16
	hash   []byte
	answer []byte
}

// Rewrap brings every sealed answer under the newest wrapping key, beside all other work,
// and returns how many it moved. It may be stopped and started anew at any time.
func (r *Router) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	if r.cfg.Vault == nil {
		return 0, nil
	}
	at := sealedAnswer{shard: -1, hash: []byte{}}
	for {
		page, err := r.sealedAfter(ctx, at)
		if err != nil {
			return moved, fmt.Errorf("read kept answers: %w", err)
		}
		if len(page) == 0 {
			return moved, nil
		}
		n, err := r.rewrap(ctx, page)
		if err != nil {
			return moved, fmt.Errorf("rewrap kept answers: %w", err)
		}
		if moved += n; n > 0 && progress != nil {
			progress(moved)
		}
		at = page[len(page)-1]
	}
}

func (r *Router) sealedAfter(ctx context.Context, at sealedAnswer) (page []sealedAnswer, err error) {
	err = r.cfg.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		page = page[:0]
		rows, err := tx.Query(ctx, sealedSQL, at.shard, at.hash, rewrapPage, []byte{1})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a sealedAnswer
			if err := rows.Scan(&a.shard, &a.hash, &a.answer); err != nil {
				return err
			}
			page = append(page, a)
		}
		return rows.Err()
	})
	return page, err
}

func (r *Router) rewrap(ctx context.Context, page []sealedAnswer) (moved int64, err error) {
	fresh := map[int][]byte{}
	for i, a := range page {
		if a.answer == nil {
			continue
		}
		again, changed, err := r.cfg.Vault.RewrapBytes(a.answer, a.hash)
		if err != nil {
			return 0, err
		}
		if changed {
			fresh[i] = again
		}
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	err = r.cfg.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		moved = 0
		for i, again := range fresh {
			n, err := tx.Exec(ctx, rewrapSQL, page[i].shard, page[i].hash, page[i].answer, again)
			if err != nil {
				return err
			}
			moved += n
		}
		return nil
	})
	return moved, err
}
