package staff

import (
	"context"
	"errors"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// NewAccount is what an account is made from.
type NewAccount struct {
	Email, Name, Password string
	Role                  Role
	Merchants, Stores     []string // ids or codes; both empty = everywhere
}

// CreateStaff adds an account. Nobody makes one with more rights than their own.
func (s *Service) CreateStaff(ctx context.Context, n NewAccount) (Account, error) {
	a, err := s.prepare(n)
	if err != nil {
		return Account{}, err
	}
	if err := mayManage(ctx, a.Role.Can()); err != nil {
		return Account{}, err
	}
	if a.password, err = s.hasher.hash(ctx, n.Password); err != nil {
		return Account{}, err
	}
	if a.ID, err = s.db.NextID(ctx, "staff"); err != nil {
		return Account{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.insert(ctx, tx, a) })
	return a, emailTaken(err)
}

// insert writes a new account and its audit entry.
func (s *Service) insert(ctx context.Context, tx *db.Tx, a Account) error {
	if err := insertAccount(ctx, tx, a); err != nil {
		return err
	}
	return s.audit.Record(ctx, tx, "staff.add", a.PublicID(), nil, a.trail())
}

// prepare checks everything about a new account but the right to make it.
func (s *Service) prepare(n NewAccount) (a Account, err error) {
	if a.Email, err = foldEmail(n.Email); err != nil {
		return a, err
	}
	if a.Name, err = checkName(n.Name); err != nil {
		return a, err
	}
	if a.Role = n.Role; !a.Role.Valid() {
		return a, ErrRole.At("body.role")
	}
	if err = checkPassword(n.Password, a.Email, a.Name); err != nil {
		return a, err
	}
	if a.Merchants, a.Stores, err = s.places(n.Merchants, n.Stores); err != nil {
		return a, err
	}
	a.Active, a.Created = true, s.clock.Now()
	return a, nil
}

// places reads what a request calls merchants and stores. It gives no nil lists.
func (s *Service) places(merchants, stores []string) (m, st []int64, err error) {
	bad := ErrPlaces.With("most", maxPlaces)
	now := s.program.Snapshot()
	m, st = []int64{}, []int64{}
	if len(merchants) > maxPlaces || len(stores) > maxPlaces {
		return nil, nil, bad
	}
	for _, ref := range merchants {
		found, err := now.FindMerchant(ref)
		if err != nil {
			return nil, nil, bad.At("body.merchants")
		}
		m = append(m, found.ID)
	}
	for _, ref := range stores {
		found, err := now.FindStore(ref)
		if err != nil {
			return nil, nil, bad.At("body.stores")
		}
		st = append(st, found.ID)
	}
	slices.Sort(m)
	slices.Sort(st)
	return slices.Compact(m), slices.Compact(st), nil
}

// mayManage refuses callers who would give, or touch, rights beyond their own.
func mayManage(ctx context.Context, rights map[api.Permission]bool) error {
	c := api.CallerOf(ctx)
	if c.Sandbox {
		return ErrSandbox
	}
	if err := wide(ctx); err != nil {
		return err
	}
	if !covers(c.Can, rights) {
		return ErrTooHigh
	}
	return nil
}

// wide refuses callers who are limited to merchants or stores: accounts, keys and the
// trail belong to the whole programme.
func wide(ctx context.Context) error {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return program.ErrLimited
	}
	return nil
}

// AccountChange is a change of an account: what is nil stays.
type AccountChange struct {
	Name              *string
	Role              *Role
	Active            *bool
	Merchants, Stores *[]string
}

// ChangeStaff changes an account; its sessions see it at once. Disabling ends them. The
// last active owner stays one.
func (s *Service) ChangeStaff(ctx context.Context, n int64, c AccountChange) (Account, error) {
	var after Account
	err := s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		before, err := readAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		if after, err = s.apply(before, c); err != nil {
			return err
		}
		if err := mayManage(ctx, union(before.Role.Can(), after.Role.Can())); err != nil {
			return err
		}
		if err := updateAccount(ctx, tx, after, s.clock.Now()); err != nil {
			return err
		}
		if !after.Active {
			if err := deleteSessions(ctx, tx, n); err != nil {
				return err
			}
		}
		return s.audit.Record(ctx, tx, "staff.change", after.PublicID(), before.trail(), after.trail())
	})
	return after, err
}

func (s *Service) apply(a Account, c AccountChange) (Account, error) {
	var err error
	if c.Name != nil {
		if a.Name, err = checkName(*c.Name); err != nil {
			return a, err
		}
	}
	if c.Role != nil {
		if a.Role = *c.Role; !a.Role.Valid() {
			return a, ErrRole.At("body.role")
		}
	}
	if c.Active != nil {
		a.Active = *c.Active
	}
	if c.Merchants != nil {
		if a.Merchants, _, err = s.places(*c.Merchants, nil); err != nil {
			return a, err
		}
	}
	if c.Stores != nil {
		if _, a.Stores, err = s.places(nil, *c.Stores); err != nil {
			return a, err
		}
	}
	return a, nil
}

// SetPassword gives another person a new password and ends their sessions.
func (s *Service) SetPassword(ctx context.Context, n int64, password string) error {
	a, err := s.account(ctx, n)
	if err != nil {
		return err
	}
	if err := mayManage(ctx, a.Role.Can()); err != nil {
		return err
	}
	return s.replacePassword(ctx, a, password)
}

// replacePassword writes a new password and ends every session of the account.
func (s *Service) replacePassword(ctx context.Context, a Account, password string) error {
	if err := checkPassword(password, a.Email, a.Name); err != nil {
		return err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := updatePassword(ctx, tx, a.ID, phc, s.clock.Now()); err != nil {
			return err
		}
		if err := deleteSessions(ctx, tx, a.ID); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "staff.password", a.PublicID(), nil, nil)
	})
}

// Rename changes the name of the account that makes the request.
func (s *Service) Rename(ctx context.Context, name string) (Account, error) {
	n, err := self(ctx)
	if err != nil {
		return Account{}, err
	}
	if name, err = checkName(name); err != nil {
		return Account{}, err
	}
	var after Account
	err = s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		if after, err = readAccount(ctx, tx, n); err != nil {
			return err
		}
		after.Name = name
		if err := updateAccount(ctx, tx, after, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "staff.change", after.PublicID(), nil, map[string]any{"changed": []string{"name"}})
	})
	return after, err
}

// AccountFilter narrows a list of accounts. The zero one takes all.
type AccountFilter struct {
	Words  string // part of a name or an address; letters beyond ASCII only as they are written
	Role   Role
	Active *bool
}

// Accounts reads up to n accounts after a number, in the order in which they were made.
func (s *Service) Accounts(ctx context.Context, after int64, f AccountFilter, n int) ([]Account, error) {
	var list []Account
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = readAccounts(ctx, tx, after, f, n)
		return err
	})
	return list, err
}

func (s *Service) account(ctx context.Context, n int64) (a Account, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		a, err = readAccount(ctx, tx, n)
		return err
	})
	return a, err
}

// self is the number of the account that makes the request; a key has none.
func self(ctx context.Context) (int64, error) {
	c := api.CallerOf(ctx)
	if c.Kind != "staff" {
		return 0, ErrNoPerson
	}
	_, n, err := id.Decode(accountPrefix, c.ID)
	return n, err
}

// ErrNoPerson refuses to a key what only a person has: a password, a session.
var ErrNoPerson = errs.New(errs.Conflict, "staff.no_person", "An API key has no sessions and no password.", "API 密钥没有会话和密码。")

// trail is what the audit trail keeps of an account: no name, no address.
func (a Account) trail() any {
	return struct {
		Role      Role    `json:"role"`
		Active    bool    `json:"active"`
		Merchants []int64 `json:"merchants"`
		Stores    []int64 `json:"stores"`
	}{a.Role, a.Active, a.Merchants, a.Stores}
}

func union(a, b map[api.Permission]bool) map[api.Permission]bool {
	for p := range b {
		a[p] = true
	}
	return a
}

func emailTaken(err error) error {
	if errors.Is(err, db.ErrUnique) {
		return ErrEmailTaken.At("body.email").Because(err)
	}
	return err
}
