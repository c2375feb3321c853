package member

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Seal puts what another noun keeps of a member under the member's own key, so that an erasure
// takes it away wherever copies of it lie. aad binds it to its place. ErrNotFound for who is
// not there or was erased.
func (s *Service) Seal(ctx context.Context, tx *db.Tx, m ID, plain, aad []byte) ([]byte, error) {
	key, err := s.keyOf(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	return key.Seal(plain, aad), nil
}

// Unseal opens what Seal made, or returns nil where the key of the member was destroyed.
func (s *Service) Unseal(ctx context.Context, tx *db.Tx, m ID, sealed, aad []byte) ([]byte, error) {
	keys, err := s.keyring(ctx, tx, []ID{m})
	if err != nil {
		return nil, err
	}
	key, there := keys[m]
	if !there {
		return nil, nil
	}
	plain, err := key.Open(sealed, aad)
	if err != nil {
		return nil, fmt.Errorf("open what is sealed of member %d: %w", m, err)
	}
	return plain, nil
}
