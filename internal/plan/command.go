package plan

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// The refusals of memberships.
var (
	ErrNone       = errs.New(errs.Conflict, "plan.none", "This member has no membership that runs: say which plan this is for.", "该会员没有生效中的付费会员，请指明方案。")
	ErrOther      = errs.New(errs.Conflict, "plan.other", "This member has another plan ({plan}) that runs. Cancel it first.", "该会员正在使用另一方案（{plan}），请先取消。")
	ErrRuns       = errs.New(errs.Conflict, "plan.runs", "This member has the plan already.", "该会员已开通此方案。")
	ErrNotOnSale  = errs.New(errs.Conflict, "plan.not_on_sale", "This plan is not on offer today.", "该方案当前未销售。")
	ErrNotRenewed = errs.New(errs.Conflict, "plan.not_renewed", "This plan has ended and is not renewed any more.", "该方案已结束，不再续费。")
	ErrAhead      = errs.New(errs.Conflict, "plan.ahead", "It is paid until {until}; a further period can be paid for from {from} on.", "已付费至 {until}，自 {from} 起可再续一期。")
	ErrAmount     = errs.New(errs.Conflict, "plan.amount", "The price is {price}. For another amount give a reason; the currency has to be the same.", "价格为 {price}。如金额不同请填写原因，币种必须一致。")
	ErrPaid       = errs.New(errs.Conflict, "plan.payment_taken", "A payment of this method and reference was recorded before, with other content.", "该支付方式与流水号的付款已登记，内容不同。")
	ErrNoTrial    = errs.New(errs.Conflict, "plan.no_trial", "This plan has no trial.", "该方案不提供试用。")
	ErrTrialUsed  = errs.New(errs.Conflict, "plan.trial_used", "A trial is for those who have had no plan before.", "试用仅限从未开通过付费会员的会员。")
	ErrNotCancel  = errs.New(errs.Conflict, "plan.not_cancelled", "This membership is not cancelled, or it has ended.", "该付费会员未被取消，或已结束。")
	ErrNoRefund   = errs.New(errs.Conflict, "plan.nothing_to_refund", "Nothing that was paid is left to be refunded.", "没有可退的金额。")
	ErrTooMuch    = errs.New(errs.Conflict, "plan.refund_too_much", "At most {most} can be refunded.", "最多可退 {most}。")
)

// base is what all commands about a membership share.
type base struct {
	member int64
	book   *book // the plans as they were when the request came
}

// Needs names the member and the membership.
func (c base) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{Row(c.member)}}
}

// open returns the account and the membership with all written down that is due.
func (c base) open(s *ledger.State) (*ledger.Account, *Membership, program.Day, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, nil, 0, err
	}
	if a.MergedInto != 0 {
		return nil, nil, 0, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	m := load(s, a.ID)
	today := today(s)
	c.book.settle(s, a, &m, today)
	return a, &m, today, nil
}

// today is the programme's day of the batch.
func today(s *ledger.State) program.Day { return dayOf(s, s.NowMS) }

func dayOf(s *ledger.State, ms int64) program.Day { return program.DayOf(timeOf(ms), s.Config.Zone) }

// told is the body of the events of memberships.
type told struct {
	Plan     string `json:"plan"`
	Number   int64  `json:"number"` // which of the member's memberships
	Until    string `json:"until,omitempty"`
	Why      Why    `json:"why,omitempty"`
	Amount   int64  `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Days     int64  `json:"days,omitempty"`
}

func (b *book) tell(s *ledger.State, a *ledger.Account, kind string, m *Membership, t told) {
	if p := b.byID[m.Plan]; p != nil {
		t.Plan = p.Code
	}
	t.Number = m.N
	body, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain structs
	}
	s.Event(a, kind, s.NowMS, string(body))
}

// settle writes down what time alone has made true of a membership by today.
func (b *book) settle(s *ledger.State, a *ledger.Account, m *Membership, today program.Day) {
	if m.N == 0 || m.Ended != 0 {
		return
	}
	p := b.byID[m.Plan]
	over := p == nil || p.State == Ended
	if end := m.endOf(); over && today >= m.Until || today >= end {
		why := Lapsed
		switch {
		case m.Cancelled:
			why = Quit
		case over:
			end, why = m.Until, PlanOver
		}
		b.end(s, a, m, end, why)
		m.put(s, 0)
		return
	}
	if over || m.Cancelled {
		return
	}
	if remind := p.Terms.RemindDays; remind > 0 && m.Reminded != m.Until && today >= m.Until-program.Day(remind) && today < m.Until {
		m.Reminded = m.Until
		b.tell(s, a, "plan.renewal_due", m, told{Until: m.Until.String(), Amount: p.Terms.Price.Amount, Currency: p.Terms.Price.Currency, Days: int64(m.Until - today)})
		m.put(s, b.next(m, today))
	}
	if today >= m.Until && m.Lapsed != m.Until {
		m.Lapsed = m.Until
		b.tell(s, a, "plan.grace", m, told{Until: m.endOf().String()})
		m.put(s, b.next(m, today))
	}
}

// next is when the daily run comes back to a membership.
func (b *book) next(m *Membership, today program.Day) program.Day {
	p := b.byID[m.Plan]
	if p == nil || p.State == Ended {
		return m.next(today, 0, false)
	}
	return m.next(today, p.Terms.RemindDays, m.Auto && p.Terms.Provider != "")
}

// end ends a membership as of a day, and keeps it among those that are over.
func (b *book) end(s *ledger.State, a *ledger.Account, m *Membership, day program.Day, why Why) {
	m.Ended, m.Why = day, why
	s.Put(endedTable, int64(id.Shard(m.Member)), m.Member, m.N, m.Plan, int64(m.Started), int64(m.Anchor), m.Paid, int64(m.Ended), string(m.Why))
	b.tell(s, a, "plan.ended", m, told{Why: why})
}

// Answer is what a change of a membership answers.
type Answer struct {
	Membership MembershipView   `json:"membership" doc:"As it is now."`
	Payment    *PaymentView     `json:"payment,omitempty" doc:"The payment that was recorded, with the gifts that came with it."`
	Refund     *RefundView      `json:"refund,omitempty" doc:"What was given back, and what of the gifts was taken back."`
	Balances   map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`

	repeated bool
	created  bool
}

// Status is 201 for what begins something, else 200.
func (a *Answer) Status() int {
	if a.created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// Repeated reports whether the payment is an earlier one, of the same reference.
func (a *Answer) Repeated() bool { return a.repeated }

func (b *book) answer(s *ledger.State, a *ledger.Account, m *Membership, today program.Day) *Answer {
	return &Answer{Membership: b.view(m, today), Balances: s.Balances(a)}
}

// startTrial begins a trial.
type startTrial struct {
	base
	plan *Plan
}

// Decide begins the trial, or refuses it.
func (c startTrial) Decide(s *ledger.State) (any, error) {
	a, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	switch st := m.On(today); {
	case st.Runs() && m.Plan == c.plan.ID:
		return nil, ErrRuns
	case st.Runs():
		return nil, ErrOther.With("plan", c.book.nameOf(m.Plan))
	case !c.plan.OnSale(today):
		return nil, ErrNotOnSale.At("body.plan")
	case c.plan.Terms.TrialDays == 0:
		return nil, ErrNoTrial.At("body.plan")
	case m.N > 0:
		return nil, ErrTrialUsed
	}
	m.begin(c.plan, today, c.plan.Terms.TrialDays)
	m.put(s, c.book.next(m, today))
	c.book.tell(s, a, "plan.trial_started", m, told{Until: m.Until.String()})
	out := c.book.answer(s, a, m, today)
	out.created = true
	return out, nil
}

// begin makes m the member's next membership.
func (m *Membership) begin(p *Plan, today program.Day, trial int) {
	anchor := today + program.Day(trial)
	*m = Membership{Member: m.Member, N: m.N + 1, Plan: p.ID, Started: today, Anchor: anchor, Until: anchor, Grace: int64(p.Terms.GraceDays), Periods: m.Periods}
}

// cancel ends a membership: at the end of what is paid, or at once.
type cancel struct {
	base
	now bool
}

// Decide cancels. Cancelled again, nothing changes.
func (c cancel) Decide(s *ledger.State) (any, error) {
	a, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	st := m.On(today)
	switch {
	case !st.Runs():
		return nil, ErrNone
	case c.now || st == Grace: // nothing is paid any more that could run to its end
		c.book.end(s, a, m, today, Quit)
		m.put(s, 0)
	case st != Cancelled:
		m.Cancelled = true
		m.put(s, c.book.next(m, today))
		c.book.tell(s, a, "plan.cancelled", m, told{Until: m.Until.String()})
	}
	return c.book.answer(s, a, m, today), nil
}

// resume takes a cancellation back before it has ended the membership.
type resume struct{ base }

// Decide resumes.
func (c resume) Decide(s *ledger.State) (any, error) {
	a, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if m.On(today) != Cancelled {
		return nil, ErrNotCancel
	}
	m.Cancelled = false
	m.put(s, c.book.next(m, today))
	c.book.tell(s, a, "plan.resumed", m, told{Until: m.Until.String()})
	return c.book.answer(s, a, m, today), nil
}

// tick writes down what is due, for the daily run.
type tick struct{ base }

// Decide answers with the Membership as it is then.
func (c tick) Decide(s *ledger.State) (any, error) {
	_, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if m.N > 0 && m.Ended == 0 {
		m.put(s, c.book.next(m, today))
	}
	return m, nil
}

// Of says what the plan of a member gives on a day. The member's Row was named in Needs; a
// day before the membership that runs now began has none.
func (s *Service) Of(st *ledger.State, member int64, day program.Day) Holding {
	m := load(st, member)
	return s.book().holding(&m, day)
}

// Holding is what a member has of a plan on a day. The zero Holding is nothing.
type Holding struct {
	Plan       string // code; "" for none
	Name       errs.Word
	Standing   Standing
	Multiplier int64 // of what sales earn, in thousandths; 1000 without a plan
	Benefits   Benefits
}

func (b *book) holding(m *Membership, day program.Day) Holding {
	h := Holding{Multiplier: 1000}
	p := b.byID[m.Plan]
	st := m.On(day)
	if p == nil || !st.Runs() || p.State == Ended && day >= m.Until {
		return h
	}
	h.Name = b.nameOf(p.ID)
	h.Plan, h.Standing, h.Benefits, h.Multiplier = p.Code, st, p.Terms.Benefits, p.Terms.Benefits.Multiplier
	return h
}

// giftDoc is the natural key of a gift: of one currency, for one period.
func giftDoc(m *Membership, k int64, currency string) ledger.Document {
	return ledger.Document{Kind: DocGift, Source: "plan", Document: fmt.Sprintf("%s/%d/%d/%s", member.ID(m.Member), m.N, k, currency)}
}
