// Package price is what members pay less of by who they are: lists of member prices, and the
// discounts that come with their tier and their plan. They are the first stages of what comes off a
// basket; coupons follow.
//
// Life of a list: a draft is filled, then published: live from its time on, until it is paused or
// its time is over. Changed, it holds for the next basket; what was quoted stays as it was quoted.
// A list that is not live can be removed.
//
// Laws:
//   - Of all that fits a line, the lowest price is taken: prices do not add up. Of equals, the list
//     that was made first.
//   - A member price never raises what a line comes to, and never touches a cost of delivery.
//   - Who is not known has no member price.
//   - First comes the price, then the tier's discount on what is left, then the plan's.
//   - Where no list fits a basket and no tier or plan takes anything off, nothing is read for it.
package price

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// List is a list of member prices. What it says of products lies beside it.
type List struct {
	ID      int64
	Code    string // unique; never changes
	State   State
	Version int64 // grows with every change of its terms
	Terms   Terms
	Made    time.Time
	Changed time.Time
	Items   int // how many
}

// State is where a list stands.
type State string

// The states. Scheduled and Ended are what a live one is called outside of its time.
const (
	Draft     State = "draft"
	Live      State = "live"
	Paused    State = "paused"
	Scheduled State = "scheduled"
	Ended     State = "ended"
)

var stateWords = map[State]errs.Word{
	Draft: {EN: "a draft", ZH: "草稿"}, Live: {EN: "live", ZH: "生效中"}, Paused: {EN: "paused", ZH: "已暂停"},
}

// Terms are for whom, where and when a list is.
type Terms struct {
	NameEN   string   `json:"name_en,omitempty" maxLength:"100" doc:"English name, as receipts show it; the Chinese one where absent."`
	NameZH   string   `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	Tiers    []string `json:"tiers,omitempty" maxItems:"50" doc:"For members of these tiers of the main scheme, by code. With plans: who has one of either. Every member where both are absent."`
	Plans    []string `json:"plans,omitempty" maxItems:"50" doc:"For members with these paid memberships, by code."`
	Audience string   `json:"audience,omitempty" maxLength:"8000" doc:"Only for members for whom this holds as well: a condition of kind member."`
	Stores   []string `json:"stores,omitempty" maxItems:"500" doc:"Only at these stores: codes or ids."`
	Channels []string `json:"channels,omitempty" maxItems:"50" doc:"Only on these channels."`
	From     string   `json:"from,omitempty" maxLength:"40" doc:"From when on; a date or time without a zone is in the programme's."`
	Until    string   `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer holds."`
}

// Item is what a list says of one product, brand or category.
type Item struct {
	SKU      string `json:"sku,omitempty" maxLength:"64" doc:"A product. One of sku, brand and category is said."`
	Brand    string `json:"brand,omitempty" maxLength:"100" doc:"All products of a brand."`
	Category string `json:"category,omitempty" maxLength:"200" doc:"All products of a category and those below it."`
	Price    int64  `json:"price,omitempty" minimum:"0" maximum:"1000000000000" doc:"What a unit costs members, in minor units of the programme's currency; of a product only. Of what is weighed: what a whole unit costs."`
	Percent  int64  `json:"percent,omitempty" minimum:"0" maximum:"10000" doc:"In place of price: so much off, in hundredths of a per cent. 1500 is 15 % off."`
}

// The kinds of what an item is about. The numbers are on disk.
const (
	ofSKU      = 1
	ofBrand    = 2
	ofCategory = 3
)

// key is what the item is about.
func (i Item) key() (kind int64, ref string) {
	switch {
	case i.SKU != "":
		return ofSKU, i.SKU
	case i.Brand != "":
		return ofBrand, i.Brand
	}
	return ofCategory, i.Category
}

// itemOf makes an item of a row.
func itemOf(kind int64, ref string, price, percent int64) Item {
	i := Item{Price: price, Percent: percent}
	switch kind {
	case ofSKU:
		i.SKU = ref
	case ofBrand:
		i.Brand = ref
	default:
		i.Category = ref
	}
	return i
}

// The bounds: all lists are held in memory.
const (
	maxLists = 100
	// MaxItems is what one list says at most. A hundred such lists take some 200 MB; shops with so
	// many prices have one or two.
	MaxItems = 20_000
	// maxWide bounds items of categories and brands of one list: each line is held against all of
	// them.
	maxWide = 500
	// MaxEdit is how many items one request writes.
	MaxEdit = 1000

	prefix = "prl_"
)

// PublicID is what the outside calls the list.
func (l *List) PublicID() string { return id.Encode(prefix, 0, l.ID) }

// The refusals.
var (
	ErrUnknown = errs.New(errs.NotFound, "price.unknown", "There is no such price list.", "没有这个会员价目表。")
	ErrCode    = errs.New(errs.Invalid, "price.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores, and begins with a letter or digit.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成，并以字母或数字开头。")
	ErrTaken   = errs.New(errs.Conflict, "price.code_taken", "There is a price list with this code already.", "该代码的会员价目表已存在。")
	ErrMany    = errs.New(errs.Conflict, "price.many", "There may be no more than {most} price lists. Remove one that is over.", "会员价目表不能超过 {most} 个，请先删除已结束的价目表。")
	ErrName    = errs.New(errs.Invalid, "price.name", "Give a name of at most 100 characters in one language at least.", "请至少填写一种语言的名称，且不超过 100 个字符。")
	ErrTier    = errs.New(errs.Invalid, "price.tier", "The main tier scheme has no tier {tier}.", "主等级体系中没有等级 {tier}。")
	ErrPlan    = errs.New(errs.Invalid, "price.plan", "There is no plan {plan}.", "没有代码为 {plan} 的付费会员方案。")
	ErrWindow  = errs.New(errs.Invalid, "price.window", "It ends before it begins.", "结束时间早于开始时间。")
	ErrFacts   = errs.New(errs.Invalid, "price.facts", "A member price may ask for points, earned, spend and visits of a member, not for {fact}.", "会员价条件可使用 points、earned、spend、visits，不能使用 {fact}。")
	ErrItem    = errs.New(errs.Invalid, "price.item", "{why}", "{why}")
	ErrItems   = errs.New(errs.Conflict, "price.items", "A list has at most {most} prices, {wide} of them of categories and brands.", "一个价目表最多 {most} 项，其中品类与品牌最多 {wide} 项。")
	ErrEdited  = errs.New(errs.Conflict, "price.changed", "The price list was changed by someone else; read it again.", "该价目表已被他人修改，请重新读取。")
	ErrState   = errs.New(errs.Conflict, "price.state", "The price list is {state}, so this cannot be done.", "价目表当前为“{state}”，无法执行此操作。")
	ErrLive    = errs.New(errs.Conflict, "price.live", "The price list is live: pause it before removing it.", "价目表正在生效，请先暂停再删除。")
)

var codes = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Standing is where a list stands at an instant.
func (l *List) Standing(at time.Time, zone *time.Location) State {
	if l.State != Live {
		return l.State
	}
	switch from, until := l.Terms.span(zone); {
	case at.UnixMilli() < from:
		return Scheduled
	case at.UnixMilli() >= until:
		return Ended
	}
	return Live
}

// The ends of a span that has none.
const (
	always = -1 << 62
	never  = 1<<63 - 1
)

// span is from when until when a list holds, the latter exclusive, in Unix milliseconds. Terms that
// were checked can be read.
func (t *Terms) span(zone *time.Location) (from, until int64) {
	from, until = always, never
	if at, err := program.ParseTime(t.From, zone); err == nil {
		from = at.UnixMilli()
	}
	if at, err := program.ParseTime(t.Until, zone); err == nil {
		until = at.UnixMilli()
	}
	return from, until
}

// fill brings terms into their one form.
func (t *Terms) fill() {
	t.NameEN, t.NameZH = strings.TrimSpace(t.NameEN), strings.TrimSpace(t.NameZH)
	if t.NameEN == "" {
		t.NameEN = t.NameZH
	}
	if t.NameZH == "" {
		t.NameZH = t.NameEN
	}
	for _, list := range []*[]string{&t.Tiers, &t.Plans, &t.Stores, &t.Channels} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	t.Audience = strings.TrimSpace(t.Audience)
}

// check refuses terms that cannot be, and brings them into their one form.
func (t *Terms) check(snap *program.Snapshot, words *cond.Env) error {
	t.fill()
	if t.NameEN == "" || utf8.RuneCountInString(t.NameEN) > 100 || utf8.RuneCountInString(t.NameZH) > 100 {
		return ErrName.At("body.name_en")
	}
	for _, part := range []struct {
		text *string
		at   string
	}{{&t.From, "body.from"}, {&t.Until, "body.until"}} {
		if *part.text == "" {
			continue
		}
		when, err := snap.ParseTime(*part.text)
		if err != nil {
			return at(err, part.at)
		}
		*part.text = when.In(snap.Zone).Format(time.RFC3339Nano)
	}
	if from, until := t.span(snap.Zone); until <= from {
		return ErrWindow.At("body.until")
	}
	for _, ref := range t.Stores {
		if _, err := snap.FindStore(ref); err != nil {
			return at(err, "body.stores")
		}
	}
	if t.Audience == "" {
		return nil
	}
	c, err := words.Compile(t.Audience, cond.OfMember)
	if err != nil {
		return at(err, "body.audience")
	}
	for _, need := range c.Needs() {
		if !slices.Contains(asked, need.Fact) {
			return ErrFacts.With("fact", need.Fact).At("body.audience")
		}
	}
	return nil
}

// asked are the facts about a member that an audience may ask for: those that the account knows.
var asked = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

// check refuses an item that cannot be.
func (i *Item) check() error {
	said := 0
	for _, ref := range []*string{&i.SKU, &i.Brand, &i.Category} {
		if *ref = strings.TrimSpace(*ref); *ref != "" {
			said++
		}
	}
	wrong := func(en, zh string) error { return ErrItem.With("why", errs.Word{EN: en, ZH: zh}) }
	switch {
	case said != 1:
		return wrong("Say one of sku, brand and category.", "sku、brand、category 须填写且只填写一个。")
	case (i.Price == 0) == (i.Percent == 0):
		return wrong("Say price or percent, above 0. What is free has a percent of 10000.", "price 与 percent 须填写其一且大于 0；免费请填 percent 10000。")
	case i.Price < 0 || i.Percent < 0 || i.Percent > 10_000:
		return wrong("A price is above 0, a percent is at most 10000.", "price 须大于 0，percent 不超过 10000。")
	case i.Price > 0 && i.SKU == "":
		return wrong("Only a product has a price; a brand or category has a percent.", "只有商品可填 price；品牌与品类请填 percent。")
	}
	return nil
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}
