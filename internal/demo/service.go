package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// comeback is a purchase of which something will be brought back.
type comeback struct {
	due   time.Time
	doc   string
	store string
	lines []sale.Asked // nil for all of it
}

// regret draws what of a purchase comes back, and when.
func (s *shop) regret(v *visit, n *sale.New) comeback {
	c := comeback{due: v.at.Add(time.Duration(20+s.random.IntN(100)) * time.Hour), doc: v.doc, store: v.at2.code}
	if len(n.Lines) > 1 {
		l := n.Lines[s.random.IntN(len(n.Lines))]
		c.lines = []sale.Asked{{Line: l.Line, Milli: int64(l.Quantity), Amount: -1}}
	}
	return c
}

// takeBack records the returns that are due.
func (s *shop) takeBack(ctx context.Context, now time.Time) error {
	var items []sale.Item
	rest := s.back[:0]
	for _, c := range s.back {
		if c.due.After(now) {
			rest = append(rest, c)
			continue
		}
		items = append(items, sale.Item{Return: &sale.NewReturn{
			Source: pos, Document: "R-" + c.doc, At: now.Format(time.RFC3339), Of: &sale.Of{Source: pos, Document: c.doc}, Store: c.store, Lines: c.lines,
		}})
	}
	s.back = rest
	for i, r := range s.app.Sales.ImportMany(ctx, items, nil, sale.Ask{Bulk: true, History: now.Before(s.live0())}) {
		if r.Err != nil {
			return fmt.Errorf("return %s: %w", items[i].Return.Document, r.Err)
		}
		s.made.Returns++
	}
	return nil
}

// morning is what happens before the tills open: the turn of the month, and what staff
// and members do now and then.
func (s *shop) morning(ctx context.Context, day time.Time, n int) error {
	s.clock.Set(day.Add(firstHour * time.Hour))
	if err := s.join(ctx); err != nil {
		return err
	}
	if day.Day() == 1 {
		if err := s.turnMonth(ctx, day); err != nil {
			return err
		}
	}
	err := s.subscribe(ctx, n)
	if err != nil {
		return err
	}
	if n == historyDays-drawsFor {
		err = s.openDraws(ctx)
	}
	if err == nil && n >= historyDays-drawsFor {
		err = s.spin(ctx)
	}
	if err != nil {
		return err
	}
	switch {
	case n == historyDays-couponsFor:
		if err = s.openCoupons(ctx, s.app.Program.Snapshot().Zone); err == nil {
			err = s.prices(ctx, s.app.Program.Snapshot().Zone)
		}
	case n == historyDays-offersFor:
		if err = s.offers(ctx); err == nil {
			err = s.rewards(ctx)
		}
	case n == historyDays*3/5:
		err = s.merge(ctx)
	case n == historyDays*4/5:
		err = s.block(ctx)
	case n%6 == 5:
		err = s.give(ctx)
	case n%25 == 12:
		err = s.correct(ctx)
	}
	return err
}

// turnMonth writes down what has expired and gives growth for what was bought, one for
// each yuan.
func (s *shop) turnMonth(ctx context.Context, day time.Time) error {
	if err := s.app.Ledger.SettleDue(ctx, nil); err != nil {
		return err
	}
	month := day.AddDate(0, -1, 0).Format("2006-01")
	var rs []ledger.Request
	for _, p := range s.people[:s.here] {
		if yuan := p.month / 100; yuan > 0 && !p.gone {
			rs = append(rs, ledger.Request{Actor: "system:demo", Bulk: true, Command: ledger.EarnCommand{
				Member: int64(p.id), Currency: growth, Amount: yuan, Source: "crm", Document: fmt.Sprintf("GROWTH-%s-%s", month, p.id.Number()), Reason: month + " 消费成长值",
			}})
		}
		p.month = 0
	}
	for _, a := range s.app.Ledger.Engine().DoMany(ctx, rs) {
		if a.Err != nil {
			return fmt.Errorf("give growth: %w", a.Err)
		}
	}
	return s.lookAtTiers(ctx)
}

// give has one member send points to another.
func (s *shop) give(ctx context.Context) error {
	from := s.anyone(400, nil)
	to := s.anyone(0, from)
	if from == nil || to == nil {
		return nil
	}
	var out ledger.Posted
	ok, err := s.tills.post(ctx, "/v1/transfers", map[string]any{
		"from": from.id.String(), "to": to.id.String(), "currency": points, "amount": 50 * (1 + s.random.IntN(4)), "reason": "送给朋友",
	}, &out)
	if ok {
		s.made.Transfers++
		from.points = out.Balances[points]
	}
	return err
}

// apologies are the reasons for which staff correct balances upwards.
var apologies = []string{"等候过久补偿", "饮品做错补偿", "活动漏发补记"}

// correct has staff correct somebody's points.
func (s *shop) correct(ctx context.Context) error {
	p := s.anyone(200, nil)
	if p == nil {
		return nil
	}
	amount, reason := 20+10*s.random.Int64N(9), apologies[s.random.IntN(len(apologies))]
	if s.random.IntN(4) == 0 {
		amount, reason = -50, "重复计分更正"
	}
	_, err := s.adjust(ctx, p, amount, reason)
	return err
}

func (s *shop) adjust(ctx context.Context, p *person, amount int64, reason string) (ledger.Adjustment, error) {
	var out ledger.Adjustment
	ok, err := s.tills.post(ctx, "/v1/members/"+p.id.String()+"/adjustments", map[string]any{"currency": points, "amount": amount, "reason": reason}, &out)
	if ok {
		s.made.Adjustments++
	}
	return out, err
}

// merge finds that one member has joined twice.
func (s *shop) merge(ctx context.Context) error {
	into := s.anyone(100, nil)
	from := s.anyone(1, into)
	if into == nil || from == nil {
		return nil
	}
	if _, err := s.app.Members.Merge(ctx, member.RefID(from.id), member.RefID(into.id)); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	into.balance, from.balance = into.balance+from.balance, 0
	from.gone, s.made.Merged = true, from.id.String()
	return nil
}

// block stops a member whose card was abused.
func (s *shop) block(ctx context.Context) error {
	p := s.anyone(1, nil)
	if p == nil {
		return nil
	}
	no := false
	if _, err := s.app.Members.SetSwitches(ctx, member.RefID(p.id), &no, &no, "疑似盗用，待本人核实"); err != nil {
		return fmt.Errorf("block: %w", err)
	}
	p.gone, s.made.Blocked = true, p.id.String()
	return nil
}

// finish leaves work on the table: points set aside, an adjustment that wants a second
// person, a return whose sale has not come, and a sale that came late.
func (s *shop) finish(ctx context.Context) error {
	if err := s.app.Ledger.SettleDue(ctx, nil); err != nil {
		return err
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	if err := s.redeem(ctx); err != nil {
		return err
	}
	var last *person
	for range 3 {
		p := s.anyone(100, last)
		if p == nil {
			break
		}
		var made ledger.HoldView
		ok, err := s.tills.post(ctx, "/v1/holds", map[string]any{
			"member": p.id.String(), "currency": points, "amount": 50, "ttl_seconds": 2 * 24 * 60 * 60, "purpose": "预订蛋糕抵现",
		}, &made)
		if err != nil {
			return err
		}
		if ok {
			s.made.Holds++
		}
		last = p
	}
	p := s.anyone(0, last)
	if p == nil {
		return nil
	}
	waits, err := s.adjust(ctx, p, approveAbove+500, "周年活动大额补发")
	if err != nil {
		return err
	}
	s.made.Waiting = waits.Approval
	return s.stragglers(ctx, p)
}

// stragglers are documents that came in the wrong order.
func (s *shop) stragglers(ctx context.Context, p *person) error {
	now := s.options.Now
	v := &visit{at: midnight(now).AddDate(0, 0, -9).Add(15 * time.Hour), who: p, at2: p.home}
	s.receipt = map[string]int{v.at2.code: 8000} // a till that was offline has numbers of its own
	late := s.item(v)
	early := sale.Item{Return: &sale.NewReturn{
		Source: pos, Document: "R-OFFLINE-0001", At: now.Add(-time.Hour).Format(time.RFC3339), Store: p.home.code,
		Of: &sale.Of{Source: pos, Document: strings.ToUpper(p.home.code) + "-" + now.In(zone).Format("060102") + "-9999"},
	}}
	for _, r := range s.app.Sales.ImportMany(ctx, []sale.Item{late, early}, nil, sale.Ask{}) {
		if r.Err != nil {
			return fmt.Errorf("documents in the wrong order: %w", r.Err)
		}
	}
	s.made.Sales, s.made.Returns, s.made.LateDocument = s.made.Sales+1, s.made.Returns+1, v.doc
	return s.spend(ctx, []*visit{v})
}
