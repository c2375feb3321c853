package plan

import (
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// View is a plan as the outside sees it.
type View struct {
	ID      string    `json:"id" doc:"The plan."`
	Code    string    `json:"code" doc:"Its code, unique among plans; never changes." example:"gold"`
	State   State     `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"scheduled: live, and its first day of sale is yet to come."`
	OnSale  bool      `json:"on_sale" doc:"It can be bought today."`
	Version int64     `json:"version" doc:"Grows with every change."`
	Terms   Terms     `json:"terms" doc:"What it costs and gives."`
	Changed time.Time `json:"changed_at" doc:"When it was last changed."`
}

func (s *Service) show(p *Plan) View {
	today := s.Today()
	return View{p.PublicID(), p.Code, p.Shows(today), p.OnSale(today), p.Version, p.Terms, p.Changed}
}

// MembershipView is what a member has, as the outside sees it.
type MembershipView struct {
	Member    string   `json:"member_id" doc:"The member."`
	Name      string   `json:"member_name,omitempty" doc:"In a list of members: what the member is called."`
	Standing  Standing `json:"standing" enum:",trial,active,cancelled_at_end,grace,ended" doc:"Where it stands today; empty: the member has had none."`
	Plan      string   `json:"plan,omitempty" doc:"Code of the plan."`
	NameEN    string   `json:"name_en,omitempty" doc:"English name of the plan."`
	NameZH    string   `json:"name_zh,omitempty" doc:"Chinese name of the plan."`
	Number    int64    `json:"number,omitempty" doc:"Which of the member's memberships, from 1."`
	StartedOn string   `json:"started_on,omitempty" format:"date" doc:"First day, of the trial where there was one."`
	TrialEnds string   `json:"trial_last_day,omitempty" format:"date" doc:"Last day of the trial."`
	LastDay   string   `json:"last_day,omitempty" format:"date" doc:"Last day of the trial or of what is paid; of one that is over, its last day."`
	RenewsOn  string   `json:"renews_on,omitempty" format:"date" doc:"The day from which the next period has to be paid for; absent where there will be none."`
	GraceEnds string   `json:"grace_last_day,omitempty" format:"date" doc:"Last day of the benefits if nobody pays."`
	PayFrom   string   `json:"payable_from,omitempty" format:"date" doc:"The first day on which the next period can be paid for."`
	Paid      int64    `json:"periods_paid" doc:"Periods that were paid for."`
	Auto      bool     `json:"auto_renew" doc:"The payment provider is asked for renewals."`
	Why       Why      `json:"ended_why,omitempty" enum:"lapsed,cancelled,refunded,plan_ended,erased,merged" doc:"Why it is over."`

	Price    *money.Money `json:"price,omitempty" doc:"What the next period costs."`
	Benefits *Benefits    `json:"benefits,omitempty" doc:"What it gives now; absent where it is over."`
}

// view shows a membership as it stands on a day.
func (b *book) view(m *Membership, today program.Day) MembershipView {
	st := m.On(today)
	v := MembershipView{Member: member.ID(m.Member).String(), Standing: st}
	if st == None {
		return v
	}
	p := b.byID[m.Plan]
	v.Number, v.StartedOn, v.Paid, v.Auto = m.N, m.Started.String(), m.Paid, m.Auto && st.Runs() && !m.Cancelled
	if p != nil {
		v.Plan, v.NameEN, v.NameZH = p.Code, p.Terms.NameEN, p.Terms.NameZH
	}
	if m.Anchor > m.Started {
		v.TrialEnds = (m.Anchor - 1).String()
	}
	if !st.Runs() {
		end, why := m.Ended, m.Why
		if end == 0 {
			end, why = m.endOf(), Lapsed
			if m.Cancelled {
				why = Quit
			}
		}
		v.LastDay, v.Why = max(end-1, m.Started).String(), why
		return v
	}
	v.LastDay = (m.Until - 1).String()
	if p == nil {
		return v
	}
	v.Benefits = &p.Terms.Benefits
	if p.State == Ended {
		return v
	}
	if !m.Cancelled {
		v.RenewsOn, v.GraceEnds = m.Until.String(), (m.endOf() - 1).String()
	}
	v.Price, v.PayFrom = &p.Terms.Price, today.String()
	if !m.payable(p.Terms.Every, today) {
		v.PayFrom = p.Terms.Every.After(m.Anchor, m.Paid-1).String()
	}
	return v
}

// PointsView is an amount of a point currency.
type PointsView struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Amount   int64  `json:"amount" doc:"In its smallest unit."`
}

// PaymentView is a payment with the period that it paid for.
type PaymentView struct {
	ID        string       `json:"id" doc:"The payment."`
	Plan      string       `json:"plan" doc:"Code of the plan."`
	Number    int64        `json:"number" doc:"Which of the member's memberships it belongs to."`
	FirstDay  string       `json:"first_day" format:"date" doc:"First day of the period."`
	LastDay   string       `json:"last_day" format:"date" doc:"Last day of the period."`
	Amount    int64        `json:"amount" doc:"In minor units of the currency."`
	Currency  string       `json:"currency" doc:"ISO 4217 code."`
	Method    string       `json:"method" doc:"How it was paid."`
	Reference string       `json:"reference,omitempty" doc:"Number of the payment at whoever took it."`
	Reason    string       `json:"reason,omitempty" doc:"Why it was not the price."`
	PaidAt    time.Time    `json:"paid_at" doc:"When it was recorded."`
	Refunded  int64        `json:"refunded" doc:"What was given back of it."`
	RefundAt  *time.Time   `json:"refunded_at,omitempty" doc:"When."`
	Refund    string       `json:"refund_reference,omitempty" doc:"Number of the refund."`
	Why       string       `json:"refund_reason,omitempty" doc:"Why it was given back."`
	Gifts     []PointsView `json:"gifts" doc:"Points that came with it."`
}

func (b *book) payment(p *Period) *PaymentView {
	v := &PaymentView{
		ID: p.PublicID(), Number: p.N, FirstDay: p.From.String(), LastDay: (p.Until - 1).String(), Amount: p.Amount, Currency: p.Currency, Method: p.Method,
		Reference: p.Reference, Reason: p.Reason, PaidAt: time.UnixMilli(p.PaidMS).UTC(), Refunded: p.Refunded, Refund: p.RefundReference, Why: p.RefundReason, Gifts: []PointsView{},
	}
	if plan := b.byID[p.Plan]; plan != nil {
		v.Plan = plan.Code
	}
	if p.RefundMS != 0 {
		at := time.UnixMilli(p.RefundMS).UTC()
		v.RefundAt = &at
	}
	for _, g := range p.Gifts {
		v.Gifts = append(v.Gifts, PointsView{g.Currency, g.Amount - g.Took})
	}
	return v
}

// RefundView is what a refund gave back.
type RefundView struct {
	Amount   int64        `json:"amount" doc:"In minor units of the currency."`
	Currency string       `json:"currency" doc:"ISO 4217 code."`
	Unused   int64        `json:"unused_days" doc:"Days that were paid for and had not begun."`
	Method   string       `json:"method" doc:"How it is given back."`
	Gifts    []PointsView `json:"gifts_taken_back" doc:"What was taken back of points that came with the payments, in the same proportion."`
}
