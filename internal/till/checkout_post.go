package till

import (
	"context"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// open is the command that holds what a quote needs: of a new checkout, or in place of what an
// open one held.
type open struct {
	s    *Service
	c    Checkout  // as it will stand, but for its holds
	was  *Checkout // that is changed; nil for a new one
	made bool
}

// Needs names the account, the lots that are spent first, and the coupons.
func (c *open) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.c.Member}, Rows: []ledger.RowKey{checkoutRow(c.c.Member, c.c.ID)}}
	for _, x := range c.c.Body.Spends {
		n.Heads = append(n.Heads, ledger.Head{Member: c.c.Member, Currency: x.Currency})
	}
	n.Add(c.s.o.Coupons.UseNeeds(c.c.Body.Uses, c.c.Member))
	if c.was != nil {
		n.Add(c.s.heldBy(c.was))
	}
	return n
}

// heldBy names what a checkout holds.
func (s *Service) heldBy(c *Checkout) ledger.Needs {
	n := s.o.Coupons.UseNeeds(c.Body.Uses, c.Member)
	for _, x := range c.Body.Spends {
		n.Holds = append(n.Holds, ledger.LotKey{Member: c.Member, Seq: x.Hold})
	}
	return n
}

// Decide holds everything, or nothing.
func (c *open) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(c.c.Member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	next := c.c
	next.Body, next.MadeMS = copyOf(c.c.Body), st.NowMS
	if c.was != nil {
		was, err := loadCheckout(st, c.c.Member, c.c.ID)
		if err != nil {
			return nil, err
		}
		if err := was.open(st.NowMS); err != nil {
			return nil, err
		}
		if err := c.s.letGo(st, a, was); err != nil {
			return nil, err
		}
		next.MadeMS = was.MadeMS
	}
	if err := c.s.o.Coupons.Hold(st, a, next.Body.Uses, next.ID, next.Until); err != nil {
		return nil, err
	}
	for i := range next.Body.Spends {
		x := &next.Body.Spends[i]
		cur, err := st.Config.Currency(x.Currency)
		if err != nil {
			return nil, err
		}
		h, err := st.Hold(a, cur, x.Amount, next.Until, "checkout", ledger.Posting{})
		if err != nil {
			return nil, err
		}
		x.Hold = h.Seq
	}
	next.put(st)
	v := next.view(st.NowMS)
	v.made = c.made
	return v, nil
}

// letGo gives back what a checkout holds. What has lapsed is back already.
func (s *Service) letGo(st *ledger.State, a *ledger.Account, c *Checkout) error {
	var holds []ledger.LotKey
	for _, x := range c.Body.Spends {
		if _, err := st.FindHold(a, x.Hold); err != nil { // it was changed since the command was made
			holds = append(holds, ledger.LotKey{Member: c.Member, Seq: x.Hold})
		}
	}
	if len(holds) > 0 {
		return &ledger.Again{Needs: ledger.Needs{Holds: holds}}
	}
	if err := s.o.Coupons.Free(st, a, c.Body.Uses, c.ID); err != nil {
		return err
	}
	for _, x := range c.Body.Spends {
		h, err := st.FindHold(a, x.Hold)
		if err != nil {
			return err
		}
		if h.State != ledger.HoldOpen {
			continue
		}
		if err := st.Release(a, h); err != nil {
			return err
		}
	}
	return nil
}

// release is the command that lets a checkout go.
type release struct {
	s   *Service
	was *Checkout
}

func (c *release) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.was.Member}, Rows: []ledger.RowKey{checkoutRow(c.was.Member, c.was.ID)}}
	n.Add(c.s.heldBy(c.was))
	return n
}

func (c *release) Decide(st *ledger.State) (any, error) {
	now, err := loadCheckout(st, c.was.Member, c.was.ID)
	if err != nil {
		return nil, err
	}
	a, err := st.Account(now.Member)
	if err != nil {
		return nil, err
	}
	switch now.stage(st.NowMS) {
	case StageReleased, StageExpired: // it is what was asked for
		return now.view(st.NowMS), nil
	case StageConfirmed:
		return nil, now.open(st.NowMS)
	}
	if err := c.s.letGo(st, a, now); err != nil {
		return nil, err
	}
	now.Stage = StageReleased
	now.put(st)
	return now.view(st.NowMS), nil
}

// until is when what is held from now ends.
func (s *Service) until(ttl int64) int64 {
	d := defaultTTL
	if ttl > 0 {
		d = time.Duration(ttl) * time.Second
	}
	return s.o.Clock.Now().Add(d + ttlGrain - time.Millisecond).Truncate(ttlGrain).UnixMilli()
}

// Quote quotes a basket and holds what it needs.
func (s *Service) Quote(ctx context.Context, w Wish, dry bool) (ledger.Answer, error) {
	n, err := s.o.DB.NextID(ctx, "checkout")
	if err != nil {
		return ledger.Answer{}, err
	}
	return s.hold(ctx, w, n, nil, dry)
}

// Change quotes another basket, or other wishes, in place of what an open checkout held.
func (s *Service) Change(ctx context.Context, ref string, w Wish, dry bool) (ledger.Answer, error) {
	was, err := s.FindCheckout(ctx, ref)
	if err != nil {
		return ledger.Answer{}, err
	}
	if w.Member == "" {
		w.Member = was.memberOf()
	}
	return s.hold(ctx, w, was.ID, was, dry)
}

// maxHoldTries bounds how often a member is followed to whom they were merged into.
const maxHoldTries = 8

func (s *Service) hold(ctx context.Context, w Wish, n int64, was *Checkout, dry bool) (ledger.Answer, error) {
	for range maxHoldTries {
		q, err := s.quote(ctx, w, n, was)
		if err != nil {
			return ledger.Answer{}, err
		}
		c := Checkout{Member: q.basket.Sale.Member, ID: n, Stage: StageOpen, Store: q.basket.Sale.Store, Until: s.until(w.TTL), Body: q.body}
		if was != nil && was.Member != c.Member {
			return ledger.Answer{}, ErrMoved
		}
		out := s.o.Ledger.Engine().DoMany(ctx, []ledger.Request{ledger.RequestOf(ctx, &open{s: s, c: c, was: was, made: was == nil}, dry)})[0]
		if m, ok := out.Err.(*ledger.Moved); ok { //nolint:errorlint // the engine hands it on bare
			w.Member = member.ID(m.To).String()
			continue
		}
		return out, out.Err
	}
	return ledger.Answer{}, sale.ErrStale
}

// ErrMoved refuses to change a checkout into somebody else's.
var ErrMoved = errs.New(errs.Conflict, "checkout.member", "This checkout is of another member. Release it and quote anew.", "这笔结账属于其他会员，请取消后重新计算。")

// Release lets a checkout go.
func (s *Service) Release(ctx context.Context, ref string) (ledger.Answer, error) {
	was, err := s.FindCheckout(ctx, ref)
	if err != nil {
		return ledger.Answer{}, err
	}
	out := s.o.Ledger.Engine().DoMany(ctx, []ledger.Request{ledger.RequestOf(ctx, &release{s, was}, false)})[0]
	return out, out.Err
}

// Confirmation is what a till says when the customer has paid.
type Confirmation struct {
	Source     string            `json:"source" minLength:"1" maxLength:"64" doc:"System that numbers the documents."`
	Document   string            `json:"document" minLength:"1" maxLength:"64" doc:"Number of the receipt; unique for ever under its source."`
	At         string            `json:"at,omitempty" maxLength:"40" doc:"When it was made. RFC 3339; without a zone, in the programme's; now where absent."`
	Payments   []sale.NewPayment `json:"payments,omitempty" maxItems:"20" doc:"How to_pay was paid; points and stored value are added by themselves."`
	Attributes map[string]any    `json:"attributes,omitempty" doc:"In place of those of the quote."`
}

// Confirm makes the sale of a checkout: prices as they were quoted, everything that was held used.
func (s *Service) Confirm(ctx context.Context, ref string, in Confirmation, ask sale.Ask) sale.Result {
	c, err := s.FindCheckout(ctx, ref)
	if err != nil {
		return sale.Result{Err: err}
	}
	n := c.Body.New
	n.Source, n.Document, n.Payments = in.Source, in.Document, in.Payments
	if n.At = strings.TrimSpace(in.At); n.At == "" {
		// What a retry without a time says has to be what the first one said.
		n.At = time.UnixMilli(c.MadeMS).UTC().Format(time.RFC3339Nano)
	}
	if in.Attributes != nil {
		n.Attributes = in.Attributes
	}
	for _, x := range c.Body.Spends {
		n.Payments = append(n.Payments, sale.NewPayment{Kind: payKind(s.o.Ledger.Config().ByCode[x.Currency]), Amount: x.Worth, Reference: ledger.HoldID(c.Member, x.Hold)})
	}
	p := pricing{s.o.Prices, s.o.Coupons}
	ask.Price = func(_ context.Context, b *sale.Basket) (sale.Part, error) {
		takeOff(b, c.Body.Offs, c.Body.Uses)
		return redeem{p: p, uses: c.Body.Uses, checkout: c}, nil
	}
	return s.o.Sales.Record(ctx, n, ask)
}
