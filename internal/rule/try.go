package rule

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ErrTry refuses a try of nothing, or of two things at once.
var ErrTry = errs.New(errs.Invalid, "rule.try", "Give one thing to try: a basket, a sale that was made, an event, or another trigger.", "请提供一项试算内容：购物篮、已有销售、事件或其他触发。")

func (s *Service) tryRoutes(r *api.Router) {
	api.Post(r, "/v1/rules/try", s.postTry, api.Doc{
		ID: "tryRules", Summary: "Work out what rules give for a basket, a sale, an event or a date, and why; nothing is kept.", Tags: []string{"Rules"},
		Description: "With the rules that count at that time, and drafts in place of those of their codes. Caps reckon with what the member has had so far.",
		Needs:       staff.ReadRules, Fails: append([]error{ErrTry, sale.ErrNotFound, member.ErrNotFound, program.ErrNoStore, program.ErrDay, money.ErrCurrency}, wrong...),
	})
}

type tryIn struct {
	Body struct {
		At      string       `json:"at,omitempty" maxLength:"40" doc:"When; now where absent, and for a sale that was made its own time."`
		Member  string       `json:"member,omitempty" maxLength:"255" doc:"For whom, by any identifier; a made-up member where absent."`
		Who     *tryWho      `json:"who,omitempty" doc:"What the made-up member is like, or what of the member is to be different."`
		Sale    *trySale     `json:"sale,omitempty" doc:"A basket."`
		SaleID  string       `json:"sale_id,omitempty" maxLength:"60" doc:"Instead: a sale that was made."`
		Event   *tryEvent    `json:"event,omitempty" doc:"Instead: an event."`
		Trigger string       `json:"trigger,omitempty" enum:"joined,birthday,anniversary,schedule,tier_reached,profile_completed" doc:"Instead: another trigger."`
		Rules   []Definition `json:"rules,omitempty" maxItems:"50" doc:"Drafts, in place of the rules of their codes."`
		Only    bool         `json:"only,omitempty" doc:"Only these drafts, without the rules that count."`
	}
}

type tryWho struct {
	Tier       *string         `json:"tier,omitempty" maxLength:"40" doc:"Code of the tier."`
	TierRank   *int64          `json:"tier_rank,omitempty" minimum:"0" maximum:"100" doc:"1 is the lowest."`
	Tags       *[]string       `json:"tags,omitempty" maxItems:"100" doc:"Tags."`
	Gender     *string         `json:"gender,omitempty" maxLength:"10" doc:"As female."`
	Birthday   *string         `json:"birthday,omitempty" maxLength:"10" doc:"As 1990-05-20, or 05-20."`
	Joined     *string         `json:"joined,omitempty" maxLength:"10" doc:"Date of joining."`
	City       *string         `json:"city,omitempty" maxLength:"20" doc:"Code of the city."`
	Language   *string         `json:"language,omitempty" maxLength:"10" doc:"As zh-CN."`
	Store      *string         `json:"store,omitempty" maxLength:"64" doc:"Code of the home store."`
	Source     *string         `json:"source,omitempty" maxLength:"64" doc:"Where they joined."`
	Attributes *map[string]any `json:"attributes,omitempty" doc:"Declared attributes, by key."`
	Facts      *[]tryFact      `json:"facts,omitempty" maxItems:"100" doc:"What conditions look up, as spend in the last 90 days; what is not told is 0."`
}

type tryFact struct {
	Fact  string `json:"fact" minLength:"1" maxLength:"40" doc:"Its name in the vocabulary." example:"member.spend"`
	Text  string `json:"text,omitempty" maxLength:"500" doc:"Its text: a currency or a category."`
	Days  int64  `json:"days,omitempty" minimum:"0" maximum:"3660" doc:"Its window; 0 for ever."`
	Value int64  `json:"value" doc:"In the smallest unit."`
}

type trySale struct {
	Total      *int64         `json:"total,omitempty" minimum:"0" maximum:"1000000000000" doc:"In minor units; the sum of the lines where absent."`
	Currency   string         `json:"currency,omitempty" maxLength:"3" doc:"The programme's where absent."`
	Store      string         `json:"store,omitempty" maxLength:"64" doc:"Id or code; the default store where absent."`
	Channel    string         `json:"channel,omitempty" maxLength:"32" doc:"As store, web, app."`
	Lines      []tryLine      `json:"lines" minItems:"1" maxItems:"200" doc:"What is bought."`
	Points     int64          `json:"paid_by_points,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of the total."`
	Coupons    int64          `json:"paid_by_coupons,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of the total."`
	Attributes map[string]any `json:"attributes,omitempty" doc:"What comes along with it."`
}

type tryLine struct {
	SKU        string         `json:"sku,omitempty" maxLength:"64" doc:"Product."`
	Quantity   sale.Quantity  `json:"quantity,omitempty" doc:"1 where absent."`
	Amount     int64          `json:"amount" minimum:"0" maximum:"1000000000000" doc:"Paid for the whole line, in minor units."`
	Category   string         `json:"category,omitempty" maxLength:"200" doc:"The product's where absent."`
	Brand      string         `json:"brand,omitempty" maxLength:"100" doc:"Brand."`
	Attributes map[string]any `json:"attributes,omitempty" doc:"What comes along with it."`
}

type tryEvent struct {
	Type       string         `json:"type" minLength:"1" maxLength:"64" doc:"What happens, as visit."`
	Properties map[string]any `json:"properties,omitempty" doc:"Anything else about it."`
}

type tryOut struct {
	Body struct {
		At     string      `json:"at" doc:"As of when."`
		Points []tryPoints `json:"points" doc:"What is given in all, by currency."`
		Rules  []Decision  `json:"rules" doc:"What each rule came to, in the order of deciding; the settings' own first."`
		Tags   []string    `json:"tags,omitempty" doc:"Tags that are given."`
	}
}

type tryPoints struct {
	Currency string `json:"currency" doc:"Code."`
	Amount   int64  `json:"amount" doc:"In its smallest unit."`
}

// trial is a try on its way.
type trial struct {
	in     *tryIn
	at     time.Time
	set    *Set
	words  *cond.Env
	owner  member.ID
	facts  *cond.Facts
	base   []Base
	traces []sale.Trace // of the settings' own rule
	plan   *plan
	kept   []keptRule // what the sale that was made has used, which is free for the try
}

func (s *Service) postTry(ctx context.Context, in *tryIn) (*tryOut, error) {
	t := &trial{in: in}
	var err error
	if t.words, err = s.ledger.Words(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, *trial) error{s.tryTime, s.tryRules, s.tryFacts, s.tryWho} {
		if err := step(ctx, t); err != nil {
			return nil, err
		}
	}
	list, err := s.tryDecide(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &tryOut{}
	out.Body.At = t.at.In(s.program.Snapshot().Zone).Format(time.RFC3339)
	out.Body.Rules = append(append([]Decision{}, t.traces...), s.teller(t.words).decisions(list)...)
	sums := map[string]int64{}
	for _, d := range out.Body.Rules {
		if sums[d.Currency] += d.Amount; d.Tag != "" {
			out.Body.Tags = append(out.Body.Tags, d.Tag)
		}
	}
	out.Body.Points = []tryPoints{}
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		if sums[code] > 0 {
			out.Body.Points = append(out.Body.Points, tryPoints{code, sums[code]})
		}
	}
	return out, nil
}

// tryTime reads when it is to be, for whom, and which sale that was made.
func (s *Service) tryTime(ctx context.Context, t *trial) (err error) {
	b := t.in.Body
	n := 0
	for _, given := range []bool{b.Sale != nil, b.SaleID != "", b.Event != nil, b.Trigger != ""} {
		if given {
			n++
		}
	}
	if n != 1 {
		return ErrTry.At("body")
	}
	if b.Member != "" {
		ref, err := member.ParseRef(b.Member)
		if err == nil {
			t.owner, err = s.members.Find(ctx, ref)
		}
		if err != nil {
			return at(err, "body.member")
		}
	}
	if t.at, err = s.instant(b.At, "body.at"); err == nil && t.at.IsZero() {
		t.at = s.clock.Now()
	}
	return err
}

// tryRules puts the drafts in place of the rules that count.
func (s *Service) tryRules(_ context.Context, t *trial) error {
	b := t.in.Body
	var drafts []*Definition
	for i := range b.Rules {
		if err := s.accept(t.words, &b.Rules[i]); err != nil {
			return inList(err, "rules", i)
		}
		drafts = append(drafts, &b.Rules[i])
	}
	snap := s.Snapshot()
	if t.set = snap.With(t.at.UnixMilli(), drafts); b.Only {
		t.set = snap.only(drafts)
	}
	return nil
}

// inList names the place of a refusal of one of a list of rules.
func inList(err error, list string, i int) error {
	e := errs.As(err)
	if e == nil {
		return err
	}
	where := ""
	for _, f := range e.Fields {
		where = strings.TrimPrefix(f.Location, "body")
	}
	e2 := *e
	e2.Fields = nil
	return e2.At(fmt.Sprintf("body.%s[%d]%s", list, i, where))
}

// tryFacts makes the sale, the event or the date.
func (s *Service) tryFacts(ctx context.Context, t *trial) error {
	b := t.in.Body
	snap := s.program.Snapshot()
	if b.Sale == nil && b.SaleID == "" {
		t.facts = &cond.Facts{Member: &cond.Member{}, Now: cond.NewMoment(t.at, snap.Zone), Under: s.under}
		if t.owner != 0 {
			profile, err := s.members.Profile(ctx, t.owner)
			if err != nil {
				return err
			}
			t.facts.Member = profile
		}
		if b.Event != nil {
			t.facts.Event = &cond.Event{Type: b.Event.Type, Attributes: b.Event.Properties}
		}
		return nil
	}
	d, err := s.trySale(ctx, t)
	if err != nil {
		return err
	}
	basket, base, traces, err := s.sales.Look(ctx, d, t.owner)
	if err != nil {
		return err
	}
	t.facts, t.traces = basket.Facts(), traces
	for _, e := range base {
		t.base = append(t.base, Base{e.Currency, money.Split(e.Amount, e.Weights)})
	}
	return nil
}

// trySale is the basket as a sale, or a sale that was made.
func (s *Service) trySale(ctx context.Context, t *trial) (*sale.Document, error) {
	b, snap := t.in.Body, s.program.Snapshot()
	if b.SaleID != "" {
		m, seq, err := id.Decode("sal_", b.SaleID)
		if err != nil {
			return nil, sale.ErrNotFound.At("body.sale_id")
		}
		d, err := s.sales.Get(ctx, ledger.LotKey{Member: m, Seq: seq})
		if err != nil {
			return nil, err
		}
		if d.Kind != sale.Purchase {
			return nil, sale.ErrNotFound.At("body.sale_id")
		}
		if t.owner == 0 && d.Owner != 0 {
			t.owner = member.ID(d.Owner)
			(&sale.Reversal{Sale: d}).Kept(s, &t.kept)
		}
		if b.At == "" {
			t.at = time.UnixMilli(d.AtMS)
			if err := s.tryRules(ctx, t); err != nil {
				return nil, err
			}
		}
		again := *d
		again.AtMS = t.at.UnixMilli()
		return &again, nil
	}
	store := snap.DefaultStore()
	if b.Sale.Store != "" {
		var err error
		if store, err = snap.FindStore(b.Sale.Store); err != nil {
			return nil, at(err, "body.sale.store")
		}
	}
	d := &sale.Document{
		Kind: sale.Purchase, Source: "try", Document: "try", Store: store.ID, Channel: b.Sale.Channel, Currency: b.Sale.Currency,
		AtMS: t.at.UnixMilli(), Body: sale.Body{Attributes: b.Sale.Attributes},
	}
	if d.Currency == "" {
		d.Currency = snap.Settings.Currency
	}
	if _, err := money.Decimals(d.Currency); err != nil {
		return nil, at(err, "body.sale.currency")
	}
	for i, l := range b.Sale.Lines {
		if l.Quantity == 0 {
			l.Quantity = 1000
		}
		d.Total += l.Amount
		d.Body.Lines = append(d.Body.Lines, sale.Line{
			Line: int64(i + 1), SKU: l.SKU, Category: l.Category, Brand: l.Brand, Milli: int64(l.Quantity), Amount: l.Amount, Attributes: l.Attributes,
		})
	}
	if b.Sale.Points > 0 {
		d.Body.Payments = append(d.Body.Payments, sale.Payment{Kind: "points", Amount: b.Sale.Points})
	}
	if b.Sale.Coupons > 0 {
		d.Body.Payments = append(d.Body.Payments, sale.Payment{Kind: "coupon", Amount: b.Sale.Coupons})
	}
	return d, nil
}

// tryWho changes what is known of the member.
func (s *Service) tryWho(_ context.Context, t *trial) error {
	m := *t.facts.Member
	t.facts.Member = &m
	w := t.in.Body.Who
	if w == nil {
		return nil
	}
	set(&m.TierCode, w.Tier)
	set(&m.Tags, w.Tags)
	set(&m.Gender, w.Gender)
	set(&m.City, w.City)
	set(&m.Language, w.Language)
	set(&m.Store, w.Store)
	set(&m.Source, w.Source)
	if w.TierRank != nil {
		m.TierRank = int(*w.TierRank)
	}
	if w.Birthday != nil {
		text := *w.Birthday
		if len(text) == len("05-20") {
			text = "0000-" + text // a leap year
		}
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return program.ErrDay.At("body.who.birthday")
		}
		m.BirthYear, m.BirthMonth, m.BirthDay = day.Year(), int(day.Month()), day.Day()
	}
	if w.Joined != nil {
		day, err := program.ParseDay(*w.Joined)
		if err != nil {
			return at(err, "body.who.joined")
		}
		m.JoinedDay = int32(day)
	}
	if w.Attributes != nil {
		m.Attributes = maps.Clone(m.Attributes)
		if m.Attributes == nil {
			m.Attributes = map[string]cond.Value{}
		}
		for key, v := range *w.Attributes {
			switch v := v.(type) {
			case string:
				m.Attributes[key] = cond.TextValue(v)
			case bool:
				m.Attributes[key] = cond.YesNoValue(v)
			case float64:
				m.Attributes[key] = cond.NumberValue(int64(math.Round(v*10_000)), 10_000)
			}
		}
	}
	return nil
}

// tryDecide decides: with the member's own figures where there is one, under the lock that a
// sale would have.
func (s *Service) tryDecide(ctx context.Context, t *trial) ([]*Outcome, error) {
	trigger := OnSale
	switch b := t.in.Body; {
	case b.Event != nil:
		trigger = OnEvent
	case b.Trigger != "":
		trigger = b.Trigger
	}
	t.plan = t.set.plan(t.facts, trigger, true).ask(t.facts.Member)
	found := cond.Found{}
	for _, n := range t.plan.needs() {
		found[n] = cond.Value{} // nothing, until somebody says more
	}
	p := &salePart{service: s, plan: t.plan, facts: t.facts, owner: t.owner, tight: map[int64]bool{}}
	for _, a := range t.plan.asked {
		p.tight[a.id] = true
	}
	for _, n := range t.plan.needs() {
		if sale.Known(n) {
			p.asks = append(p.asks, n)
		} else {
			p.sought = append(p.sought, n)
		}
	}
	if t.owner == 0 {
		f, err := s.figures(ctx)
		if err != nil {
			return nil, err
		}
		t.tell(found)
		t.facts.Found = found
		return t.plan.decide(t.facts, reckoning{base: t.base, left: func(c *compiled) int64 { return max(0, c.def.Caps.Budget-f.used[c.id]) }}), nil
	}
	if err := s.look(ctx, p); err != nil {
		return nil, err
	}
	a := s.ledger.Engine().Do(ctx, ledger.Request{Command: &tryCommand{t, p, found}, DryRun: true})
	if a.Err != nil {
		return nil, a.Err
	}
	return a.Value.([]*Outcome), nil
}

// tell puts in what the caller says of the member's figures.
func (t *trial) tell(found cond.Found) {
	w := t.in.Body.Who
	if w == nil || w.Facts == nil {
		return
	}
	for _, f := range *w.Facts {
		n := cond.Need{Fact: f.Fact, Text: f.Text, Days: f.Days}
		if found[n] = cond.WholeValue(f.Value); f.Fact == cond.FactBought {
			found[n] = cond.NumberValue(f.Value, 1)
		}
	}
}

// tryCommand decides a try under a member's lock, and keeps nothing.
type tryCommand struct {
	trial *trial
	part  *salePart
	found cond.Found
}

// Needs are those of a sale.
func (c *tryCommand) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{int64(c.part.owner)}}
	n.Add(c.part.Needs(int64(c.part.owner)))
	if c.part.service.tiers != nil { // it tells the tier, whether a rule asks or not
		n.Rows = append(n.Rows, c.part.service.tiers.Rows(int64(c.part.owner))...)
	}
	return n
}

// Decide works out what the rules give.
func (c *tryCommand) Decide(s *ledger.State) (any, error) {
	t := c.trial
	a, err := s.Account(int64(c.part.owner))
	if err != nil {
		return nil, err
	}
	found := maps.Clone(c.found)
	known := cond.Found{}
	sale.Find(s, a, s.Day(t.at.UnixMilli()), c.part.asks, known)
	maps.Copy(found, known)
	maps.Copy(found, c.part.found)
	t.tell(found)
	facts := *c.part.facts
	facts.Found = found
	if c.part.service.tiers != nil && (t.in.Body.Who == nil || t.in.Body.Who.Tier == nil) {
		m := *facts.Member
		m.TierCode, m.TierRank = c.part.service.tiers.Of(s, a)
		facts.Member = &m
	}
	b := &batch{state: s, account: a, service: c.part.service, tight: c.part.tight}
	use := b.used(t.plan)
	back := map[int64]int64{} // of budgets
	for _, k := range t.kept {
		if back[k.Rule] += k.Given; use == nil {
			continue
		}
		u := use.of(k.Rule)
		u.add(k.Day, -k.Given, -k.Times, k.Day != 0)
		if k.Of > 0 {
			u.Carry = u.carried(k.Of)
			for i := range k.Parts {
				u.Carry += k.Of*k.Wanted[i] - k.Parts[i]
			}
			u.Of = k.Of
		}
		use.put(u)
	}
	return t.plan.decide(&facts, reckoning{base: t.base, use: use, left: func(c *compiled) int64 { return b.left(c) + back[c.id] }}), nil
}
