package ledger

import (
	"errors"
	stdflag "flag" // flag is a function here
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/id"
)

// TestMain sets how many histories the laws are tried on: 200, or as many as PATRON_SOAK
// says.
func TestMain(m *testing.M) {
	stdflag.Parse()
	checks := "200"
	if n := os.Getenv("PATRON_SOAK"); n != "" {
		checks = n
	}
	given := false
	stdflag.Visit(func(f *stdflag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = stdflag.Set("rapid.checks", checks) // rapid defines it
	}
	os.Exit(m.Run())
}

const stepsOfHistory = 100

func shardOf(member int64) int16 { return id.Shard(member) }

// history runs one random life of three members through the ledger and through the model,
// side by side.
type history struct {
	t      *rapid.T
	mem    *memory
	s      *State
	model  *model
	merged [][2]int // who was merged into whom, the latest last
}

// Whatever happens to three members in four currencies, each has exactly what a ledger of
// matches says they have, lot by lot, and the books keep the invariants.
func TestHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, mem: newMemory(), model: newModel(noon)}
		h.s = newState(testConfig(), noon)
		ops := map[string]func(){
			"grant": h.grant, "grant more": h.grant, "spend": h.spend, "spend more": h.spend, "hold": h.hold, "capture": h.capture,
			"release": h.release, "clawback": h.clawback, "give back": h.giveBack, "transfer": h.transfer, "adjust": h.adjust,
			"merge": h.merge, "unmerge": h.unmerge, "time": h.time, "more time": h.time, "flush": h.flush, "check": h.check,
		}
		names := append([]string{""}, slices.Sorted(maps.Keys(ops))...) // "" first: histories shrink towards it
		ops[""] = func() {}
		for range stepsOfHistory {
			ops[rapid.SampledFrom(names).Draw(t, "op")]()
		}
		h.check()
	})
}

// do posts one command on the current batch, and compares its refusal and what the members
// have afterwards with the model. then is what the model does where it is not refused.
func (h *history) do(n Needs, want error, f func(s *State) error, then func()) {
	h.t.Helper()
	h.mem.load(h.s, n)
	mark := h.s.begin("test")
	err := f(h.s)
	if !errors.Is(err, want) {
		h.t.Fatalf("answer %v, want %v", err, want)
	}
	if err != nil {
		h.s.rollback(mark)
	} else {
		then()
	}
	for _, m := range n.Members {
		h.compare(m)
	}
	if h.s.accounts[n.Members[0]].lotsIn {
		for _, m := range n.Members {
			if text := h.s.accounts[m].audit(); h.s.accounts[m].lotsIn && text != "" {
				h.t.Fatal(text)
			}
		}
	}
}

// compare gives the model the numbers of new lots and compares the wallets of a member.
func (h *history) compare(member int64) {
	h.t.Helper()
	x := &h.model.members[member-1]
	h.number(member)
	for c := int64(1); c < curEnd; c++ {
		var w Wallet
		for _, have := range h.s.accounts[member].wallets {
			if have.Currency == c {
				w = *have
			}
		}
		got := [6]int64{w.Pending, w.Active, w.Held, w.Debt, w.Earned, w.Spent}
		want := [6]int64{x.sum(c, inPending), x.sum(c, inUsable), x.sum(c, inPinned), x.debt[c], x.earned[c], x.spent[c]}
		if late := w.NextMS <= h.s.NowMS; got != want && !late { // a refused command settles nothing
			h.t.Fatalf("member %d has %v pending, usable, held, owed, earned, spent of currency %d, want %v", member, got, c, want)
		}
	}
}

// number matches the lots that the model made with those that the ledger did: the same
// number of them in each currency, in the same order.
func (h *history) number(member int64) {
	h.t.Helper()
	x := &h.model.members[member-1]
	known := map[int64]bool{}
	for _, l := range x.lots {
		known[l.seq] = true
	}
	var made []*Lot
	for _, e := range h.s.entries {
		if l := h.s.lot(h.s.accounts[member], e.Seq); e.Member == member && l != nil && !known[e.Seq] && len(e.Touches) == 1 && e.Touches[0].Lot == e.Seq {
			made = append(made, l)
		}
	}
	for _, l := range x.lots {
		if l.seq < provisional {
			continue
		}
		for i, m := range made {
			if m != nil && m.Currency == l.cur {
				l.seq, made[i] = m.Seq, nil
				break
			}
		}
		if l.seq >= provisional {
			h.t.Fatalf("member %d should have a new lot of %d of currency %d", member, l.granted(), l.cur)
		}
	}
	for _, m := range made {
		if m != nil {
			h.t.Fatalf("member %d has a lot that should not be: %+v", member, *m)
		}
	}
}

// flush ends the batch: what it did is written, and the next one loads it again.
func (h *history) flush() {
	h.mem.write(h.s)
	h.s = newState(h.s.Config, h.model.now)
}

// check settles everybody, ends the batch, and compares every lot and all the laws.
func (h *history) check() {
	h.t.Helper()
	for m := int64(1); m <= 3; m++ {
		h.do(Needs{Members: []int64{m}}, nil, func(s *State) error { _, err := s.Account(m); return err }, func() {})
	}
	h.flush()
	checkBooks(h.t, h.mem)
	for m := int64(1); m <= 3; m++ {
		for _, l := range h.model.members[m-1].lots {
			got := lotOf(h.mem.one(lotTable, int64(shardOf(m)), m, l.seq))
			have := [5]int64{got.Held, got.Spent, got.Expired, got.Clawed, got.Moved}
			want := [5]int64{l.in[inPinned], l.in[inSpent], l.in[inExpired], l.in[inClawed], l.in[inMoved]}
			if have != want || got.Left != l.in[inPending]+l.in[inUsable]+l.in[inPinned] || got.ExpiresMS != l.expires || got.ActiveMS != l.active {
				h.t.Fatalf("member %d: lot %+v, want %v held, spent, expired, clawed, moved, active from %d to %d", m, *got, want, l.active, l.expires)
			}
		}
	}
}

// time jumps, mostly to within a millisecond of an instant at which something may happen.
func (h *history) time() {
	h.flush()
	to := h.model.now + 1
	if rapid.Bool().Draw(h.t, "to an instant") {
		steps := rapid.Int64Range(1, 6*rapid.SampledFrom([]int64{1, 3, 12, 40}).Draw(h.t, "days")).Draw(h.t, "steps")
		to = max(to, (h.model.now/step+steps)*step+rapid.Int64Range(-1, 1).Draw(h.t, "ms"))
	}
	h.model.advance(to)
	h.s = newState(h.s.Config, to)
}

// who draws a member who has not been merged into another.
func (h *history) who() int {
	return rapid.SampledFrom(h.alone()).Draw(h.t, "member")
}

func (h *history) alone() (out []int) {
next:
	for i := range 3 {
		for _, m := range h.merged {
			if m[0] == i {
				continue next
			}
		}
		out = append(out, i)
	}
	return out
}

func (h *history) currency() (int64, *Currency) {
	c := rapid.Int64Range(1, curEnd-1).Draw(h.t, "currency")
	return c, h.s.Config.Currencies[c]
}

// near draws an amount, mostly about as much as there is: bugs live at the edge.
func (h *history) near(n int64) int64 {
	if n > 0 && rapid.Bool().Draw(h.t, "near") {
		return max(1, n+rapid.Int64Range(-1, 1).Draw(h.t, "off"))
	}
	return rapid.Int64Range(1, 20).Draw(h.t, "amount")
}

// part draws how much of n, at least one.
func (h *history) part(n int64) int64 {
	if rapid.Bool().Draw(h.t, "all") {
		return n
	}
	return rapid.Int64Range(1, n).Draw(h.t, "part")
}

// number1 is the ledger’s number of a member of the model.
func number1(who int) []int64 { return []int64{int64(who) + 1} }
