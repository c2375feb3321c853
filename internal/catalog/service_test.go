package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is a catalogue on a fresh database, with the dispatcher that its snapshot follows.
type rig struct {
	*testing.T
	db     *db.DB
	clock  *clock.Manual
	events *event.Dispatcher
	*Service
}

func each(t *testing.T, body func(r rig)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(noon)
		events := event.New(d, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
		r := rig{t, d, c, events, nil}
		r.Service = r.node()
		body(r)
	})
}

// node is the catalogue of another process on the same database.
func (r rig) node() *Service {
	r.Helper()
	s, err := New(r.Context(), r.db, r.clock, staff.NewAudit(r.db, r.clock), r.events.Nudge)
	r.must(err)
	return s
}

func (r rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r rig) tx(fn func(context.Context, *db.Tx) error) {
	r.Helper()
	r.must(r.db.InTx(r.Context(), fn))
}

func (r rig) learn(s *Service, seen ...Seen) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return s.Learn(ctx, tx, seen) })
}

// follow brings a node up to what was committed.
func (r rig) follow(s *Service) {
	r.Helper()
	r.must(r.events.Drain(r.Context()))
	r.must(s.Refresh(r.Context()))
}

func (r rig) product(sku string) Product {
	r.Helper()
	p, err := r.Get(r.Context(), sku)
	r.must(err)
	return p
}

func ptr[T any](v T) *T { return &v }

// category adds a category; path is its parent and slug.
func (r rig) category(path string) Category {
	r.Helper()
	e := CategoryEdit{Slug: ptr(path[strings.LastIndexByte(path, '/')+1:]), NameEN: ptr("n " + path)}
	if up := parent(path); up != "" {
		e.Parent = &up
	}
	c, err := r.AddCategory(r.Context(), e)
	r.must(err)
	return c
}

func (r rig) told() (list []Changed) {
	r.Helper()
	r.must(r.events.Drain(r.Context()))
	r.must(r.db.Read(r.Context(), func(ctx context.Context, tx *db.Tx) error {
		events, _, err := event.List(ctx, tx, 0, ProductChanged, event.MaxPage)
		for _, e := range events {
			var c Changed
			r.must(json.Unmarshal(e.Body, &c))
			list = append(list, c)
		}
		return err
	}))
	return list
}

func TestPut(t *testing.T) {
	each(t, func(r rig) {
		tea := r.category("tea")
		want := Product{SKU: "A/1", NameEN: "Long Jing", NameZH: "龙井", Category: "tea", Brand: "West Lake",
			Cost: ptr(int64(700)), Price: ptr(int64(1200)), Currency: "CNY", Active: true}
		got, err := r.Put(t.Context(), want)
		r.must(err)
		if got.CategoryID != tea.ID || got.ChangedMS != noon.UnixMilli() || *got.Price != 1200 || got.Learned || !got.Active || got.NameZH != "龙井" {
			t.Errorf("put = %+v", got)
		}
		r.clock.Advance(time.Hour)
		same, err := r.Put(t.Context(), want)
		r.must(err)
		if same.ChangedMS != got.ChangedMS || same.ID != got.ID {
			t.Errorf("the same again = %+v", same)
		}
		_, err = r.Put(t.Context(), Product{SKU: "A/1", NameEN: "Long Jing 2"})
		r.must(err)
		if p := r.product("A/1"); p.Brand != "" || p.Price != nil || p.Currency != "" || p.Active || p.Category != "" || p.ID != got.ID {
			t.Errorf("replaced = %+v", p)
		}
		if told := r.told(); len(told) != 2 || told[0].Category != tea.PublicID() || !told[0].Active || told[1].Active {
			t.Errorf("told = %+v, want the two changes", told)
		}
		if _, err := r.Put(t.Context(), Product{SKU: "B", NameEN: "B", Category: "nowhere"}); !errors.Is(err, ErrNoCategory) {
			t.Errorf("unknown category: %v", err)
		}
		if _, err := r.Get(t.Context(), "B"); !errors.Is(err, ErrUnknown) {
			t.Errorf("what was refused is there: %v", err)
		}
	})
}

// Edits of different fields at the same time all stay.
func TestChangesDoNotLoseEachOther(t *testing.T) {
	each(t, func(r rig) {
		_, err := r.Put(t.Context(), Product{SKU: "A", NameEN: "A", Active: true})
		r.must(err)
		edits := []func(*Product){
			func(p *Product) { p.NameEN = "Tea" }, func(p *Product) { p.NameZH = "茶" },
			func(p *Product) { p.Brand = "B" }, func(p *Product) { p.Active = false },
		}
		var all sync.WaitGroup
		for _, edit := range edits {
			all.Go(func() {
				if _, err := r.Change(t.Context(), "A", func(p *Product) error { edit(p); return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if p := r.product("A"); p.NameEN != "Tea" || p.NameZH != "茶" || p.Brand != "B" || p.Active {
			t.Errorf("after four edits: %+v", p)
		}
		if list, err := r.List(t.Context(), Filter{Query: "茶"}, 9); err != nil || len(list) != 1 {
			t.Errorf("a changed name is not found: %v, %v", list, err)
		}
		if _, err := r.Change(t.Context(), "none", func(*Product) error { return nil }); !errors.Is(err, ErrUnknown) {
			t.Errorf("Change of nothing = %v", err)
		}
	})
}

func TestLearn(t *testing.T) {
	each(t, func(r rig) {
		_, err := r.Put(t.Context(), Product{SKU: "edited", NameEN: "By hand", Active: true})
		r.must(err)
		other := r.node()
		r.learn(r.Service,
			Seen{SKU: "new", Name: " 龙井 ", Category: "茶 / 绿茶", Brand: "西湖"},
			Seen{SKU: "new", Name: "second line"},
			Seen{SKU: "edited", Name: "By a till"},
			Seen{SKU: "bad\x01sku"}, Seen{SKU: ""},
			Seen{SKU: "bare"})
		if p := r.product("new"); p.NameZH != "龙井" || p.NameEN != "" || p.Category != "茶/绿茶" || p.Brand != "西湖" || !p.Learned || !p.Active {
			t.Errorf("learned = %+v", p)
		}
		if p := r.product("edited"); p.NameEN != "By hand" || p.Learned {
			t.Errorf("an edit was overwritten: %+v", p)
		}
		if told := r.told(); len(told) != 3 { // the put, and the two that were learned
			t.Errorf("told = %+v", told)
		}
		for name, s := range map[string]*Service{"this node": r.Service, "another": other} {
			r.follow(s)
			if path, known := s.Snapshot().Category("new"); path != "茶/绿茶" || !known {
				t.Errorf("%s knows %q, %t", name, path, known)
			}
			if path, known := s.Snapshot().Category("bare"); path != "" || !known {
				t.Errorf("%s knows %q, %t of a product without a category", name, path, known)
			}
		}
		c, err := r.Snapshot().Find("茶")
		if err != nil || c.NameZH != "茶" || c.NameEN != "" {
			t.Errorf("learned category = %+v, %v", c, err)
		}
		// Known: no statement at all, so even a transaction that is broken does not matter.
		r.must(r.Learn(t.Context(), nil, []Seen{{SKU: "new"}, {SKU: "edited"}}))
		_, err = r.Change(t.Context(), "new", func(p *Product) error { p.NameEN = "Long Jing"; return nil })
		r.must(err)
		if p := r.product("new"); p.Learned || p.NameEN != "Long Jing" || p.Category != "茶/绿茶" {
			t.Errorf("edited after it was learned: %+v", p)
		}
	})
}

// Many postings learn the same products at the same time: each is there once.
func TestLearningRaces(t *testing.T) {
	each(t, func(r rig) {
		const racers, products = 6, 40
		var all sync.WaitGroup
		for n := range racers {
			all.Go(func() {
				var seen []Seen
				for i := range products {
					i = (i*(2*n+1) + n) % products // each in another order
					seen = append(seen, Seen{SKU: fmt.Sprint("p", i), Category: fmt.Sprintf("c%d/d%d", i%3, i%7)})
				}
				if err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return r.Learn(ctx, tx, seen) }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		r.follow(r.Service)
		list, err := r.List(t.Context(), Filter{}, 200)
		if err != nil || len(list) != products || len(r.told()) != products {
			t.Errorf("%d products, %d events, want %d (%v)", len(list), len(r.told()), products, err)
		}
		for _, p := range list {
			var i int
			if _, err := fmt.Sscanf(p.SKU, "p%d", &i); err != nil || p.Category != fmt.Sprintf("c%d/d%d", i%3, i%7) {
				t.Errorf("%s is in %q", p.SKU, p.Category)
			}
		}
	})
}

func TestPutAll(t *testing.T) {
	each(t, func(r rig) {
		list := make([]Product, MaxBulk)
		for i := range list {
			list[i] = Product{SKU: fmt.Sprint("p", i), NameEN: fmt.Sprint("Product ", i), Category: "Imported / Box " + fmt.Sprint(i%10), Active: true}
		}
		put := func() (n int) {
			r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
				changed, err := r.PutAll(ctx, tx, list)
				n = len(changed)
				return err
			})
			return n
		}
		if n := put(); n != MaxBulk {
			t.Errorf("first: %d changed", n)
		}
		if n := put(); n != 0 {
			t.Errorf("the same again: %d changed", n)
		}
		for name, edit := range map[string]func(*Product){
			"name":     func(p *Product) { p.NameEN = "x" },
			"name_zh":  func(p *Product) { p.NameZH = "茶" },
			"brand":    func(p *Product) { p.Brand = "b" },
			"active":   func(p *Product) { p.Active = false },
			"category": func(p *Product) { p.Category = "imported/box-7" },
		} {
			if edit(&list[6]); put() != 1 {
				t.Errorf("a change of %s alone is not seen", name)
			}
		}
		list[7].Price, list[7].Currency = ptr(int64(5)), "CNY"
		put()
		list[8].Cost, list[8].Currency = ptr(int64(5)), "CNY"
		put()
		for name, edit := range map[string]func(){
			"price":    func() { *list[7].Price = 6 },
			"cost":     func() { *list[8].Cost = 6 },
			"currency": func() { list[8].Currency = "USD" },
		} {
			if edit(); put() != 1 {
				t.Errorf("a change of %s alone is not seen", name)
			}
		}
		if list[7].Price, list[7].Currency = nil, ""; put() != 1 {
			t.Error("a price that is taken away is not seen")
		}
		list[9].NameEN = "the last of two counts"
		list[10] = list[9]
		list[10].NameEN = "and no other"
		if n := put(); n != 1 || r.product("p9").NameEN != "and no other" {
			t.Errorf("a sku twice: %d changed, %+v", n, r.product("p9"))
		}
		r.follow(r.Service)
		if path, _ := r.Snapshot().Category("p7"); path != "imported/box-7" {
			t.Errorf("p7 is in %q", path)
		}
		err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := r.PutAll(ctx, tx, append(list, list[0]))
			return err
		})
		if err == nil {
			t.Error("more than MaxBulk were taken")
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(r rig) {
		for _, path := range []string{"tea", "tea/green", "teaware"} {
			r.category(path)
		}
		for _, p := range []Product{
			{SKU: "G1", NameEN: "Long Jing", NameZH: "龙井", Category: "tea/green", Brand: "West Lake"},
			{SKU: "T1", NameEN: "Mixed 50%", Category: "tea", Brand: "House"},
			{SKU: "W1", NameEN: "Pot_A", Category: "teaware", Brand: "House"},
			{SKU: "N1", NameEN: "Nothing"},
		} {
			_, err := r.Put(t.Context(), p)
			r.must(err)
		}
		green, err := r.Snapshot().Find("tea/green")
		r.must(err)
		for _, tt := range []struct {
			name string
			f    Filter
			want string
		}{
			{"all", Filter{}, "G1 T1 W1 N1"},
			{"a branch", Filter{Category: "tea"}, "G1 T1"},
			{"a leaf, by id", Filter{Category: green.PublicID()}, "G1"},
			{"a category that is not there", Filter{Category: "coffee"}, ""},
			{"a category of no letters", Filter{Category: "//"}, ""},
			{"brand", Filter{Brand: "House"}, "T1 W1"},
			{"brand and branch", Filter{Brand: "House", Category: "tea"}, "T1"},
			{"name in another case and width", Filter{Query: "ＬＯＮＧ　jing"}, "G1"},
			{"Chinese name", Filter{Query: "井"}, "G1"},
			{"sku", Filter{Query: "w1"}, "W1"},
			{"per cent is itself", Filter{Query: "50%"}, "T1"},
			{"and finds no others", Filter{Query: "%"}, "T1"},
			{"underscore is itself", Filter{Query: "t_a"}, "W1"},
			{"spaces only", Filter{Query: "  "}, "G1 T1 W1 N1"},
		} {
			list, err := r.List(t.Context(), tt.f, 10)
			var got []string
			for _, p := range list {
				got = append(got, p.SKU)
			}
			if err != nil || strings.Join(got, " ") != tt.want {
				t.Errorf("%s: %v, %v; want %s", tt.name, got, err, tt.want)
			}
		}
	})
}

// A node that was away while the log grew by more than one look for a kind finds the
// change that came last, in one go.
func TestRefreshOverALongLog(t *testing.T) {
	each(t, func(r rig) {
		other := r.node()
		const others = 45_000
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `
				INSERT INTO event (position, shard, member_id, kind, at_ms, body)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
				SELECT i, 0, 0, 'sale.recorded', 0, '{}' FROM n`)
			if err == nil {
				_, err = tx.ExecText(ctx, "UPDATE event_dispatcher SET position = $1", others)
			}
			return err
		})
		tea := r.category("tea")
		_, err := r.Put(t.Context(), Product{SKU: "far", NameEN: "Far", Category: "tea"})
		r.must(err)
		r.follow(other)
		if path, known := other.Snapshot().Category("far"); !known || path != tea.Path {
			t.Errorf("the product is of %q, known %t", path, known)
		}
		if at := other.Snapshot().position; at <= others {
			t.Errorf("the next look begins at %d", at)
		}
	})
}
