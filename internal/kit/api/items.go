package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Items are the writes of one request that bear a key each: the rows of a batch. Each has
// one effect and one answer, in whatever request it comes again.
//
// Life: BeginItems waits for twins in flight and finds what was answered before; the caller
// does the rest in one transaction, and keeps the answers in it; End lets twins go on.
type Items struct {
	router *Router
	keys   []Key
	leave  []func()
	first  map[[16]byte]kept
}

// kept is a row of table request.
type kept struct {
	body [16]byte
	raw  Raw
}

// Kept is the answer to one item, to be kept.
type Kept struct {
	Item   int // its place in the list of keys
	Status int
	Body   []byte // JSON
	Member int64  // of whom it tells, 0 for nobody
}

// BeginItems begins on a list of keys, at most a few hundred. A Key that is not Set is
// passed over. Call End, also after it has served.
func (r *Router) BeginItems(ctx context.Context, keys []Key) (*Items, error) {
	b := &Items{router: r, keys: keys, first: map[[16]byte]kept{}}
	var hashes [][16]byte
	for _, k := range keys {
		if k.Set {
			hashes = append(hashes, k.Hash)
		}
	}
	// In one order, so that two batches with the same keys do not wait for each other.
	slices.SortFunc(hashes, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	hashes = slices.Compact(hashes)
	for _, h := range hashes {
		leave, err := r.flights.enter(ctx, h)
		if err != nil {
			b.End()
			return nil, err
		}
		b.leave = append(b.leave, leave)
	}
	if err := b.find(ctx, hashes); err != nil {
		b.End()
		return nil, fmt.Errorf("find the answers of a batch: %w", err)
	}
	return b, nil
}

// End lets twins go on. It may be called twice.
func (b *Items) End() {
	for _, leave := range b.leave {
		leave()
	}
	b.leave = nil
}

// First tells what an item was answered before: a Raw with a status, a refusal of the key,
// or neither where the item is new.
func (b *Items) First(i int) (Raw, error) {
	k := b.keys[i]
	was, seen := b.first[k.Hash]
	switch {
	case !k.Set || !seen:
		return Raw{}, nil
	case was.body != k.Body:
		return Raw{}, ErrKeyReused.At("body.idempotency_key")
	case was.raw.Status == 0:
		return Raw{}, ErrAnswerLost
	}
	return was.raw, nil
}

// itemsSQL finds many keys in one round trip. They come as JSON, since the engines have no
// list of bytes in common; each has its own words to take it apart.
var itemsSQL = db.Define("api.findItems", `
	SELECT r.hash, r.body_hash, r.status, r.answer
	FROM json_each($1) AS k
	JOIN request AS r ON r.shard = json_extract(k.value, '$.s') AND r.hash = unhex(json_extract(k.value, '$.h'))
	ORDER BY r.shard, r.hash`).
	OnPostgres(`
	SELECT r.hash, r.body_hash, r.status, r.answer
	FROM json_array_elements($1::JSON) AS k
	JOIN request AS r ON r.shard = (k->>'s')::SMALLINT AND r.hash = decode(k->>'h', 'hex')
	ORDER BY r.shard, r.hash`)

func (b *Items) find(ctx context.Context, hashes [][16]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	type key struct {
		Shard int    `json:"s"`
		Hash  string `json:"h"`
	}
	list := make([]key, len(hashes))
	for i, h := range hashes {
		list[i] = key{int(h[0]), hex.EncodeToString(h[:])}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return b.router.cfg.DB.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		return db.ReadRows(b.scan)(tx.Query(ctx, itemsSQL, string(text)))
	})
}

func (b *Items) scan(rows *db.Rows) error {
	var hash, body, answer []byte
	k := kept{raw: Raw{Replayed: true}}
	if err := rows.Scan(&hash, &body, &k.raw.Status, &answer); err != nil {
		return err
	}
	if len(hash) != len(k.body) || len(body) != len(k.body) {
		return fmt.Errorf("a key of %d and %d bytes", len(hash), len(body))
	}
	if v := b.router.cfg.Vault; v != nil && len(answer) > 0 {
		var err error
		if answer, err = v.OpenBytes(answer, hash); err != nil {
			return fmt.Errorf("open kept answer: %w", err)
		}
	}
	k.body, k.raw.Body = [16]byte(body), answer
	b.first[[16]byte(hash)] = k
	return nil
}

var keepItemsSQL = db.DefineBulk("api.keepItems", db.InsertSizes, 7, `
	INSERT INTO request (shard, hash, body_hash, status, answer, at_ms, member_id)
	VALUES`, db.Values(7), `
	ON CONFLICT (shard, hash) DO NOTHING
	RETURNING shard`)

// Keep writes answers in the transaction of what they tell of: an effect without its
// answer cannot be, nor the other way round. Answers that are not for good (a malformed
// item may be mended under its key) are passed over. Where another process was first with
// one of the keys it fails with ErrInFlight: undo all, and begin anew.
func (b *Items) Keep(ctx context.Context, tx *db.Tx, answers []Kept) error {
	now := b.router.cfg.Clock.Now().UnixMilli()
	var rows []any
	fresh := 0
	slices.SortFunc(answers, func(x, y Kept) int {
		return bytes.Compare(b.keys[x.Item].Hash[:], b.keys[y.Item].Hash[:]) // so that two processes wait in no ring
	})
	for _, a := range answers {
		key := b.keys[a.Item]
		if !key.Set || !worthKeeping(a.Status) {
			continue
		}
		body := a.Body
		if v := b.router.cfg.Vault; v != nil && len(body) > 0 {
			body = v.SealBytes(body, key.Hash[:])
		}
		rows = append(rows, int(key.Hash[0]), key.Hash[:], key.Body[:], a.Status, body, now, a.Member)
		fresh++
	}
	err := keepItemsSQL.Each(rows, func(st *db.Stmt, part []any) error {
		return db.ReadRows(func(*db.Rows) error { fresh--; return nil })(tx.Query(ctx, st, part...))
	})
	if err == nil && fresh != 0 {
		err = errTaken
	}
	if err != nil {
		return fmt.Errorf("keep the answers of a batch: %w", err)
	}
	return nil
}
