package ledger

import "slices"

// fataler is what a law needs of a test.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// contraOf says again which kinds change what the programme owes: a test must not ask the
// code it tests. True = the entry moves points between members.
var contraOf = map[EntryKind]string{
	Earn: "issued", Claw: "issued", TopUp: "issued", Opening: "issued", Spend: "redeemed", HoldTaken: "redeemed", GiveBack: "redeemed",
	Expire: "expired", TransferOut: "transit", TransferIn: "transit", MergeOut: "transit", MergeIn: "transit", MergeBack: "transit",
	Adjust: "adjusted", Fee: "fees", Activate: "", HoldMade: "", HoldFreed: "", Repay: "",
}

// checkBooks recomputes I1 to I7 and I10 from the rows, naively.
func checkBooks(t fataler, m *memory) {
	t.Helper()
	type purse struct{ member, currency int64 }
	sums := map[purse][4]int64{} // pending, active, held, debt
	contra := map[int64]map[string]int64{}
	n := map[int64]int64{}
	for _, r := range sortedEntries(m) {
		e, err := entryOf(r)
		if err != nil {
			t.Fatalf("entry %v: %v", r, err)
		}
		n[e.Member]++
		if e.Seq != n[e.Member] { // I10
			t.Fatalf("member %d: entry %d comes after %d", e.Member, e.Seq, n[e.Member]-1)
		}
		p := purse{e.Member, e.Currency}
		s := sums[p]
		s = [4]int64{s[0] + e.Pending, s[1] + e.Active, s[2] + e.Held, s[3] + e.Debt}
		sums[p] = s
		net := e.Pending + e.Active + e.Held - e.Debt
		account, ok := contraOf[e.Kind]
		if !ok || account == "" && net != 0 { // I1
			t.Fatalf("%s %d of member %d changes what is owed by %d", e.Kind, e.Seq, e.Member, net)
		}
		if contra[e.Currency] == nil {
			contra[e.Currency] = map[string]int64{}
		}
		contra[e.Currency][account] -= net
		if s[0] < 0 || s[1] < 0 || s[2] < 0 || s[3] < 0 || e.After != s[1] {
			t.Fatalf("after %s %d member %d has %v", e.Kind, e.Seq, e.Member, s)
		}
	}
	owed := map[int64]int64{}
	for _, r := range m.tables[walletTable] {
		w, member := walletOf(r), r[1].(int64)
		if got := [4]int64{w.Pending, w.Active, w.Held, w.Debt}; got != sums[purse{member, w.Currency}] { // I2
			t.Fatalf("wallet %v of member %d, entries say %v", got, member, sums[purse{member, w.Currency}])
		}
		if w.Active > 0 && w.Debt > 0 { // I5
			t.Fatalf("member %d has %d and owes %d", member, w.Active, w.Debt)
		}
		owed[w.Currency] += w.Pending + w.Active + w.Held - w.Debt
		checkLots(t, m, member, w)
	}
	for c, accounts := range contra { // I6
		var sum int64
		for _, v := range accounts {
			sum += v
		}
		if sum != -owed[c] || accounts["transit"] != 0 {
			t.Fatalf("currency %d: members own %d, the other side is %v", c, owed[c], accounts)
		}
	}
	for id := range n {
		if a := accountOf(m.one(accountTable, int64(shardOf(id)), id)); a.EntryN != n[id] {
			t.Fatalf("member %d counts %d entries, there are %d", id, a.EntryN, n[id])
		}
	}
}

// checkLots is I3, I4 and I7 of one wallet.
func checkLots(t fataler, m *memory, member int64, w *Wallet) {
	t.Helper()
	pins := map[int64]int64{}
	var held int64
	for _, r := range m.of(holdTable, member) {
		h := mustHold(r)
		var sum int64
		for _, p := range h.Lots {
			sum += p.Amount
		}
		if sum != h.Amount || h.Captured > h.Amount || h.Captured > 0 != (h.State == HoldCaptured) {
			t.Fatalf("hold %+v", *h)
		}
		if h.Currency != w.Currency || h.State != HoldOpen {
			continue
		}
		for _, p := range h.Lots {
			pins[p.Lot] += p.Amount
		}
		held += h.Amount
	}
	var pending, active int64
	for _, r := range m.of(lotTable, member) {
		l := lotOf(r)
		if l.Currency != w.Currency {
			continue
		}
		if l.Left < 0 || l.Left > l.Granted || l.Granted != l.Left+l.Spent+l.Expired+l.Clawed+l.Moved || l.Held != pins[l.Seq] || l.Held > l.Left {
			t.Fatalf("member %d: lot %+v with %d pinned", member, *l, pins[l.Seq])
		}
		if l.State == LotPending {
			pending += l.Left
		} else {
			active += l.Left - l.Held
		}
	}
	var line spot
	for _, r := range m.of(lotTable, member) {
		l := lotOf(r)
		if l.Currency != w.Currency || l.Left == 0 && !l.Stray {
			continue
		}
		if l.Left == 0 || !l.Stray && (w.FirstOpen == 0 || w.FirstOpen > l.Seq || l.spot().compare(line) < 0) {
			t.Fatalf("member %d: lot %+v behind %v, in a line from %d on", member, *l, line, w.FirstOpen)
		}
		if !l.Stray {
			line = l.spot()
		}
		if next := l.ActiveMS; l.State == LotPending && next < w.NextMS || l.State == LotActive && l.free() > 0 && l.ExpiresMS < w.NextMS {
			t.Fatalf("member %d: the wallet waits until %d for lot %+v", member, w.NextMS, *l)
		}
	}
	if pending != w.Pending || active != w.Active || held != w.Held {
		t.Fatalf("member %d: wallet %+v, lots have %d pending, %d usable, %d held", member, *w, pending, active, held)
	}
}

func sortedEntries(m *memory) [][]any {
	var out [][]any
	for _, r := range m.tables[entryTable] {
		out = append(out, r)
	}
	slices.SortFunc(out, entryTable.byKey)
	return out
}
