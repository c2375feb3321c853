package staff

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The chain over the audit trail. An entry is written in the transaction of its change and
// waits there (table audit_waiting); one of all nodes, whichever holds the head's row,
// gives waiting entries their positions and hashes after the commit. So two changes never
// wait for each other for the sake of the trail, and no transaction holds the head while
// it holds a member. docs/adr/0016 says why, and what that leaves open.

// The bounds of chaining.
const (
	// chainEvery is how often a node looks for entries that wait.
	chainEvery = time.Second
	// chainSlice is how many entries one transaction chains: it stays under the 5 ms that
	// background work may hold the writer of SQLite.
	chainSlice = 100
	// mostBehind is how far the chain may lag behind the trail before Verify says so.
	mostBehind = 10 * time.Minute
)

// Head is the newest link of the chain: how long it is, and what its hash says of all that
// is before. Kept in another place, it proves later that the trail up to there is the
// same, even against somebody who can write to the database and makes all hashes anew.
type Head struct {
	Position int64
	Hash     [sha256.Size]byte
}

// ErrHead refuses a text that is no head.
var ErrHead = errs.New(errs.Invalid, "audit.head", "A head of the audit trail is written NUMBER:HASH, as patron verify prints it.", "审计日志链头的写法为 序号:哈希，即 patron verify 输出的内容。")

// String writes the head as "128:9f86d0…".
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Position, hex.EncodeToString(h.Hash[:])) }

// ParseHead reads what String wrote, or gives ErrHead.
func ParseHead(text string) (h Head, err error) {
	number, sum, _ := strings.Cut(text, ":")
	h.Position, err = strconv.ParseInt(number, 10, 64)
	raw, hexErr := hex.DecodeString(sum)
	if err != nil || hexErr != nil || h.Position < 0 || len(raw) != len(h.Hash) {
		return Head{}, ErrHead
	}
	copy(h.Hash[:], raw)
	return h, nil
}

// next is the link of an entry after h.
func (h Head) next(e Entry) Head {
	return Head{Position: h.Position + 1, Hash: h.digest(e)}
}

// digest hashes an entry as it lies in its row, after h. Every part goes in after its
// length, so that no two rows say the same; what is NULL differs from what is empty. The
// first part names the form, for the day when there is another.
func (h Head) digest(e Entry) (sum [sha256.Size]byte) {
	d := digest{sha256.New()}
	d.text("patron audit 1")
	d.bytes(h.Hash[:])
	d.number(h.Position + 1)
	d.number(e.ID)
	d.number(e.At.UnixMilli())
	d.text(e.ActorKind)
	d.text(e.Actor)
	d.text(e.Action)
	d.text(e.Subject)
	d.maybe(e.Before)
	d.maybe(e.After)
	d.text(e.IP)
	d.text(e.UserAgent)
	d.text(e.Trace)
	copy(sum[:], d.Sum(nil))
	return sum
}

type digest struct{ hash.Hash }

func (d digest) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	d.Write(b[:]) // a hash never fails to write
}

func (d digest) bytes(b []byte) {
	d.number(int64(len(b)))
	d.Write(b)
}

func (d digest) text(s string) { d.bytes([]byte(s)) }

func (d digest) maybe(b json.RawMessage) {
	if b == nil {
		d.number(-1)
		return
	}
	d.bytes(b)
}

// Run chains entries as they come, until ctx ends.
func (a *Audit) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(chainEvery)
	defer tick.Stop()
	for {
		if err := a.Chain(ctx); err != nil && ctx.Err() == nil {
			log.Error("the audit trail was not chained; it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Chain gives every waiting entry its place. It may run on many nodes at once. Where
// nothing waits it only reads.
func (a *Audit) Chain(ctx context.Context) error {
	for {
		waits, err := a.waits(ctx)
		if err != nil || !waits {
			return err
		}
		n, err := a.chainSlice(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

var waitsSQL = db.Define("staff.auditWaits", `
	SELECT COALESCE(MIN(audit_id), 0)
	FROM audit_waiting`)

func (a *Audit) waits(ctx context.Context) (bool, error) {
	var first int64
	err := a.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, waitsSQL).Scan(&first)
	})
	if err != nil {
		return false, fmt.Errorf("look for entries of the audit trail to chain: %w", err)
	}
	return first != 0, nil
}

var (
	// holdHeadSQL locks the head: of two nodes that chain, one waits here and then goes on
	// from where the other ended.
	holdHeadSQL = db.Define("staff.holdHead", `
	UPDATE audit_head SET position = position
	WHERE one = 1
	RETURNING position, hash`)
	waitingSQL = db.Define("staff.auditWaiting", `
	SELECT `+entryColumns+`
	FROM audit_waiting
	JOIN audit ON audit.id = audit_id
	ORDER BY audit_id
	LIMIT $1`)
	insertLinkSQL = db.Define("staff.insertLink", `
	INSERT INTO audit_link (position, audit_id, hash)
	VALUES ($1, $2, $3)`)
	doneWaitingSQL = db.Define("staff.doneWaiting", `
	DELETE FROM audit_waiting
	WHERE audit_id = $1`)
	moveHeadSQL = db.Define("staff.moveHead", `
	UPDATE audit_head SET position = $1, hash = $2
	WHERE one = 1`)
)

// chainSlice chains some entries and returns how many.
func (a *Audit) chainSlice(ctx context.Context) (n int, err error) {
	err = a.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		head, err := scanHead(tx.QueryRow(ctx, holdHeadSQL))
		if err != nil {
			return err
		}
		list, err := all(scanEntry)(tx.Query(ctx, waitingSQL, chainSlice))
		n = len(list)
		if err != nil || n == 0 {
			return err
		}
		for _, e := range list {
			head = head.next(e)
			if err := exec(ctx, tx, insertLinkSQL, head.Position, e.ID, head.Hash[:]); err != nil {
				return err
			}
			if err := exec(ctx, tx, doneWaitingSQL, e.ID); err != nil {
				return err
			}
		}
		return exec(ctx, tx, moveHeadSQL, head.Position, head.Hash[:])
	})
	if err != nil {
		return 0, fmt.Errorf("chain the audit trail: %w", err)
	}
	return n, nil
}

// scanHead reads position and hash. The head of an empty chain has no hash: it counts as
// zeros.
func scanHead(r row) (h Head, err error) {
	var sum []byte
	if err := r.Scan(&h.Position, &sum); err != nil {
		return Head{}, err
	}
	copy(h.Hash[:], sum)
	return h, nil
}

// is reports whether a hash as a row keeps it is the one of h.
func (h Head) is(sum []byte) bool { return bytes.Equal(h.Hash[:], sum) }
