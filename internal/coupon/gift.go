package coupon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// A gift is a link that a member makes and another accepts. The token in it names the voucher
// and holds 128 random bits, of which the voucher keeps the hash: who reads the database cannot
// accept. While a link is open the voucher cannot be used; it is good once, and for a week.

const (
	giftLasts  = 7 * 24 * time.Hour
	giftSecret = 16
)

// giftToken is what the link holds.
func giftToken(code string, secret []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{}, secret...), code...))
}

// readToken reads what giftToken wrote.
func readToken(token string) (code, hash string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= giftSecret || len(raw) > giftSecret+maxPattern+1 || !plain(string(raw[giftSecret:])) {
		return "", "", ErrGift
	}
	return string(raw[giftSecret:]), giftHash(raw[:giftSecret]), nil
}

func giftHash(secret []byte) string {
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}

// mine refuses a voucher that is not a member's in the words for one that is not there.
func mine(st *ledger.State, a *ledger.Account, v *Voucher) error {
	if v.Member == 0 {
		return ErrUnknown
	}
	err := owns(st, a, v)
	if errors.Is(err, ErrForeign) {
		return ErrUnknown
	}
	return err
}

// Offer makes the link by which a member gives a voucher away. A new one takes the place of the
// last. The token is not kept and cannot be shown again.
func (s *Service) Offer(ctx context.Context, m int64, text string) (v *Voucher, token string, err error) {
	code := fold(text)
	if !plain(code) {
		return nil, "", ErrUnknown
	}
	secret := make([]byte, giftSecret)
	if _, err := rand.Read(secret); err != nil {
		return nil, "", err
	}
	hash := giftHash(secret)
	v, err = s.changeOne(ctx, m, code, nil, func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
		if err := mine(st, a, v); err != nil {
			return err
		}
		was := *v
		was.Gift = "" // another link of the same member does not stand in the way
		if err := was.usable(st.NowMS, max(st.NowMS, v.From), 0); err != nil {
			return err
		}
		if !of.terms.Transferable || v.UsedN > 0 {
			return ErrFixed
		}
		v.Gift, v.GiftUntil = hash, min(st.NowMS+giftLasts.Milliseconds(), v.Until)
		v.step(st, a, of.coupon, Step{Kind: StepGifted}, map[string]any{"until_ms": v.GiftUntil})
		return nil
	})
	return v, giftToken(code, secret), err
}

// TakeBack ends the open link of a voucher.
func (s *Service) TakeBack(ctx context.Context, m int64, text string) (*Voucher, error) {
	code := fold(text)
	if !plain(code) {
		return nil, ErrUnknown
	}
	return s.changeOne(ctx, m, code, nil, func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
		if err := mine(st, a, v); err != nil {
			return err
		}
		if !v.gifting(st.NowMS) {
			return nil
		}
		v.Gift, v.GiftUntil = "", 0
		v.step(st, a, of.coupon, Step{Kind: StepKept}, nil)
		return nil
	})
}

// Gift reads the voucher behind a link that is open.
func (s *Service) Gift(ctx context.Context, token string) (*Voucher, error) {
	code, hash, err := readToken(token)
	if err != nil {
		return nil, err
	}
	v, err := s.Voucher(ctx, code)
	if err != nil || !v.opens(hash, s.nowMS()) || !v.open(s.nowMS()) {
		return nil, ErrGift
	}
	return v, nil
}

// opens reports whether a link of this hash is open.
func (v *Voucher) opens(hash string, nowMS int64) bool {
	return v.gifting(nowMS) && subtle.ConstantTimeCompare([]byte(v.Gift), []byte(hash)) == 1
}

// Accept makes a member the holder of a voucher by a link. It must be for them; what it counted
// for stays with whom it was issued to.
func (s *Service) Accept(ctx context.Context, m int64, token string) (*Voucher, error) {
	code, hash, err := readToken(token)
	if err != nil {
		return nil, err
	}
	was, err := s.Gift(ctx, token)
	if err != nil {
		return nil, err
	}
	if of := s.now.Load().of(was.Coupon, was.Version); of != nil {
		ok, err := s.eligible(ctx, []int64{m}, []*cond.Cond{of.audience})
		if err != nil {
			return nil, err
		}
		if !ok[m] {
			return nil, ErrAudience
		}
	}
	return s.changeOne(ctx, m, code, nil, func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
		switch {
		case !v.opens(hash, st.NowMS) || !v.open(st.NowMS):
			return ErrGift
		case v.Member == a.ID:
			return ErrOwnGift
		case !a.MayEarn:
			return ledger.ErrMayNotEarn
		}
		if v.Origin.For == 0 {
			v.Origin.For = v.Member
		}
		v.Member, v.ClaimedMS, v.Gift, v.GiftUntil = a.ID, st.NowMS, "", 0
		v.step(st, a, of.coupon, Step{Kind: StepAccepted}, map[string]any{"until_ms": v.Until})
		return nil
	})
}
