package apptest

import (
	"maps"
	"strconv"
	"time"
)

// J is a JSON object.
type J = map[string]any

// With returns a copy of j with other values; nil takes one away.
func With(j J, edits J) J {
	out := maps.Clone(j)
	for k, v := range edits {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

// Member enrols a member and returns the id.
func (a *App) Member() string {
	a.t.Helper()
	var m struct{ ID string }
	a.Post("/v1/members", J{"external_id": "test/" + itoa(a.Unique())}).Into(&m)
	return m.ID
}

// Sale is a sale of one line, of 100 yuan by default: 100 points. Its document is fresh.
func (a *App) Sale(edits J) J {
	return With(J{
		"source": "till", "document": "S" + itoa(a.Unique()), "at": a.Clock.Now().Format(time.RFC3339), "currency": "CNY",
		"total": 10000, "lines": []J{Line(1, 1, 10000)},
	}, edits)
}

// Line is one line of a sale or return.
func Line(n int, quantity float64, amount int64) J {
	return J{"line": n, "sku": "sku-" + itoa(int64(n)), "quantity": quantity, "amount": amount}
}

// Back is a line of a return.
func Back(n int, quantity float64) J { return J{"line": n, "quantity": quantity} }

// Return is a return of all that is left, by the document of its sale. Its own document is
// fresh.
func (a *App) Return(of any, edits J) J {
	return With(J{
		"source": "till", "document": "R" + itoa(a.Unique()), "at": a.Clock.Now().Format(time.RFC3339),
		"of": J{"source": "till", "document": of},
	}, edits)
}

// Give gives a member points.
func (a *App) Give(member string, amount int64) {
	a.t.Helper()
	a.Post("/v1/members/"+member+"/earnings", J{"currency": "points", "amount": amount, "reason": "test", "source": "test", "document": itoa(a.Unique())})
}

// Wallet is what a member has of a currency.
type Wallet struct {
	Currency                       string
	Available, Pending, Held, Debt int64
	Earned                         int64 `json:"lifetime_earned"`
	Spent                          int64 `json:"lifetime_spent"`
	Expiring                       []struct {
		Amount    int64
		ExpiresAt string `json:"expires_at"`
	}
}

// Wallet reads what a member has of "points".
func (a *App) Wallet(member string) Wallet {
	a.t.Helper()
	var list []Wallet
	a.Get("/v1/members/" + member + "/wallets").Into(&list)
	for _, w := range list {
		if w.Currency == "points" {
			return w
		}
	}
	return Wallet{}
}

// Sold is the answer to a sale.
type Sold struct {
	ID       string
	MemberID string `json:"member_id"`
	Points   []struct {
		Currency, State, Rule string
		Amount                int64
		LotID                 string `json:"lot_id"`
		UsableAt              string `json:"usable_at"`
		ExpiresAt             string `json:"expires_at"`
	}
	Balances map[string]int64
	Flags    []string
	Notices  []struct {
		Code, Title string
		TitleZ      string `json:"title_zh"`
	}
	Trace []struct{ Rule, Given, Result string }
}

// Returned is the answer to a return.
type Returned struct {
	ID         string
	SaleID     string `json:"sale_id"`
	State      string
	Total      int64
	ClawedBack []Moved `json:"clawed_back"`
	Restored   []Moved
	Debt       map[string]int64
	Balances   map[string]int64
}

// Moved is what a return moved of one currency.
type Moved struct {
	Currency             string
	Amount, Debt, Waived int64
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
