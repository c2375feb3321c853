package staff

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrLink refuses a setup link that is wrong, used, too old, or not needed any more.
var ErrLink = errs.New(errs.Forbidden, "staff.setup_link", "This link is not valid any more. Start the server again for a new one.", "此链接已失效，请重新启动服务以获取新链接。")

// linkFor is how long the link of the first owner works.
const linkFor = 24 * time.Hour

// OwnerLink returns the link by which the first owner is made, or "" where there is an
// active owner. origin is where the console is served, "http://127.0.0.1:8080". Each call makes
// a new link and voids the one before, since only its hash is kept; of nodes that start
// together the last one's counts. The token stands behind #, so that it is in no log.
func (s *Service) OwnerLink(ctx context.Context, origin string) (string, error) {
	secret := newSecret()
	until := s.clock.Now().Add(linkFor)
	made := false
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		made, err = setLink(ctx, tx, hashOf(secret), until)
		return err
	})
	if err != nil || !made {
		return "", err
	}
	return origin + "/setup#" + secret, nil
}

// Setup makes the first owner by the token of the link and signs them in. Of many who
// come with the same token one is served.
func (s *Service) Setup(ctx context.Context, secret string, n NewAccount) (Account, string, error) {
	if err := s.checkLink(ctx, secret); err != nil { // before the costly hash
		return Account{}, "", err
	}
	n.Role, n.Merchants, n.Stores = Owner, nil, nil
	a, err := s.prepare(n)
	if err != nil {
		return Account{}, "", err
	}
	if a.password, err = s.hasher.hash(ctx, n.Password); err != nil {
		return Account{}, "", err
	}
	if a.ID, err = s.db.NextID(ctx, "staff"); err != nil {
		return Account{}, "", err
	}
	session, err := s.db.NextID(ctx, "session")
	if err != nil {
		return Account{}, "", err
	}
	token := newSecret()
	actor := api.WithCaller(ctx, api.Caller{Kind: "staff", ID: a.PublicID()})
	err = s.db.InTx(actor, func(ctx context.Context, tx *db.Tx) error {
		if err := useLink(ctx, tx, hashOf(secret), s.clock.Now()); err != nil {
			return err
		}
		if err := s.insert(ctx, tx, a); err != nil {
			return err
		}
		return s.open(ctx, tx, a, session, token, "")
	})
	if err != nil {
		return Account{}, "", emailTaken(err)
	}
	return a, token, nil
}

func (s *Service) checkLink(ctx context.Context, secret string) error {
	return s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return linkHolds(ctx, tx, hashOf(secret), s.clock.Now())
	})
}
