package file

import (
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// raw is one row of a document on its way through the sorters.
type raw struct {
	line  int64
	cells []string
}

// document makes a document out of its rows, which are in the order of the file.
//
// Rows with a bad value are refused, each with its reason, and the rest is the document.
// Where rows contradict each other about whose sale it is, which sale comes back, or what
// the total is, the whole document is refused: points would go to the wrong person or in
// the wrong amount, and a document that went in by half could not be sent again once the
// file is mended. Store, till, staff and channel are the first that a row names. The time
// is the earliest, of refused rows too.
func (s *sales) document(key string, typ Type, rows []raw) Document {
	d := Document{Key: key, Type: typ, Currency: s.v.Currency}
	d.Store, d.Till = s.first(rows, "store"), s.first(rows, "till")
	d.Staff, d.Channel = s.first(rows, "staff"), s.first(rows, "channel")
	total, bad := s.agree(&d, rows)
	negative := false
	for _, r := range rows {
		line, when, err := s.line(r)
		if !when.IsZero() && (d.At.IsZero() || when.Before(d.At)) {
			d.At = when
		}
		if err != nil {
			d.Problems = append(d.Problems, Problem{r.line, err, r.cells})
			continue
		}
		negative = negative || line.QuantityMilli < 0 || line.Amount < 0
		d.Lines = append(d.Lines, line)
	}
	s.signs(&d, negative)
	if bad == nil {
		bad = s.close(&d, total)
	}
	if bad != nil {
		d.refuse(bad)
	}
	return d
}

// refuse moves all lines to the problems: the document as a whole is not taken.
func (d *Document) refuse(reason *errs.Error) {
	for _, l := range d.Lines {
		d.Problems = append(d.Problems, Problem{l.FileLine, reason, l.Cells})
	}
	d.Lines, d.Total = nil, 0
	slices.SortFunc(d.Problems, func(a, b Problem) int { return int(a.FileLine - b.FileLine) })
}

func (s *sales) first(rows []raw, field string) string {
	if s.m.Has(field) {
		for _, r := range rows {
			if cell := s.m.Get(r.cells, field); cell != "" {
				return cell
			}
		}
	}
	return ""
}

// agree reads what all rows must say alike or not at all, and returns the total, or the
// reason why the document cannot stand.
func (s *sales) agree(d *Document, rows []raw) (total string, bad *errs.Error) {
	member, bad := s.single(rows, "member", ErrMembers)
	d.Member = MemberRef(s.o.Source, member)
	if bad == nil && d.Type == Return {
		d.Of, bad = s.single(rows, "of", ErrOriginals)
	}
	if bad == nil {
		total, bad = s.single(rows, "total", ErrTotals)
	}
	return total, bad
}

// single returns the one value of a field that rows name, and refusal where there are two.
func (s *sales) single(rows []raw, field string, refusal *errs.Error) (string, *errs.Error) {
	if !s.m.Has(field) {
		return "", nil
	}
	value, line := "", int64(0)
	for _, r := range rows {
		cell := s.m.Get(r.cells, field)
		switch {
		case cell == "" || cell == value:
		case value == "":
			value, line = cell, r.line
		default:
			return "", refusal.With("a", brief(value), "line_a", line, "b", brief(cell), "line_b", r.line).At(field)
		}
	}
	return value, nil
}

// line reads one row. Its amounts still have the signs of the file; an empty time is zero.
func (s *sales) line(r raw) (Line, time.Time, *errs.Error) {
	l := Line{
		FileLine: r.line, Cells: r.cells, QuantityMilli: 1000,
		SKU: s.m.Get(r.cells, "sku"), Name: s.m.Get(r.cells, "name"),
		Category: s.m.Get(r.cells, "category"), Brand: s.m.Get(r.cells, "brand"),
	}
	var when time.Time
	var err error
	if l.SKU == "" {
		l.SKU = NoSKU
	}
	if cell := s.m.Get(r.cells, "at"); cell != "" {
		if when, err = s.v.Time(cell); err != nil {
			return l, when, at(err, "at")
		}
	}
	if s.m.Has("quantity") {
		if l.QuantityMilli, err = s.v.Quantity(s.m.Get(r.cells, "quantity")); err != nil {
			return l, when, at(err, "quantity")
		}
		if l.QuantityMilli == 0 {
			return l, when, ErrZeroN.At("quantity")
		}
	}
	bad := s.amount(&l)
	return l, when, bad
}

// amount reads the amount of a line, or makes it from quantity and unit price where its
// cell is empty or there is none.
func (s *sales) amount(l *Line) *errs.Error {
	var err error
	cell := s.m.Get(l.Cells, "amount")
	if cell != "" || !s.m.Has("unit_price") {
		if l.Amount, err = s.v.Money(cell); err != nil {
			return at(err, "amount")
		}
		return nil
	}
	price, err := s.v.Price(s.m.Get(l.Cells, "unit_price"))
	if err != nil {
		return at(err, "unit_price")
	}
	if price.Units < 0 {
		return ErrNegative.At("unit_price")
	}
	if l.Amount, err = s.v.LineAmount(price, l.QuantityMilli); err != nil {
		return at(err, "unit_price")
	}
	return nil
}

// signs refuses lines whose sign does not fit the document, makes those of returns
// positive, and numbers what is left.
//
// A sale takes no negative line. Of a return, a file writes either all lines with a minus
// (on the quantity, the amount or both) or none: where one line has it, one without is
// goods that went out, and is refused.
func (s *sales) signs(d *Document, negative bool) {
	kept := d.Lines[:0]
	for _, l := range d.Lines {
		var bad *errs.Error
		minus := l.QuantityMilli < 0 || l.Amount < 0
		switch {
		case d.Type == Sale && l.QuantityMilli < 0:
			bad = ErrNegativeN.At("quantity")
		case d.Type == Sale && minus:
			bad = ErrNegative.At("amount")
		case d.Type == Return && negative && !minus && (l.Amount > 0 || s.m.Has("quantity")):
			bad = ErrMixed
		}
		if bad != nil {
			d.Problems = append(d.Problems, Problem{l.FileLine, bad, l.Cells})
			continue
		}
		l.QuantityMilli, l.Amount = abs(l.QuantityMilli), abs(l.Amount)
		l.Line = len(kept) + 1
		kept = append(kept, l)
	}
	d.Lines = kept
	slices.SortFunc(d.Problems, func(a, b Problem) int { return int(a.FileLine - b.FileLine) })
}

func abs(n int64) int64 { return max(n, -n) }

// close adds the lines up, and checks the sum and that there is a time.
func (s *sales) close(d *Document, total string) *errs.Error {
	if len(d.Lines) == 0 {
		return nil // nothing but problems
	}
	if d.At.IsZero() {
		return ErrMissing.At("at")
	}
	for _, l := range d.Lines {
		var ok bool
		if d.Total, ok = money.Add(d.Total, l.Amount); !ok {
			return ErrFar.With("text", "total").At("amount")
		}
	}
	if total == "" {
		return nil
	}
	said, err := s.v.Money(total)
	if err != nil {
		return at(err, "total")
	}
	if said != d.Total && (d.Type == Sale || -said != d.Total) {
		return ErrTotal.With("sum", d.Total, "total", said).At("total")
	}
	return nil
}
