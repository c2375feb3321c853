package sale_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// The operations of L17. Every member begins with 60 points, of which 40 are on hold. The
// sale costs 100.01 yuan in two lines, captures the hold, and earns 100 points: 33 for the
// first line, 67 for the second. The first return takes a third of the first line, the
// second the rest of it and a third of the second line.
const (
	sell = iota
	returnA
	returnB
	spend90
	sellAgain // the same request once more
	sellOther // the same document under another key
	returnAgain
	returnOther
	operations
)

var operationNames = [operations]string{"sale", "return A", "return B", "spend", "sale again", "sale, other key", "A again", "A, other key"}

// what each set of returns {none, A, B, both} takes back and restores, by hand: floor(33 ×
// 1111 ÷ 3333) = 11; floor(33 × 2222 ÷ 3333) + floor(67 × 2223 ÷ 6668) = 22 + 22; all 33 and
// 22. Restored: floor(40 × returned money ÷ 10001).
var (
	clawed   = [4]int64{0, 11, 44, 55}
	restored = [4]int64{0, 4, 17, 22}
)

// original is the operation that a redelivery repeats.
var original = map[int]int{sellAgain: sell, sellOther: sell, returnAgain: returnA, returnOther: returnA}

// orders lists all orders of one to n different operations. A redelivery comes after what
// it repeats: if it came first, the two would only have swapped their names.
func orders(n int) (out [][]int) {
	var extend func(order []int)
	extend = func(order []int) {
		if len(order) > 0 {
			out = append(out, append([]int(nil), order...))
		}
		if len(order) == n {
			return
		}
		for op := range operations {
			first, repeats := original[op]
			if !slices.Contains(order, op) && (!repeats || slices.Contains(order, first)) {
				extend(append(order, op))
			}
		}
	}
	extend(nil)
	return out
}

// books is what the test itself works out of a member while operations come.
type books struct {
	sold, a, b bool
	spent      bool
}

func (b books) returns() int {
	n := 0
	if b.sold && b.a {
		n++
	}
	if b.sold && b.b {
		n += 2
	}
	return n
}

// net is usable points less debt.
func (b books) net() int64 {
	n := int64(20)
	if b.sold {
		n += 100 - clawed[b.returns()] + restored[b.returns()]
	}
	if b.spent {
		n -= 90
	}
	return n
}

func (b books) wallet() wallet {
	w := wallet{available: max(0, b.net()), debt: max(0, -b.net()), held: 40, earned: 60}
	if b.sold {
		w.held, w.earned, w.spent = 0, 160-clawed[b.returns()], 40-restored[b.returns()]
	}
	if b.spent {
		w.spent += 90
	}
	return w
}

// L17: whatever the order of a sale, its returns, a spend and redeliveries of them, what a
// member has in the end depends only on which of them came and whether there was enough
// for the spend when it came: balance, debt, what was taken back and what was restored.
// (Which of their lots is left may differ: a spend takes what is there.) Redeliveries get
// the first answer, to the byte under the same key.
func TestOrders(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		all := orders(5)
		want := make([]wallet, len(all))
		sideBySide(len(all), func(i int) { want[i] = runOrder(t, a, member.ID(i+1), all[i]) })
		got := wallets(t, a)
		for i, order := range all {
			if got[member.ID(i+1)] != want[i] {
				t.Fatalf("%s: %+v, want %+v", story(order), got[member.ID(i+1)], want[i])
			}
		}
	})
}

func story(order []int) (out []string) {
	for _, op := range order {
		out = append(out, operationNames[op])
	}
	return out
}

// runOrder performs one order and returns what the member should have then.
func runOrder(t *testing.T, a *apptest.App, m member.ID, order []int) wallet {
	give(t, a, m, 60)
	hold := held(t, a, m, 40)
	var b books
	first := map[string][]byte{} // answers by key
	for _, op := range order {
		var r sale.Result
		var by string
		before := b
		switch op {
		case sell, sellAgain, sellOther:
			by, b.sold = name("sale", m), true
			if op == sellOther {
				by += "other"
			}
			r = record(a, m, sale.New{
				Source: "till", Document: name("S", m), At: at(-1), Currency: "CNY", Total: 10001,
				Lines:    []sale.NewLine{{Line: 1, SKU: "a", Quantity: 3000, Amount: 3333}, {Line: 2, SKU: "b", Quantity: 3000, Amount: 6668}},
				Payments: []sale.NewPayment{{Kind: "points", Amount: 400, Reference: hold}},
			}, sale.Ask{HTTP: true, Key: key(by)})
			checkAnswer(t, order, r, before.sold, first, by)
		case returnA, returnAgain, returnOther:
			by, b.a = name("A", m), true
			if op == returnOther {
				by += "other"
			}
			r = takeBack(a, m, "A", by, sale.Asked{Line: 1, Milli: 1000, Amount: -1})
			checkAnswer(t, order, r, before.a, first, by)
		case returnB:
			by, b.b = name("B", m), true
			r = takeBack(a, m, "B", by, sale.Asked{Line: 1, Milli: 2000, Amount: -1}, sale.Asked{Line: 2, Milli: 1000, Amount: -1})
			checkAnswer(t, order, r, before.b, first, by)
		case spend90:
			err := a.Ledger.Engine().Do(a.Context(), ledger.Request{Command: ledger.SpendCommand{Member: int64(m), Currency: "points", Amount: 90}}).Err
			if b.spent = err == nil; b.spent != (before.net() >= 90) {
				t.Errorf("%s: the spend of 90 out of %d: %v", story(order), before.net(), err)
			}
		}
	}
	return b.wallet()
}

func takeBack(a *apptest.App, m member.ID, document, by string, lines ...sale.Asked) sale.Result {
	return a.Sales.TakeBack(a.Context(), sale.NewReturn{
		Source: "till", Document: name(document, m), At: at(0), Of: &sale.Of{Source: "till", Document: name("S", m)}, Lines: lines,
	}, 0, sale.Ask{HTTP: true, Key: key(by)})
}

// checkAnswer fails the test where a document was refused, taken for new although it was
// seen, or answered otherwise under the same key.
func checkAnswer(t *testing.T, order []int, r sale.Result, seen bool, first map[string][]byte, by string) {
	if r.Err != nil || r.Raw.Status >= 400 || r.Raw.Replayed != seen {
		t.Errorf("%s: %v %s, replayed %v, want %v", story(order), r.Err, r.Raw.Body, r.Raw.Replayed, seen)
	}
	if was, ok := first[by]; ok && !bytes.Equal(was, r.Raw.Body) {
		t.Errorf("%s: another answer to the same key:\n%s\n%s", story(order), was, r.Raw.Body)
	}
	first[by] = r.Raw.Body
}

// The tables above by another way: exactly, in rational numbers.
func TestOrdersByHand(t *testing.T) {
	t.Parallel()
	for i, money := range []int64{0, 1111, 4445, 5556} {
		if got := 40 * money / 10001; got != restored[i] {
			t.Errorf("restored[%d] = %d, by the formula %d", i, restored[i], got)
		}
	}
	if n := len(orders(5)); n != 1124 { // as counted by another program
		t.Errorf("%d orders", n)
	}
}
