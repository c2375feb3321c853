package api

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// keepTimeout bounds the write that keeps an answer after its request has ended.
const keepTimeout = 5 * time.Second

// PurgeTurns is over how many calls Purge goes through all keys: so many days longer than it
// is asked to may an answer live.
const PurgeTurns = 4

// purgeSlice is how many rows one background transaction of Purge looks at: some ms of work.
const purgeSlice = 500

var findAnswerSQL = db.Define("api.findAnswer", `
	SELECT body_hash, status, answer
	FROM request
	WHERE shard = $1 AND hash = $2`)

var claimSQL = db.Define("api.claim", `
	INSERT INTO request (shard, hash, body_hash, status, answer, at_ms)
	VALUES ($1, $2, $3, 0, NULL, $4)
	ON CONFLICT (shard, hash) DO NOTHING`)

// keepAnswerSQL fills the claimed row, or makes one where the refusal came before any
// write. An answer that is there already stays.
var keepAnswerSQL = db.Define("api.keepAnswer", `
	INSERT INTO request (shard, hash, body_hash, status, answer, at_ms, member_id)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (shard, hash) DO UPDATE
	SET status = excluded.status, answer = excluded.answer, member_id = excluded.member_id
	WHERE request.status = 0 AND request.body_hash = excluded.body_hash`)

// Of a slice, first where it ends, then what is old in it. An index by time would have made
// this one range, and cost every write that bears a key an insertion.
var (
	purgeEndSQL = db.Define("api.purgeEnd", `
	SELECT hash
	FROM request
	WHERE shard = $1 AND hash > $2
	ORDER BY hash
	LIMIT 1 OFFSET $3`)
	purgeSQL = db.Define("api.purge", `
	DELETE FROM request
	WHERE shard = $1 AND hash > $2 AND hash <= $3 AND at_ms < $4`)
	purgeRestSQL = db.Define("api.purgeRest", `
	DELETE FROM request
	WHERE shard = $1 AND hash > $2 AND at_ms < $3`)
)

// errTaken aborts a transaction whose key another process claimed first.
var errTaken = ErrInFlight

// once runs a write that bears a key, or gives the answer that an earlier one got.
//
// The claim and the first write commit together, so an effect without a row cannot be. The
// answer is kept right after; a crash in between leaves the row at status 0, and a retry
// learns that the effect stands.
func (rt *route) once(ctx context.Context, key Key, run func(context.Context) *reply) (*reply, error) {
	if !key.Set {
		return run(ctx), nil
	}
	r := rt.router
	leave, err := r.flights.enter(ctx, key.Hash)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx = WithKey(ctx, key)
	if rt.doc.OwnKey {
		return run(ctx), nil
	}
	if first, err := r.findAnswer(ctx, key); first != nil || err != nil {
		return first, err
	}
	// From here on a caller who hangs up ends nothing: what takes effect gets an answer that
	// can be kept for their retry.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	taken := false
	answer := run(db.WithClaim(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := r.claim(ctx, tx, key)
		taken = errors.Is(err, errTaken)
		return err
	}))
	if taken {
		answer.free()
		first, err := r.findAnswer(ctx, key)
		if first == nil && err == nil {
			err = ErrInFlight // the other process undid its claim: a retry will run
		}
		return first, err
	}
	if worthKeeping(answer.status) {
		r.keep(ctx, key, rt.doc, answer)
	}
	return answer, nil
}

// worthKeeping reports whether an answer is the one for good: success, and refusal by the
// state of things. What was malformed or invalid had no effect and may be mended under the
// same key; what failed inside may be tried again.
func worthKeeping(status int) bool {
	return status < http.StatusBadRequest || status == http.StatusConflict
}

func (r *Router) claim(ctx context.Context, tx *db.Tx, key Key) error {
	n, err := tx.Exec(ctx, claimSQL, int(key.Hash[0]), key.Hash[:], key.Body[:], r.cfg.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("claim idempotency key: %w", err)
	}
	if n == 0 {
		return errTaken
	}
	return nil
}

// findAnswer returns the kept answer of a key, or nil where the key is new.
func (r *Router) findAnswer(ctx context.Context, key Key) (*reply, error) {
	var body, answer []byte
	var status int
	err := r.cfg.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, findAnswerSQL, int(key.Hash[0]), key.Hash[:]).Scan(&body, &status, &answer)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find kept answer: %w", err)
	case string(body) != string(key.Body[:]):
		return nil, ErrKeyReused.At("header." + headerKey)
	case status == 0:
		return nil, ErrAnswerLost
	}
	if r.cfg.Vault != nil && len(answer) > 0 {
		if answer, err = r.cfg.Vault.OpenBytes(answer, key.Hash[:]); err != nil {
			return nil, fmt.Errorf("open kept answer: %w", err)
		}
	}
	first := newReply()
	first.status = status
	first.Header().Set(headerReplayed, "true")
	if len(answer) > 0 {
		first.Header().Set("Content-Type", contentType(status))
	}
	first.body.Write(answer)
	return first, nil
}

// keep stores an answer, also where the caller has hung up by now. Where that fails, the
// caller still gets the answer; a retry will get ErrAnswerLost.
func (r *Router) keep(ctx context.Context, key Key, doc Doc, answer *reply) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	if err := r.store(ctx, key, doc, answer); err != nil {
		r.logError(ctx, "answer not kept", err)
	}
}

func (r *Router) store(ctx context.Context, key Key, doc Doc, answer *reply) error {
	status, body, whose := answer.status, answer.body.Bytes(), int64(0)
	if r.cfg.Whose != nil && len(body) > 0 {
		whose = r.cfg.Whose(body)
	}
	switch {
	case doc.Secret && status < http.StatusBadRequest:
		status, body = 0, nil
	case r.cfg.Vault != nil && len(body) > 0:
		body = r.cfg.Vault.SealBytes(body, key.Hash[:])
	}
	return r.cfg.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, keepAnswerSQL, int(key.Hash[0]), key.Hash[:], key.Body[:], status, body, r.cfg.Clock.Now().UnixMilli(), whose)
		return err
	})
}

// Purge removes the keys and answers from before a time, of one in PurgeTurns shards: those
// whose turn it is, which any number tells that counts the calls. It returns how many it
// removed. It works a slice at a time behind interactive work, and a second run of a turn does
// no harm. Keys are worth keeping for as long as a client may retry; what a sale or a
// movement is known by otherwise (source, document) keeps it single for ever.
func (r *Router) Purge(ctx context.Context, before time.Time, turn int) (n int64, err error) {
	for shard := turn % PurgeTurns; shard < keyShards; shard += PurgeTurns {
		for after, done := []byte{}, false; !done; {
			var removed int64
			err := r.cfg.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				removed, after, done, err = purge(ctx, tx, shard, after, before.UnixMilli())
				return err
			})
			if err != nil {
				return n, fmt.Errorf("purge idempotency keys: %w", err)
			}
			n += removed
		}
	}
	return n, nil
}

// keyShards is over how many shards keys are spread: by the first byte of their hash.
const keyShards = 256

// purge goes over one slice of a shard, after a key, and returns the key to go on after.
func purge(ctx context.Context, tx *db.Tx, shard int, after []byte, beforeMS int64) (removed int64, end []byte, done bool, err error) {
	err = tx.QueryRow(ctx, purgeEndSQL, shard, after, purgeSlice-1).Scan(&end)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		removed, err = tx.Exec(ctx, purgeRestSQL, shard, after, beforeMS)
		return removed, after, true, err
	case err != nil:
		return 0, after, false, err
	}
	removed, err = tx.Exec(ctx, purgeSQL, shard, after, end, beforeMS)
	return removed, end, false, err
}
