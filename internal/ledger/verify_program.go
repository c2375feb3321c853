package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

var verifyTransitSQL = db.Define("ledger.verifyTransit", `
	SELECT CAST(COALESCE(SUM(pending + active + held - debt), 0) AS BIGINT)
	FROM entry
	WHERE currency_id = $1 AND kind IN (11, 12, 15, 16, 19)`)

// programme is I6. Members were read one page after the other while others moved points
// between them: where the sum is not zero it is asked for again in one snapshot.
func (v *verifier) programme(ctx context.Context) error {
	for _, c := range slices.Sorted(maps.Keys(v.totals)) {
		t := v.totals[c]
		where := "currency " + v.name(c)
		if t.owned != t.issued {
			v.found(Finding{"I6", where,
				fmt.Sprintf("members own %d, the programme's accounts owe %d", t.owned, t.issued), fmt.Sprintf("会员合计 %d，负债科目合计 %d", t.owned, t.issued)})
		}
		if t.moving == 0 {
			continue
		}
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return tx.QueryRow(ctx, verifyTransitSQL, c).Scan(&t.moving)
		})
		if err != nil {
			return err
		}
		if t.moving != 0 {
			v.found(Finding{"I6", where,
				fmt.Sprintf("%d are in transit: one half of a transfer or merge is missing", t.moving), fmt.Sprintf("在途 %d：转赠或合并缺少一方", t.moving)})
		}
	}
	return nil
}

// verifyDocuments is how many documents are looked at in one snapshot.
const verifyDocuments = 2000

var (
	verifyDocumentsSQL = db.Define("ledger.verifyDocuments", `
		SELECT `+documentTable.names()+`
		FROM document
		WHERE (shard, hash) > ($1, $2)
		ORDER BY shard, hash
		LIMIT $3`)
)

// documents is I9 for the kinds of document that stand for an entry. Entries have no gaps,
// so one is there if its number is not beyond the account's.
func (v *verifier) documents(ctx context.Context) error {
	counts, err := v.counts(ctx, func(a *Account) int64 { return a.EntryN })
	if err != nil {
		return err
	}
	shard, hash := int64(-1), []byte{}
	for n := verifyDocuments; n == verifyDocuments; {
		n = 0
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return scan(ctx, tx, verifyDocumentsSQL, documentTable, func(r []any) error {
				n++
				shard, hash = r[0].(int64), slices.Clone(r[1].([]byte))
				v.document(DocKind(r[2].(int64)), r[3].(int64), r[4].(int64), counts)
				return nil
			}, shard, hash, verifyDocuments)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) document(kind DocKind, member, seq int64, counts map[int64]int64) {
	switch kind {
	case DocEarning, DocSpending, DocTopUp, DocOpening, DocWelcome:
		if last, ok := counts[member]; seq > last || !ok || seq < 0 {
			v.found(Finding{"I9", memberName(member),
				fmt.Sprintf("a document (kind %d) stands for entry %d, which is not there", kind, seq), fmt.Sprintf("有单据（类型 %d）指向不存在的分录 %d", kind, seq)})
		}
	}
}

// counts reads one figure of every account. It and the sets of event numbers are all that
// grows with the members: about a hundred bytes for each.
func (v *verifier) counts(ctx context.Context, of func(*Account) int64) (map[int64]int64, error) {
	out := make(map[int64]int64, v.accounts)
	at := theStart
	for n := verifyAccounts; n == verifyAccounts; {
		n = 0
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return scan(ctx, tx, verifyAccountsSQL, accountTable, func(r []any) error {
				a := accountOf(r)
				n, at, out[a.ID] = n+1, place{int64(a.Shard), a.ID}, of(a)
				return nil
			}, at.shard, at.member, verifyAccounts)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// How many accounts, and rows of the outbox, are read in one snapshot.
const (
	verifyAccounts = 20_000
	verifyWaiting  = 200
)

// events is I11. The accounts are read first, then what waits, then the log: an event only
// ever moves from the outbox to the log, so all that an account counted is met on the way,
// one that moves meanwhile twice.
func (v *verifier) events(ctx context.Context) error {
	counts, err := v.counts(ctx, func(a *Account) int64 { return a.EventN })
	if err != nil {
		return err
	}
	seen := make(map[int64]*runs, len(counts))
	waiting := func(ctx context.Context, tx *db.Tx, after int64) ([]event.Event, int64, error) {
		return event.Waiting(ctx, tx, after, verifyWaiting)
	}
	if err := v.numbers(ctx, waiting, seen, func(int64, int64) {}); err != nil {
		return err
	}
	logged := make(map[int64]*runs, len(counts))
	log := func(ctx context.Context, tx *db.Tx, after int64) ([]event.Event, int64, error) {
		return event.List(ctx, tx, after, "", event.MaxPage)
	}
	err = v.numbers(ctx, log, logged, func(member, n int64) {
		v.found(Finding{"I11", memberName(member), fmt.Sprintf("event %d is in the log twice", n), fmt.Sprintf("第 %d 个事件在日志中重复", n)})
	})
	if err != nil {
		return err
	}
	for member, r := range logged {
		for _, x := range *r {
			setOf(seen, member).addRun(x)
		}
	}
	for _, member := range slices.Sorted(maps.Keys(counts)) {
		if n := seen[member].missing(counts[member]); n > 0 {
			v.found(Finding{"I11", memberName(member),
				fmt.Sprintf("event %d of %d is missing", n, counts[member]), fmt.Sprintf("缺少第 %d 个事件（共 %d 个）", n, counts[member])})
		}
	}
	return nil
}

func setOf(seen map[int64]*runs, member int64) *runs {
	if seen[member] == nil {
		seen[member] = &runs{}
	}
	return seen[member]
}

// numbers notes the numbers of all events that read returns page by page, each with the place
// to go on after, and tells of those it meets again.
func (v *verifier) numbers(ctx context.Context, read func(context.Context, *db.Tx, int64) ([]event.Event, int64, error), seen map[int64]*runs, twice func(member, n int64)) error {
	for after, more := int64(0), true; more; {
		var list []event.Event
		last := after
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			list, last, err = read(ctx, tx, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range list {
			if number := eventNumber(string(e.Body)); number > 0 && !setOf(seen, e.Member).addRun([2]int64{number, number}) {
				twice(e.Member, number)
			}
		}
		after, more = last, last > after
	}
	return nil
}

// eventNumber reads the number that State.Event put in front of a body, or 0 where the
// event was not written by a posting.
func eventNumber(body string) int64 {
	rest, ok := strings.CutPrefix(body, `{"n":`)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// runs is a set of numbers that mostly follow each other: a few ranges, both ends in it.
type runs [][2]int64

// addRun adds a range, and reports whether none of it was in the set before.
func (r *runs) addRun(n [2]int64) (fresh bool) {
	// The ranges that n overlaps or touches become one with it.
	i, _ := slices.BinarySearchFunc(*r, n[0]-1, func(x [2]int64, n int64) int { return cmp.Compare(x[1], n) })
	j, fresh := i, true
	for ; j < len(*r) && (*r)[j][0] <= n[1]+1; j++ {
		x := (*r)[j]
		fresh = fresh && (x[1] < n[0] || x[0] > n[1])
	}
	if j > i {
		n = [2]int64{min(n[0], (*r)[i][0]), max(n[1], (*r)[j-1][1])}
	}
	*r = slices.Replace(*r, i, j, n)
	return fresh
}

// missing is the first of 1 … n that is not in the set, or 0.
func (r *runs) missing(n int64) int64 {
	if n == 0 || r != nil && len(*r) > 0 && (*r)[0][0] <= 1 && (*r)[0][1] >= n {
		return 0
	}
	if r == nil || len(*r) == 0 || (*r)[0][0] > 1 {
		return 1
	}
	return (*r)[0][1] + 1
}
