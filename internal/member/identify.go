package member

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// AddIdentifier gives a member one more way to be found. An identifier that the member has
// already changes nothing, but that it may become verified.
func (s *Service) AddIdentifier(ctx context.Context, ref Ref, k Kind, text string, verified bool) (Member, error) {
	value, err := normalise(k, text)
	if err != nil {
		return Member{}, err
	}
	fresh := named{k, value}
	out, err := s.change(ctx, ref, nil, func(r *record) error {
		if slices.Contains(r.personal.Identifiers, fresh) {
			return nil
		}
		return r.addIdentifier(fresh)
	})
	if err != nil || !verified {
		return out, err
	}
	return s.VerifyIdentifier(ctx, ref, k, value)
}

// RemoveIdentifier takes a way to be found from a member; the last one stays.
func (s *Service) RemoveIdentifier(ctx context.Context, ref Ref, k Kind, text string) (Member, error) {
	value, err := normalise(k, text)
	if err != nil {
		return Member{}, err
	}
	return s.change(ctx, ref, nil, func(r *record) error {
		at := slices.Index(r.personal.Identifiers, named{k, value})
		if at < 0 {
			return ErrIdentifierUnknown
		}
		r.personal.Identifiers = slices.Delete(r.personal.Identifiers, at, at+1)
		return nil
	})
}

// VerifyIdentifier notes that an identifier was proved to be the member's. The first proof
// counts.
func (s *Service) VerifyIdentifier(ctx context.Context, ref Ref, k Kind, text string) (Member, error) {
	value, err := normalise(k, text)
	if err != nil {
		return Member{}, err
	}
	who, err := s.Find(ctx, ref)
	if err != nil {
		return Member{}, err
	}
	m, err := s.get(ctx, who)
	if err != nil {
		return Member{}, err
	}
	if !slices.ContainsFunc(m.Identifiers, func(i Identifier) bool { return i.Kind == k && i.Value == value && i.From == 0 }) {
		return Member{}, ErrIdentifierUnknown
	}
	h := s.blind(named{k, value})
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, verifyIdentifierSQL, h[:], int16(h[0]), int64(who), s.clock.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("verify identifier of member %d: %w", who, err)
		}
		if n == 0 {
			return nil
		}
		if err := s.tell(ctx, tx, "member.verified", who, verifiedBody{k}); err != nil {
			return err
		}
		return s.record(ctx, tx, "member.verified", who.String(), nil, verifiedBody{k})
	})
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, who)
}
