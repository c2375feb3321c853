package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Gift is what rules make of something that is no sale: an event, a date, a step of a member's
// life. It is decided in the batch of whoever tells of it.
type Gift struct {
	part *salePart
	atMS int64
	docs func(rule string, owner int64) ledger.Document // natural keys by rule; nil where the teller has one
}

// Given is one lot that a Gift gave.
type Given struct {
	Currency string        `json:"currency"`
	Amount   int64         `json:"amount"`
	Rule     string        `json:"rule"`
	LotID    string        `json:"lot_id"`
	Lot      ledger.LotKey `json:"-"`
}

// Event is what rules make of an event of a member, before its batch; nil where none has a part
// in it.
func (s *Service) Event(ctx context.Context, owner member.ID, kind string, at time.Time, properties map[string]any) (*Gift, error) {
	f := &cond.Facts{Event: &cond.Event{Type: kind, Attributes: properties}}
	return s.gift(ctx, owner, OnEvent, at, f, func(*asked) bool { return true })
}

// gift prepares the rules of a trigger for a member.
func (s *Service) gift(ctx context.Context, owner member.ID, trigger string, at time.Time, f *cond.Facts, fits func(*asked) bool) (*Gift, error) {
	snap := s.Snapshot()
	set := snap.At(at.UnixMilli())
	if len(set.on(trigger)) == 0 && (f.Event == nil || f.Event.Type != OnProfile || len(set.on(OnProfile)) == 0) {
		return nil, nil
	}
	f.Now, f.Under, f.Member = cond.NewMoment(at, snap.loc), s.under, &cond.Member{}
	p := &salePart{service: s, plan: set.plan(f, trigger, false), facts: f, owner: owner, tight: s.tight.all()}
	p.plan.asked = slices.DeleteFunc(p.plan.asked, func(a *asked) bool { return !fits(a) })
	if err := p.ask(func() (*cond.Member, error) { return s.members.Profile(ctx, owner) }); err != nil {
		return nil, err
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
	return &Gift{part: p, atMS: at.UnixMilli()}, nil
}

// Needs is what Decide looks at beside the owner's account.
func (g *Gift) Needs(owner int64) ledger.Needs {
	n := g.part.Needs(owner)
	if g.docs != nil {
		for _, a := range g.part.plan.asked {
			n.Rows = append(n.Rows, g.docs(a.def.Code, owner).Need())
		}
	}
	return n
}

// Decide gives what the rules say to an account that may earn. After sale.ErrStale all is
// prepared anew.
func (g *Gift) Decide(s *ledger.State, a *ledger.Account) ([]Given, error) {
	if !a.MayEarn {
		return nil, nil
	}
	p := g.part
	if err := p.fresh(a); err != nil {
		return nil, err
	}
	found := cond.Found{}
	sale.Find(s, a, s.Day(g.atMS), p.asks, found)
	b := &batch{state: s, account: a, service: p.service, tight: p.tight}
	out := p.plan.decide(p.locked(s, a, found), reckoning{use: b.used(p.plan), left: b.left})
	if b.short(out) {
		return nil, sale.ErrStale
	}
	day := s.Day(g.atMS)
	for _, x := range out {
		if x.fault == nil {
			continue
		}
		key := failure{member: a.ID, seq: -int64(day), rule: x.id}
		if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{failureRow(key)}}); err != nil {
			return nil, err
		}
		putFailure(s, a.ID, -int64(day), x)
	}
	gifts := &gifts{atMS: g.atMS}
	for _, x := range out {
		if g.docs != nil {
			if _, seen := s.FindDoc(g.docs(x.def.Code, a.ID)); seen {
				continue
			}
		}
		if _, err := b.give(x, gifts, g.atMS, day); err != nil {
			return nil, err
		}
		if x.chosen {
			gifts.fired = append(gifts.fired, x.def.Code)
		}
	}
	b.save()
	g.fired(s, a, gifts)
	return gifts.list, nil
}

// fired tells of what was given for a date or a step of life, and keeps its natural keys.
func (g *Gift) fired(s *ledger.State, a *ledger.Account, gifts *gifts) {
	if g.docs == nil || len(gifts.fired) == 0 {
		return
	}
	body, err := json.Marshal(struct {
		Rules  []string `json:"rules"`
		Earned []Given  `json:"earned,omitempty"`
	}{gifts.fired, gifts.list})
	if err != nil {
		panic("rule: what was given cannot be told: " + err.Error())
	}
	s.Event(a, "rule.fired", g.atMS, string(body))
	for _, code := range gifts.fired {
		s.PutDoc(g.docs(code, a.ID), ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: a.EventN})
	}
}

// gifts grants what is no sale's.
type gifts struct {
	atMS  int64
	list  []Given
	fired []string // codes of rules that gave something
}

// Give grants points, unless their currency is gone or its limits leave nothing.
func (g *gifts) Give(s *ledger.State, a *ledger.Account, e sale.Earning) (int64, error) {
	cur, err := s.Config.Currency(e.Currency)
	if err != nil {
		return 0, nil
	}
	grant := ledger.Grant{
		Posting: ledger.Posting{AtMS: g.atMS, Rule: e.Rule}, Kind: ledger.Earn, Currency: cur, Amount: e.Amount, ExpiresMS: e.ExpiresMS,
	}
	if e.PendingDays > 0 {
		grant.ActiveMS = s.ActiveAfter(g.atMS, e.PendingDays)
	}
	got, err := s.Grant(a, grant)
	switch {
	case errs.As(err) != nil:
		return 0, nil
	case err != nil:
		return 0, err
	case got.Lot == nil:
		return 0, nil
	}
	g.list = append(g.list, Given{cur.Code, got.Lot.Granted, e.Rule, ledger.LotID(a.ID, got.Lot.Seq), ledger.LotKey{Member: a.ID, Seq: got.Lot.Seq}})
	return got.Lot.Granted, nil
}

// Firing is a date or a step of a member's life that rules may give for.
type Firing struct {
	Trigger string    `json:"trigger"`
	Member  member.ID `json:"member"`
	AtMS    int64     `json:"at_ms"`
	Period  string    `json:"period"` // with trigger, rule and member unique for ever
	Tier    string    `json:"tier,omitempty"`
	Years   int64     `json:"years,omitempty"`
	Days    int64     `json:"days,omitempty"` // ahead of a birthday
}

// fireCommand gives what rules say for a Firing, once.
type fireCommand struct {
	owner int64
	gift  *Gift
}

// Needs are the gift's.
func (c *fireCommand) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.owner}}
	n.Add(c.gift.Needs(c.owner))
	return n
}

// Decide gives it.
func (c *fireCommand) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.owner)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	return c.gift.Decide(s, a)
}

// maxAnew bounds how often a firing is prepared anew.
const maxAnew = 8

// Fire gives what rules say for a date or a step of life. Told again it gives nothing.
func (s *Service) Fire(ctx context.Context, f Firing) ([]Given, error) {
	owner := f.Member
	for range maxAnew {
		g, err := s.firing(ctx, f, owner)
		if err != nil || g == nil {
			return nil, err
		}
		a := s.ledger.Engine().Do(ctx, ledger.Request{Command: &fireCommand{int64(owner), g}, Bulk: true})
		var moved *ledger.Moved
		switch {
		case errors.As(a.Err, &moved):
			owner = member.ID(moved.To)
		case errors.Is(a.Err, sale.ErrStale):
		case a.Err != nil:
			return nil, fmt.Errorf("fire %s for member %d: %w", f.Trigger, f.Member, a.Err)
		default:
			list, _ := a.Value.([]Given)
			return list, nil
		}
	}
	return nil, sale.ErrStale
}

// firing prepares a Firing. The natural key names whom it was told of, also where somebody else
// goes on for them.
func (s *Service) firing(ctx context.Context, f Firing, owner member.ID) (*Gift, error) {
	g, err := s.gift(ctx, owner, f.Trigger, time.UnixMilli(f.AtMS), &cond.Facts{}, func(a *asked) bool {
		t := &a.def.Trigger
		switch f.Trigger {
		case OnTier:
			return t.Tier == "" || t.Tier == f.Tier
		case OnAnniversary:
			return len(t.Years) == 0 || slices.Contains(t.Years, f.Years)
		case OnBirthday:
			return t.DaysBefore == f.Days
		}
		return true
	})
	if g != nil {
		g.docs = func(code string, _ int64) ledger.Document {
			return ledger.Document{Kind: ledger.DocEvent, Source: "rule:" + f.Trigger, Document: code + "/" + strconv.FormatInt(int64(f.Member), 10) + "/" + f.Period}
		}
	}
	return g, err
}
