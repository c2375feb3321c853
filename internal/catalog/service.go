package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ProductChanged is the event of a product that is new or changed; its body is Changed.
// CategoryChanged is that of a category, whose products it touches without a word.
const (
	ProductChanged  = "catalog.product_changed"
	CategoryChanged = "catalog.category_changed"
)

// Changed is the body of ProductChanged.
type Changed struct {
	SKU      string `json:"sku"`
	Category string `json:"category_id,omitempty"`
	Active   bool   `json:"active"`
	Learned  bool   `json:"learned"`
}

// Service keeps the catalogue. It is safe for use by many goroutines.
type Service struct {
	db    *db.DB
	clock clock.Clock
	audit *staff.Audit
	nudge func() // wakes the event dispatcher

	now        atomic.Pointer[Snapshot]
	refreshing sync.Mutex // one change of now at a time
}

// pollEvery is how often Run looks for what other nodes changed.
const pollEvery = time.Second

// New opens the catalogue and reads it once through. nudge wakes the event dispatcher
// after a change, and may be nil.
func New(ctx context.Context, d *db.DB, c clock.Clock, a *staff.Audit, nudge func()) (*Service, error) {
	if nudge == nil {
		nudge = func() {}
	}
	s := &Service{db: d, clock: c, audit: a, nudge: nudge}
	err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		// The position first: a change after it comes again by its event, which does no harm.
		position, err := event.Position(ctx, tx)
		if err != nil {
			return err
		}
		t, err := loadTree(ctx, tx)
		if err != nil {
			return err
		}
		all, err := allCategories(ctx, tx)
		s.now.Store(&Snapshot{tree: t, base: all, position: position})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the catalogue: %w", err)
	}
	return s, nil
}

// Snapshot is the catalogue as this process knows it. It costs one atomic load.
func (s *Service) Snapshot() *Snapshot { return s.now.Load() }

// Run keeps the snapshot fresh until ctx ends. While the database does not answer the last
// snapshot stays in use; the log says so once.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	db.Poll(ctx, log, pollEvery, "the catalogue cannot be read; what is known of it stays in use", s.Refresh)
}

// Refresh takes in what changed: the tree where its version is another, and the products
// of the events since the last time.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	for end := int64(-1); ; { // of the log as it begins: what comes meanwhile is for the next time
		old := s.now.Load()
		t, events, position := old.tree, []event.Event(nil), old.position
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			version, err := treeVersion(ctx, tx)
			if err == nil && version != old.tree.version {
				t, err = loadTree(ctx, tx)
			}
			if err != nil {
				return err
			}
			if end < 0 {
				if end, err = event.Position(ctx, tx); err != nil {
					return err
				}
			}
			events, position, err = event.List(ctx, tx, old.position, ProductChanged, event.MaxPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("refresh the catalogue: %w", err)
		}
		if err := s.takeIn(old, t, events, position); err != nil || position >= end {
			return err
		}
	}
}

// takeIn makes the snapshot that follows old, with the events up to a position. The caller
// holds refreshing.
func (s *Service) takeIn(old *Snapshot, t *tree, events []event.Event, position int64) error {
	if t == old.tree && position == old.position {
		return nil
	}
	changed := make(map[string]int64, len(events))
	for _, e := range events {
		var c Changed
		if err := json.Unmarshal(e.Body, &c); err != nil {
			return fmt.Errorf("refresh the catalogue: event %d: %w", e.Position, err)
		}
		var category int64
		if c.Category != "" {
			var err error
			if _, category, err = id.Decode("cat_", c.Category); err != nil {
				return fmt.Errorf("refresh the catalogue: event %d: %w", e.Position, err)
			}
		}
		changed[c.SKU] = category
	}
	next := old.with(changed)
	next.tree, next.position = t, position
	s.now.Store(next)
	return nil
}

// note takes in what this process has just committed, ahead of its events.
func (s *Service) note(list []written) {
	if len(list) == 0 {
		return
	}
	changed := make(map[string]int64, len(list))
	for _, w := range list {
		changed[w.sku] = w.category
	}
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	s.now.Store(s.now.Load().with(changed))
	s.nudge()
}

// Get returns a product, or ErrUnknown.
func (s *Service) Get(ctx context.Context, sku string) (p Product, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		p, err = getProduct(ctx, tx, getSQL, sku)
		return err
	})
	return p, err
}

// List returns products in the order in which they came, up to limit.
func (s *Service) List(ctx context.Context, f Filter, limit int) (list []Product, err error) {
	if f.Category != "" {
		f.Category = s.Snapshot().resolve(f.Category)
		if f.Category == "" {
			return nil, nil
		}
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = listProducts(ctx, tx, f, limit)
		return err
	})
	return list, err
}

// Put makes a product or replaces all that it says. The category is named by id or path
// and must exist.
func (s *Service) Put(ctx context.Context, p Product) (Product, error) {
	return s.edit(ctx, p.SKU, func(was *Product) (Product, error) { return p, nil })
}

// Change edits a product that exists, under its lock: change gets it as it is.
func (s *Service) Change(ctx context.Context, sku string, change func(*Product) error) (Product, error) {
	return s.edit(ctx, sku, func(was *Product) (Product, error) {
		if was == nil {
			return Product{}, ErrUnknown
		}
		is := *was
		err := change(&is)
		is.SKU = was.SKU
		return is, err
	})
}

// edit writes what decide makes of a product as it stands, nil where there is none.
func (s *Service) edit(ctx context.Context, sku string, decide func(was *Product) (Product, error)) (is Product, err error) {
	var changed []written
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var was *Product
		found, err := getProduct(ctx, tx, lockSQL, sku)
		switch {
		case err == nil:
			was = &found
		case !errors.Is(err, ErrUnknown):
			return err
		}
		if is, err = decide(was); err != nil {
			return err
		}
		if changed, err = s.put(ctx, tx, []Product{is}, false); err != nil {
			return err
		}
		if is, err = getProduct(ctx, tx, getSQL, sku); err != nil || len(changed) == 0 {
			return err
		}
		return s.audit.Record(ctx, tx, "product.put", sku, auditOf(was), auditOf(&is))
	})
	if err != nil {
		return Product{}, err
	}
	s.note(changed)
	return is, nil
}

// auditOf is a product as the audit trail keeps it: nil for none.
func auditOf(p *Product) any {
	if p == nil {
		return nil
	}
	return view(*p)
}

// PutAll makes or replaces products in the caller's transaction, for an import: at most
// MaxBulk; of a sku that comes twice the last counts. Categories that do not exist are made
// of the words that name them. It returns the skus that are new or changed.
func (s *Service) PutAll(ctx context.Context, tx *db.Tx, list []Product) ([]string, error) {
	changed, err := s.put(ctx, tx, list, true)
	skus := make([]string, len(changed))
	for i, w := range changed {
		skus[i] = w.sku
	}
	return skus, err
}

func (s *Service) put(ctx context.Context, tx *db.Tx, list []Product, grow bool) ([]written, error) {
	if len(list) > MaxBulk {
		return nil, fmt.Errorf("%d products at once, at most %d", len(list), MaxBulk)
	}
	now, snapshot := s.clock.Now().UnixMilli(), s.Snapshot()
	items, words := make([]item, 0, len(list)), make([]string, 0, len(list))
	place := make(map[string]int, len(list)) // of each sku in items
	for _, p := range list {
		if err := p.Check(); err != nil {
			return nil, err
		}
		words = append(words, p.Category)
		i := p.item()
		if p.Cost == nil && p.Price == nil {
			i.Currency = ""
		}
		if i.Category = snapshot.resolve(p.Category); !grow && p.Category != "" {
			if _, err := snapshot.Find(i.Category); err != nil {
				return nil, ErrNoCategory.At("body.category")
			}
		}
		if at, twice := place[p.SKU]; twice {
			items[at] = i
			continue
		}
		place[p.SKU] = len(items)
		items = append(items, i)
	}
	if grow {
		if err := growTree(ctx, tx, snapshot, words, now); err != nil {
			return nil, err
		}
	}
	changed, err := writeAll(ctx, tx, putSQL, items, now)
	if err != nil {
		return nil, err
	}
	return changed, tell(ctx, tx, changed, now)
}

// tell appends the events of products that were written.
func tell(ctx context.Context, tx *db.Tx, list []written, now int64) error {
	events := make([]event.Event, 0, len(list))
	for _, w := range list {
		c := Changed{SKU: w.sku, Active: w.active, Learned: w.learned}
		if w.category != 0 {
			c.Category = Category{ID: w.category}.PublicID()
		}
		events = append(events, event.Event{Kind: ProductChanged, AtMS: now, Body: event.MustBody(c)})
	}
	return event.AppendAll(ctx, tx, events)
}
