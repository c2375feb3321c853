package ledger

import (
	"errors"
	stdflag "flag" // flag is a function here
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// TestMain sets how many histories the laws are tried on.
func TestMain(m *testing.M) {
	stdflag.Parse()
	headLots = 2 // the members of histories have few lots
	given := false
	stdflag.Visit(func(f *stdflag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = stdflag.Set("rapid.checks", fmt.Sprint(soak.Times(500))) // rapid defines it
	}
	os.Exit(m.Run())
}

const stepsOfHistory = 100

func shardOf(member int64) int16 { return id.Shard(member) }

// poster is what a history posts its commands through.
type poster interface {
	post(n Needs, f func(*State) error) (*State, error) // the state that f saw, and f's refusal
	flush()                                             // ends the batch, if it is open
	set(nowMS int64)
	rows() *memory // all rows of the history's members
}

// history runs one random life of three members through the ledger and through the model,
// side by side.
type history struct {
	t      *rapid.T
	ledger poster
	config *Config
	first  int64  // number of the first member
	s      *State // that the latest command saw
	model  *model
	merged [][2]int // who was merged into whom, the latest last
}

// Whatever happens to three members in four currencies, each has exactly what a ledger of
// matches says they have, lot by lot, and the books keep the invariants.
func TestHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		mem := newMemory()
		(&history{t: t, ledger: mem, config: mem.config, first: 1, model: newModel(noon)}).run()
	})
}

// The same through the engine and the databases.
func TestHistoriesOnEngines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		start, first := noon, int64(1)
		rapid.Check(t, func(t *rapid.T) {
			p := &posted{bench: b, first: first}
			h := &history{t: t, ledger: p, config: b.config, first: first, model: newModel(start)}
			first += 3
			defer func() { start = h.model.now }() // the clock of the engine never goes back
			h.run()
		})
		b.clean()
	})
}

func (h *history) run() {
	ops := map[string]func(){
		"grant": h.grant, "grant more": h.grant, "spend": h.spend, "spend more": h.spend, "hold": h.hold, "capture": h.capture,
		"release": h.release, "clawback": h.clawback, "give back": h.giveBack, "transfer": h.transfer, "adjust": h.adjust,
		"merge": h.merge, "unmerge": h.unmerge, "time": h.time, "more time": h.time, "flush": h.ledger.flush, "check": h.check,
	}
	names := append([]string{""}, slices.Sorted(maps.Keys(ops))...) // "" first: histories shrink towards it
	ops[""] = func() {}
	for range stepsOfHistory {
		ops[rapid.SampledFrom(names).Draw(h.t, "op")]()
	}
	h.check()
}

// do posts one command and compares its refusal, and what the members have afterwards, with
// the model. then is what the model does where it is not refused.
func (h *history) do(n Needs, want error, f func(s *State) error, then func()) {
	h.t.Helper()
	s, err := h.ledger.post(n, f)
	if !errors.Is(err, want) {
		h.t.Fatalf("answer %v, want %v", err, want)
	}
	h.s = s
	if err == nil {
		then()
	}
	for _, m := range n.Members {
		h.number(m)
		if err == nil { // a refused command settles nothing
			h.compare(m)
		}
		if a := s.accounts[m]; a.audit() != "" {
			h.t.Fatal(a.audit())
		}
	}
}

// id is the ledger's number of a member.
func (h *history) id(who int) int64 { return h.first + int64(who) }

// compare compares the wallets of a member, and whether anything is left undone.
func (h *history) compare(member int64) {
	h.t.Helper()
	x := &h.model.members[member-h.first]
	for c := int64(1); c < curEnd; c++ {
		w := Wallet{NextMS: Never, SlideMS: Never}
		for _, have := range h.s.accounts[member].wallets {
			if have.Currency == c {
				w = *have
			}
		}
		got := [6]int64{w.Pending, w.Active, w.Held, w.Debt, w.Earned, w.Spent}
		want := [6]int64{x.sum(c, inPending), x.sum(c, inUsable), x.sum(c, inPinned), x.debt[c], x.earned[c], x.spent[c]}
		if got != want || w.NextMS <= h.s.NowMS {
			h.t.Fatalf("member %d has %v pending, usable, held, owed, earned, spent of currency %d, want %v", member, got, c, want)
		}
		// Long before anything ends too late or too soon, the clock shows it.
		if got, want := running(w.SlideMS, h.model.now), running(x.clock[c], h.model.now); c == curSlide && got != want {
			h.t.Fatalf("what member %d has ends at %d without activity, want %d", member, got, want)
		}
	}
}

// running is the end that a sliding clock shows, or 0 where none runs.
func running(end, now int64) int64 {
	if end == unending || end <= now {
		return 0
	}
	return end
}

// number matches the lots that the model made with those that the ledger did: the same
// number of them in each currency, in the same order.
func (h *history) number(member int64) {
	h.t.Helper()
	x := &h.model.members[member-h.first]
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

// check settles everybody, ends the batch, and compares every lot and all the laws.
func (h *history) check() {
	h.t.Helper()
	for who := range 3 {
		m := h.id(who)
		h.do(Needs{Members: []int64{m}}, nil, func(s *State) error { _, err := s.Account(m); return err }, func() {})
	}
	h.ledger.flush()
	mem := h.ledger.rows()
	checkBooks(h.t, mem)
	for who := range 3 {
		m := h.id(who)
		for _, l := range h.model.members[who].lots {
			got := lotOf(mem.one(lotTable, int64(shardOf(m)), m, l.seq))
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
	h.ledger.flush()
	to := h.model.now + 1
	if rapid.Bool().Draw(h.t, "to an instant") {
		steps := rapid.Int64Range(1, 6*rapid.SampledFrom([]int64{1, 3, 12, 40}).Draw(h.t, "days")).Draw(h.t, "steps")
		to = max(to, (h.model.now/step+steps)*step+rapid.Int64Range(-1, 1).Draw(h.t, "ms"))
	}
	h.model.advance(to)
	h.ledger.set(to)
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
	return c, h.config.Currencies[c]
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
