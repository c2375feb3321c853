package reward

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/sale"
)

// facts is a member as conditions and prices look at them.
type facts struct {
	*cond.Facts
	balances map[string]int64
}

// holds evaluates a condition; nil holds for everybody, and one that cannot be worked out for
// nobody.
func holds(c *cond.Cond, f *facts) bool {
	if c == nil {
		return true
	}
	ok, err := c.Eval(f.Facts)
	return ok && err == nil
}

// conditions are those of a version.
func (v *version) conditions() (list []*cond.Cond) {
	if v.audience != nil {
		list = append(list, v.audience)
	}
	for _, p := range v.prices {
		if p.who != nil {
			list = append(list, p.who)
		}
	}
	return list
}

// priceFor is the first price that is open and is for the member, or nil: there is no second
// choice.
func (v *version) priceFor(f *facts, nowMS int64) *price {
	for i := range v.prices {
		if p := &v.prices[i]; within(p.open, nowMS) && holds(p.who, f) {
			return p
		}
	}
	return nil
}

func (s *Service) factsOf(ctx context.Context, m int64, list ...*version) (*facts, error) {
	profiles, err := s.o.Members.Profiles(ctx, []member.ID{member.ID(m)})
	if err != nil {
		return nil, err
	}
	f := &facts{Facts: &cond.Facts{Now: cond.NewMoment(s.o.Clock.Now(), s.zone()), Found: cond.Found{}}}
	for _, p := range profiles {
		f.Member = p
	}
	var needs []cond.Need
	for _, v := range list {
		for _, c := range v.conditions() {
			needs = append(needs, c.Needs()...)
		}
	}
	a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: look{m, needs}, DryRun: true})
	if a.Err != nil {
		return nil, a.Err
	}
	got, ok := a.Value.(looked)
	if !ok {
		return nil, errNotOne
	}
	f.Found, f.balances = got.found, got.balances
	return f, nil
}

// look is a command that changes nothing: it answers what the account knows.
type look struct {
	member int64
	needs  []cond.Need
}

type looked struct {
	found    cond.Found
	balances map[string]int64
}

// Needs names the member.
func (c look) Needs() ledger.Needs { return ledger.Needs{Members: []int64{c.member}} }

// Decide looks.
func (c look) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a, err = survivor(s, a); err != nil {
		return nil, err
	}
	out := looked{cond.Found{}, s.Balances(a)}
	sale.Find(s, a, s.Day(s.NowMS), c.needs, out.found)
	return out, nil
}

// PictureView is where a picture is.
type PictureView struct {
	ID    string `json:"id" doc:"The picture: a hash of it."`
	URL   string `json:"url" doc:"At most 1200 pixels a side. The address changes with the picture: it can be kept for ever."`
	Thumb string `json:"thumb_url" doc:"At most 400 pixels a side."`
}

func viewPictures(hashes []string) []PictureView {
	out := []PictureView{}
	for _, h := range hashes {
		out = append(out, PictureView{h, pictureURL(h, false), pictureURL(h, true)})
	}
	return out
}

// PriceView is the price of a reward for one member.
type PriceView struct {
	Currency string     `json:"currency" doc:"Code of the currency of points."`
	Points   int64      `json:"points" doc:"How many, in its smallest unit; with a slider, the most."`
	Least    int64      `json:"least,omitempty" doc:"With a slider: the fewest; the rest is paid in money."`
	Step     int64      `json:"step,omitempty" doc:"With a slider: by how many points it moves."`
	Worth    int64      `json:"worth,omitempty" doc:"With a slider: what one smallest unit of points is worth, in thousandths of a minor unit of money. Money is rounded up."`
	Money    int64      `json:"money" doc:"Money on top in any case, in minor units."`
	Of       string     `json:"money_currency" doc:"Its currency: the programme's."`
	Until    *time.Time `json:"until,omitempty" doc:"Until when this price is open, where it is for a limited time."`
	Usual    int64      `json:"usual_points,omitempty" doc:"What it costs everybody else or afterwards, where this price is lower: the points of the last price of the same currency."`
}

// ShelfView is a reward as one member sees it.
type ShelfView struct {
	ID       string        `json:"id" doc:"The reward."`
	Code     string        `json:"code" doc:"Its code."`
	Version  int64         `json:"version" doc:"To be sent with an order: another version meanwhile is refused, as the price may be another."`
	Kind     Kind          `json:"kind" enum:"goods,coupon,service,donation,code" doc:"What it is."`
	NameEN   string        `json:"name_en" doc:"English name."`
	NameZH   string        `json:"name_zh" doc:"Chinese name."`
	TextEN   string        `json:"text_en,omitempty" doc:"What it is, in English."`
	TextZH   string        `json:"text_zh,omitempty" doc:"What it is, in Chinese."`
	Category string        `json:"category,omitempty" doc:"The shelf that it stands on."`
	Tags     []string      `json:"tags" doc:"Seasons and the like."`
	Pictures []PictureView `json:"pictures" doc:"The first is in front."`
	Price    *PriceView    `json:"price,omitempty" doc:"The price for this member now; absent where none of the prices is for them."`
	State    string        `json:"state" enum:"open,short,soon,sold_out,limit,no_price" doc:"open: can be ordered now. short: points are missing. soon: from opens_at on. sold_out, limit, no_price: not for now."`
	Missing  int64         `json:"missing" doc:"How many more points are needed, at the least."`
	Balance  int64         `json:"balance" doc:"What the member has of the price's currency."`
	Left     *int64        `json:"left,omitempty" doc:"How many are left, over all stores; absent where stock is not counted."`
	Most     *int64        `json:"member_left,omitempty" doc:"How many more this member may have now; absent where there is no limit."`
	Ways     []Way         `json:"ways" doc:"How it can come to the member; none for what is digital."`
	Stores   []ShelfStore  `json:"stores" doc:"Where it can be picked up; shown with a single reward. None: anywhere."`
	Pickup   int64         `json:"pickup_days,omitempty" doc:"Until the end of which day after the payment it is to be picked up."`
	Lapse    Lapse         `json:"lapse" enum:"return,keep" doc:"What missing that deadline does to the points."`
	Opens    *time.Time    `json:"opens_at,omitempty" doc:"From when on it can be ordered, where that is yet to come."`
	Closes   *time.Time    `json:"closes_at,omitempty" doc:"Until when it can be ordered."`
	Wished   bool          `json:"wished" doc:"The member wishes for it."`

	made int64
}

// ShelfStore is a store where a reward can be picked up.
type ShelfStore struct {
	ID     string `json:"id" doc:"The store."`
	NameEN string `json:"name_en" doc:"English name."`
	NameZH string `json:"name_zh" doc:"Chinese name."`
	Left   *int64 `json:"left,omitempty" doc:"How many are left there; absent where stock is not counted by store."`
}

// Shelf says which of the rewards that a member may see to list, and how.
type Shelf struct {
	Category, Tag, Q string
	Affordable       bool // only what they can have now
	Wished           bool
	Sort             string // "" the newest first, "points", "-points"
}

// shelf is what is known of all rewards for one member.
type shelf struct {
	f      *facts
	counts map[quota.Key]quota.Count
	stock  map[int64][]Stock
	wished map[int64]bool
}

// ForMember lists the rewards that a member may see, with the price for them and what is
// missing. The catalogue is in memory, and bounded.
func (s *Service) ForMember(ctx context.Context, m int64, q Shelf, p api.Page) (out api.List[ShelfView], err error) {
	out.Items = []ShelfView{}
	after, err := api.DecodeCursor(p.Cursor, 2)
	if err != nil {
		return out, err
	}
	all, err := s.shelved(ctx, m, nil)
	if err != nil {
		return out, err
	}
	all = slices.DeleteFunc(all, func(v ShelfView) bool { return !q.wants(&v) })
	key := func(v *ShelfView) []int64 {
		points := int64(math.MaxInt64)
		if v.Price != nil {
			points = v.Price.Points
			if v.Price.Least > 0 {
				points = v.Price.Least
			}
		}
		switch q.Sort {
		case "points":
			return []int64{points, -v.made}
		case "-points":
			return []int64{-points, -v.made}
		}
		return []int64{0, -v.made}
	}
	slices.SortFunc(all, func(a, b ShelfView) int { return slices.Compare(key(&a), key(&b)) })
	limit := max(1, p.Limit)
	for i := range all {
		if after != nil && slices.Compare(key(&all[i]), after) <= 0 {
			continue
		}
		if len(out.Items) == limit {
			last := key(&out.Items[limit-1])
			out.NextCursor = api.EncodeCursor(last...)
			break
		}
		out.Items = append(out.Items, all[i])
	}
	return out, nil
}

func (q *Shelf) wants(v *ShelfView) bool {
	word := strings.ToLower(strings.TrimSpace(q.Q))
	return (q.Category == "" || v.Category == q.Category) && (q.Tag == "" || slices.Contains(v.Tags, q.Tag)) && (!q.Affordable || v.State == "open") && (!q.Wished || v.Wished) &&
		(word == "" || strings.Contains(strings.ToLower(v.NameEN), word) || strings.Contains(strings.ToLower(v.NameZH), word))
}

// OneForMember shows one reward to a member who may see it.
func (s *Service) OneForMember(ctx context.Context, m int64, ref string) (ShelfView, error) {
	r, err := s.Find(ref)
	if err != nil {
		return ShelfView{}, err
	}
	list, err := s.shelved(ctx, m, r)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return ShelfView{}, err
	}
	return list[0], nil
}

// shelved works out all rewards that a member may see, or one.
func (s *Service) shelved(ctx context.Context, m int64, one *Reward) ([]ShelfView, error) {
	n, nowMS, snap := s.now.Load(), s.nowMS(), s.o.Program.Snapshot()
	var list []*version
	for _, r := range n.rewards {
		if v := n.latest(r); v != nil && r.State == Live && within(v.seen, nowMS) && (one == nil || one.ID == r.ID) {
			list = append(list, v)
		}
	}
	f, err := s.factsOf(ctx, m, list...)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(v *version) bool { return !holds(v.audience, f) })
	sh := &shelf{f: f, stock: map[int64][]Stock{}, wished: map[int64]bool{}}
	if err := s.fillShelf(ctx, sh, m, list, one, nowMS); err != nil {
		return nil, fmt.Errorf("list rewards for member %d: %w", m, err)
	}
	out := make([]ShelfView, 0, len(list))
	for _, v := range list {
		view := s.shelve(sh, m, v, snap, nowMS)
		if one == nil {
			view.Stores = []ShelfStore{}
		}
		out = append(out, view)
	}
	return out, nil
}

func (s *Service) fillShelf(ctx context.Context, sh *shelf, m int64, list []*version, one *Reward, nowMS int64) error {
	var keys []quota.Key
	for _, v := range list {
		for _, b := range s.boundsNow(v, m, nowMS) {
			keys = append(keys, b.key)
		}
	}
	of := int64(0)
	if one != nil {
		of = one.ID
	}
	return s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		sh.counts = nil
		if len(keys) > 0 {
			if sh.counts, err = quota.Read(ctx, tx, keys, nowMS); err != nil {
				return err
			}
		}
		clear(sh.stock)
		stocks, err := s.stocks(ctx, tx, of)
		if err != nil {
			return err
		}
		for _, x := range stocks {
			sh.stock[x.Reward] = append(sh.stock[x.Reward], x)
		}
		sh.wished, err = wishesOf(ctx, tx, m)
		return err
	})
}

func (s *Service) boundsNow(v *version, m, nowMS int64) []bound {
	at := timeOf(nowMS).In(s.zone())
	day := int64(program.DayOf(timeOf(nowMS), s.zone()))
	return v.boundsAt(m, day, (day+3)/7, int64(at.Year())*12+int64(at.Month())-1)
}

// shelve shows one reward to a member.
func (s *Service) shelve(sh *shelf, m int64, v *version, snap *program.Snapshot, nowMS int64) ShelfView {
	t, r := v.terms, v.reward
	out := ShelfView{
		ID: r.PublicID(), Code: r.Code, Version: v.n, Kind: t.Kind, NameEN: t.NameEN, NameZH: t.NameZH, TextEN: t.TextEN, TextZH: t.TextZH, Category: t.Category,
		Tags: append([]string{}, t.Tags...), Pictures: viewPictures(r.Pictures), Ways: append([]Way{}, t.Ways...), Stores: []ShelfStore{}, Pickup: t.PickupDays, Lapse: t.Lapse,
		Closes: moment(v.open[1]), Wished: sh.wished[r.ID], made: r.ID,
	}
	if nowMS < v.open[0] {
		out.Opens = moment(v.open[0])
	}
	for _, b := range s.boundsNow(v, m, nowMS) {
		left := max(0, b.limit.N-sh.counts[b.key].Used-sh.counts[b.key].Held)
		if out.Most == nil || left < *out.Most {
			out.Most = &left
		}
	}
	s.shelveStock(&out, sh, v, snap)
	p := v.priceFor(sh.f, nowMS)
	if p != nil {
		out.Price = v.viewPrice(p, s.money())
		out.Balance = sh.f.balances[p.Currency]
		least := cmp.Or(p.Least, p.Points)
		out.Missing = max(0, least-out.Balance)
	}
	switch {
	case nowMS < v.open[0]:
		out.State = "soon"
	case nowMS > v.open[1] || p == nil:
		out.State = "no_price"
	case out.Left != nil && *out.Left == 0:
		out.State = "sold_out"
	case out.Most != nil && *out.Most == 0:
		out.State = "limit"
	case out.Missing > 0:
		out.State = "short"
	default:
		out.State = "open"
	}
	return out
}

// shelveStock fills in what is left, and where.
func (s *Service) shelveStock(out *ShelfView, sh *shelf, v *version, snap *program.Snapshot) {
	by := map[int64]int64{}
	total := int64(0)
	for _, x := range sh.stock[v.reward.ID] {
		if _, counted := v.stocked(x.Store); counted && (v.terms.Stock == StockStores) == (x.Store != 0) && (x.Store == 0 || v.at(x.Store)) {
			by[x.Store] = x.Left()
			total += x.Left()
		}
	}
	if _, counted := v.stocked(0); counted {
		out.Left = &total
	}
	if !slices.Contains(out.Ways, Pickup) {
		return
	}
	for st := range snap.Stores() {
		if !st.Open || !v.at(st.ID) {
			continue
		}
		x := ShelfStore{ID: program.StoreID(st.ID), NameEN: st.NameEN, NameZH: st.NameZH}
		if v.terms.Stock == StockStores {
			left := by[st.ID]
			x.Left = &left
		}
		out.Stores = append(out.Stores, x)
	}
}

func (v *version) viewPrice(p *price, currency string) *PriceView {
	out := &PriceView{Currency: p.Currency, Points: p.Points, Least: p.Least, Step: p.Step, Worth: p.Worth, Money: p.Money, Of: currency, Until: moment(p.open[1])}
	if last := v.prices[len(v.prices)-1]; last.Currency == p.Currency && last.Points > p.Points {
		out.Usual = last.Points
	}
	return out
}

// shelves are the categories and the tags of rewards, each once.
func shelves(list []ShelfView) (categories, tags []string) {
	categories, tags = []string{}, []string{}
	for _, v := range list {
		if v.Category != "" {
			categories = append(categories, v.Category)
		}
		tags = append(tags, v.Tags...)
	}
	slices.Sort(categories)
	slices.Sort(tags)
	return slices.Compact(categories), slices.Compact(tags)
}
