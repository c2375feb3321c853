package demo

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// The codes of the demo's point currencies.
const (
	points  = "points"  // earned by purchases, spent on drinks
	growth  = "growth"  // never spent: it counts towards standing
	balance = "balance" // stored value, in fen
)

// place is one store, with what makes it differ from the others.
type place struct {
	code, en, zh, city, address string
	merchant                    string
	share                       int // of all visits, in hundredths
	tills                       int
	id                          int64
}

// The tea houses belong to one company, the bakeries to another that takes part.
var (
	teaHouses = program.Merchant{Code: "qinghe-tea", NameEN: "Qinghe Tea", NameZH: "清禾茶事"}
	bakeries  = program.Merchant{Code: "maiyu-bakery", NameEN: "Maiyu Bakery", NameZH: "麦语烘焙"}
)

func places() []*place {
	return []*place{
		{code: "sh-jingan", en: "Qinghe Tea, Jing'an, Shanghai", zh: "清禾茶事·上海静安店", city: "上海市", address: "上海市静安区", merchant: teaHouses.Code, share: 26, tills: 3},
		{code: "hz-xihu", en: "Qinghe Tea, West Lake, Hangzhou", zh: "清禾茶事·杭州西湖店", city: "杭州市", address: "杭州市西湖区", merchant: teaHouses.Code, share: 20, tills: 2},
		{code: "cd-jinjiang", en: "Qinghe Tea, Jinjiang, Chengdu", zh: "清禾茶事·成都锦江店", city: "成都市", address: "成都市锦江区", merchant: teaHouses.Code, share: 17, tills: 2},
		{code: "gz-tianhe", en: "Qinghe Tea, Tianhe, Guangzhou", zh: "清禾茶事·广州天河店", city: "广州市", address: "广州市天河区", merchant: teaHouses.Code, share: 14, tills: 2},
		{code: "sh-xuhui", en: "Maiyu Bakery, Xuhui, Shanghai", zh: "麦语烘焙·上海徐汇店", city: "上海市", address: "上海市徐汇区", merchant: bakeries.Code, share: 13, tills: 2},
		{code: "hz-binjiang", en: "Maiyu Bakery, Binjiang, Hangzhou", zh: "麦语烘焙·杭州滨江店", city: "杭州市", address: "杭州市滨江区", merchant: bakeries.Code, share: 10, tills: 1},
	}
}

// open makes the programme: its settings, currencies, merchants, stores and tills.
func (s *shop) open(ctx context.Context) error {
	if err := s.addPlaces(ctx); err != nil {
		return fmt.Errorf("open stores: %w", err)
	}
	if err := s.addCurrencies(ctx); err != nil {
		return fmt.Errorf("make currencies: %w", err)
	}
	en, zh, zone, first := "Qinghe & Maiyu Club", "清禾麦语会", "Asia/Shanghai", s.stores[0].code
	money := money.Floor
	_, err := s.app.Program.ChangeSettings(ctx, program.SettingsChange{
		NameEN: &en, NameZH: &zh, Zone: &zone, DefaultStore: &first,
		Earning: &program.Earning{Currency: points, Points: 1, Per: 100, Rounding: money, Excluded: []string{"goods/cards"}},
		Brand:   &program.Brand{Color: "#612F4E", TaglineEN: "Tea and bread, round the corner", TaglineZH: "街角的茶与面包"},
	})
	if err != nil {
		return fmt.Errorf("set the programme up: %w", err)
	}
	return s.closeFirstPlace(ctx)
}

func (s *shop) addPlaces(ctx context.Context) error {
	merchants := map[string]int64{}
	for _, m := range []program.Merchant{teaHouses, bakeries} {
		made, err := s.app.Program.AddMerchant(ctx, m)
		if err != nil {
			return err
		}
		merchants[m.Code] = made.ID
	}
	for _, p := range places() {
		made, err := s.app.Program.AddStore(ctx, program.Store{Merchant: merchants[p.merchant], Code: p.code, NameEN: p.en, NameZH: p.zh, Address: p.address})
		if err != nil {
			return err
		}
		p.id = made.ID
		for n := range p.tills {
			if _, err := s.app.Program.AddTill(ctx, program.Till{Store: p.id, Code: tillCode(n)}); err != nil {
				return err
			}
		}
		s.stores = append(s.stores, p)
	}
	s.made.Stores = len(s.stores)
	return nil
}

func tillCode(n int) string { return fmt.Sprintf("T%d", n+1) }

// closeFirstPlace closes the merchant and store that every programme begins with: this one
// has stores of its own.
func (s *shop) closeFirstPlace(ctx context.Context) error {
	no := false
	if _, err := s.app.Program.ChangeStore(ctx, "main", program.PlaceChange{Open: &no}); err != nil {
		return fmt.Errorf("close the first store: %w", err)
	}
	if _, err := s.app.Program.ChangeMerchant(ctx, "main", program.PlaceChange{Open: &no}); err != nil {
		return fmt.Errorf("close the first merchant: %w", err)
	}
	return nil
}

// addCurrencies gives points a policy, and makes growth and stored value.
func (s *shop) addCurrencies(ctx context.Context) error {
	_, err := s.app.Ledger.ChangeCurrency(ctx, points, ledger.CurrencyChange{Policy: &ledger.Policy{
		Expiry:       ledger.Expiry{Policy: "rolling", Count: 12, Unit: "month", Round: "month"},
		Transfer:     ledger.Transfer{Allowed: true, Min: 10, Max: 2000},
		Limits:       []ledger.Limit{{Action: "transfer", Window: "month", Amount: 5000}},
		ApproveAbove: approveAbove,
		UnitValue:    1_000_000, // one point is worth one fen
	}})
	if err != nil {
		return err
	}
	for _, c := range []ledger.Currency{
		{Code: growth, Kind: ledger.Growth, NameEN: "Growth", NameZH: "成长值", Policy: ledger.Policy{Expiry: ledger.Expiry{Policy: "rolling", Count: 12, Unit: "month", Round: "month"}}},
		{Code: balance, Kind: ledger.Stored, NameEN: "Balance", NameZH: "储值", Policy: ledger.Policy{Decimals: 2, SpendOrder: ledger.Proportional, UnitValue: 1_000_000}},
	} {
		if _, err := s.app.Ledger.AddCurrency(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// approveAbove is the size from which an adjustment of points needs a second person.
const approveAbove = 1000
