package rule

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// The tables as batches write them.
var (
	useTable     = ledger.DefineTable("rule_use", 2, "shard int, member_id int, body bytes")
	budgetTable  = ledger.DefineSharedTable("rule_budget", 1, "id int, used int")
	failureTable = ledger.DefineTable("rule_failure", 4, "shard int, member_id int, seq int, rule_id int, version int, at_ms int, code text, reason_en text, reason_zh text, done_ms int")
)

func useRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: useTable, Key: []any{int64(id.Shard(member)), member}}
}

// useOf reads a member's use, whose row was asked for.
func useOf(s *ledger.State, member int64) *Use {
	v := s.Row(useTable, int64(id.Shard(member)), member)
	if v == nil {
		return &Use{}
	}
	return unpackUse(v[2].([]byte))
}

func putUse(s *ledger.State, member int64, u *Use) {
	s.Put(useTable, int64(id.Shard(member)), member, u.pack())
}

// Tiers tells the standing of members to rules. The noun that keeps it is plugged in.
type Tiers interface {
	// Rows are those that Of looks at.
	Rows(member int64) []ledger.RowKey
	// Of is the code and the rank of the member's tier, "" and 0 without one.
	Of(s *ledger.State, a *ledger.Account) (code string, rank int)
}

// UseTiers plugs in the noun that keeps the standing of members. Call it while the program is
// built.
func (s *Service) UseTiers(t Tiers) { s.tiers = t }

// Name is under which rules keep things with a sale.
func (s *Service) Name() string { return "rule" }

// Prepare works out of the rules that counts at the sale's own time all that needs no lock.
func (s *Service) Prepare(ctx context.Context, b *sale.Basket) (sale.Part, error) {
	if b.Rate == 0 {
		return nil, nil // nobody knows what the sale was worth
	}
	p, err := s.prepare(ctx, b, s.Snapshot().At(b.At.UnixMilli()))
	if p == nil {
		return nil, err // and not a Part that is nil
	}
	return p, err
}

// prepare is Prepare for the rules of a set; nil where none has a part in the sale.
func (s *Service) prepare(ctx context.Context, b *sale.Basket, set *Set) (*salePart, error) {
	if len(set.sales) == 0 {
		return nil, nil
	}
	f := b.Facts()
	p := &salePart{service: s, plan: set.plan(f, OnSale, b.Explain), facts: f, owner: b.Owner, tight: s.tight.all()}
	if err := p.ask(func() (*cond.Member, error) { return b.Who(ctx) }); err != nil {
		return nil, err
	}
	if b.Sale.Seq == 0 {
		p.mine = 1
	}
	if len(p.plan.asked) == 0 {
		return nil, nil
	}
	for _, n := range p.plan.needs() {
		if sale.Known(n) {
			p.asks = append(p.asks, n)
		} else {
			p.sought = append(p.sought, n)
		}
	}
	if err := s.look(ctx, p); err != nil {
		return nil, err
	}
	if b.Explain {
		p.teller = s.teller(s.Snapshot().words)
	}
	return p, nil
}

// salePart is what the rules make of one sale.
type salePart struct {
	service *Service
	plan    *plan
	facts   *cond.Facts
	owner   member.ID
	asks    []cond.Need
	sought  []cond.Need    // looked up before the batch
	found   cond.Found     // of sought
	saleN   int64          // how many sales and returns the owner had when sought was looked up
	mine    int64          // how many the command itself makes before it decides
	tight   map[int64]bool // rules of whose budget all slices are needed
	teller  *teller        // where somebody wants to read the trace
}

// ask works out what needs no lock. who reads who the member is, where a rule wants to know.
func (p *salePart) ask(who func() (*cond.Member, error)) error {
	if p.plan.asksWho() {
		m, err := who()
		if err != nil {
			return err
		}
		p.facts.Member = m
	}
	p.plan.ask(p.facts.Member)
	return nil
}

// Needs is the member's use, and the budgets' slices.
func (p *salePart) Needs(owner int64) (n ledger.Needs) {
	counted := false
	for _, a := range p.plan.asked {
		counted = counted || a.counted()
		if a.def.Caps.Budget == 0 {
			continue
		}
		if !p.tight[a.id] {
			n.Rows = append(n.Rows, budgetRow(a.id, sliceOf(owner)))
			continue
		}
		for slice := range int64(slices16) {
			n.Rows = append(n.Rows, budgetRow(a.id, slice))
		}
	}
	if counted {
		n.Rows = append(n.Rows, useRow(owner))
	}
	if p.service.tiers != nil && p.plan.late() {
		n.Rows = append(n.Rows, p.service.tiers.Rows(owner)...)
	}
	return n
}

// late reports whether a condition waits for what is known under the lock only.
func (p *plan) late() bool {
	return slices.ContainsFunc(p.asked, func(a *asked) bool { return !a.known })
}

// Asks lists the facts that a batch can know.
func (p *salePart) Asks() []cond.Need { return p.asks }

// Decide works out and gives what the rules say.
func (p *salePart) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	out, kept, err := p.work(s, a, o, func(*Outcome) bool { return true })
	if err != nil {
		return err
	}
	for _, x := range out {
		if x.fault != nil {
			putFailure(s, o.Doc.Member, o.Doc.Seq, x)
		}
	}
	if kept != nil {
		o.Keep(p.service, kept)
	}
	if p.teller != nil {
		o.Trace = append(o.Trace, p.teller.decisions(out)...)
	}
	return nil
}

// work decides all, and gives what is wanted of it. It returns what is to be kept with the sale.
func (p *salePart) work(s *ledger.State, a *ledger.Account, o *sale.Outcome, wanted func(*Outcome) bool) (out []*Outcome, kept []keptRule, err error) {
	if err := p.fresh(a); err != nil {
		return nil, nil, err
	}
	var base []Base
	for _, e := range o.Base {
		base = append(base, Base{e.Currency, money.Split(e.Amount, e.Weights)})
	}
	b := &batch{state: s, account: a, service: p.service, tight: p.tight}
	facts := p.locked(s, a, o.Found)
	out = p.plan.decide(facts, reckoning{base: base, use: b.used(p.plan), left: b.left})
	if b.short(out) {
		return nil, nil, sale.ErrStale // the other slices of a budget may have more
	}
	for _, x := range out {
		if !wanted(x) {
			continue
		}
		k, err := b.give(x, o, o.Doc.AtMS, o.Day)
		if err != nil {
			return nil, nil, err
		}
		if k != nil {
			kept = append(kept, *k)
		}
	}
	b.save()
	return out, kept, nil
}

// locked is the facts with what is known under the lock.
func (p *salePart) locked(s *ledger.State, a *ledger.Account, found cond.Found) *cond.Facts {
	if !p.plan.late() {
		return p.facts
	}
	f := *p.facts
	if len(p.found) > 0 {
		all := cond.Found{}
		for n, v := range found {
			all[n] = v
		}
		for n, v := range p.found {
			all[n] = v
		}
		found = all
	}
	f.Found = found
	if p.service.tiers != nil {
		m := *f.Member
		m.TierCode, m.TierRank = p.service.tiers.Of(s, a)
		f.Member = &m
	}
	return &f
}

// batch is what rules use of the state while they give.
type batch struct {
	state   *ledger.State
	account *ledger.Account
	service *Service
	use     *Use // nil where no rule counts
	changed bool
	tight   map[int64]bool
}

// used loads the member's use, if a rule counts it.
func (b *batch) used(p *plan) *Use {
	if slices.ContainsFunc(p.asked, func(a *asked) bool { return a.counted() }) {
		b.use = useOf(b.state, b.account.ID)
	}
	return b.use
}

// keptRule is what a rule keeps with a sale, to take it back with a return.
type keptRule struct {
	Rule   int64      `json:"r"`
	Name   string     `json:"n"`
	Given  int64      `json:"g,omitempty"`
	Parts  []int64    `json:"x,omitempty"` // of a rule that carries, by line, of which Of make a unit
	Of     int64      `json:"o,omitempty"`
	Wanted []int64    `json:"w,omitempty"` // the units that were made of them, by line
	Budget [][2]int64 `json:"b,omitempty"` // slices of the budget, and what was taken of each
	Day    int32      `json:"d,omitempty"` // on which it counts; 0 where nothing is counted by day
	Times  int64      `json:"t,omitempty"`

	shares []int64 // of Given, by line, in a replay
}

// giver grants points: a sale, or what is none.
type giver interface {
	Give(s *ledger.State, a *ledger.Account, e sale.Earning) (int64, error)
}

// give grants what a rule came to, and counts it. It returns what is to be kept with the sale.
func (b *batch) give(x *Outcome, o giver, atMS int64, day activity.Day) (*keptRule, error) {
	k := keptRule{Rule: x.id, Name: x.name}
	if x.chosen && x.Amount > 0 {
		given, err := o.Give(b.state, b.account, sale.Earning{
			Currency: x.def.Effect.Currency, Amount: x.Amount, Weights: x.Weights, Rule: x.name,
			PendingDays: int(x.def.Effect.PendingDays), ExpiresMS: expires(b.state, &x.def.Effect, atMS),
		})
		if err != nil {
			return nil, err
		}
		k.Given = given
	}
	if x.chosen && x.def.Effect.Kind == Tag {
		b.tag(x, atMS)
	}
	b.count(x, &k, day)
	if k.Given > 0 && x.def.Caps.Budget > 0 {
		k.Budget = b.take(x.id, x.def.Caps.Budget, k.Given)
	}
	if k.Parts == nil && k.Times == 0 && k.Budget == nil {
		return nil, nil
	}
	return &k, nil
}

// count adds to the member's use.
func (b *batch) count(x *Outcome, k *keptRule, day activity.Day) {
	if !x.counted() || !x.moved && k.Given == 0 && !(x.chosen && x.def.Effect.Kind == Tag) {
		return
	}
	use := b.use.of(x.id)
	if x.moved {
		k.Parts, k.Of, k.Wanted = x.Parts, x.Of, money.Split(x.Wanted, x.Weights)
		use.Carry, use.Of = x.Carry, x.Of
	}
	if k.Given > 0 || x.chosen && x.def.Effect.Kind == Tag {
		k.Times, k.Day = 1, day
		use.add(day, k.Given, 1, x.def.Caps.windows())
	}
	b.use.put(use)
	b.changed = true
}

func (b *batch) save() {
	if b.changed {
		putUse(b.state, b.account.ID, b.use)
	}
}

// expires is when points of a rule end that has an expiry of its own; 0 leaves it to the
// currency. The last day is counted from that on which they become usable.
func expires(s *ledger.State, e *Effect, atMS int64) int64 {
	if e.ExpiresAfter == 0 {
		return 0
	}
	pending := e.PendingDays
	if cur := s.Config.ByCode[e.Currency]; pending == 0 && cur != nil {
		pending = int64(cur.Policy.PendingDays)
	}
	return program.Day(int64(s.Day(atMS)) + pending + e.ExpiresAfter + 1).Start(s.Config.Zone).UnixMilli()
}

// tag tells of a tag that a rule gives; who keeps tags listens.
func (b *batch) tag(x *Outcome, atMS int64) {
	body, err := json.Marshal(map[string]string{"rule": x.name, "tag": x.def.Effect.Tag})
	if err != nil {
		panic("rule: two texts are no JSON: " + err.Error())
	}
	b.state.Event(b.account, tagged, atMS, string(body))
}

// putFailure records that a rule could not be worked out for a sale.
func putFailure(s *ledger.State, memberID, seq int64, x *Outcome) {
	code, en, zh := "rule.fault", "It could not be worked out.", "无法计算。"
	var e *errs.Error
	if errors.As(x.fault, &e) {
		code, en, zh = e.Code, e.Text("en"), e.Text("zh-CN")
	}
	s.Put(failureTable, int64(id.Shard(memberID)), memberID, seq, x.id, x.version, s.NowMS, code, en, zh, int64(0))
}

// Undo takes back what a sale used of caps, budgets and fractions.
func (s *Service) Undo(st *ledger.State, a *ledger.Account, r *sale.Reversal) error {
	var kept []keptRule
	if !r.Kept(s, &kept) {
		return nil
	}
	var n ledger.Needs
	homes := chain(st, a, r.Sale.Owner)
	for _, m := range homes {
		n.Rows = append(n.Rows, useRow(m))
	}
	for _, k := range kept {
		for _, b := range k.Budget {
			n.Rows = append(n.Rows, budgetRow(k.Rule, b[0]))
		}
	}
	if err := st.Require(n); err != nil {
		return err
	}
	for i := range kept {
		k := &kept[i]
		points, times := clawedOf(r, k), int64(0)
		if r.Whole {
			times, k.Times = k.Times, 0
		}
		k.Given -= points
		carry := k.back(r)
		for _, m := range homes {
			u := useOf(st, m)
			use := u.of(k.Rule)
			use.add(k.Day, -points, -times, k.Day != 0)
			if k.Of > 0 {
				use.Carry = use.carried(k.Of) - carry
				use.Of = k.Of
			}
			u.put(use)
			putUse(st, m, u)
		}
		giveBack(st, k, points)
	}
	r.Keep(s, kept)
	return nil
}

// chain lists the members with whom a sale of home's counts: home, and those into whom they
// were merged one after the other, up to a.
func chain(s *ledger.State, a *ledger.Account, home int64) (list []int64) {
	s.Along(a, home, func(x *ledger.Account) { list = append(list, x.ID) })
	return list
}

// clawedOf is what was taken back now of what a rule gave: all that is left of it where the
// sale has come back whole.
func clawedOf(r *sale.Reversal, k *keptRule) (n int64) {
	if r.Whole {
		return k.Given
	}
	for _, c := range r.Clawed {
		if c.Rule == k.Name {
			n += c.Amount
		}
	}
	return min(n, k.Given)
}

// back is by how much the fraction that waits goes down: the parts of what came back, less the
// units that were made of them. Each line counts by what of it has come back by now, so that
// the order of returns makes no difference.
func (k *keptRule) back(r *sale.Reversal) (carry int64) {
	if k.Of == 0 {
		return 0
	}
	now := map[int64]sale.Line{}
	for _, l := range r.Lines {
		x := now[l.Line]
		now[l.Line] = sale.Line{Milli: x.Milli + l.Milli, Amount: x.Amount + l.Amount}
	}
	for i := range r.Sale.Body.Lines {
		l := &r.Sale.Body.Lines[i]
		back, ok := now[l.Line]
		if !ok {
			continue
		}
		parts := sale.Share(k.Parts[i], l, l.BackMilli, l.BackAmount) - sale.Share(k.Parts[i], l, l.BackMilli-back.Milli, l.BackAmount-back.Amount)
		units := sale.Share(k.Wanted[i], l, l.BackMilli, l.BackAmount) - sale.Share(k.Wanted[i], l, l.BackMilli-back.Milli, l.BackAmount-back.Amount)
		carry += parts - k.Of*units
	}
	return carry
}

// Rows are those that follow a merge.
func (s *Service) Rows(memberID int64) []ledger.RowKey { return []ledger.RowKey{useRow(memberID)} }

// Merged counts for the survivor what was counted for another.
func (s *Service) Merged(st *ledger.State, from, into *ledger.Account) error {
	return follow(st, from, into, 1)
}

// Unmerged takes that off again.
func (s *Service) Unmerged(st *ledger.State, from, into *ledger.Account) error {
	return follow(st, from, into, -1)
}

func follow(st *ledger.State, from, into *ledger.Account, sign int64) error {
	other := useOf(st, from.ID)
	if len(other.rules) == 0 {
		return nil
	}
	u := useOf(st, into.ID)
	u.merge(other, sign)
	putUse(st, into.ID, u)
	return nil
}
