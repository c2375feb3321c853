package offer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// pollEvery is how soon a node knows of a change that another made.
const pollEvery = time.Second

// snapshot is all that is configured, compiled: what sales and commands go by.
type snapshot struct {
	version int64
	program int64 // version of the programme's settings that it was made from
	words   *cond.Env
	offers  map[int64]*Offer
	by      map[string]*Offer // by code
	terms   map[int64]map[int64]*version
	size    int        // how many versions there are
	open    []*version // open offers that are published, their latest version
	index   index      // of those of them that a purchase may begin
	active  bool       // some offer is published: sales look
	who     bool       // the condition of a purchase asks who the member is
	asks    []cond.Need
	badges  map[int64]*Badge
	badge   map[string]*Badge // by code
	boards  []*Board
	ladder  Ladder
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// latest is the version of an offer that is received now.
func (n *snapshot) latest(o *Offer) *version { return n.terms[o.ID][o.Version] }

// of finds the version that an instance goes by, or nil.
func (n *snapshot) of(i *Instance) *version { return n.terms[i.Offer][i.Version] }

// filter is Counts as sales are asked by it.
type filter struct {
	stores                      map[int64]bool
	channels                    []string
	categories, brands, skus    []string
	noCategories, noBrands, not []string
	products                    []Product
}

// index finds the open offers that a purchase may count for, by what is in it: most are for
// other products.
type index struct {
	any                      []*version // without a bound on lines
	skus, brands, categories map[string][]*version
}

func (x *index) add(v *version) {
	f := &v.counts
	if len(f.skus)+len(f.brands)+len(f.categories) == 0 {
		x.any = append(x.any, v)
		return
	}
	put := func(to *map[string][]*version, names []string) {
		if *to == nil {
			*to = map[string][]*version{}
		}
		for _, name := range names {
			(*to)[name] = append((*to)[name], v)
		}
	}
	put(&x.skus, f.skus)
	put(&x.brands, f.brands)
	put(&x.categories, f.categories)
}

// of lists the versions that some lines may count for, each once.
func (x *index) of(lines []sale.Line, under func(category, ancestor string) bool) []*version {
	list := slices.Clip(x.any)
	if len(x.skus)+len(x.brands)+len(x.categories) == 0 {
		return list
	}
	seen := map[*version]bool{}
	add := func(more []*version) {
		for _, v := range more {
			if !seen[v] {
				seen[v] = true
				list = append(list, v)
			}
		}
	}
	asked := map[string]bool{}
	for _, l := range lines {
		add(x.skus[l.SKU])
		add(x.brands[l.Brand])
		if asked[l.Category] || l.Category == "" {
			continue
		}
		asked[l.Category] = true
		for category, more := range x.categories {
			if under(l.Category, category) {
				add(more)
			}
		}
	}
	slices.SortFunc(list[len(x.any):], func(a, b *version) int { return cmp.Compare(a.offer.ID, b.offer.ID) }) // maps have no order
	return list
}

func filterOf(t *Terms, snap *program.Snapshot) filter {
	c := &t.Counts
	f := filter{channels: c.Channels, categories: c.Categories, brands: c.Brands, skus: c.SKUs, noCategories: c.ExcludeCategories, noBrands: c.ExcludeBrands, not: c.ExcludeSKUs, products: t.Goal.Products}
	for _, ref := range c.Stores {
		if f.stores == nil {
			f.stores = map[int64]bool{}
		}
		if st, err := snap.FindStore(ref); err == nil {
			f.stores[st.ID] = true
		}
	}
	return f
}

// sale reports whether a purchase counts as far as its head says.
func (f *filter) sale(store int64, channel string) bool {
	return (f.stores == nil || f.stores[store]) && (len(f.channels) == 0 || slices.Contains(f.channels, channel))
}

// every reports whether each line counts, and none of them for a product.
func (f *filter) every() bool {
	return len(f.categories)+len(f.brands)+len(f.skus)+len(f.noCategories)+len(f.noBrands)+len(f.not)+len(f.products) == 0
}

// line reports whether a line counts, and which of the goal's products it is, from 1.
func (f *filter) line(sku, category, brand string, under func(category, ancestor string) bool) (of int, counts bool) {
	below := func(list []string) bool {
		return slices.ContainsFunc(list, func(c string) bool { return under(category, c) })
	}
	switch {
	case slices.Contains(f.not, sku), slices.Contains(f.noBrands, brand), below(f.noCategories):
		return 0, false
	case len(f.categories)+len(f.brands)+len(f.skus) > 0:
		if !slices.Contains(f.skus, sku) && !slices.Contains(f.brands, brand) && !below(f.categories) {
			return 0, false
		}
	}
	if len(f.products) == 0 {
		return 0, true
	}
	for i, p := range f.products {
		if p.SKU != "" && p.SKU == sku || p.Category != "" && under(category, p.Category) {
			return i + 1, true
		}
	}
	return 0, false
}

// Run keeps the snapshot fresh until ctx ends.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the offers cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in what is configured here, in the settings, and in the
// vocabulary of conditions.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	words, err := s.o.Ledger.Words(ctx)
	if err != nil {
		return err
	}
	programme := s.o.Program.Snapshot()
	var fresh *snapshot
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		version, checkIn, err := readConfig(ctx, tx)
		old := s.now.Load()
		if err != nil || old != nil && old.version == version && old.program == programme.Version && old.words == words {
			return err
		}
		fresh, err = readSnapshot(ctx, tx, words, programme)
		if err != nil {
			return err
		}
		fresh.version = version
		return json.Unmarshal([]byte(checkIn), &fresh.ladder)
	})
	if err != nil {
		return fmt.Errorf("read the offers: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

// readSnapshot reads and compiles everything. Drafts are kept too: they are few, and shown.
func readSnapshot(ctx context.Context, tx *db.Tx, words *cond.Env, programme *program.Snapshot) (*snapshot, error) {
	n := &snapshot{
		program: programme.Version, words: words, offers: map[int64]*Offer{}, by: map[string]*Offer{}, terms: map[int64]map[int64]*version{},
		badges: map[int64]*Badge{}, badge: map[string]*Badge{},
	}
	badges, err := readBadges(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, b := range badges {
		n.badges[b.ID], n.badge[b.Code] = b, b
	}
	if n.boards, err = readBoards(ctx, tx); err != nil {
		return nil, err
	}
	list, err := readOffers(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		n.offers[o.ID], n.by[o.Code], n.terms[o.ID] = o, o, map[int64]*version{}
	}
	err = readVersions(ctx, tx, func(offer, number int64, t *Terms) {
		if o := n.offers[offer]; o != nil {
			n.terms[offer][number] = n.compile(o, number, t, programme)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		v := n.latest(o)
		n.active = n.active || o.State != Draft
		if v != nil && o.State == Live && o.Terms.Delivery == Open {
			n.open = append(n.open, v)
			if !v.terms.OptIn {
				n.index.add(v)
			}
			n.ask(v.audience)
		}
		if o.State != Draft {
			for _, v := range n.terms[o.ID] {
				n.ask(v.sale)
				n.who = n.who || v.sale != nil && v.sale.AsksWho()
			}
		}
	}
	return n, nil
}

// ask adds what a condition wants to find of the member.
func (n *snapshot) ask(c *cond.Cond) {
	if c == nil {
		return
	}
	for _, need := range c.Needs() {
		if !slices.Contains(n.asks, need) {
			n.asks = append(n.asks, need)
		}
	}
}

// compile makes a version. What no longer compiles, as an attribute is gone, holds for nobody.
func (n *snapshot) compile(o *Offer, number int64, t *Terms, programme *program.Snapshot) *version {
	v := &version{offer: o, n: number, at: n.size, terms: t, counts: filterOf(t, programme)}
	n.size++
	v.from, v.until = t.span(programme.Zone)
	v.sale, v.audience = n.condition(t.Counts.Condition, cond.OfSale), n.condition(t.Audience, cond.OfMember)
	if b := n.badge[t.Reward.Badge]; b != nil {
		v.badge = b.ID
	}
	return v
}

func (n *snapshot) condition(text string, kind cond.Kind) *cond.Cond {
	if text == "" {
		return nil
	}
	c, err := n.words.Compile(text, kind)
	if err != nil {
		c, err = n.words.Compile("false", kind)
	}
	if err != nil {
		panic("offer: false does not compile: " + err.Error())
	}
	return c
}
