package app

import (
	"context"
	"sync"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

const (
	learnQueue = 4096 // products that wait to be added; more are met again with the next sale
	learnBatch = 200
)

// learner is what sales know of the catalogue, and how the catalogue learns from sales:
// unknown products wait here and are added in the background, off the path of the sale.
type learner struct {
	app  *App
	seen chan catalog.Seen

	mu  sync.Mutex
	met map[string]bool // skus that were passed on already; the catalogue's own snapshot follows later
}

// maxMet bounds what learner remembers: past it, it forgets all and asks again.
const maxMet = 100_000

func newLearner(a *App) *learner {
	return &learner{app: a, seen: make(chan catalog.Seen, learnQueue), met: map[string]bool{}}
}

// Under reports whether a category is another or lies below it.
func (l *learner) Under(category, ancestor string) bool {
	return l.app.Catalog.Snapshot().Under(category, ancestor)
}

// CategoryOf is the category of a product, "" where it is not known.
func (l *learner) CategoryOf(sku string) string {
	path, _ := l.app.Catalog.Snapshot().Category(sku)
	return path
}

// Seen tells of a product that was sold. It never waits: one that finds no place will be
// sold again.
func (l *learner) Seen(sku, name, category, brand string) {
	if _, known := l.app.Catalog.Snapshot().Category(sku); known || l.hasMet(sku) {
		return
	}
	select {
	case l.seen <- catalog.Seen{SKU: sku, Name: name, Category: category, Brand: brand}:
		l.meet(sku)
	default:
	}
}

func (l *learner) hasMet(sku string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.met[sku]
}

func (l *learner) meet(sku string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.met) >= maxMet {
		clear(l.met)
	}
	l.met[sku] = true
}

// run adds products until ctx ends.
func (l *learner) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-l.seen:
			l.add(ctx, l.more([]catalog.Seen{first}))
		}
	}
}

// more takes what waits, up to a batch.
func (l *learner) more(batch []catalog.Seen) []catalog.Seen {
	for len(batch) < learnBatch {
		select {
		case s := <-l.seen:
			batch = append(batch, s)
		default:
			return batch
		}
	}
	return batch
}

func (l *learner) add(ctx context.Context, batch []catalog.Seen) {
	err := l.app.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		return l.app.Catalog.Learn(ctx, tx, batch)
	})
	if err != nil && ctx.Err() == nil {
		l.app.Log.Warn("products of sales were not added to the catalogue", "products", len(batch), "error", err)
	}
	l.app.Events.Nudge()
}

// flush adds what waits now: an import ends with it.
func (l *learner) flush(ctx context.Context) {
	for len(l.seen) > 0 {
		l.add(ctx, l.more(nil))
	}
}
