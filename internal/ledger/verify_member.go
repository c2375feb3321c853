package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Pages are by members: a snapshot of so many, or of fewer that have so many entries.
const (
	verifyMembers = 500
	verifyEntries = 20_000
)

// A page is a range of members, in the order of (shard, id): above the first two arguments,
// up to the other two.
var (
	verifyAccountsSQL = db.Define("ledger.verifyAccounts", `
		SELECT `+accountTable.names()+`
		FROM account
		WHERE (shard, member_id) > ($1, $2)
		ORDER BY shard, member_id
		LIMIT $3`)
	verifyWalletsSQL = db.Define("ledger.verifyWallets", verifyRange(walletTable, "currency_id"))
	verifyLotsSQL    = db.Define("ledger.verifyLots", verifyRange(lotTable, "seq"))
	verifyHoldsSQL   = db.Define("ledger.verifyHolds", verifyRange(holdTable, "seq"))
	verifyEntriesSQL = db.Define("ledger.verifyEntries", verifyRange(entryTable, "seq"))
)

func verifyRange(t *Table, last string) string {
	return `
		SELECT ` + t.names() + `
		FROM ` + t.name + `
		WHERE (shard, member_id) > ($1, $2) AND (shard, member_id) <= ($3, $4)
		ORDER BY shard, member_id, ` + last
}

// place is where a page begins or ends.
type place struct{ shard, member int64 }

var theStart, theEnd = place{-1, 0}, place{id.Shards, 0}

// members goes through all members, page by page.
func (v *verifier) members(ctx context.Context) error {
	for at := theStart; at != theEnd; {
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			at, err = v.page(ctx, tx, at)
			return err
		})
		if err != nil {
			return err
		}
		v.progress(v.report.Entries, max(v.total, v.report.Entries))
	}
	return nil
}

// page verifies the next members and says where it ended. The last page reaches to the end,
// so that rows without an account are seen.
func (v *verifier) page(ctx context.Context, tx *db.Tx, after place) (last place, err error) {
	var accounts []*Account
	err = scan(ctx, tx, verifyAccountsSQL, accountTable, func(r []any) error {
		accounts = append(accounts, accountOf(r))
		return nil
	}, after.shard, after.member, verifyMembers)
	if err != nil {
		return last, err
	}
	last = theEnd
	entries := int64(0)
	for i, a := range accounts {
		if entries += a.EntryN; i+1 == verifyMembers || entries > verifyEntries && i+1 < len(accounts) {
			accounts, last = accounts[:i+1], place{int64(a.Shard), a.ID}
			break
		}
	}
	p := &auditPage{verifier: v, books: map[int64]*book{}}
	for _, a := range accounts {
		p.book(a.ID).account = a
	}
	if err := p.read(ctx, tx, after, last); err != nil {
		return last, err
	}
	for _, b := range p.order {
		b.close()
	}
	return last, nil
}

// auditPage is the books of some members, being recomputed.
type auditPage struct {
	*verifier
	books map[int64]*book
	order []*book
}

func (p *auditPage) book(member int64) *book {
	b := p.books[member]
	if b == nil {
		b = &book{auditPage: p, member: member, sums: map[int64]*Wallet{}, lots: map[int64]*Lot{}, holds: map[int64]*heldBy{}}
		p.books[member] = b
		p.order = append(p.order, b)
	}
	return b
}

func (p *auditPage) read(ctx context.Context, tx *db.Tx, after, last place) error {
	between := []any{after.shard, after.member, last.shard, last.member}
	err := scan(ctx, tx, verifyEntriesSQL, entryTable, func(r []any) error {
		p.report.Entries++
		p.book(r[1].(int64)).entry(r)
		return nil
	}, between...)
	if err != nil {
		return err
	}
	err = scan(ctx, tx, verifyWalletsSQL, walletTable, func(r []any) error {
		b := p.book(r[1].(int64))
		b.wallets = append(b.wallets, walletOf(r))
		return nil
	}, between...)
	if err != nil {
		return err
	}
	err = scan(ctx, tx, verifyLotsSQL, lotTable, func(r []any) error {
		b := p.book(r[1].(int64))
		b.stored = append(b.stored, lotOf(r))
		return nil
	}, between...)
	if err != nil {
		return err
	}
	return scan(ctx, tx, verifyHoldsSQL, holdTable, func(r []any) error {
		b := p.book(r[1].(int64))
		h, err := holdOf(r)
		if err != nil {
			b.bad("I7", 0, fmt.Sprintf("hold %d cannot be read: %v", r[2], err), fmt.Sprintf("冻结 %d 无法读取：%v", r[2], err))
			return nil
		}
		b.kept = append(b.kept, h)
		return nil
	}, between...)
}

// book is one member: what is stored, and what the entries say.
type book struct {
	*auditPage
	member  int64
	account *Account // nil where there is none
	wallets []*Wallet
	stored  []*Lot
	kept    []*Hold

	seq   int64             // of the latest entry
	sums  map[int64]*Wallet // by currency, from the entries
	lots  map[int64]*Lot    // by number, from the entries
	holds map[int64]*heldBy // by number, from the entries
	taken map[int64]int64   // captured, by currency
}

// heldBy is what the entries say of a hold.
type heldBy struct{ made, freed int64 }

// bad notes a finding about a currency of the member, or about all of them where that is 0.
func (b *book) bad(invariant string, currency int64, en, zh string) {
	where := memberName(b.member)
	if currency != 0 {
		where += ", currency " + b.name(currency)
	}
	b.found(Finding{invariant, where, en, zh})
}

// entry checks one entry and adds it up.
func (b *book) entry(r []any) {
	e, err := entryOf(r)
	if err != nil {
		b.bad("I10", r[3].(int64), fmt.Sprintf("entry %d cannot be read: %v", r[2], err), fmt.Sprintf("分录 %d 无法读取：%v", r[2], err))
		e.Touches = nil
	}
	if e.Seq != b.seq+1 {
		b.bad("I10", e.Currency, fmt.Sprintf("entry %d follows entry %d", e.Seq, b.seq), fmt.Sprintf("分录 %d 之后是 %d，编号不连续", b.seq, e.Seq))
	}
	b.seq = e.Seq
	if digest := e.digest(r[22].([]byte)); !bytes.Equal(digest[:], r[23].([]byte)) {
		b.bad("I10", e.Currency, fmt.Sprintf("entry %d is not what was written: its digest differs", e.Seq), fmt.Sprintf("分录 %d 与入账时不符：摘要不一致", e.Seq))
	}
	if kindNames[e.Kind] == "" {
		b.bad("I1", e.Currency, fmt.Sprintf("entry %d is of the unknown kind %d", e.Seq, e.Kind), fmt.Sprintf("分录 %d 的类型 %d 未知", e.Seq, e.Kind))
		return
	}
	b.balance(e)
	b.touch(e)
}

// balance adds an entry to the wallet that the entries make, and to the programme's side.
func (b *book) balance(e *Entry) {
	w := b.sums[e.Currency]
	if w == nil {
		w = &Wallet{Currency: e.Currency}
		b.sums[e.Currency] = w
	}
	w.Pending, w.Active, w.Held, w.Debt = w.Pending+e.Pending, w.Active+e.Active, w.Held+e.Held, w.Debt+e.Debt
	if e.After != w.Active {
		b.bad("I2", e.Currency, fmt.Sprintf("entry %d says %d are usable after it, the entries sum to %d", e.Seq, e.After, w.Active), fmt.Sprintf("分录 %d 记录余额 %d，累计应为 %d", e.Seq, e.After, w.Active))
	}
	switch contra := e.Kind.Contra(); {
	case contra == None && e.Net() != 0:
		b.bad("I1", e.Currency, fmt.Sprintf("entry %d (%s) has no other side, yet changes what is owed by %d", e.Seq, e.Kind, e.Net()), fmt.Sprintf("分录 %d（%s）不应改变总额，却变动了 %d", e.Seq, e.Kind, e.Net()))
	case contra == Transit:
		b.of(e.Currency).moving += e.Net()
	}
	b.of(e.Currency).issued += e.Net()
}

// close compares what is stored with what the entries say.
func (b *book) close() {
	if b.account == nil {
		b.bad("I10", 0, "there are rows of a member who has no account", "存在没有账户的会员数据")
		b.account = &Account{ID: b.member}
	} else {
		b.report.Members++
	}
	if b.account.EntryN != b.seq {
		b.bad("I10", 0, fmt.Sprintf("the account counts %d entries, the last is %d", b.account.EntryN, b.seq), fmt.Sprintf("账户记录 %d 条分录，最后一条为 %d", b.account.EntryN, b.seq))
	}
	b.closeLots()
	b.closeHolds()
	b.closeWallets()
}

// closeWallets is I2, I3 and I5.
func (b *book) closeWallets() {
	seen := map[int64]bool{}
	for _, w := range b.wallets {
		seen[w.Currency] = true
		sum := cmp.Or(b.sums[w.Currency], &Wallet{})
		if [4]int64{w.Pending, w.Active, w.Held, w.Debt} != [4]int64{sum.Pending, sum.Active, sum.Held, sum.Debt} {
			b.bad("I2", w.Currency,
				fmt.Sprintf("the wallet has %d pending, %d usable, %d held, %d owed; its entries sum to %d, %d, %d, %d", w.Pending, w.Active, w.Held, w.Debt, sum.Pending, sum.Active, sum.Held, sum.Debt),
				fmt.Sprintf("钱包为待生效 %d、可用 %d、冻结 %d、欠 %d；分录合计为 %d、%d、%d、%d", w.Pending, w.Active, w.Held, w.Debt, sum.Pending, sum.Active, sum.Held, sum.Debt))
		}
		if w.Active < 0 || w.Pending < 0 || w.Held < 0 || w.Debt < 0 || w.Active > 0 && w.Debt > 0 {
			b.bad("I5", w.Currency,
				fmt.Sprintf("%d are pending, %d usable, %d held and %d owed: none may be negative, nor both usable and owed", w.Pending, w.Active, w.Held, w.Debt),
				fmt.Sprintf("待生效 %d、可用 %d、冻结 %d、欠 %d：不得为负，也不得同时可用且欠款", w.Pending, w.Active, w.Held, w.Debt))
		}
		b.of(w.Currency).owned += w.Net()
		b.closeWallet(w)
		b.closeEarned(w)
	}
	for c, sum := range b.sums {
		if !seen[c] {
			b.bad("I2", c, fmt.Sprintf("there are entries over %d and no wallet", sum.Net()), fmt.Sprintf("有合计 %d 的分录，却没有钱包", sum.Net()))
		}
	}
}

// closeEarned is I3 too: what the wallet earned over its life, against the days on which it
// was earned.
func (b *book) closeEarned(w *Wallet) {
	if c := b.config.Currencies[w.Currency]; c == nil || c.Kind == Stored || b.member < 0 {
		return
	}
	if days := b.account.Activity().Earned(w.Currency, math.MaxInt32, 0); days != w.Earned {
		b.bad("I3", w.Currency, fmt.Sprintf("the wallet earned %d in its life, its days sum to %d", w.Earned, days), fmt.Sprintf("钱包累计获得 %d，按日合计为 %d", w.Earned, days))
	}
}

// closeWallet is I3: the wallet against its lots, and its hints.
func (b *book) closeWallet(w *Wallet) {
	var pending, active, held, first int64
	var before spot // of the lot ahead in line
	for _, l := range b.stored {
		if l.Currency != w.Currency {
			continue
		}
		if l.State == LotPending {
			pending += l.Left
		} else {
			active += l.free()
		}
		held += l.Held
		switch {
		case l.Left == 0 && l.Stray:
			b.bad("I3", w.Currency, fmt.Sprintf("lot %d is closed, but counts as an open stray", l.Seq), fmt.Sprintf("批次 %d 已用完，却仍列为散批", l.Seq))
		case l.Left == 0 || l.Stray:
		default:
			if first == 0 {
				first = l.Seq
			}
			last := spot{w.TailExpires, w.TailEarned, l.Seq}
			if at := l.spot(); at.compare(before) < 0 || at.compare(last) > 0 {
				b.bad("I3", w.Currency, fmt.Sprintf("lot %d stands in line, but is not spent in the order of its number", l.Seq), fmt.Sprintf("批次 %d 在队列中，但不按编号顺序使用", l.Seq))
			}
			before = l.spot()
		}
	}
	if pending != w.Pending || active != w.Active || held != w.Held {
		b.bad("I3", w.Currency,
			fmt.Sprintf("the wallet has %d pending, %d usable, %d held; its lots have %d, %d, %d", w.Pending, w.Active, w.Held, pending, active, held),
			fmt.Sprintf("钱包为待生效 %d、可用 %d、冻结 %d；批次合计为 %d、%d、%d", w.Pending, w.Active, w.Held, pending, active, held))
	}
	if first > 0 && (w.FirstOpen == 0 || w.FirstOpen > first) {
		b.bad("I3", w.Currency, fmt.Sprintf("lot %d is open, but the wallet looks from %d on", first, w.FirstOpen), fmt.Sprintf("批次 %d 仍有余额，但钱包从 %d 起查找", first, w.FirstOpen))
	}
	open := slices.DeleteFunc(slices.Clone(b.kept), func(h *Hold) bool { return h.State != HoldOpen })
	if next := nextInstant(&Account{lots: b.stored, holds: open}, w); w.NextMS > min(next, Never) {
		b.bad("I3", w.Currency, fmt.Sprintf("something happens at %d, but the wallet waits until %d", next, w.NextMS), fmt.Sprintf("%d 时应有变动，但钱包等到 %d", next, w.NextMS))
	}
}
