package demo

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/plan"
)

// teaPass is the shop's paid membership.
const teaPass = "tea-pass"

// deed is what a member does with the plan, so many days before the end.
type deed struct {
	days int
	do   func(s *shop, ctx context.Context, m member.ID, document string) error
}

// subscribers are the members of the plan, so that there is somebody in every state at the end:
// each row is one of every hundred members of the shop, one at least.
var subscribers = [][]deed{
	{{75, payPlan}, {44, payPlan}, {13, payPlan}}, // faithful
	{{50, tryPlan}, {36, payPlan}, {6, payPlan}},
	{{20, payPlan}},
	{{5, tryPlan}},
	{{12, payPlan}, {3, cancelPlan}},
	{{33, payPlan}}, // in the days of grace
	{{70, payPlan}}, // not paid for again
	{{40, payPlan}, {30, refundPlan}},
	{{25, tryPlan}}, // not paid for after the trial
}

// offerPlan puts the plan on offer.
func (s *shop) offerPlan(ctx context.Context) error {
	_, err := s.app.Plans.Add(ctx, teaPass, plan.Terms{
		NameEN: "Tea pass", NameZH: "茶友卡",
		AboutEN: "For those who come by more than once a week.", AboutZH: "适合每周到店不止一次的茶友。",
		Every: plan.Month, Price: money.Money{Amount: 1990, Currency: s.app.Program.Snapshot().Settings.Currency},
		TrialDays: 14, GraceDays: 7, RemindDays: 5,
		Benefits:   plan.Benefits{Multiplier: 1500, Discount: 5, FreeDelivery: true, Others: []plan.Benefit{{EN: "A bigger cup for the price of the small one", ZH: "饮品免费升杯"}}},
		StartGifts: []plan.Gift{{Currency: "points", Amount: 50}}, RenewalGifts: []plan.Gift{{Currency: "points", Amount: 20}},
	})
	if err == nil {
		_, err = s.app.Plans.SetState(ctx, teaPass, 0, plan.Live)
	}
	return err
}

// subscribe does what is due on a day with the plan.
func (s *shop) subscribe(ctx context.Context, n int) error {
	const first = 90
	left := historyDays - n
	switch {
	case left == first:
		return s.offerPlan(ctx)
	case left > first || left < 0:
		return nil
	}
	if err := s.app.Plans.Daily(ctx, nil); err != nil {
		return err
	}
	each := max(1, s.options.Members/100)
	for i, story := range subscribers {
		for _, d := range story {
			if d.days != left {
				continue
			}
			for k := range each {
				p := s.people[(i*each+k)%s.here]
				if p.gone {
					continue
				}
				if err := d.do(s, ctx, p.id, fmt.Sprintf("PASS-%d-%d", p.n, left)); err != nil {
					return fmt.Errorf("plan of member %d: %w", p.n, err)
				}
			}
		}
	}
	return nil
}

func payPlan(s *shop, ctx context.Context, m member.ID, document string) error {
	price := s.app.Program.Snapshot().Settings.Currency
	_, err := s.app.Plans.Pay(ctx, m, plan.Payment{Plan: teaPass, Amount: 1990, Currency: price, Method: "wechat", Reference: document}, false)
	return err
}

func tryPlan(s *shop, ctx context.Context, m member.ID, _ string) error {
	_, err := s.app.Plans.StartTrial(ctx, m, teaPass, false)
	return err
}

func cancelPlan(s *shop, ctx context.Context, m member.ID, _ string) error {
	_, err := s.app.Plans.Cancel(ctx, m, false, false)
	return err
}

func refundPlan(s *shop, ctx context.Context, m member.ID, document string) error {
	_, err := s.app.Plans.Refund(ctx, m, plan.RefundOrder{Method: "wechat", Reference: document, Reason: "Moves to another city. 搬家"}, false)
	return err
}
