package staff

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

var (
	// ErrNoKey answers for a key that is not there.
	ErrNoKey = errs.New(errs.NotFound, "staff.no_key", "There is no such API key.", "没有这个 API 密钥。")
	// ErrScope refuses a scope that is no permission.
	ErrScope = errs.New(errs.Invalid, "staff.scope", "Scopes are names of permissions, or \"all\" alone; at least one.", "范围应为权限名称，或单独使用 \"all\"，至少一项。")
	// ErrExpiry refuses a key that would never have been valid.
	ErrExpiry = errs.New(errs.Invalid, "staff.expiry", "The time of expiry has to be in the future.", "到期时间必须晚于现在。")
)

// How keys begin. The words let people and leak scanners tell what they have found.
const (
	livePrefix = "pk_live_"
	testPrefix = "pk_test_"
	shownChars = 6 // of the random part, kept to tell keys apart: 30 of 256 bits
)

// Key is an API key without its secret.
type Key struct {
	ID                int64
	Prefix            string // how the secret begins
	Name              string
	Scopes            []string       // permissions, or "all"
	Merchants, Stores []int64        // where it may act; both empty = everywhere
	Networks          []netip.Prefix // from where it may be used; empty = from anywhere
	Replaces          int64          // the key that it took the place of; 0 = none
	Test              bool           // acts in the sandbox programme
	CreatedBy         string         // public id
	Created           time.Time
	Until             time.Time // exclusive; zero = for ever
	Used              time.Time // to the minute; zero = never
	Revoked           time.Time // zero = not
}

// PublicID is what the outside calls the key.
func (k Key) PublicID() string { return id.Encode(keyPrefix, 0, k.ID) }

// NewKey is what a key is made from.
type NewKey struct {
	Name              string
	Scopes            []string
	Merchants, Stores []string // ids or codes; both empty = everywhere
	Networks          []string // addresses or networks, "203.0.113.0/24"; empty = from anywhere
	Test              bool
	Until             time.Time // zero = for ever
}

// CreateKey makes a key and returns it with its secret, which nobody can read again. A
// caller gives only scopes that they have; a test key makes only test keys.
func (s *Service) CreateKey(ctx context.Context, n NewKey) (Key, string, error) {
	k, err := s.prepareKey(ctx, n)
	if err != nil {
		return Key{}, "", err
	}
	if k.ID, err = s.db.NextID(ctx, "key"); err != nil {
		return Key{}, "", err
	}
	secret := k.newSecret()
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := insertKey(ctx, tx, k, hashOf(secret)); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "key.add", k.PublicID(), nil, k.trail())
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// newSecret makes the text of the key and notes how it begins.
func (k *Key) newSecret() string {
	secret := keyText(k.Test)
	k.Prefix = secret[:len(livePrefix)+shownChars]
	return secret
}

func (s *Service) prepareKey(ctx context.Context, n NewKey) (k Key, err error) {
	if k.Name, err = checkName(n.Name); err != nil {
		return k, err
	}
	if k.Scopes, err = checkScopes(n.Scopes); err != nil {
		return k, err
	}
	if err = mayMakeKey(ctx, k.Scopes, n.Test); err != nil {
		return k, err
	}
	if k.Merchants, k.Stores, err = s.places(n.Merchants, n.Stores); err != nil {
		return k, err
	}
	if k.Networks, err = parseNetworks(n.Networks); err != nil {
		return k, err
	}
	k.Created = s.clock.Now()
	if !n.Until.IsZero() && !n.Until.After(k.Created) {
		return k, ErrExpiry.At("body.expires_at")
	}
	k.Test, k.Until, k.CreatedBy = n.Test, n.Until, api.CallerOf(ctx).ID
	return k, nil
}

// mayMakeKey is mayManage, but for test keys, which may make their like.
func mayMakeKey(ctx context.Context, scopes []string, test bool) error {
	c := api.CallerOf(ctx)
	if c.Sandbox && test {
		c.Sandbox = false
		ctx = api.WithCaller(ctx, c)
	}
	return mayManage(ctx, scope(scopes))
}

// checkScopes sorts the scopes and takes doubles out.
func checkScopes(scopes []string) ([]string, error) {
	known := Permissions()
	list := slices.Clone(scopes)
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) == 0 || len(list) > 1 && slices.Contains(list, All) {
		return nil, ErrScope.At("body.scopes")
	}
	for _, name := range list {
		if name != All && !slices.Contains(known, api.Permission(name)) {
			return nil, ErrScope.At("body.scopes")
		}
	}
	return list, nil
}

var keyAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// keyText makes the text of a key: 256 random bits, in letters that survive a telephone.
func keyText(test bool) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: Go stops the process instead
	prefix := livePrefix
	if test {
		prefix = testPrefix
	}
	return prefix + keyAlphabet.EncodeToString(b)
}

// RevokeKey ends a key; the reason, where one is given, goes into the audit trail. Ending it
// twice is no error and writes nothing.
func (s *Service) RevokeKey(ctx context.Context, n int64, reason string) error {
	return s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		k, err := readKey(ctx, tx, n)
		if err != nil {
			return err
		}
		if err := mayMakeKey(ctx, k.Scopes, k.Test); err != nil {
			return err
		}
		done, err := revokeKey(ctx, tx, n, s.clock.Now())
		if err != nil || !done {
			return err
		}
		var after any
		if reason != "" {
			after = map[string]string{"reason": reason}
		}
		return s.audit.Record(ctx, tx, "key.revoke", k.PublicID(), nil, after)
	})
}

// Keys reads up to n keys before a number, newest first, revoked ones too.
func (s *Service) Keys(ctx context.Context, before int64, n int) (list []Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readKeys(ctx, tx, before, n)
		return err
	})
	return list, err
}

// Key reads one key.
func (s *Service) Key(ctx context.Context, n int64) (k Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		k, err = readKey(ctx, tx, n)
		return err
	})
	return k, err
}

// trail is what the audit trail keeps of a key.
func (k Key) trail() any {
	var until *string
	if !k.Until.IsZero() {
		text := k.Until.UTC().Format(time.RFC3339)
		until = &text
	}
	return struct {
		Prefix    string  `json:"prefix"`
		Name      string  `json:"name"`
		Scopes    string  `json:"scopes"`
		Merchants []int64 `json:"merchants"`
		Stores    []int64 `json:"stores"`
		Networks  string  `json:"networks,omitempty"`
		Replaces  int64   `json:"replaces,omitempty"`
		Test      bool    `json:"test"`
		Until     *string `json:"expires_at"`
	}{k.Prefix, k.Name, strings.Join(k.Scopes, ","), k.Merchants, k.Stores, strings.Join(networkTexts(k.Networks), ","), k.Replaces, k.Test, until}
}
