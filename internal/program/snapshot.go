package program

import (
	"iter"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Snapshot is the programme as of one version. It never changes after it is made, so hot
// paths read it without a lock; ask Service.Snapshot anew for every request.
type Snapshot struct {
	Version  int64
	Settings Settings
	Zone     *time.Location // of the programme, never nil

	merchants []Merchant // by id, ascending
	stores    []Store
	tills     []Till

	merchantIDs, storeIDs     map[int64]int // → place in the slice
	merchantCodes, storeCodes map[string]int
	tillIDs                   map[int64]int
	tillCodes                 map[tillCode]int
	zones                     map[string]*time.Location // of stores that have their own
	ratesVersion              int64
}

type tillCode struct {
	store int64
	code  string
}

// newSnapshot indexes what was read. It fails only on a zone that this program does not
// know: then the database was written by a newer one.
func newSnapshot(version int64, settings Settings, merchants []Merchant, stores []Store, tills []Till) (*Snapshot, error) {
	zone, err := loadZone(settings.Zone)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		Version: version, Settings: settings, Zone: zone,
		merchants: merchants, stores: stores, tills: tills,
		merchantIDs: make(map[int64]int, len(merchants)), merchantCodes: make(map[string]int, len(merchants)),
		storeIDs: make(map[int64]int, len(stores)), storeCodes: make(map[string]int, len(stores)),
		tillIDs: make(map[int64]int, len(tills)), tillCodes: make(map[tillCode]int, len(tills)),
		zones: map[string]*time.Location{"": zone},
	}
	for i, m := range merchants {
		s.merchantIDs[m.ID], s.merchantCodes[m.Code] = i, i
	}
	for i, st := range stores {
		s.storeIDs[st.ID], s.storeCodes[st.Code] = i, i
		if s.zones[st.Zone], err = loadStoreZone(s.zones, st.Zone); err != nil {
			return nil, err
		}
	}
	for i, t := range tills {
		s.tillIDs[t.ID], s.tillCodes[tillCode{t.Store, t.Code}] = i, i
	}
	return s, nil
}

func loadStoreZone(known map[string]*time.Location, name string) (*time.Location, error) {
	if zone := known[name]; zone != nil {
		return zone, nil
	}
	return loadZone(name)
}

// Merchant finds a merchant by its number.
func (s *Snapshot) Merchant(n int64) (Merchant, bool) { return pick(s.merchants, s.merchantIDs, n) }

// Store finds a store by its number.
func (s *Snapshot) Store(n int64) (Store, bool) { return pick(s.stores, s.storeIDs, n) }

// Stores goes through all stores, by number.
func (s *Snapshot) Stores() iter.Seq[Store] { return slices.Values(s.stores) }

// Till finds a till by its number.
func (s *Snapshot) Till(n int64) (Till, bool) { return pick(s.tills, s.tillIDs, n) }

// MerchantByCode finds a merchant by its code.
func (s *Snapshot) MerchantByCode(code string) (Merchant, bool) {
	return pick(s.merchants, s.merchantCodes, code)
}

// StoreByCode finds a store by its code.
func (s *Snapshot) StoreByCode(code string) (Store, bool) { return pick(s.stores, s.storeCodes, code) }

// TillByCode finds a till of a store by its code.
func (s *Snapshot) TillByCode(store int64, code string) (Till, bool) {
	return pick(s.tills, s.tillCodes, tillCode{store, code})
}

func pick[T any, K comparable](rows []T, index map[K]int, key K) (T, bool) {
	i, ok := index[key]
	if !ok {
		var none T
		return none, false
	}
	return rows[i], true
}

// DefaultStore is the store of a sale that names none.
func (s *Snapshot) DefaultStore() Store {
	st, ok := s.Store(s.Settings.DefaultStore)
	if !ok {
		panic("program: the default store is not there")
	}
	return st
}

// FindMerchant reads what a request calls a merchant: public id or code.
func (s *Snapshot) FindMerchant(ref string) (Merchant, error) {
	if m, ok := s.MerchantByCode(ref); ok {
		return m, nil
	}
	m, ok := s.Merchant(numberOf(merchantPrefix, ref))
	return m, found(ok, ErrNoMerchant)
}

// FindStore reads what a request calls a store: public id or code.
func (s *Snapshot) FindStore(ref string) (Store, error) {
	if st, ok := s.StoreByCode(ref); ok {
		return st, nil
	}
	st, ok := s.Store(numberOf(storePrefix, ref))
	return st, found(ok, ErrNoStore)
}

// FindTill reads what a request calls a till of a store: public id or code.
func (s *Snapshot) FindTill(store int64, ref string) (Till, error) {
	if t, ok := s.TillByCode(store, ref); ok {
		return t, nil
	}
	t, ok := s.Till(numberOf(tillPrefix, ref))
	return t, found(ok && t.Store == store, ErrNoTill)
}

// numberOf is the number in a public id, or 0, which no row has.
func numberOf(prefix, ref string) int64 {
	_, n, err := id.Decode(prefix, ref)
	if err != nil {
		return 0
	}
	return n
}

func found(ok bool, missing *errs.Error) error {
	if ok {
		return nil
	}
	return missing
}

// ZoneOf is the zone whose clocks hang in a store: its own, or else the programme's.
func (s *Snapshot) ZoneOf(store int64) *time.Location {
	st, _ := s.Store(store)
	return s.zones[st.Zone]
}

// Day is the programme's date at t.
func (s *Snapshot) Day(t time.Time) Day { return DayOf(t, s.Zone) }

// ParseTime reads a time of a request or file; without a zone it is in the programme's.
func (s *Snapshot) ParseTime(text string) (time.Time, error) { return ParseTime(text, s.Zone) }

// SeesStore reports whether a caller may work with a store. Limits to merchants and to
// stores both hold: a caller with both sees those of the stores that belong to one of the
// merchants.
func (s *Snapshot) SeesStore(c api.Caller, store int64) bool {
	st, ok := s.Store(store)
	return ok && within(c.Stores, store) && within(c.Merchants, st.Merchant)
}

// SeesMerchant reports whether a caller may see a merchant: one that they are limited to,
// or the owner of a store that they are limited to.
func (s *Snapshot) SeesMerchant(c api.Caller, merchant int64) bool {
	if !within(c.Merchants, merchant) {
		return false
	}
	return len(c.Stores) == 0 || slices.ContainsFunc(c.Stores, func(n int64) bool {
		st, ok := s.Store(n)
		return ok && st.Merchant == merchant
	})
}

// within reports whether a limit lets n through; an empty limit lets everything through.
func within(limit []int64, n int64) bool {
	return len(limit) == 0 || slices.Contains(limit, n)
}
