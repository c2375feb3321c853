package rule

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

const (
	replayPage = 1_000 // sales that are read in one snapshot
	topMembers = 20
)

// replay goes over past sales in the order of their own times, as live posting would have: it
// keeps what caps, budgets, fractions and sums over windows need, in memory.
type replay struct {
	service *Service
	set     *Set
	from    program.Day

	use   map[int64]*Use
	spent map[int64]int64 // of budgets
	kept  map[ledger.LotKey][]keptRule
	whole map[ledger.LotKey]*sale.Document // sales of kept, as they stand at this point of time
	books map[int64]*memory
	known map[member.ID]*cond.Member

	paid map[ledger.LotKey]*paid // what sales were worth, where conditions ask for windows

	asksWindows bool // a condition asks for sums over windows
	report      *Report
	sums        sums
	days        map[dayKey]*DayTest
	rules       map[string]*RuleTest
	ruleMembers map[string]map[int64]bool
	members     map[memberKey]*MemberTest
	seen        map[int64]bool
	blind       map[string]bool
}

type sums map[string]*CurrencyTest

type dayKey struct {
	day      program.Day
	currency string
}

type memberKey struct {
	member   int64
	currency string
}

// memory is what is known of a member's days: before the period as the books have it, and since
// then as it would have been.
type memory struct{ before, since *activity.Book }

// paid is what a sale was worth, and what of it has not come back. Points that came back stay
// among those earned: conditions on member.earned see them still.
type paid struct {
	owner              int64
	day                activity.Day
	worth, left, total int64
	back               int64 // money that came back
}

// off takes a return off the day of its sale.
func (r *replay) off(key ledger.LotKey, lines []sale.Line) {
	p := r.paid[key]
	if p == nil {
		return
	}
	for _, l := range lines {
		p.back += l.Amount
	}
	left := int64(0)
	if p.total > 0 && p.back < p.total {
		left, _ = money.MulDiv(p.worth, p.total-p.back, p.total, money.Ceil)
	}
	visits := int64(0)
	if p.back >= p.total {
		visits = -1
		delete(r.paid, key)
	}
	r.books[p.owner].since.Bought(p.day, visits, left-p.left)
	p.left = left
}

// backTest works out what rules would have given on the sales of a period. goesOn is told how
// far it is, and says whether it is still wanted.
func (s *Service) backTest(ctx context.Context, a Asked, goesOn func(done, total int64) (bool, error)) (*Report, error) {
	from, until, err := s.period(a)
	if err != nil {
		return nil, err
	}
	snap := s.Snapshot()
	var drafts []*Definition
	for i := range a.Rules {
		drafts = append(drafts, &a.Rules[i])
	}
	set := snap.With(s.clock.Now().UnixMilli(), drafts)
	set = newSet(slices.DeleteFunc(slices.Clone(set.list), func(c *compiled) bool { return slices.Contains(a.Without, c.def.Code) }), snap)
	r := &replay{
		service: s, set: set, from: program.DayOf(from, snap.loc), use: map[int64]*Use{}, spent: map[int64]int64{},
		kept: map[ledger.LotKey][]keptRule{}, whole: map[ledger.LotKey]*sale.Document{}, books: map[int64]*memory{}, known: map[member.ID]*cond.Member{},
		report: &Report{}, sums: sums{}, days: map[dayKey]*DayTest{}, rules: map[string]*RuleTest{}, ruleMembers: map[string]map[int64]bool{},
		members: map[memberKey]*MemberTest{}, paid: map[ledger.LotKey]*paid{}, seen: map[int64]bool{}, blind: map[string]bool{},
	}
	for _, c := range set.sales {
		for _, n := range c.needs {
			r.asksWindows = r.asksWindows || n.Fact == cond.FactSpend || n.Fact == cond.FactVisits || n.Fact == cond.FactEarned
		}
		r.ruleRow(c.def.Code, c.def.Effect.Currency, c.def)
	}
	var total, done int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		total, err = sale.Count(ctx, tx, from.UnixMilli(), until.UnixMilli())
		return err
	})
	if err != nil {
		return nil, err
	}
	for place := (sale.Place{AtMS: from.UnixMilli() - 1, Shard: 1 << 14}); ; {
		on, err := goesOn(done, total)
		if err != nil {
			return nil, err
		}
		if !on {
			return nil, errStopped
		}
		var page []*sale.Document
		err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = sale.Stream(ctx, tx, place, until.UnixMilli(), replayPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		if err := r.page(ctx, page); err != nil {
			return nil, err
		}
		done += int64(len(page))
		if len(page) < replayPage {
			on, err := goesOn(done, done)
			if err == nil && !on {
				err = errStopped
			}
			return r.finish(), err
		}
		last := page[len(page)-1]
		place = sale.Place{AtMS: last.AtMS, Shard: int64(id.Shard(last.Member)), Member: last.Member, Seq: last.Seq}
	}
}

func (r *replay) page(ctx context.Context, page []*sale.Document) error {
	if slices.ContainsFunc(r.set.sales, func(c *compiled) bool { return c.who }) {
		if err := r.meet(ctx, page); err != nil {
			return err
		}
	}
	for _, d := range page {
		switch {
		case d.Kind == sale.Return:
			r.takeBack(d)
		case d.Owner != 0:
			if err := r.sale(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// meet reads who the owners of a page are.
func (r *replay) meet(ctx context.Context, page []*sale.Document) error {
	var fresh []member.ID
	for _, d := range page {
		if m := member.ID(d.Owner); d.Kind == sale.Purchase && m != 0 && r.known[m] == nil && !slices.Contains(fresh, m) {
			fresh = append(fresh, m)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	found, err := r.service.members.Profiles(ctx, fresh)
	maps.Copy(r.known, found)
	return err
}

// sale decides one sale and adds it to the report.
func (r *replay) sale(ctx context.Context, d *sale.Document) error {
	s := r.service
	b, base, _, err := s.sales.Look(ctx, d, 0)
	if err != nil {
		return err
	}
	r.report.Sales++
	r.seen[d.Owner] = true
	var out []*Outcome
	f := b.Facts()
	if m := r.known[member.ID(d.Owner)]; m != nil {
		f.Member = m
	}
	var bases []Base
	for _, e := range base {
		bases = append(bases, Base{e.Currency, money.Split(e.Amount, e.Weights)})
	}
	p := r.set.plan(f, OnSale, false).ask(f.Member)
	day := activity.Day(p.day)
	if b.Rate != 0 && len(p.asked) > 0 {
		if f.Found, err = r.find(ctx, d, p, day); err != nil {
			return err
		}
		use := r.use[d.Owner]
		if use == nil {
			use = &Use{}
		}
		out = p.decide(f, reckoning{base: bases, use: use, left: func(c *compiled) int64 { return max(0, c.def.Caps.Budget-r.spent[c.id]) }})
		r.count(d, out, use, day)
	}
	for _, x := range bases {
		r.would(d, "base", nil, x.Currency, x.Lines, program.Day(day))
	}
	for _, o := range out {
		if o.fault != nil {
			r.report.Failed++
		}
		if o.chosen && (o.Amount > 0 || o.def.Effect.Kind == Tag) {
			r.would(d, o.def.Code, o, o.def.Effect.Currency, money.Split(o.Amount, o.Weights), program.Day(day))
		} else if o.why == OutCapped {
			r.ruleRow(o.def.Code, o.def.Effect.Currency, o.def).Capped++
		}
	}
	r.was(d, program.Day(day))
	return r.remember(ctx, d, b, bases, out, day)
}

// count keeps what rules used, as a batch does.
func (r *replay) count(d *sale.Document, out []*Outcome, use *Use, day activity.Day) {
	var kept []keptRule
	for _, o := range out {
		given := int64(0)
		if o.chosen {
			given = o.Amount
		}
		k := keptRule{Rule: o.id, Name: o.name, Given: given}
		b := batch{use: use}
		b.count(o, &k, day)
		if given > 0 && o.def.Caps.Budget > 0 {
			r.spent[o.id] += given
			k.Budget = [][2]int64{{0, given}}
		}
		if k.Parts != nil || k.Times != 0 || k.Budget != nil {
			r.use[d.Owner] = use
			if given > 0 {
				k.shares = money.Split(given, o.Weights)
			}
			kept = append(kept, k)
		}
	}
	if kept != nil {
		key := ledger.LotKey{Member: d.Member, Seq: d.Seq}
		fresh := *d // what comes back of it comes back later
		fresh.Body.Lines = slices.Clone(d.Body.Lines)
		for i := range fresh.Body.Lines {
			fresh.Body.Lines[i].BackMilli, fresh.Body.Lines[i].BackAmount = 0, 0
		}
		r.kept[key], r.whole[key] = kept, &fresh
	}
}

// takeBack takes back what a sale used, when a return of it comes.
func (r *replay) takeBack(ret *sale.Document) {
	if ret.State == sale.Waiting {
		return
	}
	bySale := map[ledger.LotKey][]sale.Line{}
	for _, l := range ret.Body.Lines {
		if l.Parked != "" {
			continue // it matches no sale: the others of its return count all the same
		}
		key := ledger.LotKey{Member: ret.OfMember, Seq: ret.OfSeq}
		if l.OfSeq != 0 {
			key = ledger.LotKey{Member: ret.Member, Seq: l.OfSeq}
		}
		bySale[key] = append(bySale[key], l)
	}
	for key, lines := range bySale {
		r.off(key, lines)
		d, kept := r.whole[key], r.kept[key]
		if d == nil {
			continue
		}
		rev := &sale.Reversal{Sale: d, Whole: true, Lines: lines}
		before := slices.Clone(d.Body.Lines)
		for _, l := range lines {
			for i := range d.Body.Lines {
				if x := &d.Body.Lines[i]; x.Line == l.Line {
					x.BackMilli, x.BackAmount = x.BackMilli+l.Milli, x.BackAmount+l.Amount
				}
			}
		}
		for i := range d.Body.Lines {
			rev.Whole = rev.Whole && d.Body.Lines[i].BackMilli == d.Body.Lines[i].Milli
		}
		use := r.use[d.Owner]
		for i := range kept {
			k := &kept[i]
			var points int64
			for j := range k.shares {
				l, was := &d.Body.Lines[j], &before[j]
				points += sale.Share(k.shares[j], l, l.BackMilli, l.BackAmount) - sale.Share(k.shares[j], l, was.BackMilli, was.BackAmount)
			}
			times := int64(0)
			if rev.Whole {
				times, k.Times = k.Times, 0
			}
			if u := use.of(k.Rule); k.Times+times > 0 || k.Of > 0 || points > 0 {
				u.add(k.Day, -points, -times, k.Day != 0)
				if k.Of > 0 {
					u.Carry, u.Of = u.carried(k.Of)-k.back(rev), k.Of
				}
				use.put(u)
			}
			if k.Budget != nil {
				r.spent[k.Rule] -= points
			}
		}
	}
}

// find answers what the conditions of a sale look up.
func (r *replay) find(ctx context.Context, d *sale.Document, p *plan, day activity.Day) (cond.Found, error) {
	needs := p.needs()
	if len(needs) == 0 {
		return nil, nil
	}
	found := cond.Found{}
	var sought []cond.Need
	for _, n := range needs {
		switch {
		case n.Fact == cond.FactPoints:
			r.blind[n.Fact] = true
			found[n] = cond.WholeValue(0)
		case sale.Known(n):
			m, err := r.memory(ctx, d.Owner)
			if err != nil {
				return nil, err
			}
			found[n] = cond.WholeValue(r.within(m, n, day))
		default:
			sought = append(sought, n)
		}
	}
	if len(sought) == 0 {
		return found, nil
	}
	err := r.service.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return r.service.lookUp(ctx, tx, member.ID(d.Owner), p.facts.Now.Time(), sought, found)
	})
	return found, err
}

var bookSQL = db.Define("rule.book", `
	SELECT activity
	FROM account
	WHERE shard = $1 AND member_id = $2`)

func (r *replay) memory(ctx context.Context, owner int64) (*memory, error) {
	if m := r.books[owner]; m != nil {
		return m, nil
	}
	m := &memory{&activity.Book{}, &activity.Book{}}
	err := r.service.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var packed []byte
		if err := tx.QueryRow(ctx, bookSQL, id.Shard(owner), owner).Scan(&packed); err != nil {
			return err
		}
		b, err := activity.Unpack(packed)
		m.before = b
		return err
	})
	r.books[owner] = m
	return m, err
}

// within is a sum over a window: of the books before the period, and of the replay since.
func (r *replay) within(m *memory, n cond.Need, day activity.Day) int64 {
	first := activity.Day(0)
	if n.Days > 0 {
		first = activity.Day(max(0, int64(day)-n.Days+1))
	}
	var before activity.Sums
	if first < activity.Day(r.from) {
		before = m.before.Between(first, activity.Day(r.from))
	}
	switch n.Fact {
	case cond.FactSpend:
		return before.Spend + m.since.Spend(day, n.Days)
	case cond.FactVisits:
		return before.Visits + m.since.Visits(day, n.Days)
	}
	cur := r.service.ledger.Config().ByCode[n.Text]
	if cur == nil {
		return 0
	}
	return before.Earned[cur.ID] + m.since.Earned(cur.ID, day, n.Days)
}

// remember adds a sale to the owner's days.
func (r *replay) remember(ctx context.Context, d *sale.Document, b *sale.Basket, bases []Base, out []*Outcome, day activity.Day) error {
	if !r.asksWindows {
		return nil
	}
	m, err := r.memory(ctx, d.Owner)
	if err != nil {
		return err
	}
	worth := b.Worth(d.Total)
	m.since.Bought(day, 1, worth)
	r.paid[ledger.LotKey{Member: d.Member, Seq: d.Seq}] = &paid{owner: d.Owner, day: day, worth: worth, left: worth, total: d.Total}
	byCode := r.service.ledger.Config().ByCode
	earn := func(code string, n int64) {
		if c := byCode[code]; c != nil && n > 0 {
			m.since.Earn(day, c.ID, n)
		}
	}
	for _, x := range bases {
		var n int64
		for _, l := range x.Lines {
			n += l
		}
		earn(x.Currency, n)
	}
	for _, o := range out {
		if o.chosen {
			earn(o.def.Effect.Currency, o.Amount)
		}
	}
	return nil
}

// would adds what a rule would have given, net of what came back since.
func (r *replay) would(d *sale.Document, code string, o *Outcome, currency string, lines []int64, day program.Day) {
	var net int64
	for i, n := range lines {
		l := &d.Body.Lines[i]
		net += n - sale.Share(n, l, l.BackMilli, l.BackAmount)
	}
	var def *Definition
	if o != nil {
		def = o.def
	}
	row := r.ruleRow(code, currency, def)
	row.Points, row.Times = row.Points+net, row.Times+1
	if o != nil && o.cap != nil {
		row.Capped++
	}
	if r.ruleMembers[code] == nil {
		r.ruleMembers[code] = map[int64]bool{}
	}
	r.ruleMembers[code][d.Owner] = true
	r.sum(currency).Points += net
	r.day(day, currency).Points += net
	r.member(d.Owner, currency).Points += net
}

// was adds what a sale has in fact earned, net of what came back since.
func (r *replay) was(d *sale.Document, day program.Day) {
	currencies := r.service.ledger.Config().Currencies
	for _, e := range d.Effect.Earned {
		cur := currencies[e.Currency]
		if cur == nil {
			continue
		}
		net := e.Amount - e.Clawed
		code, _, _ := strings.Cut(e.Rule, "@")
		row := r.ruleRow(code, cur.Code, nil)
		row.Was, row.WasTimes = row.Was+net, row.WasTimes+1
		r.sum(cur.Code).Was += net
		r.day(day, cur.Code).Was += net
		r.member(d.Owner, cur.Code).Was += net
	}
	for key := range r.sums {
		if m := r.members[memberKey{d.Owner, key}]; m != nil {
			m.Sales++
		}
	}
}

func (r *replay) ruleRow(code, currency string, d *Definition) *RuleTest {
	row := r.rules[code]
	if row == nil {
		row = &RuleTest{Rule: code, Currency: currency, NameEN: code, NameZH: code}
		if code == sale.BaseRule {
			row.NameEN, row.NameZH = "Settings", "计划设置"
		}
		if known, err := r.service.Get(code); err == nil && d == nil {
			d, _ = known.Counts(r.service.clock.Now().UnixMilli())
		}
		r.rules[code] = row
	}
	if d != nil {
		row.NameEN, row.NameZH = d.NameEN, d.NameZH
	}
	return row
}

func (r *replay) sum(currency string) *CurrencyTest {
	if r.sums[currency] == nil {
		r.sums[currency] = &CurrencyTest{Currency: currency}
	}
	return r.sums[currency]
}

func (r *replay) day(day program.Day, currency string) *DayTest {
	k := dayKey{day, currency}
	if r.days[k] == nil {
		r.days[k] = &DayTest{Day: day.String(), Currency: currency}
	}
	return r.days[k]
}

func (r *replay) member(m int64, currency string) *MemberTest {
	k := memberKey{m, currency}
	if r.members[k] == nil {
		r.members[k] = &MemberTest{Member: member.ID(m).String(), Currency: currency}
	}
	return r.members[k]
}

// finish brings the sums in order.
func (r *replay) finish() *Report {
	out := r.report
	out.Members = int64(len(r.seen))
	touched := map[int64]bool{}
	var all []MemberTest
	for k, m := range r.members {
		c := r.sum(k.currency)
		if m.Points > 0 {
			c.Members++
		}
		if m.Was > 0 {
			c.WasFor++
		}
		if m.Points != m.Was {
			touched[k.member] = true
			all = append(all, *m)
		}
	}
	out.Touched = int64(len(touched))
	slices.SortFunc(all, func(a, b MemberTest) int {
		return cmp.Or(cmp.Compare(b.Points-b.Was, a.Points-a.Was), cmp.Compare(a.Member, b.Member), cmp.Compare(a.Currency, b.Currency))
	})
	out.Most, out.Least = []MemberTest{}, []MemberTest{}
	for _, m := range all {
		if m.Points > m.Was && len(out.Most) < topMembers {
			out.Most = append(out.Most, m)
		}
	}
	for _, m := range slices.Backward(all) {
		if m.Points < m.Was && len(out.Least) < topMembers {
			out.Least = append(out.Least, m)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(r.sums)) {
		c := r.sums[code]
		c.Cost, c.WasCost = r.cost(code, c.Points), r.cost(code, c.Was)
		out.Currencies = append(out.Currencies, *c)
	}
	for _, code := range slices.Sorted(maps.Keys(r.rules)) {
		row := r.rules[code]
		row.Members = int64(len(r.ruleMembers[code]))
		out.Rules = append(out.Rules, *row)
	}
	for _, d := range r.days {
		out.Days = append(out.Days, *d)
	}
	slices.SortFunc(out.Days, func(a, b DayTest) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Currency, b.Currency)) })
	out.Blind = append([]string{}, slices.Sorted(maps.Keys(r.blind))...)
	return out
}
