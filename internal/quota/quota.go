// Package quota counts what there is only so much of: pieces of a reward, uses of a coupon, how
// often one member may claim it, the money that it may cost.
//
// # Life
//
// A count begins at nothing the first time that somebody takes of it. What is taken counts for
// good until it is returned. What is held counts until an instant: then it is confirmed, which
// makes it taken, or given back, or it lapses by time alone.
//
// # Laws
//
//   - Taken and held together never pass the limit that the caller names, on either engine,
//     whoever takes at the same time: the row is locked by the batch that decides.
//   - A hold lapses without anybody's doing: a count is right at every instant, and no job has
//     to run for it.
//   - What a release gives back is what the hold took.
//   - A limit of a member counts what the records took that were merged into them (see Related).
//
// The limit is not kept here: it is what the noun says at the time. Lowered below what is taken,
// it stops, and takes nothing back.
package quota

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Kind says what is counted. The numbers are on disk.
type Kind int64

// The kinds. ID is the coupon, reward or prize; Part is said beside each.
const (
	CouponClaim  Kind = 1  // vouchers issued of a coupon; Part 0
	CouponUse    Kind = 2  // uses of a coupon and the money that they took off; Part 0
	CouponClaims Kind = 3  // vouchers issued to one member; Part is the member
	CouponUses   Kind = 4  // uses by one member; Part is the member
	RewardStock  Kind = 5  // pieces of a reward; Part is the store, 0 for the common stock
	RewardMember Kind = 6  // orders of one member; Part is the member
	DrawPrize    Kind = 7  // pieces of a prize; ID is the draw, Part the prize, and 0 for what all its prizes are worth
	DrawMember   Kind = 8  // plays of one member; Part is the member
	OfflineHand  Kind = 9  // what was given offline by one snapshot of a till; ID is the snapshot, Part 0
	OfflineStore Kind = 10 // what a store gave offline in a day; ID is the store, Part 0
)

// byMember reports whether Part is a member, whose row then lies with them.
func (k Kind) byMember() bool {
	switch k {
	case CouponClaims, CouponUses, RewardMember, DrawMember:
		return true
	}
	return false
}

// Key names one count. Span tells apart counts that begin anew: the day, week or month, 0 for
// what counts for ever.
type Key struct {
	Kind     Kind
	ID, Part int64
	Span     int64
}

// Limit is the most of something; 0 in a field is no bound.
type Limit struct {
	N      int64
	Amount int64 // in minor units of the programme's money, or whatever the noun counts beside pieces
}

// Unlimited is what Left says of what has no bound.
const Unlimited = math.MaxInt64

var (
	// ErrSpent refuses to take more pieces than there are.
	ErrSpent = errs.New(errs.Conflict, "quota.spent", "There is nothing left of it.", "已经没有剩余了。")
	// ErrBudget refuses to take more money than there is.
	ErrBudget = errs.New(errs.Conflict, "quota.budget", "Its budget is used up.", "预算已用完。")
)

var table = ledger.DefineSharedTable("quota", 5, "shard int, kind int, id int, part int, span int, used int, amount int, holds bytes")

func (k Key) values() []any {
	shard := id.Shard(k.ID)
	if k.Kind.byMember() {
		shard = id.Shard(k.Part)
	}
	return []any{int64(shard), int64(k.Kind), k.ID, k.Part, k.Span}
}

// Row is what a command that counts names in its Needs.
func (k Key) Row() ledger.RowKey { return ledger.RowKey{Table: table, Key: k.values()} }

// Count is where a count stands at an instant.
type Count struct {
	Used, Amount     int64 // taken for good
	Held, HeldAmount int64 // by holds that have not lapsed
}

// left is what a limit leaves.
func (c Count) left(l Limit) Limit {
	rest := func(most, gone int64) int64 {
		if most == 0 {
			return Unlimited
		}
		return max(0, most-gone)
	}
	return Limit{rest(l.N, c.Used+c.Held), rest(l.Amount, c.Amount+c.HeldAmount)}
}

// grain is how finely holds are counted: all that end within ten seconds end together, at the
// end of them. So a count stays small however many hold at once.
const grain = 10_000

// until is when a hold that was asked for until an instant ends.
func until(ms int64) int64 { return (ms + grain - 1) / grain * grain }

// tally is a row.
type tally struct {
	used, amount int64
	holds        []hold // by end
}

type hold struct{ untilMS, n, amount int64 }

// read takes a row, without holds that have lapsed.
func read(v []any, nowMS int64) (t tally) {
	if v == nil {
		return t
	}
	t.used, t.amount = v[5].(int64), v[6].(int64)
	for rest := v[7].([]byte); len(rest) > 0; {
		var h hold
		for _, to := range []*int64{&h.untilMS, &h.n, &h.amount} {
			n, size := binary.Varint(rest)
			if size <= 0 {
				panic("quota: the holds of a row cannot be read")
			}
			*to, rest = n, rest[size:]
		}
		if h.untilMS *= grain; h.untilMS > nowMS {
			t.holds = append(t.holds, h)
		}
	}
	return t
}

func (t *tally) count() Count {
	c := Count{Used: t.used, Amount: t.amount}
	for _, h := range t.holds {
		c.Held, c.HeldAmount = c.Held+h.n, c.HeldAmount+h.amount
	}
	return c
}

// change adds to what is held until an instant, and panics where that was less than is taken
// away: a caller gives back more than it held.
func (t *tally) change(untilMS, n, amount int64) {
	for i := range t.holds {
		h := &t.holds[i]
		if h.untilMS != untilMS {
			continue
		}
		if h.n += n; h.n < 0 {
			panic("quota: more is given back than was held")
		}
		h.amount = max(0, h.amount+amount)
		if h.n == 0 {
			t.holds = append(t.holds[:i:i], t.holds[i+1:]...)
		}
		return
	}
	if n < 0 {
		panic("quota: what is given back was not held")
	}
	t.holds = append(t.holds, hold{untilMS, n, amount})
}

func (t *tally) put(s *ledger.State, k Key) {
	holds := []byte{}
	for _, h := range t.holds {
		holds = binary.AppendVarint(holds, h.untilMS/grain)
		holds = binary.AppendVarint(holds, h.n)
		holds = binary.AppendVarint(holds, h.amount)
	}
	s.Put(table, append(k.values(), t.used, t.amount, holds)...)
}

func load(s *ledger.State, k Key) tally { return read(s.Row(table, k.values()...), s.NowMS) }

// Of says where a count stands. Its Row must have been asked for, as for all that follows.
func Of(s *ledger.State, k Key) Count {
	t := load(s, k)
	return t.count()
}

// Left is what a limit leaves of a count, Unlimited where it has no bound. Of a count by member
// Related must have been asked.
func Left(s *ledger.State, k Key, l Limit) Limit {
	t := load(s, k)
	return t.left(s, k, l)
}

// left is what a limit leaves; of a member it counts the kin too, who are looked at only where
// there is a limit.
func (t *tally) left(s *ledger.State, k Key, l Limit) Limit {
	if l == (Limit{}) {
		return Limit{Unlimited, Unlimited}
	}
	return t.family(s, k).left(l)
}

// check refuses what a limit does not leave.
func (t *tally) check(s *ledger.State, k Key, l Limit, n, amount int64) error {
	if n < 0 || amount < 0 {
		panic(fmt.Sprintf("quota: %d pieces and %d cannot be taken", n, amount))
	}
	switch left := t.left(s, k, l); {
	case n > left.N:
		return ErrSpent
	case amount > left.Amount:
		return ErrBudget
	}
	return nil
}

// Take counts n pieces and an amount for good, or refuses with ErrSpent or ErrBudget.
func Take(s *ledger.State, k Key, l Limit, n, amount int64) error {
	t := load(s, k)
	if err := t.check(s, k, l, n, amount); err != nil {
		return err
	}
	t.used, t.amount = t.used+n, t.amount+amount
	t.put(s, k)
	return nil
}

// Hold counts n pieces and an amount until an instant, which is rounded up to ten seconds; it
// returns when that is, which Confirm and Free are to name. It refuses as Take does.
func Hold(s *ledger.State, k Key, l Limit, n, amount, untilMS int64) (int64, error) {
	t := load(s, k)
	if err := t.check(s, k, l, n, amount); err != nil {
		return 0, err
	}
	end := until(untilMS)
	t.change(end, n, amount)
	t.put(s, k)
	return end, nil
}

// Free ends a hold before its time. One that has lapsed is over already.
func Free(s *ledger.State, k Key, n, amount, untilMS int64) {
	if untilMS <= s.NowMS || n == 0 {
		return
	}
	t := load(s, k)
	t.change(untilMS, -n, -amount)
	t.put(s, k)
}

// Confirm makes what is held taken: the same pieces, and of the amount what it came to. The
// hold must not have lapsed: the caller, whose own hold ends at the same instant, sees to that.
func Confirm(s *ledger.State, k Key, n, amount, untilMS int64) {
	if untilMS <= s.NowMS {
		panic("quota: a hold that has lapsed is confirmed")
	}
	t := load(s, k)
	t.change(untilMS, -n, -amount)
	t.used, t.amount = t.used+n, t.amount+amount
	t.put(s, k)
}

// Return gives back what was taken.
func Return(s *ledger.State, k Key, n, amount int64) {
	t := load(s, k)
	if t.used -= n; t.used < 0 {
		panic("quota: more is returned than was taken")
	}
	t.amount = max(0, t.amount-amount)
	t.put(s, k)
}

var (
	readSQL = db.Define("quota.read", `
		SELECT shard, kind, id, part, span, used, amount, holds
		FROM quota
		WHERE shard = $1 AND kind = $2 AND id = $3 AND part = $4 AND span = $5`)
	eachSQL = db.Define("quota.each", `
		SELECT shard, kind, id, part, span, used, amount, holds
		FROM quota
		WHERE kind = $1 AND (id, part, span) > ($2, $3, $4)
		ORDER BY id, part, span
		LIMIT $5`)
)

func scan(row interface{ Scan(...any) error }, nowMS int64) (k Key, c Count, err error) {
	v := make([]any, 8)
	var shard, kind, used, amount int64
	var holds []byte
	if err := row.Scan(&shard, &kind, &k.ID, &k.Part, &k.Span, &used, &amount, &holds); err != nil {
		return k, c, err
	}
	k.Kind = Kind(kind)
	v[5], v[6], v[7] = used, amount, holds
	t := read(v, nowMS)
	return k, t.count(), nil
}

// Read says where counts stand, of those that have begun.
func Read(ctx context.Context, tx *db.Tx, keys []Key, nowMS int64) (map[Key]Count, error) {
	out := make(map[Key]Count, len(keys))
	for _, k := range keys {
		err := db.ReadRows(func(rows *db.Rows) error {
			k, c, err := scan(rows, nowMS)
			out[k] = c
			return err
		})(tx.Query(ctx, readSQL, k.values()...))
		if err != nil {
			return nil, fmt.Errorf("read a quota: %w", err)
		}
	}
	return out, nil
}

// Each reads a page of the counts of a kind behind a key, in the order of ID, Part and Span:
// for whoever verifies them.
func Each(ctx context.Context, tx *db.Tx, after Key, limit int, nowMS int64, fn func(Key, Count) error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		k, c, err := scan(rows, nowMS)
		if err != nil {
			return err
		}
		return fn(k, c)
	})(tx.Query(ctx, eachSQL, int64(after.Kind), after.ID, after.Part, after.Span, limit))
}
