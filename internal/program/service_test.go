package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// notes is the Auditor of these tests. The real one is a higher noun.
type notes struct {
	mu   sync.Mutex
	list []string
	fail error
}

func (n *notes) Record(_ context.Context, _ *db.Tx, action, _ string, _, _ any) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, action)
	return n.fail
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.list
	n.list = nil
	return out
}

func open(t *testing.T, d *db.DB) (*Service, *notes) {
	t.Helper()
	n := &notes{}
	s, err := New(t.Context(), d, clock.At(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)), n)
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

func as(ctx context.Context, merchants, stores []int64) context.Context {
	return api.WithCaller(ctx, api.Caller{Kind: "key", ID: "key_x", Merchants: merchants, Stores: stores})
}

func ptr[T any](v T) *T { return &v }

// However many processes start on an empty database, it gets one programme with one store.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := New(t.Context(), d, clock.System(), &notes{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s, _ := open(t, d)
		now := s.Snapshot()
		if len(now.merchants) != 1 || len(now.stores) != 1 || len(now.tills) != 0 {
			t.Errorf("%d merchants, %d stores, %d tills", len(now.merchants), len(now.stores), len(now.tills))
		}
		st := now.DefaultStore()
		if st.Code != "main" || !st.Open || now.Zone.String() != "Asia/Shanghai" || now.Settings.NameZH != "常客" {
			t.Errorf("the first programme is %+v with %+v", now.Settings, st)
		}
	})
}

// A change is seen at once by who made it, and by others when they look; it is audited in
// the same transaction, or it does not happen.
func TestChangeSettings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, n := open(t, d)
		other, _ := open(t, d)
		before := s.Snapshot()

		after, err := s.ChangeSettings(t.Context(), SettingsChange{Version: before.Version, Zone: ptr("Europe/London"), NameEN: ptr(" Bund ")})
		if err != nil {
			t.Fatal(err)
		}
		if after.Zone.String() != "Europe/London" || after.Settings.NameEN != "Bund" || after.Settings.Currency != "CNY" || after != s.Snapshot() {
			t.Errorf("after the change: %+v", after.Settings)
		}
		if before.Zone.String() != "Asia/Shanghai" {
			t.Error("the old snapshot moved")
		}
		if got := n.take(); !slices.Equal(got, []string{"program.change"}) {
			t.Errorf("audited %v", got)
		}
		if err := other.Refresh(t.Context()); err != nil || other.Snapshot().Zone.String() != "Europe/London" {
			t.Errorf("the other process has %s (%v)", other.Snapshot().Zone, err)
		}

		if _, err := s.ChangeSettings(t.Context(), SettingsChange{Version: before.Version, NameEN: ptr("x")}); !errors.Is(err, ErrChanged) {
			t.Errorf("from an old version: %v", err)
		}
		if _, err := s.ChangeSettings(as(t.Context(), nil, []int64{1}), SettingsChange{NameEN: ptr("x")}); !errors.Is(err, ErrLimited) {
			t.Errorf("by one who is limited: %v", err)
		}
		n.fail = errors.New("no trail")
		if _, err := s.ChangeSettings(t.Context(), SettingsChange{NameEN: ptr("x")}); !errors.Is(err, n.fail) {
			t.Errorf("without a trail: %v", err)
		}
		if err := s.Refresh(t.Context()); err != nil || s.Snapshot().Settings.NameEN != "Bund" {
			t.Errorf("a change that could not be audited was kept: %+v (%v)", s.Snapshot().Settings, err)
		}
	})
}

// Of many who change the same version one succeeds; the version counts every success.
func TestChangeSettingsRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		version := s.Snapshot().Version
		results := make([]error, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				_, results[i] = s.ChangeSettings(t.Context(), SettingsChange{Version: version, NameEN: ptr(fmt.Sprint("name ", i))})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrChanged) {
				t.Error(err)
			}
		}
		if won != 1 || s.Snapshot().Version != version+1 {
			t.Errorf("%d succeeded, version went from %d to %d", won, version, s.Snapshot().Version)
		}
	})
}

// A higher noun can refuse a change that it cannot live with.
func TestCheckOfHigherNoun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		no := errors.New("there are sales already")
		s.AddCheck(func(_ context.Context, _ *db.Tx, before, after Settings) error {
			if before.Currency != after.Currency {
				return no
			}
			return nil
		})
		if _, err := s.ChangeSettings(t.Context(), SettingsChange{Currency: ptr("USD")}); !errors.Is(err, no) {
			t.Errorf("another currency: %v", err)
		}
		if _, err := s.ChangeSettings(t.Context(), SettingsChange{NameEN: ptr("New")}); err != nil {
			t.Errorf("another name: %v", err)
		}
	})
}

// The life of places: made, found by id and code, renamed, closed, opened.
func TestPlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, n := open(t, d)
		ctx := t.Context()
		m, err := s.AddMerchant(ctx, Merchant{Code: "tea", NameZH: "茶馆"})
		if err != nil || m.NameEN != "茶馆" || !m.Open {
			t.Fatalf("AddMerchant = %+v, %v", m, err)
		}
		st, err := s.AddStore(ctx, Store{Merchant: m.ID, Code: "bund", NameEN: "Bund", Zone: "Asia/Tokyo"})
		if err != nil {
			t.Fatal(err)
		}
		till, err := s.AddTill(ctx, Till{Store: st.ID, Code: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.take(); !slices.Equal(got, []string{"merchant.add", "store.add", "till.add"}) {
			t.Errorf("audited %v", got)
		}
		now := s.Snapshot()
		byCode, err1 := now.FindStore("bund")
		byID, err2 := now.FindStore(StoreID(st.ID))
		if err1 != nil || err2 != nil || byCode != byID || byID != st {
			t.Errorf("found %+v and %+v (%v, %v)", byCode, byID, err1, err2)
		}
		if got, err := now.FindTill(st.ID, "1"); err != nil || got != till {
			t.Errorf("till %+v, %v", got, err)
		}
		if _, err := now.FindTill(now.DefaultStore().ID, TillID(till.ID)); !errors.Is(err, ErrNoTill) {
			t.Errorf("a till of another store: %v", err)
		}
		if _, err := now.FindStore(MerchantID(m.ID)); !errors.Is(err, ErrNoStore) {
			t.Errorf("a merchant's id for a store: %v", err)
		}
		if now.ZoneOf(st.ID).String() != "Asia/Tokyo" || now.ZoneOf(now.DefaultStore().ID) != now.Zone {
			t.Error("stores have wrong zones")
		}
		closed, err := s.ChangeStore(ctx, "bund", PlaceChange{Open: ptr(false), Zone: ptr("")})
		if err != nil || closed.Open || closed.NameEN != "Bund" || s.Snapshot().ZoneOf(st.ID).String() != "Asia/Shanghai" {
			t.Errorf("ChangeStore = %+v, %v", closed, err)
		}
		if _, err := s.AddTill(ctx, Till{Store: st.ID, Code: "2"}); !errors.Is(err, ErrClosed) {
			t.Errorf("a till in a closed store: %v", err)
		}
		if _, err := s.ChangeMerchant(ctx, "tea", PlaceChange{Open: ptr(false)}); err != nil {
			t.Errorf("closing a merchant: %v", err)
		}
		if _, err := s.ChangeStore(ctx, "bund", PlaceChange{Open: ptr(true)}); !errors.Is(err, ErrClosed) {
			t.Errorf("opening a store of a closed merchant: %v", err)
		}
		if got, err := s.ChangeTill(ctx, TillID(till.ID), PlaceChange{Open: ptr(false)}); err != nil || got.Open {
			t.Errorf("ChangeTill = %+v, %v", got, err)
		}
	})
}

// What is refused leaves nothing behind.
func TestPlacesRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		ctx := t.Context()
		main := s.Snapshot().DefaultStore()
		owner := MerchantID(main.Merchant)
		for _, tt := range []struct {
			name string
			do   func() error
			want error
		}{
			{"merchant's code taken", func() error { _, err := s.AddMerchant(ctx, Merchant{Code: "main", NameEN: "x"}); return err }, ErrCodeTaken},
			{"merchant without code", func() error { _, err := s.AddMerchant(ctx, Merchant{NameEN: "x"}); return err }, ErrCode},
			{"merchant without name", func() error { _, err := s.AddMerchant(ctx, Merchant{Code: "x", NameEN: "  "}); return err }, ErrName},
			{"store's code taken", func() error {
				_, err := s.AddStore(ctx, Store{Merchant: main.Merchant, Code: "main", NameEN: "x"})
				return err
			}, ErrCodeTaken},
			{"store of nobody", func() error { _, err := s.AddStore(ctx, Store{Merchant: 999, Code: "x", NameEN: "x"}); return err }, ErrNoMerchant},
			{"store in no zone", func() error {
				_, err := s.AddStore(ctx, Store{Merchant: main.Merchant, Code: "x", NameEN: "x", Zone: "Mars"})
				return err
			}, ErrZone},
			{"till of nowhere", func() error { _, err := s.AddTill(ctx, Till{Store: 999, Code: "1"}); return err }, ErrNoStore},
			{"closing the default store", func() error { _, err := s.ChangeStore(ctx, "main", PlaceChange{Open: ptr(false)}); return err }, ErrDefault},
			{"closing its merchant", func() error { _, err := s.ChangeMerchant(ctx, owner, PlaceChange{Open: ptr(false)}); return err }, ErrDefault},
			{"no such store", func() error { _, err := s.ChangeStore(ctx, "none", PlaceChange{}); return err }, ErrNoStore},
			{"no such default", func() error {
				_, err := s.ChangeSettings(ctx, SettingsChange{DefaultStore: ptr("none")})
				return err
			}, ErrNoStore},
		} {
			if err := tt.do(); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		fresh, _ := open(t, d)
		if now := fresh.Snapshot(); len(now.merchants) != 1 || len(now.stores) != 1 || len(now.tills) != 0 || now.Version != 1 {
			t.Errorf("left behind: %d merchants, %d stores, %d tills, version %d", len(now.merchants), len(now.stores), len(now.tills), now.Version)
		}
	})
}

// Two merchants with a store each; callers limited to a part see and change that part.
func TestLimits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		ctx := t.Context()
		first := s.Snapshot().DefaultStore()
		m, err := s.AddMerchant(ctx, Merchant{Code: "tea", NameEN: "Tea"})
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.AddStore(ctx, Store{Merchant: m.ID, Code: "bund", NameEN: "Bund"})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name                       string
			merchants, stores          []int64
			store1, store2, mer1, mer2 bool
		}{
			{"nobody's limits", nil, nil, true, true, true, true},
			{"first merchant", []int64{first.Merchant}, nil, true, false, true, false},
			{"second store", nil, []int64{second.ID}, false, true, false, true},
			{"both stores", nil, []int64{first.ID, second.ID}, true, true, true, true},
			{"a store and another's merchant", []int64{first.Merchant}, []int64{second.ID}, false, false, false, false},
			{"what is not there", []int64{999}, []int64{999}, false, false, false, false},
		} {
			c, now := api.CallerOf(as(ctx, tt.merchants, tt.stores)), s.Snapshot()
			if now.SeesStore(c, first.ID) != tt.store1 || now.SeesStore(c, second.ID) != tt.store2 ||
				now.SeesMerchant(c, first.Merchant) != tt.mer1 || now.SeesMerchant(c, m.ID) != tt.mer2 {
				t.Errorf("%s: sees wrong places", tt.name)
			}
		}
		ofFirst, atSecond := as(ctx, []int64{first.Merchant}, nil), as(ctx, nil, []int64{second.ID})
		if _, err := s.ChangeStore(ofFirst, "bund", PlaceChange{NameEN: ptr("x")}); !errors.Is(err, ErrNoStore) {
			t.Errorf("another's store: %v", err)
		}
		if _, err := s.AddStore(ofFirst, Store{Merchant: m.ID, Code: "x", NameEN: "x"}); !errors.Is(err, ErrNoMerchant) {
			t.Errorf("a store under another's merchant: %v", err)
		}
		if _, err := s.AddStore(atSecond, Store{Merchant: m.ID, Code: "x", NameEN: "x"}); !errors.Is(err, ErrLimited) {
			t.Errorf("a store outside one's own limit: %v", err)
		}
		if _, err := s.ChangeMerchant(atSecond, "tea", PlaceChange{NameEN: ptr("x")}); !errors.Is(err, ErrLimited) {
			t.Errorf("the merchant of one's store: %v", err)
		}
		if _, err := s.AddTill(atSecond, Till{Store: second.ID, Code: "1"}); err != nil {
			t.Errorf("a till in one's own store: %v", err)
		}
		if _, err := s.AddMerchant(ofFirst, Merchant{Code: "x", NameEN: "x"}); !errors.Is(err, ErrLimited) {
			t.Errorf("a new merchant: %v", err)
		}
	})
}

// A rate holds for its day and no other, and a change is seen by every process.
func TestRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, n := open(t, d)
		other, _ := open(t, d)
		ctx := t.Context()
		day := mustDay(t, "2026-03-01")
		rate := func(s *Service, currency string, day Day) int64 {
			t.Helper()
			r, ok, err := s.Rate(ctx, currency, day)
			if err != nil || ok != (r != 0) {
				t.Fatalf("Rate = %d, %v, %v", r, ok, err)
			}
			return r
		}
		if rate(s, "USD", day) != 0 || rate(s, "CNY", day) != RateOne {
			t.Error("rates before any is set")
		}
		rate(other, "USD", day)
		if err := s.SetRates(ctx, []Rate{{"USD", day, 7_100_000}, {"USD", day + 1, 7_200_000}, {"GBP", day, 9_100_000}}); err != nil {
			t.Fatal(err)
		}
		if got := n.take(); !slices.Equal(got, []string{"program.rates"}) {
			t.Errorf("audited %v", got)
		}
		if err := other.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		for _, svc := range []*Service{s, other} {
			if a, b, c := rate(svc, "USD", day), rate(svc, "USD", day+1), rate(svc, "USD", day+2); a != 7_100_000 || b != 7_200_000 || c != 0 {
				t.Errorf("rates %d, %d, %d", a, b, c)
			}
		}
		if err := s.SetRates(ctx, []Rate{{"USD", day, 7_300_000}}); err != nil || rate(s, "USD", day) != 7_300_000 {
			t.Errorf("a corrected rate: %d, %v", rate(s, "USD", day), err)
		}
		for name, bad := range map[string][]Rate{
			"none": nil, "zero": {{"USD", day, 0}}, "negative": {{"USD", day, -1}}, "huge": {{"USD", day, maxRate + 1}},
			"own": {{"CNY", day, RateOne}}, "unknown": {{"XXQ", day, 1}}, "second is bad": {{"USD", day, 1}, {"USD", -1, 1}},
			"too many": make([]Rate, MaxRates+1),
		} {
			if err := s.SetRates(ctx, bad); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
		if rate(s, "USD", day) != 7_300_000 {
			t.Error("a refused list was taken in part")
		}
	})
}

// A setting that is younger than the row in the database takes its default.
func TestOlderSettings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		var kept map[string]any
		text, err := json.Marshal(s.Snapshot().Settings)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		delete(kept, "limits")
		text, err = json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, updateSettingsSQL, string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		again, _ := open(t, d)
		if got := again.Snapshot().Settings.Limits; got != Defaults().Limits {
			t.Errorf("limits = %+v", got)
		}
	})
}
