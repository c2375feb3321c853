package till

import (
	"context"
	"net/http"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) checkoutRoutes(r *api.Router) {
	tags := []string{"Checkouts"}
	refused := []error{
		ErrMoney, ErrNobody, ErrWorthless, ErrSpend, ErrSpendNone, sale.ErrLineTwice, sale.ErrQuantity, member.ErrRef, member.ErrNotFound, member.ErrQR, program.ErrNoStore,
		ledger.ErrCurrency, ledger.ErrInsufficient, ledger.ErrMayNotSpend, ledger.ErrUnknown, ledger.ErrOverload, coupon.ErrHeld, coupon.ErrUsed, coupon.ErrUses, coupon.ErrMyUses, coupon.ErrBudget,
	}
	api.Post(r, "/v1/checkouts", s.postCheckout, api.Doc{
		ID: "openCheckout", Summary: "Quote a basket, and hold all that it uses: coupons, points, stored value.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusCreated, KeyRequired: true, OwnKey: true,
		Description: "Codes that do not apply do not fail the quote: left_out says why. With dry_run=true nothing is held. What is held comes free by itself at expires_at.", Fails: refused,
	})
	api.Get(r, "/v1/checkouts/{id}", s.getCheckout, api.Doc{ID: "getCheckout", Summary: "Read a checkout.", Tags: tags, Needs: staff.ReadSales, Fails: []error{ErrNoCheckout}})
	api.Post(r, "/v1/checkouts/{id}/change", s.postChange, api.Doc{
		ID: "changeCheckout", Summary: "Quote another basket, or other wishes, in place of what an open checkout holds.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusOK, KeyRequired: true, OwnKey: true,
		Description: "One step: where the new cannot be held, the old stays held. The time begins anew.", Fails: append([]error{ErrNoCheckout, ErrOver, ErrMoved}, refused...),
	})
	api.Post(r, "/v1/checkouts/{id}/confirm", s.postConfirm, api.Doc{
		ID: "confirmCheckout", Summary: "Make the sale: at the prices that were quoted, with all that was held.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusCreated, KeyRequired: true, OwnKey: true,
		Description: "The document number is unique for ever under its source, as of any sale: sent again, it gets the first answer, whatever became of the key. After expires_at it is refused, and nothing has changed.",
		Fails:       []error{ErrNoCheckout, ErrOver, sale.ErrTaken, sale.ErrFuture, sale.ErrPayment, ledger.ErrUnknown, ledger.ErrOverload},
	})
	api.Post(r, "/v1/checkouts/{id}/release", s.postRelease, api.Doc{
		ID: "releaseCheckout", Summary: "Let go of what a checkout holds.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusOK, KeyRequired: true, OwnKey: true,
		Description: "A checkout that is released, or over, stays so. One that was confirmed is a sale: return it.", Fails: []error{ErrNoCheckout, ErrOver},
	})
}

// CheckoutRef names the checkout that a path is about.
type CheckoutRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The checkout: chk_…"`
}

type checkoutIn struct {
	DryRun bool `query:"dry_run" doc:"Quote and hold nothing."`
	Body   Wish
}

func rawCheckout(a ledger.Answer, err error) (*api.RawOf[checkoutView], error) {
	if a.Raw.Status == 0 {
		return nil, err
	}
	return &api.RawOf[checkoutView]{Raw: a.Raw}, nil
}

func (s *Service) postCheckout(ctx context.Context, in *checkoutIn) (*api.RawOf[checkoutView], error) {
	return rawCheckout(s.Quote(ctx, in.Body, in.DryRun))
}

type checkoutOut struct{ Body *checkoutView }

func (s *Service) getCheckout(ctx context.Context, in *CheckoutRef) (*checkoutOut, error) {
	c, err := s.FindCheckout(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &checkoutOut{c.view(s.o.Clock.Now().UnixMilli())}, nil
}

type changeIn struct {
	CheckoutRef
	DryRun bool `query:"dry_run" doc:"Quote, and leave what is held as it is."`
	Body   Wish
}

func (s *Service) postChange(ctx context.Context, in *changeIn) (*api.RawOf[checkoutView], error) {
	return rawCheckout(s.Change(ctx, in.ID, in.Body, in.DryRun))
}

type confirmIn struct {
	CheckoutRef
	api.DryRun
	Body Confirmation
}

func (s *Service) postConfirm(ctx context.Context, in *confirmIn) (*api.RawOf[sale.Answer], error) {
	r := s.Confirm(ctx, in.ID, in.Body, sale.Ask{DryRun: in.DryRun.DryRun, Explain: in.Explain, HTTP: true, Key: api.KeyOf(ctx)})
	if r.Raw.Status == 0 {
		return nil, r.Err
	}
	return &api.RawOf[sale.Answer]{Raw: r.Raw}, nil
}

func (s *Service) postRelease(ctx context.Context, in *CheckoutRef) (*api.RawOf[checkoutView], error) {
	return rawCheckout(s.Release(ctx, in.ID))
}
