package coupon

import "context"

// Again sends the first slice of a sending once more, as a job would that read its place before
// another moved it on; then it does what is left.
func (s *Service) Again(ctx context.Context, n int64) error {
	b, err := s.batch(ctx, n)
	if err != nil {
		return err
	}
	b.Place = 0
	if _, err := s.sendNext(ctx, b); err != nil {
		return err
	}
	return s.runOut(ctx, n, func(*Batch) {})
}
