package offer

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// GoalKind says what is to be done.
type GoalKind string

// The goals.
const (
	Spend    GoalKind = "spend"    // purchases come to Amount together
	Purchase GoalKind = "purchase" // Count purchases of at least Amount each
	Visits   GoalKind = "visits"   // Count purchases
	Streak   GoalKind = "streak"   // a purchase in each of Count days or weeks in a row
	Products GoalKind = "products" // each of Products
)

// Goal is what is to be done within the window.
type Goal struct {
	Kind     GoalKind  `json:"kind" yaml:"kind" enum:"spend,purchase,visits,streak,products" doc:"spend: purchases come to amount together. purchase: count single purchases of at least amount. visits: count purchases. streak: a purchase in each of count days or weeks in a row. products: all of a set."`
	Amount   int64     `json:"amount,omitempty" yaml:"amount,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of spend and purchase: in the smallest unit of the programme's money."`
	Count    int64     `json:"count,omitempty" yaml:"count,omitempty" minimum:"0" maximum:"1000000" doc:"Of visits, streak and purchase; 1 of purchase where absent."`
	Unit     Unit      `json:"unit,omitempty" yaml:"unit,omitempty" enum:"day,week" doc:"Of a streak: days, or weeks that begin on Monday."`
	Products []Product `json:"products,omitempty" yaml:"products,omitempty" maxItems:"50" doc:"Of products: what is to be bought."`
}

// Unit is what a streak counts.
type Unit string

// The units.
const (
	Day  Unit = "day"
	Week Unit = "week"
)

// Product is one thing of a set: a product, or any of a category.
type Product struct {
	SKU      string `json:"sku,omitempty" yaml:"sku,omitempty" maxLength:"100" doc:"The product."`
	Category string `json:"category,omitempty" yaml:"category,omitempty" maxLength:"300" doc:"Or anything of this category and those below it."`
	Quantity int64  `json:"quantity,omitempty" yaml:"quantity,omitempty" minimum:"0" maximum:"1000000" doc:"How many pieces; 1 where absent."`
}

// check refuses a goal that says too little or too much.
func (g *Goal) check() error {
	bad := func(en, zh string) error {
		return ErrGoal.With("why", errs.Word{EN: en, ZH: zh}).At("body.goal")
	}
	switch g.Kind {
	case Spend:
		if g.Amount < 1 || g.Count != 0 || g.Unit != "" || len(g.Products) > 0 {
			return bad("spend has an amount and nothing else", "累计消费只需填写金额")
		}
	case Purchase:
		if g.Count == 0 {
			g.Count = 1
		}
		if g.Amount < 1 || g.Unit != "" || len(g.Products) > 0 {
			return bad("purchase has an amount, and may have a count", "单笔消费须填写金额，可填写次数")
		}
	case Visits:
		if g.Count < 1 || g.Amount != 0 || g.Unit != "" || len(g.Products) > 0 {
			return bad("visits has a count and nothing else", "消费次数只需填写次数")
		}
	case Streak:
		if g.Count < 1 || g.Count > 3660 || g.Unit != Day && g.Unit != Week || g.Amount != 0 || len(g.Products) > 0 {
			return bad("streak has a count and a unit, day or week", "连续消费须填写次数与单位（天或周）")
		}
	case Products:
		if len(g.Products) == 0 || g.Amount != 0 || g.Count != 0 || g.Unit != "" {
			return bad("products has a list of products and nothing else", "购买组合只需填写商品")
		}
		for i := range g.Products {
			p := &g.Products[i]
			if (p.SKU == "") == (p.Category == "") {
				return bad("each product is a sku or a category, one of the two", "每项须为商品编码或品类之一")
			}
			p.Quantity = max(1, p.Quantity)
		}
	default:
		return bad("there is no such kind", "没有这种类型")
	}
	return nil
}

// Share is what a purchase, or what is left of it after returns, adds to a goal. Shares are
// added and taken off; their order makes no difference.
type Share struct {
	Sum   int64   // money of the lines that count
	N     int64   // 1 where it counts as a purchase
	Unit  int32   // the day or week it lies in
	Milli []int64 // of each of the goal's products, in thousandths
}

// Progress is the sum of shares. Its JSON is on disk.
type Progress struct {
	Sum   int64           `json:"s,omitempty"`
	N     int64           `json:"n,omitempty"`
	Units map[int32]int64 `json:"u,omitempty"` // purchases of each day or week that has some
	Milli []int64         `json:"m,omitempty"`
}

// Zero reports whether nothing has been done.
func (p *Progress) Zero() bool {
	return p.Sum == 0 && p.N == 0 && !slices.ContainsFunc(p.Milli, func(n int64) bool { return n != 0 })
}

// Line is one line of a purchase as a goal sees it: what counts of it, in the programme's
// money, less what was returned.
type Line struct {
	Amount int64
	Milli  int64
	Of     int // which of the goal's products it is, from 1; 0 for none
}

// share is what lines that count add to a goal. unit is the day or week of the purchase.
func (g *Goal) share(lines []Line, unit int32) Share {
	s := Share{Unit: unit}
	if g.Kind == Products {
		s.Milli = make([]int64, len(g.Products))
	}
	bought := false
	for _, l := range lines {
		if l.Milli > 0 {
			bought = true
		}
		s.Sum += l.Amount
		if l.Of > 0 && s.Milli != nil {
			s.Milli[l.Of-1] += l.Milli
		}
	}
	switch g.Kind {
	case Purchase:
		bought = bought && s.Sum >= g.Amount
	case Spend, Products:
		bought = bought && (s.Sum > 0 || g.Kind == Products)
	}
	if bought {
		s.N = 1
	}
	return s
}

// add adds a share, or takes it off with sign −1.
func (p *Progress) add(g *Goal, s Share, sign int64) {
	p.N += sign * s.N
	switch g.Kind {
	case Spend:
		p.Sum += sign * s.Sum
	case Streak:
		if s.N != 0 {
			p.count(s.Unit, sign*s.N)
		}
	case Products:
		if p.Milli == nil {
			p.Milli = make([]int64, len(g.Products))
		}
		for i, n := range s.Milli {
			p.Milli[i] += sign * n
		}
	}
}

func (p *Progress) count(unit int32, n int64) {
	next := make(map[int32]int64, len(p.Units)+1) // the old one may be another state's
	for u, k := range p.Units {
		next[u] = k
	}
	next[unit] += n
	if next[unit] <= 0 {
		delete(next, unit)
	}
	p.Units = next
}

// Reach is how far progress is: done of what is to be done, in the unit of the goal: money,
// purchases, days or weeks, or pieces. Done is never more than all.
func (g *Goal) Reach(p *Progress) (done, all int64) {
	switch g.Kind {
	case Spend:
		done, all = p.Sum, g.Amount
	case Purchase, Visits:
		done, all = p.N, g.Count
	case Streak:
		done, all = longest(p.Units), g.Count
	case Products:
		for i, want := range g.Products {
			all += want.Quantity
			if i < len(p.Milli) {
				done += min(want.Quantity, p.Milli[i]/1000)
			}
		}
	}
	return max(0, min(done, all)), all
}

// Met reports whether the goal is reached.
func (g *Goal) Met(p *Progress) bool {
	done, all := g.Reach(p)
	return done >= all
}

// longest is the most units in a row.
func longest(units map[int32]int64) (most int64) {
	for u := range units {
		if units[u-1] > 0 {
			continue // not the first of its row
		}
		n := int64(0)
		for ; units[u] > 0; u++ {
			n++
		}
		most = max(most, n)
	}
	return most
}

// unitOf is the day or week of a streak that a programme day lies in. Day 0 was a Thursday.
func (g *Goal) unitOf(day int32) int32 {
	if g.Unit == Week {
		return (day + 3) / 7
	}
	return day
}

// left is what is left of a number of which a part of a line was returned: in proportion to
// the money, or to the pieces of a line that cost nothing.
func left(n, part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	out, _ := money.MulDiv(n, max(0, whole-part), whole, money.HalfUp)
	return out
}
