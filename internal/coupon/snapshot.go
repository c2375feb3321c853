package coupon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

// pollEvery is how soon a node knows of a change that another made.
const pollEvery = time.Second

// snapshot is all coupons, compiled: what checkouts and commands go by. It never changes.
type snapshot struct {
	version  int64
	program  int64 // version of the programme's settings that it was made from
	zone     *time.Location
	words    *cond.Env
	coupons  map[int64]*Coupon
	by       map[string]*Coupon // by code
	shared   map[string]*Coupon // by folded shared code
	terms    map[int64]map[int64]*version
	fromSale []*version // of live coupons that purchases give, their latest version
	onSteps  []*version // the same of those that steps of a member's life give
}

// version is one version of a coupon, compiled.
type version struct {
	coupon   *Coupon // as it stands
	n        int64
	terms    *Terms
	stores   map[int64]bool // nil for all
	weekdays uint8          // bit 0 is Monday; 0: every day
	hours    [][2]int       // minutes of the day
	sale     *cond.Cond     // nil for all
	audience *cond.Cond     // nil for everybody
	from     int64          // when it is issued, both inclusive
	until    int64

	giveStores map[int64]bool // of terms.FromSale
	give       *cond.Cond
}

// latest is the version by which a coupon is issued now.
func (n *snapshot) latest(c *Coupon) *version { return n.terms[c.ID][c.Version] }

// of finds a version, nil where there is none: then its coupon was removed.
func (n *snapshot) of(coupon, number int64) *version { return n.terms[coupon][number] }

// Run keeps the snapshot fresh until ctx ends.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the coupons cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in the coupons, in the settings, and in the vocabulary
// of conditions.
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
		fresh = nil
		var version int64
		err := tx.QueryRow(ctx, configSQL).Scan(&version)
		old := s.now.Load()
		if err != nil || old != nil && old.version == version && old.program == programme.Version && old.words == words {
			return err
		}
		if fresh, err = readSnapshot(ctx, tx, words, programme); err == nil {
			fresh.version = version
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the coupons: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

// readSnapshot reads and compiles everything. Drafts are kept too: they are few, and shown.
func readSnapshot(ctx context.Context, tx *db.Tx, words *cond.Env, programme *program.Snapshot) (*snapshot, error) {
	n := &snapshot{
		program: programme.Version, zone: programme.Zone, words: words,
		coupons: map[int64]*Coupon{}, by: map[string]*Coupon{}, shared: map[string]*Coupon{}, terms: map[int64]map[int64]*version{},
	}
	list, err := readCoupons(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		n.coupons[c.ID], n.by[c.Code], n.terms[c.ID] = c, c, map[int64]*version{}
		if code := c.Terms.SharedCode; code != "" && c.State != Draft {
			n.shared[fold(code)] = c
		}
	}
	err = readVersions(ctx, tx, func(coupon, number int64, t *Terms) {
		if c := n.coupons[coupon]; c != nil {
			n.terms[coupon][number] = n.compile(c, number, t, programme)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(list) { // the oldest first: an order that does not change
		if v := n.latest(c); v != nil && c.State == Live && c.Terms.FromSale != nil {
			n.fromSale = append(n.fromSale, v)
		}
		if v := n.latest(c); v != nil && c.State == Live && len(c.Terms.GrantOn) > 0 {
			n.onSteps = append(n.onSteps, v)
		}
	}
	return n, nil
}

// compile makes a version. What no longer compiles, as an attribute is gone, holds for nobody.
func (n *snapshot) compile(c *Coupon, number int64, t *Terms, programme *program.Snapshot) *version {
	v := &version{coupon: c, n: number, terms: t, stores: storesOf(t.Stores, programme)}
	v.from, v.until = t.span(programme.Zone)
	for _, d := range t.Weekdays {
		v.weekdays |= 1 << (d - 1)
	}
	for _, h := range t.Hours {
		from, _ := minuteOf(h.From)
		until, _ := minuteOf(h.Until)
		v.hours = append(v.hours, [2]int{from, until})
	}
	v.sale, v.audience = n.condition(t.Condition, cond.OfSale), n.condition(t.Audience, cond.OfMember)
	if t.FromSale != nil {
		v.giveStores, v.give = storesOf(t.FromSale.Stores, programme), n.condition(t.FromSale.Condition, cond.OfSale)
	}
	return v
}

// storesOf is nil where no store is named: then all are meant.
func storesOf(refs []string, programme *program.Snapshot) map[int64]bool {
	if len(refs) == 0 {
		return nil
	}
	out := map[int64]bool{}
	for _, ref := range refs {
		if st, err := programme.FindStore(ref); err == nil {
			out[st.ID] = true
		}
	}
	return out
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
		panic("coupon: false does not compile: " + err.Error())
	}
	return c
}

// open reports whether a time of the day and week is one at which it is taken.
func (v *version) open(at time.Time) bool {
	weekday := (int(at.Weekday()) + 6) % 7
	if v.weekdays != 0 && v.weekdays&(1<<weekday) == 0 {
		return false
	}
	minute := at.Hour()*60 + at.Minute()
	return len(v.hours) == 0 || slices.ContainsFunc(v.hours, func(h [2]int) bool {
		if h[0] < h[1] {
			return h[0] <= minute && minute < h[1]
		}
		return minute >= h[0] || minute < h[1]
	})
}
