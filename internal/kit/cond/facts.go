package cond

import (
	"fmt"
	"strings"
)

// Facts is all that a condition can look at. The caller fills it once for a sale, an event or
// a member, and may then ask any number of conditions, changing only Line between them.
// Evaluation writes nothing to it, so goroutines may share one.
type Facts struct {
	Member *Member // never nil; for a sale that nobody owns the caller asks nothing
	Sale   *Sale   // of kinds OfSale and OfLine
	Line   *Line   // of kind OfLine: one of Sale.Lines
	Event  *Event  // of kind OfEvent
	Now    Moment  // the sale's or event's own time, not that of the clock
	// Under reports whether a category is another or lies below it, as the catalogue knows
	// them. Where it is nil, categories are paths: tea/green lies below tea.
	Under func(category, ancestor string) bool
	Found Found // what Needs asked for
}

// Found holds the facts that cost a look-up. It has every Need of the condition: a missing one
// is an error of the caller, not a zero.
type Found map[Need]Value

// Need names one fact with its arguments: what Cond.Needs lists and what Found is filled by.
type Need struct {
	Fact string // as declared: "member.spend"
	Text string // the text argument ("coffee"), or ""
	Days int64  // the window in days, today included; 0 for ever, or where the fact has no window
}

// String writes a need as the call that made it.
func (n Need) String() string {
	var args []string
	if n.Text != "" {
		args = append(args, quote(n.Text))
	}
	if n.Days != 0 {
		args = append(args, fmt.Sprint(n.Days))
	}
	return n.Fact + "(" + strings.Join(args, ", ") + ")"
}

// Member is who a condition is asked about. Zero values stand for what is not known.
type Member struct {
	Number     string // member number
	Status     string // "active", "blocked", …
	Tags       []string
	Gender     string // "female", "male", "other", "unknown" or ""
	BirthYear  int    // 0: unknown
	BirthMonth int    // 1 to 12; 0: unknown
	BirthDay   int    // 1 to 31; 0: unknown
	JoinedDay  int32  // days since 1 January 1970 in the programme's zone (a program.Day)
	City       string // code
	Language   string // "zh-CN"
	Store      string // code of the home store
	Source     string // where they joined
	TierCode   string // "" without a tier
	TierRank   int    // 0 without a tier; the lowest tier is 1
	Attributes map[string]Value
}

// Sale is one purchase. Amounts are in the smallest unit of the programme's currency: one made
// in another is converted by the caller, at the rate of its day.
type Sale struct {
	Total         int64 // what was paid, by whatever means
	PaidByPoints  int64 // of Total: by points or stored value bonus
	PaidByCoupons int64 // of Total: by coupons
	Currency      string
	Store         string // code
	Merchant      string // code
	Channel       string
	Till          string
	Staff         string
	Source        string
	Document      string
	Lines         []Line
	Attributes    map[string]any // as in the request: strings, float64s, bools; others read as unknown
}

// Line is one product of a sale.
type Line struct {
	SKU        string
	Name       string
	Category   string
	Brand      string
	Milli      int64 // quantity in thousandths
	Amount     int64 // paid for the line, smallest unit
	Attributes map[string]any
}

// Event is something that happened to a member besides a sale.
type Event struct {
	Type       string // "visit"
	Attributes map[string]any
}
