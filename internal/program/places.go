package program

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrLimited refuses what needs the whole programme to callers who have a part of it.
var ErrLimited = errs.New(errs.Forbidden, "program.limited",
	"Your account is limited to some merchants or stores; this needs the whole programme.",
	"您的账号仅限部分商户或门店，此操作需要整个计划的权限。")

// PlaceChange is a change of a merchant, store or till: what is nil stays. Tills have
// nothing but Open, merchants no zone and no address.
type PlaceChange struct {
	NameEN, NameZH, Zone, Address *string
	Open                          *bool
}

// AddMerchant adds a merchant; its id is given by the program.
func (s *Service) AddMerchant(ctx context.Context, m Merchant) (Merchant, error) {
	if err := wholeProgram(ctx); err != nil {
		return Merchant{}, err
	}
	m.NameEN, m.NameZH = fillNames(m.NameEN, m.NameZH)
	m.Open = true
	if err := m.check(); err != nil {
		return Merchant{}, err
	}
	if len(s.Snapshot().merchants) >= maxMerchants {
		return Merchant{}, ErrTooMany.With("most", maxMerchants)
	}
	var err error
	if m.ID, err = s.db.NextID(ctx, "merchant"); err != nil {
		return Merchant{}, err
	}
	return m, s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := insertMerchant(ctx, tx, m, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "merchant.add", MerchantID(m.ID), nil, m)
	})
}

// ChangeMerchant changes a merchant. The merchant of the default store stays open.
func (s *Service) ChangeMerchant(ctx context.Context, ref string, c PlaceChange) (Merchant, error) {
	var after Merchant
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		before, err := now.FindMerchant(ref)
		if err != nil || !now.SeesMerchant(api.CallerOf(ctx), before.ID) {
			return ErrNoMerchant
		}
		if len(api.CallerOf(ctx).Stores) > 0 {
			return ErrLimited // they have stores of it, not the merchant
		}
		after = before
		if err := after.apply(c); err != nil {
			return err
		}
		if !after.Open && now.DefaultStore().Merchant == after.ID {
			return ErrDefault
		}
		if err := updateMerchant(ctx, tx, after, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "merchant.change", MerchantID(after.ID), before, after)
	})
	return after, err
}

func (m *Merchant) apply(c PlaceChange) error {
	set(&m.NameEN, c.NameEN)
	set(&m.NameZH, c.NameZH)
	set(&m.Open, c.Open)
	m.NameEN, m.NameZH = fillNames(m.NameEN, m.NameZH)
	return m.check()
}

func (m Merchant) check() error {
	if !goodCode(m.Code) {
		return ErrCode.At("body.code")
	}
	return checkNames(m.NameEN, m.NameZH)
}

// AddStore adds a store to an open merchant that the caller may work with.
func (s *Service) AddStore(ctx context.Context, st Store) (Store, error) {
	st.NameEN, st.NameZH = fillNames(st.NameEN, st.NameZH)
	st.Open = true
	if err := st.check(); err != nil {
		return Store{}, err
	}
	if len(s.Snapshot().stores) >= maxStores {
		return Store{}, ErrTooMany.With("most", maxStores)
	}
	var err error
	if st.ID, err = s.db.NextID(ctx, "store"); err != nil {
		return Store{}, err
	}
	return st, s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		if err := now.mayAddTo(api.CallerOf(ctx), st.Merchant); err != nil {
			return err
		}
		if err := insertStore(ctx, tx, st, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "store.add", StoreID(st.ID), nil, st)
	})
}

// mayAddTo refuses a new store under a merchant that is closed or not the caller's. Who is
// limited to stores adds none: the new one would be outside the limit.
func (s *Snapshot) mayAddTo(c api.Caller, merchant int64) error {
	m, ok := s.Merchant(merchant)
	switch {
	case !ok || !s.SeesMerchant(c, merchant):
		return ErrNoMerchant.At("body.merchant")
	case len(c.Stores) > 0:
		return ErrLimited
	case !m.Open:
		return ErrClosed.At("body.merchant")
	}
	return nil
}

// ChangeStore changes a store. The default store stays open.
func (s *Service) ChangeStore(ctx context.Context, ref string, c PlaceChange) (Store, error) {
	var after Store
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		before, err := now.FindStore(ref)
		if err != nil || !now.SeesStore(api.CallerOf(ctx), before.ID) {
			return ErrNoStore
		}
		after = before
		if err := after.apply(c); err != nil {
			return err
		}
		if !after.Open && now.Settings.DefaultStore == after.ID {
			return ErrDefault
		}
		if m, _ := now.Merchant(after.Merchant); after.Open && !before.Open && !m.Open {
			return ErrClosed
		}
		if err := updateStore(ctx, tx, after, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "store.change", StoreID(after.ID), before, after)
	})
	return after, err
}

func (s *Store) apply(c PlaceChange) error {
	set(&s.NameEN, c.NameEN)
	set(&s.NameZH, c.NameZH)
	set(&s.Zone, c.Zone)
	set(&s.Address, c.Address)
	set(&s.Open, c.Open)
	s.NameEN, s.NameZH = fillNames(s.NameEN, s.NameZH)
	return s.check()
}

func (s Store) check() error {
	if !goodCode(s.Code) {
		return ErrCode.At("body.code")
	}
	if len([]rune(s.Address)) > maxAddress {
		return ErrAddress.At("body.address")
	}
	if s.Zone != "" {
		if _, err := loadZone(s.Zone); err != nil {
			return err
		}
	}
	return checkNames(s.NameEN, s.NameZH)
}

// AddTill adds a till to an open store that the caller may work with.
func (s *Service) AddTill(ctx context.Context, t Till) (Till, error) {
	t.Open = true
	if !goodCode(t.Code) {
		return Till{}, ErrCode.At("body.code")
	}
	if len(s.Snapshot().tills) >= maxTills {
		return Till{}, ErrTooMany.With("most", maxTills)
	}
	var err error
	if t.ID, err = s.db.NextID(ctx, "till"); err != nil {
		return Till{}, err
	}
	return t, s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		st, ok := now.Store(t.Store)
		if !ok || !now.SeesStore(api.CallerOf(ctx), t.Store) {
			return ErrNoStore.At("body.store")
		}
		if !st.Open {
			return ErrClosed.At("body.store")
		}
		if err := insertTill(ctx, tx, t, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "till.add", TillID(t.ID), nil, t)
	})
}

// ChangeTill opens or closes a till, named by its public id.
func (s *Service) ChangeTill(ctx context.Context, ref string, c PlaceChange) (Till, error) {
	var after Till
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		before, ok := now.Till(numberOf(tillPrefix, ref))
		if !ok || !now.SeesStore(api.CallerOf(ctx), before.Store) {
			return ErrNoTill
		}
		after = before
		set(&after.Open, c.Open)
		if err := updateTill(ctx, tx, after, s.clock.Now()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "till.change", TillID(after.ID), before, after)
	})
	return after, err
}
