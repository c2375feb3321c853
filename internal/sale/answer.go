package sale

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// Answer is what a till gets for a sale.
type Answer struct {
	ID       string           `json:"id" doc:"The sale."`
	MemberID string           `json:"member_id,omitempty" doc:"Whose it is; absent while nobody has claimed it."`
	Total    int64            `json:"total" doc:"What it came to, in minor units of its currency: without what was taken off."`
	Taken    []NewDiscount    `json:"taken_off,omitempty" doc:"What was taken off: by member prices, tier and plan, and by coupons, each by its code."`
	Points   []Given          `json:"points" doc:"What it earned."`
	Balances map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`
	Tier     *string          `json:"tier" doc:"Code of the member's tier; null where the programme has none."`
	Flags    []string         `json:"flags" doc:"late: recorded more than seven days after it was made. no_rate: its currency has no rate for the day, so it earned nothing. history: brought along from the past."`
	Notices  []Notice         `json:"notices,omitempty" doc:"Why something was not given, or less than the rules said."`
	Trace    []Trace          `json:"trace,omitempty" doc:"With explain=true: what each rule saw and decided."`

	repeated bool
	status   int
}

// Status is 201 for a sale that was made now.
func (a *Answer) Status() int {
	if a.status != 0 {
		return a.status
	}
	return 201
}

// Given is one lot that a sale earned.
type Given struct {
	Currency  string `json:"currency" doc:"Code of the point currency."`
	Amount    int64  `json:"amount" doc:"In its smallest unit."`
	State     string `json:"state" enum:"pending,active,ended" doc:"pending until usable_at; ended if all of it is spent, expired or taken back."`
	Rule      string `json:"rule" doc:"What gave it."`
	LotID     string `json:"lot_id"`
	UsableAt  string `json:"usable_at" doc:"From when it can be used."`
	ExpiresAt string `json:"expires_at,omitempty" doc:"The first instant at which it can no longer be used; absent where it does not end."`
}

// Notice says why something was not given. It is no failure: the sale stands.
type Notice struct {
	Code   string `json:"code"`
	Title  string `json:"title" doc:"In English."`
	TitleZ string `json:"title_zh" doc:"In Chinese."`
}

func noticeOf(err error) Notice {
	e := errs.As(err)
	if e == nil {
		panic(err) // decisions refuse with refusals only
	}
	return Notice{e.Code, e.Text("en"), e.Text("zh-CN")}
}

func answerOf(s *ledger.State, a *ledger.Account, d *Document) *Answer {
	out := &Answer{ID: d.ID(), Total: d.Total, Taken: discountsOf(d), Points: []Given{}, Balances: map[string]int64{}, Flags: d.Flags.Names()}
	if d.Owner != 0 {
		out.MemberID = member.ID(a.ID).String()
		out.Balances = s.Balances(a)
	}
	if d.Effect.Tier != "" {
		out.Tier = &d.Effect.Tier
	}
	for _, e := range d.Effect.Earned {
		g := Given{Currency: s.Config.Currencies[e.Currency].Code, Amount: e.Amount, Rule: e.Rule, LotID: id.Encode("lot_", e.Member, e.Lot), State: "ended"}
		if home, err := s.Account(e.Member); err == nil {
			if l := s.Lot(home, e.Lot); l != nil {
				g.UsableAt = iso(l.ActiveMS)
				if l.ExpiresMS < ledger.Never {
					g.ExpiresAt = iso(l.ExpiresMS)
				}
				if l.Left > 0 {
					g.State = l.State.String()
				}
			}
		}
		out.Points = append(out.Points, g)
	}
	return out
}

// discountsOf is what was taken off a sale here, and not by its till.
func discountsOf(d *Document) (list []NewDiscount) {
	var off int64
	for _, l := range d.Body.Lines {
		off += l.Off
	}
	for i := len(d.Body.Discounts) - 1; i >= 0 && off > 0; i-- { // those of the till came first
		x := d.Body.Discounts[i]
		list = append(list, NewDiscount{x.Kind, x.Ref, x.Amount})
		off -= d.Body.Discounts[i].Amount
	}
	slices.Reverse(list)
	return list
}

// ReturnAnswer is what a till gets for a return.
type ReturnAnswer struct {
	ID         string           `json:"id" doc:"The return."`
	SaleID     string           `json:"sale_id,omitempty" doc:"The sale; absent while it has not come, or where the lines are of several."`
	State      string           `json:"state" enum:"posted,waiting,parked" doc:"waiting: its sale has not come yet. parked: some lines match no sale and need a person."`
	Total      int64            `json:"total" doc:"Money given back, in minor units of the sale's currency."`
	ClawedBack []MovedPoints    `json:"clawed_back" doc:"What was taken back of the points that the sale earned."`
	Restored   []MovedPoints    `json:"restored" doc:"What came back of the points that paid for it."`
	Debt       map[string]int64 `json:"debt" doc:"What the member owes from now on, by currency code."`
	Balances   map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`

	repeated bool
	parked   []int // numbers of lines
}

// Status is 202 for a return that waits for its sale.
func (a *ReturnAnswer) Status() int {
	if a.State == Waiting.String() {
		return 202
	}
	return 201
}

// MovedPoints is what a return moved of one currency.
type MovedPoints struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	Debt     int64  `json:"debt,omitempty" doc:"Of the amount, what the member did not have and owes."`
	Waived   int64  `json:"waived,omitempty" doc:"What was not taken: expired unused, or more than the currency's policy takes."`
}

func returnOf(s *ledger.State, a *ledger.Account, d *Document) *ReturnAnswer {
	out := &ReturnAnswer{ID: d.ID(), State: d.State.String(), Total: d.Total, ClawedBack: moved(s, d.Effect.Clawed), Restored: moved(s, d.Effect.Restored), Debt: map[string]int64{}, Balances: map[string]int64{}}
	if d.OfSeq != 0 {
		out.SaleID = id.Encode(idPrefix, d.OfMember, d.OfSeq)
	}
	if d.State != Waiting && !IsStandIn(a.ID) {
		out.Debt, out.Balances = s.Debts(a), s.Balances(a)
	}
	for _, l := range d.Body.Lines {
		if l.Parked != "" {
			out.parked = append(out.parked, int(l.Line))
		}
	}
	return out
}

func moved(s *ledger.State, list []Moved) []MovedPoints {
	out := []MovedPoints{}
	for _, m := range list {
		out = append(out, MovedPoints{s.Config.Currencies[m.Currency].Code, m.Amount, m.Debt, m.Waived})
	}
	return out
}

func iso(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00") }

// Quantity is a number with up to three decimals, kept as thousandths.
type Quantity int64

// maxQuantity is a million pieces, a thousand tons.
const maxQuantity = 1_000_000_000

// ErrQuantityForm refuses what is no quantity.
var ErrQuantityForm = errs.New(errs.Invalid, "sale.quantity_form", "A quantity is a number above 0, up to 1,000,000, with up to 3 decimals.", "数量须为大于 0、不超过 1,000,000、最多 3 位小数的数字。")

// badQuantity is a number that is no quantity. It is refused where its place is known.
const badQuantity Quantity = -1

// UnmarshalJSON reads the number as it is written, without a detour through floating point.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	whole, frac, _ := strings.Cut(string(b), ".")
	frac = strings.TrimRight(frac, "0")
	n, err := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64)
	if *q = Quantity(n); err != nil || len(frac) > 3 || n < 0 || n > maxQuantity {
		*q = badQuantity
	}
	return nil
}

// check refuses what is no quantity above 0.
func (q Quantity) check(line int64, location string) error {
	switch {
	case q == badQuantity:
		return ErrQuantityForm.At(location)
	case q <= 0:
		return ErrQuantity.With("line", line).At(location)
	}
	return nil
}

// MarshalJSON writes it as a number.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(formatMilli(int64(q))), nil }

// Schema tells the reference what a quantity looks like.
func (Quantity) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, float64(maxQuantity/1000)
	return &huma.Schema{Type: "number", ExclusiveMinimum: &least, Maximum: &most, Description: "Pieces or weight, with up to 3 decimals."}
}

func formatMilli(n int64) string {
	s := strconv.FormatInt(n/1000, 10)
	if f := n % 1000; f != 0 {
		s += "." + strings.TrimRight((strconv.FormatInt(1000+f, 10))[1:], "0")
	}
	return s
}

var _ json.Unmarshaler = (*Quantity)(nil)
