package draw

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/privacy"
)

var _ privacy.Part = (*Service)(nil)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "draws" }

const personPage = 200

// Export writes what a person played and won.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("plays", "id", "draw", "at", "paid", "paid_in", "prize", "kind", "currency", "amount", "coupon", "pick_up_code", "handed_out_at", "epoch", "number", "mark"); err != nil {
		return err
	}
	for _, m := range who.Records {
		for p := (api.Page{Limit: personPage}); ; {
			list, next, err := s.ofRecord(ctx, int64(m), p)
			if err != nil {
				return err
			}
			for _, x := range list {
				b, code := &x.Body, ""
				if g := s.now.Load().games[x.Draw]; g != nil {
					code = g.Code
				}
				var handed any
				if t := moment(x.Handed); t != nil {
					handed = *t
				}
				if err := to.Row(x.ID(), code, timeOf(x.AtMS), b.Paid, b.PaidIn, x.Prize, string(b.Kind), b.Currency, b.Amount, b.Coupon, spaced(x.Code), handed, x.Epoch, b.Line.N, b.Line.Mark); err != nil {
					return err
				}
			}
			if p.Cursor = next; next == "" {
				break
			}
		}
	}
	return nil
}

// Erase is part of privacy.Part: what is kept here says nothing of the person, and what is
// published of a play names nobody.
func (s *Service) Erase(context.Context, privacy.Erasure) error { return nil }
