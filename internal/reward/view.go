package reward

import (
	"crypto/hmac"
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// OrderView is an order as the outside sees it.
type OrderView struct {
	ID       string      `json:"id" doc:"The order."`
	Member   string      `json:"member_id" doc:"Whose it is."`
	Name     string      `json:"member_name,omitempty" doc:"What the member is called, in lists, for who may read members."`
	Reward   string      `json:"reward_id" doc:"The reward."`
	Code     string      `json:"reward_code" doc:"Its code."`
	NameEN   string      `json:"name_en" doc:"Its name as it was ordered, in English."`
	NameZH   string      `json:"name_zh" doc:"Its name as it was ordered, in Chinese."`
	Picture  string      `json:"picture_url,omitempty" doc:"Its first picture, small."`
	Kind     Kind        `json:"kind" enum:"goods,coupon,service,donation,code" doc:"What it is."`
	Version  int64       `json:"version" doc:"The version of the reward that the order goes by."`
	State    string      `json:"state" enum:"held,paid,fulfilled,done,cancelled,returned" doc:"held: money is to be paid until expires_at. paid: to be picked up or shipped. fulfilled: ready to be picked up, or on its way. done, cancelled and returned are final."`
	Lapsed   bool        `json:"lapsed,omitempty" doc:"It was cancelled because it was not paid or not picked up in time."`
	Kept     bool        `json:"points_kept,omitempty" doc:"It was cancelled, and the points were not given back."`
	Currency string      `json:"currency" doc:"Code of the currency of points."`
	Points   int64       `json:"points" doc:"What it costs in points, in the smallest unit."`
	Money    money.Money `json:"money" doc:"What it costs in money on top; 0 for nothing."`
	PaidBy   string      `json:"paid_by,omitempty" doc:"How the money was paid."`
	PayRef   string      `json:"payment_reference,omitempty" doc:"Number of the payment at whoever took it."`
	Way      Way         `json:"way,omitempty" enum:"pickup,ship" doc:"How it comes to the member; absent of what is digital."`
	Store    string      `json:"store_id,omitempty" doc:"Where it is picked up; absent where any store will do."`
	StoreEN  string      `json:"store_name_en,omitempty" doc:"What that store is called, in English."`
	StoreZH  string      `json:"store_name_zh,omitempty" doc:"What that store is called, in Chinese."`
	Pickup   string      `json:"pickup_code,omitempty" doc:"The code to pick it up with, as long as it waits; for the member and who serves them."`
	Gift     string      `json:"gift_code,omitempty" doc:"The code that was given: of the coupon, or, for the member alone, of the third party."`
	CodeEnd  string      `json:"gift_code_end,omitempty" doc:"The last four letters of the third party's code, for staff."`
	Address  *Address    `json:"address,omitempty" doc:"Where it is shipped to; shown with a single order."`
	Carrier  string      `json:"carrier,omitempty" doc:"Who brings it."`
	Tracking string      `json:"tracking,omitempty" doc:"The carrier's number."`
	Made     time.Time   `json:"made_at" doc:"When it was ordered."`
	Paid     *time.Time  `json:"paid_at,omitempty" doc:"When it was paid."`
	Changed  time.Time   `json:"changed_at" doc:"When something happened last."`
	Expires  *time.Time  `json:"expires_at,omitempty" doc:"Until when it is to be paid, or picked up; absent where there is no deadline."`
	Steps    []StepView  `json:"history,omitempty" doc:"What happened, the first first; shown with a single order."`
}

// StepView is a row of an order's history.
type StepView struct {
	Step  string    `json:"step" enum:"held,paid,ready,shipped,delivered,picked_up,done,cancelled,returned,unpaid,not_picked_up" doc:"What happened."`
	At    time.Time `json:"at" doc:"When."`
	Actor string    `json:"actor,omitempty" doc:"Who did it, as staff:stf_…; for staff only."`
	Store string    `json:"store_id,omitempty" doc:"Where."`
	Note  string    `json:"note,omitempty" doc:"Why, in the words of staff; for staff only."`
}

// Address is where goods are shipped to.
type Address struct {
	Name  string `json:"name" minLength:"1" maxLength:"100" doc:"Who receives it."`
	Phone string `json:"phone" minLength:"3" maxLength:"40" doc:"Where the carrier calls."`
	Line  string `json:"line" minLength:"3" maxLength:"500" doc:"Where to, in one text."`
}

// OrderAnswer is what a change of an order answers.
type OrderAnswer struct {
	Order    OrderView        `json:"order" doc:"As it is now."`
	Balances map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`
	Refund   *money.Money     `json:"money_to_refund,omitempty" doc:"Money that was paid and is to be given back, of what was cancelled or returned."`

	repeated, created bool
}

// Status is 201 for an order that was made now, else 200.
func (a *OrderAnswer) Status() int {
	if a.created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// Whose is the member whose codes the answer shows.
func (a *OrderAnswer) Whose() int64 {
	m, err := member.ParseID(a.Order.Member)
	if err != nil {
		panic("reward: an answer names no member: " + err.Error())
	}
	return int64(m)
}

// secrets makes and opens codes. All of it is a function of the key file and the row alone, so
// that a command may use it.
type secrets struct {
	box   *seal.Box
	money string // the programme's currency
	snap  *program.Snapshot
}

func (s *Service) secrets() *secrets { return &secrets{s.o.Box, s.money(), s.o.Program.Snapshot()} }

func (x *secrets) store(n int64) errs.Word {
	st, _ := x.snap.Store(n)
	return errs.Word{EN: st.NameEN, ZH: st.NameZH}
}

// pickupText has no letter that looks like a digit or like another one.
var pickupText = base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding)

// pickupSize is how many letters a code has: 60 bits, which nobody guesses, and one to check.
const pickupSize = 13

// pickup is the code of an order, and the keyed hash that it is found by. The code is made of
// the order's number by a key, so that the database does not have it.
func (x *secrets) pickup(member, seq int64) (code string, at []byte) {
	sum := x.box.Blind("reward pickup", fmt.Sprintf("%d/%d", member, seq))
	body := pickupText.EncodeToString(sum[:8])[:pickupSize-1]
	code = body + checkLetter(body)
	return code, x.pickupAt(code)
}

// pickupAt is what the row of a code's order has.
func (x *secrets) pickupAt(code string) []byte {
	sum := x.box.Blind("reward pickup at", code)
	return sum[:16]
}

// checkLetter finds one letter that was read wrongly, and two neighbours that changed places.
func checkLetter(body string) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	sum := 0
	for i := range len(body) {
		sum += (2*i + 1) * strings.IndexByte(letters, body[i]) // odd, so that no letter drops out of the sum
	}
	return string(letters[sum%len(letters)])
}

// pickupForm brings a code that somebody typed into its one form; false for what is none.
func pickupForm(text string) (string, bool) {
	code := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(text)))
	if len(code) != pickupSize || strings.ContainsAny(code, "IO01") {
		return "", false
	}
	return code, hmac.Equal([]byte(checkLetter(code[:pickupSize-1])), []byte(code[pickupSize-1:]))
}

// spell groups a code for people.
func spell(code string) string { return code[:4] + "-" + code[4:8] + "-" + code[8:] }

// codeAAD binds a sealed code to its reward.
func codeAAD(reward int64) []byte { return fmt.Appendf(nil, "reward/%d/code/1", reward) }

// viewer says for whom an order is shown.
type viewer struct {
	own bool // the member themselves
	x   *secrets
}

// answer is what a command answers.
func (w viewer) answer(s *ledger.State, n *snapshot, a *ledger.Account, o *Order, repeated bool) (*OrderAnswer, error) {
	out := &OrderAnswer{Order: w.view(s.Config, n, o, s.NowMS), Balances: s.Balances(a), repeated: repeated}
	out.Order.Member = member.ID(a.ID).String()
	if (o.Step == Cancelled || o.Step == Returned) && o.Money > 0 && o.Body.PaidMS != 0 && !o.Body.Lapsed {
		out.Refund = &money.Money{Amount: o.Money, Currency: w.x.money}
	}
	if o.Body.Code != 0 {
		key := codeRow(o.Reward, o.Body.Code)
		if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{key}}); err != nil {
			return nil, err
		}
		if row := s.Row(key.Table, key.Key...); row != nil {
			w.reveal(&out.Order, o, row[3].([]byte))
		}
	}
	return out, nil
}

// reveal shows the code of a third party to the member, and its end to staff.
func (w viewer) reveal(v *OrderView, o *Order, sealed []byte) {
	plain, err := w.x.box.OpenBytes(sealed, codeAAD(o.Reward))
	switch code := string(plain); {
	case err != nil:
	case w.own:
		v.Gift = code
	default:
		v.CodeEnd = code[max(0, len(code)-4):]
	}
}

// view shows an order at an instant.
func (w viewer) view(config *ledger.Config, n *snapshot, o *Order, nowMS int64) OrderView {
	v := OrderView{
		ID: o.PublicID(), Member: member.ID(o.Member).String(), Reward: id.Encode(rewardPrefix, 0, o.Reward), Version: o.Version, State: o.Step.String(), Lapsed: o.Body.Lapsed, Kept: o.Body.Kept,
		Points: o.Points, Money: money.Money{Amount: o.Money, Currency: w.x.money}, PaidBy: o.Body.PayKind, PayRef: o.Body.PayRef, Way: o.Body.Way,
		Carrier: o.Carrier, Tracking: o.Tracking, Made: timeOf(o.MadeMS), Paid: moment(o.Body.PaidMS), Changed: timeOf(o.ChangedMS), Expires: moment(o.UntilMS),
	}
	if c := config.Currencies[o.Currency]; c != nil {
		v.Currency = c.Code
	}
	if r := n.rewards[o.Reward]; r != nil {
		v.Code = r.Code
		if len(r.Pictures) > 0 {
			v.Picture = pictureURL(r.Pictures[0], true)
		}
		if ver := n.terms[r.ID][o.Version]; ver != nil {
			v.NameEN, v.NameZH, v.Kind = ver.terms.NameEN, ver.terms.NameZH, ver.terms.Kind
		}
	}
	if st, ok := w.x.snap.Store(o.Store); ok && o.Store != 0 {
		v.Store, v.StoreEN, v.StoreZH = program.StoreID(st.ID), st.NameEN, st.NameZH
	}
	if o.over(nowMS) { // what the sweep will write down
		v.State, v.Lapsed = Cancelled.String(), true
		if o.Step != Held {
			if ver := n.terms[o.Reward][o.Version]; ver != nil {
				v.Kept = ver.terms.Lapse == LapseKeep
			}
		}
		return v
	}
	if len(o.pickup) > 0 && (o.Step == Held || o.Step == Paid || o.Step == Fulfilled) {
		code, _ := w.x.pickup(o.Member, o.Seq)
		v.Pickup = spell(code)
	}
	v.Gift = o.Gift
	return v
}

// moment is an instant of an answer; 0, and what never comes, have none.
func moment(ms int64) *time.Time {
	if ms <= 0 || ms >= never {
		return nil
	}
	t := timeOf(ms)
	return &t
}

// shown writes money for a refusal.
func shown(amount int64, currency string) string {
	decimals, err := money.Decimals(currency)
	if err != nil {
		decimals = 0
	}
	unit := int64(1)
	for range decimals {
		unit *= 10
	}
	if unit == 1 {
		return fmt.Sprint(amount, " ", currency)
	}
	return fmt.Sprintf("%d.%0*d %s", amount/unit, decimals, amount%unit, currency)
}
