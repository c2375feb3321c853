package apptest_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// The whole program answers, and its books add up after a sale and its return.
func TestEach(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		var sold apptest.Sold
		a.Post("/v1/sales", a.Sale(apptest.J{"member": m})).Into(&sold)
		if sold.MemberID != m || sold.Balances["points"] != 100 {
			t.Fatalf("a sale of 100 yuan: %+v", sold)
		}
		a.Post("/v1/sales/"+sold.ID+"/returns", apptest.J{"document": "R", "at": "2026-03-10 12:00"})
		if w := a.Wallet(m); w.Available != 0 || w.Earned != 0 {
			t.Errorf("after the return: %+v", w)
		}
	})
}
