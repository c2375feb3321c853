package tier

import "github.com/patron-loyalty/patron/internal/ledger"

// testConfig has one currency of each sort that schemes ask for.
func testConfig() *ledger.Config {
	points := &ledger.Currency{ID: 1, Code: "points", Kind: ledger.Points, NameEN: "Points", NameZH: "积分", Active: true}
	growth := &ledger.Currency{ID: 2, Code: "growth", Kind: ledger.Growth, NameEN: "Growth", NameZH: "成长值", Active: true}
	return &ledger.Config{
		Currencies: map[int64]*ledger.Currency{1: points, 2: growth},
		ByCode:     map[string]*ledger.Currency{"points": points, "growth": growth},
	}
}
