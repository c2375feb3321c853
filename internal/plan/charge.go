package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// A charge is written before the provider is asked and asked for again until there is an
// answer, so that a crash in between costs nothing: the provider knows the order by its id.
// What was paid becomes a payment by the charge's id, once for ever.

// chargeState is how far a charge is.
type chargeState string

const (
	chargeAsked      chargeState = "asked"
	chargeAuthorised chargeState = "authorised"
	chargePaid       chargeState = "paid"
	chargeFailed     chargeState = "failed"
	chargeRefunding  chargeState = "refunding"
	chargeRefunded   chargeState = "refunded"
)

// chaseFor is for how long a provider who does not answer is asked again.
const chaseFor = 72 * time.Hour

// maxCharges bounds a list: those of one member are few.
const maxCharges = 100

// charge is one that a provider was asked for.
type charge struct {
	id         int64
	member     int64
	plan, n, k int64
	try        int64
	provider   string
	amount     int64
	currency   string
	state      chargeState
	reference  string
	url        string
	refund     int64
	fault      string
	madeMS     int64
}

func (c *charge) publicID() string { return id.Encode(chargeID, 0, c.id) }

func (c *charge) open() bool { return c.state == chargeAsked || c.state == chargeAuthorised }

// The refusals of charges.
var (
	ErrNoCharge   = errs.New(errs.NotFound, "plan.no_charge", "There is no such charge.", "没有这笔扣款。")
	ErrNoProvider = errs.New(errs.Conflict, "plan.no_provider", "This plan is not paid through a payment provider: record the payment.", "该方案未接入支付渠道，请登记付款。")
	ErrAsk        = errs.New(errs.Unavailable, "plan.provider_silent", "The payment provider does not answer. Try again in a moment.", "支付渠道无响应，请稍后重试。")
)

const chargeColumns = `id, member_id, plan_id, n, k, try, provider, amount, currency, state, reference, url, refund, error, made_ms`

var (
	insertChargeSQL = db.Define("plan.insertCharge", `
		INSERT INTO plan_charge (shard, id, member_id, plan_id, n, k, try, provider, amount, currency, state, reference, url, refund, error, made_ms, changed_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'asked', '', '', 0, '', $11, $11)`)
	chargeSQL = db.Define("plan.charge", `
		SELECT `+chargeColumns+`
		FROM plan_charge
		WHERE id = $1`)
	chargesOfSQL = db.Define("plan.chargesOf", `
		SELECT `+chargeColumns+`
		FROM plan_charge
		WHERE shard = $1 AND member_id = $2
		ORDER BY n DESC, k DESC, try DESC
		LIMIT $3`)
	chargesInSQL = db.Define("plan.chargesIn", `
		SELECT `+chargeColumns+`
		FROM plan_charge
		WHERE state = $1 AND id > $2
		ORDER BY id
		LIMIT $3`)
	answeredSQL = db.Define("plan.chargeAnswered", `
		UPDATE plan_charge
		SET reference = $2, url = $3, error = $4, changed_ms = $5
		WHERE id = $1`)
	turnSQL = db.Define("plan.chargeTurn", `
		UPDATE plan_charge
		SET state = $2, error = $3, changed_ms = $4
		WHERE id = $1 AND state <> $2`)
	refundSQL = db.Define("plan.chargeRefund", `
		UPDATE plan_charge
		SET state = 'refunding', refund = $2, error = $3, changed_ms = $4
		WHERE id = $1 AND state IN ('asked', 'authorised', 'paid', 'failed')`)
	// unrefundedSQL finds charges whose refund was decided and never asked for: a crash lay in
	// between.
	unrefundedSQL = db.Define("plan.unrefunded", `
		SELECT c.id, p.refunded
		FROM plan_period AS p
		JOIN plan_charge AS c ON c.id = p.charge_id
		WHERE p.refund_day > 0 AND p.refund_day >= $1 AND p.charge_id > 0 AND c.state = 'paid'
		ORDER BY c.id
		LIMIT $2`)
)

func scanCharge(rows interface{ Scan(...any) error }) (c charge, err error) {
	err = rows.Scan(&c.id, &c.member, &c.plan, &c.n, &c.k, &c.try, &c.provider, &c.amount, &c.currency, &c.state, &c.reference, &c.url, &c.refund, &c.fault, &c.madeMS)
	return c, err
}

func (s *Service) charges(ctx context.Context, stmt *db.Stmt, args ...any) (list []charge, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = scanCharges(ctx, tx, stmt, args...)
		return err
	})
	return list, err
}

func scanCharges(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) (list []charge, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		c, err := scanCharge(rows)
		list = append(list, c)
		return err
	})
	err = read(tx.Query(ctx, stmt, args...))
	return list, err
}

// Checkout asks the provider of a plan for a member's next payment: the first, or a renewal.
// Asked again while the charge is open, it is that one. ref may be empty for the plan that runs.
func (s *Service) Checkout(ctx context.Context, m member.ID, ref string) (*ChargeView, error) {
	p, err := s.planOf(ref, "body.plan")
	if err != nil {
		return nil, err
	}
	got, err := s.read(ctx, m)
	if err != nil {
		return nil, err
	}
	today := s.Today()
	p, err = pay{base: base{book: s.book()}, plan: p}.which(&got, today)
	if err != nil {
		return nil, err
	}
	if s.providers[p.Terms.Provider] == nil {
		return nil, ErrNoProvider
	}
	n, k := got.N, got.Paid+1
	if !got.On(today).Runs() {
		n, k = n+1, 1
	}
	c, err := s.open(ctx, p, m, n, k)
	if err != nil {
		return nil, err
	}
	if err := s.ask(ctx, &c, true); err != nil {
		return nil, ErrAsk.Because(err)
	}
	return s.viewCharge(&c), nil
}

// open writes the charge for a period, or returns the one that is open.
func (s *Service) open(ctx context.Context, p *Plan, m member.ID, n, k int64) (c charge, err error) {
	number, err := s.o.DB.NextID(ctx, "plan_charge")
	if err != nil {
		return c, err
	}
	now := s.o.Clock.Now().UnixMilli()
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := ledger.LockAccount(ctx, tx, int64(m)); err != nil {
			return err
		}
		list, err := scanCharges(ctx, tx, chargesOfSQL, m.Shard(), int64(m), maxCharges)
		if err != nil {
			return err
		}
		c = charge{
			id: number, member: int64(m), plan: p.ID, n: n, k: k, try: 1, provider: p.Terms.Provider, amount: p.Terms.Price.Amount, currency: p.Terms.Price.Currency,
			state: chargeAsked, madeMS: now,
		}
		for _, was := range list {
			if was.n != n || was.k != k {
				continue
			}
			if was.open() && was.plan == p.ID && was.amount == c.amount {
				c = was
				return nil
			}
			c.try = max(c.try, was.try+1)
		}
		return exec(ctx, tx, insertChargeSQL, m.Shard(), c.id, c.member, c.plan, c.n, c.k, c.try, c.provider, c.amount, c.currency, now)
	})
	return c, err
}

// ask asks the provider for a charge that it has not answered.
func (s *Service) ask(ctx context.Context, c *charge, first bool) error {
	if c.reference != "" {
		return nil
	}
	by := s.providers[c.provider]
	if by == nil {
		return ErrProvider.With("name", c.provider)
	}
	got, err := by.Charge(ctx, s.order(c, first))
	fault := ""
	if err != nil {
		fault = "the provider did not take the order"
	}
	c.reference, c.url, c.fault = got.Reference, got.URL, fault
	return errors.Join(err, s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return exec(ctx, tx, answeredSQL, c.id, c.reference, c.url, c.fault, s.o.Clock.Now().UnixMilli())
	}))
}

func (s *Service) order(c *charge, first bool) Order {
	return Order{
		ID: c.publicID(), Payer: member.ID(c.member).String(), First: first, Amount: money.Money{Amount: c.amount, Currency: c.currency},
		Text: s.book().nameOf(c.plan), Reference: c.reference,
	}
}

// charge asks for the renewal of a membership, if it is time: once a day, from the day before
// the last paid one is over until somebody has paid or it has ended.
func (s *Service) charge(ctx context.Context, m *Membership, today program.Day) error {
	p := s.book().byID[m.Plan]
	if p == nil || !m.Auto || m.Cancelled || m.Ended != 0 || p.State == Ended || s.providers[p.Terms.Provider] == nil || today < m.Until-1 {
		return nil
	}
	who := member.ID(m.Member)
	list, err := s.charges(ctx, chargesOfSQL, who.Shard(), m.Member, maxCharges)
	if err != nil {
		return err
	}
	for _, was := range list {
		if was.n == m.N && was.k == m.Paid+1 && (was.open() || s.o.Program.Snapshot().Day(timeOf(was.madeMS)) == today) {
			return nil // it is under way, or failed today
		}
	}
	c, err := s.open(ctx, p, who, m.N, m.Paid+1)
	if err != nil {
		return fmt.Errorf("charge for member %s: %w", who, err)
	}
	if err := s.ask(ctx, &c, false); err != nil { // Chase asks again
		s.o.Log.Warn("the payment provider did not take an order", "provider", c.provider, "charge", c.publicID(), "error", err)
	}
	return nil
}

// Chase asks providers again for what they have not answered.
func (s *Service) Chase(ctx context.Context) error {
	if len(s.providers) == 0 {
		return nil
	}
	since := s.o.Clock.Now().Add(-chaseFor)
	if err := s.findRefunds(ctx, s.o.Program.Snapshot().Day(since)); err != nil {
		return err
	}
	var bad error
	for _, state := range []chargeState{chargeAsked, chargeRefunding} {
		for after := int64(0); ; {
			list, err := s.charges(ctx, chargesInSQL, string(state), after, maxCharges)
			if err != nil {
				return err
			}
			for i := range list {
				c := &list[i]
				after = c.id
				switch {
				case state == chargeRefunding:
					bad = errors.Join(bad, s.giveBack(ctx, c))
				case c.reference == "" && c.madeMS < since.UnixMilli():
					bad = errors.Join(bad, s.turn(ctx, c, chargeFailed, "the provider never took the order"))
				case c.reference == "":
					bad = errors.Join(bad, s.ask(ctx, c, c.k == 1))
				}
			}
			if len(list) < maxCharges {
				break
			}
		}
	}
	return bad
}

// findRefunds marks charges whose refund was decided and not asked for.
func (s *Service) findRefunds(ctx context.Context, since program.Day) error {
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		type todo struct{ id, amount int64 }
		var list []todo
		read := db.ReadRows(func(rows *db.Rows) error {
			var t todo
			err := rows.Scan(&t.id, &t.amount)
			list = append(list, t)
			return err
		})
		if err := read(tx.Query(ctx, unrefundedSQL, int64(since), maxCharges)); err != nil {
			return err
		}
		for _, t := range list {
			if err := exec(ctx, tx, refundSQL, t.id, t.amount, "", s.o.Clock.Now().UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}

// refundCharges asks providers for what a refund gave back. What fails is asked for again.
func (s *Service) refundCharges(ctx context.Context) {
	if len(s.providers) == 0 {
		return
	}
	if err := s.findRefunds(ctx, s.Today()); err != nil {
		s.o.Log.Warn("refunds are asked for later", "error", err)
		return
	}
	list, err := s.charges(ctx, chargesInSQL, string(chargeRefunding), 0, maxCharges)
	for i := range list {
		err = errors.Join(err, s.giveBack(ctx, &list[i]))
	}
	if err != nil {
		s.o.Log.Warn("the payment provider did not take a refund; it is asked again", "error", err)
	}
}

func (s *Service) giveBack(ctx context.Context, c *charge) error {
	by := s.providers[c.provider]
	if by == nil {
		return ErrProvider.With("name", c.provider)
	}
	return by.Refund(ctx, s.order(c, false), c.refund)
}

func (s *Service) turn(ctx context.Context, c *charge, to chargeState, fault string) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return exec(ctx, tx, turnSQL, c.id, string(to), fault, s.o.Clock.Now().UnixMilli())
	})
}

// Heard takes what a provider tells. Told again, nothing more happens.
func (s *Service) Heard(ctx context.Context, provider string, n Notice) error {
	_, number, err := id.Decode(chargeID, n.Order)
	if err != nil {
		return ErrNoCharge
	}
	var c charge
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		c, err = scanCharge(tx.QueryRow(ctx, chargeSQL, number))
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && c.provider != provider:
		return ErrNoCharge
	case err != nil:
		return err
	}
	switch n.Turn {
	case Authorised:
		if c.state == chargeAsked {
			return s.turn(ctx, &c, chargeAuthorised, "")
		}
	case Failed:
		if c.open() {
			return s.turn(ctx, &c, chargeFailed, n.Why)
		}
	case Paid:
		if c.open() || c.state == chargeFailed {
			return s.paid(ctx, &c)
		}
	case MoneyReturns:
		return s.turn(ctx, &c, chargeRefunded, c.fault)
	}
	return nil
}

// paid turns a charge into a payment. Money that has no place any more goes back.
func (s *Service) paid(ctx context.Context, c *charge) error {
	ctx = staff.AsSystem(ctx, "payment provider")
	p := s.book().byID[c.plan]
	a := s.post(ctx, member.ID(c.member), false, func(b base) ledger.Command {
		return pay{base: b, plan: p, amount: c.amount, currency: c.currency, method: c.provider, reference: c.publicID(), charge: c.id, reason: "charged"}
	})
	if refused := errs.As(a.Err); refused != nil && refused.Kind == errs.Conflict || errors.Is(a.Err, ledger.ErrMember) {
		s.o.Log.Warn("a payment has no place any more; it goes back", "charge", c.publicID(), "why", a.Err)
		err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return exec(ctx, tx, refundSQL, c.id, c.amount, refused.Code, s.o.Clock.Now().UnixMilli())
		})
		c.refund = c.amount
		return errors.Join(err, s.giveBack(ctx, c))
	}
	if a.Err != nil {
		return a.Err
	}
	return s.turn(ctx, c, chargePaid, "")
}

// ChargeView is a charge as the outside sees it.
type ChargeView struct {
	ID       string      `json:"id" doc:"The charge."`
	Member   string      `json:"member_id" doc:"Who pays."`
	Plan     string      `json:"plan" doc:"Code of the plan."`
	Provider string      `json:"provider" doc:"Who takes the payment."`
	Amount   int64       `json:"amount" doc:"In minor units of the currency."`
	Currency string      `json:"currency" doc:"ISO 4217 code."`
	State    chargeState `json:"state" enum:"asked,authorised,paid,failed,refunding,refunded" doc:"How far it is."`
	URL      string      `json:"pay_url,omitempty" doc:"Where the member agrees and pays, as long as it is open."`
	Refund   int64       `json:"refund,omitempty" doc:"What is given back."`
	Why      string      `json:"why,omitempty" doc:"Why it failed, or went back."`
	MadeAt   time.Time   `json:"made_at" doc:"When it was asked for."`
}

func (s *Service) viewCharge(c *charge) *ChargeView {
	v := &ChargeView{
		ID: c.publicID(), Member: member.ID(c.member).String(), Provider: c.provider, Amount: c.amount, Currency: c.currency, State: c.state,
		Refund: c.refund, Why: c.fault, MadeAt: timeOf(c.madeMS).UTC(),
	}
	if p := s.book().byID[c.plan]; p != nil {
		v.Plan = p.Code
	}
	if c.open() {
		v.URL = c.url
	}
	return v
}

func (s *Service) chargeRoutes(r *api.Router) {
	missing := []error{member.ErrNotFound, member.ErrRef, member.ErrQR}
	api.Post(r, "/v1/members/{ref}/plan/checkout", s.postCheckout, api.Doc{
		ID: "checkoutPlan", Summary: "Ask the payment provider of a plan for the member's next payment.", Tags: tags, Needs: staff.MovePoints, Status: http.StatusCreated,
		Description: "The member agrees and pays at pay_url; the membership begins, or is renewed, when the provider tells that it is paid. Asked again while the charge is open, it is that one.",
		Fails:       append([]error{ErrUnknown, ErrNone, ErrOther, ErrNotOnSale, ErrNotRenewed, ErrAhead, ErrNoProvider, ErrAsk}, missing...),
	})
	api.Get(r, "/v1/members/{ref}/plan/charges", s.getCharges, api.Doc{
		ID: "listPlanCharges", Summary: "List what payment providers were asked to charge a member, the latest first.", Tags: tags, Needs: staff.ReadMembers, Fails: missing,
		Description: "There are no pages: at most the last hundred.",
	})
	api.Post(r, "/v1/plan-callbacks/{provider}", s.postCallback, api.Doc{
		ID: "planCallback", Summary: "Where payment providers tell what became of a charge.", Tags: tags, Public: true, Status: http.StatusNoContent,
		Fails: []error{ErrNoCharge, ErrSignature},
	})
}

type checkoutIn struct {
	ledger.MemberRef
	Body struct {
		Plan string `json:"plan,omitempty" maxLength:"64" doc:"Code or id of the plan; may be left out to renew the one that runs." example:"gold"`
	}
}

type chargeOut struct{ Body ChargeView }

func (s *Service) postCheckout(ctx context.Context, in *checkoutIn) (*chargeOut, error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	v, err := s.Checkout(ctx, m, in.Body.Plan)
	if err != nil {
		return nil, err
	}
	return &chargeOut{*v}, nil
}

type chargesOut struct{ Body api.List[ChargeView] }

func (s *Service) getCharges(ctx context.Context, in *ledger.MemberRef) (*chargesOut, error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.charges(ctx, chargesOfSQL, m.Shard(), int64(m), maxCharges)
	out := &chargesOut{}
	out.Body.Items = []ChargeView{}
	for i := range list {
		out.Body.Items = append(out.Body.Items, *s.viewCharge(&list[i]))
	}
	return out, err
}

type callbackIn struct {
	Provider string          `path:"provider" minLength:"1" maxLength:"40" doc:"Who tells."`
	Body     json.RawMessage // as the provider writes it
	header   func(string) string
}

// Resolve keeps the headers, among which the provider's signature is.
func (in *callbackIn) Resolve(ctx huma.Context) []error {
	in.header = ctx.Header
	return nil
}

func (s *Service) postCallback(ctx context.Context, in *callbackIn) (*struct{}, error) {
	by := s.providers[in.Provider]
	if by == nil {
		return nil, ErrNoCharge
	}
	n, err := by.Callback(in.header, in.Body)
	if err != nil {
		return nil, ErrSignature.Because(err)
	}
	return nil, s.Heard(ctx, in.Provider, n)
}
