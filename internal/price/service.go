package price

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/tier"
)

// Options are what a Service is made of. All but Log are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Ledger  *ledger.Service
	Catalog *catalog.Service
	Tiers   *tier.Service
	Plans   *plan.Service
	Audit   *staff.Audit
}

// Service keeps price lists. It is safe for use by many goroutines.
type Service struct {
	o          Options
	now        atomic.Pointer[snapshot]
	refreshing sync.Mutex
	sales      *sale.Service
}

// New opens the lists.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o}
	return s, s.Refresh(ctx)
}

// Use hands over the sales, which are made after the prices that have a part in them.
func (s *Service) Use(sales *sale.Service) { s.sales = sales }

// change runs fn in a transaction that also raises the version of the configuration, and takes it
// over here before it returns. The version's row is the lock by which changes go one after the other.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, raiseSQL); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Find finds a list by id or code.
func (s *Service) Find(ref string) (*List, error) {
	n := s.now.Load()
	if l := n.by[ref]; l != nil {
		return l, nil
	}
	if _, number, err := id.Decode(prefix, ref); err == nil {
		for _, l := range n.by {
			if l.ID == number {
				return l, nil
			}
		}
	}
	return nil, ErrUnknown
}

// Lists are all lists that stand somewhere and have q in code or name, the newest first.
func (s *Service) Lists(state State, q string) (out []*List) {
	n, at, zone := s.now.Load(), s.o.Clock.Now(), s.o.Program.Snapshot().Zone
	q = strings.ToLower(strings.TrimSpace(q))
	for _, l := range n.by {
		named := q == "" || strings.Contains(l.Code, q) || strings.Contains(strings.ToLower(l.Terms.NameEN), q) || strings.Contains(strings.ToLower(l.Terms.NameZH), q)
		if named && (state == "" || l.Standing(at, zone) == state) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b *List) int { return int(min(1, max(-1, b.ID-a.ID))) })
	return out
}

// check refuses terms that cannot be, tiers and plans that are not there among them.
func (s *Service) check(t *Terms) error {
	if err := t.check(s.o.Program.Snapshot(), s.now.Load().words); err != nil {
		return err
	}
	main := s.o.Tiers.Snapshot().Main()
	for _, code := range t.Tiers {
		if main == nil || !slices.ContainsFunc(main.Tiers, func(r tier.Tier) bool { return r.Code == code }) {
			return ErrTier.With("tier", code).At("body.tiers")
		}
	}
	for _, code := range t.Plans {
		if !slices.ContainsFunc(s.o.Plans.Plans(), func(p *plan.Plan) bool { return p.Code == code }) {
			return ErrPlan.With("plan", code).At("body.plans")
		}
	}
	return nil
}

// Add makes a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*List, error) {
	if !codes.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := s.check(&t); err != nil {
		return nil, err
	}
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		l, err := s.insert(ctx, tx, code, Draft, t)
		if err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "price.add", code, nil, audited(l))
	})
	if err != nil {
		return nil, fmt.Errorf("add price list %s: %w", code, err)
	}
	return s.Find(code)
}

func (s *Service) insert(ctx context.Context, tx *db.Tx, code string, st State, t Terms) (*List, error) {
	lists, err := readLists(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(lists) >= maxLists {
		return nil, ErrMany.With("most", maxLists)
	}
	n, err := s.o.DB.NextID(ctx, "price_list")
	if err != nil {
		return nil, err
	}
	made, err := tx.Exec(ctx, insertListSQL, n, code, string(st), pack(t), s.o.Clock.Now().UnixMilli())
	if err == nil && made == 0 {
		err = ErrTaken.At("body.code")
	}
	return &List{ID: n, Code: code, State: st, Version: 1, Terms: t}, err
}

// audited is what the trail keeps of a list.
func audited(l *List) any {
	return map[string]any{"state": l.State, "terms": l.Terms}
}

// edit changes a list, from a version unless that is 0. To say again what is so already changes
// nothing.
func (s *Service) edit(ctx context.Context, ref string, from int64, action string, fn func(*List) error) (*List, error) {
	l, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := readList(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		if from != 0 && from != was.Version {
			return ErrEdited
		}
		is := *was
		if err := fn(&is); err != nil {
			return err
		}
		if is.State == was.State && pack(is.Terms) == pack(was.Terms) {
			return nil
		}
		if err := s.update(ctx, tx, was.Version, &is); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, action, was.Code, audited(was), audited(&is))
	})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", action, l.Code, err)
	}
	return s.Find(l.Code)
}

func (s *Service) update(ctx context.Context, tx *db.Tx, from int64, is *List) error {
	n, err := tx.Exec(ctx, updateListSQL, is.ID, from, string(is.State), pack(is.Terms), s.o.Clock.Now().UnixMilli())
	if err == nil && n == 0 {
		err = ErrEdited
	}
	return err
}

// Change writes anew what a list says of whom, where and when.
func (s *Service) Change(ctx context.Context, ref string, from int64, t Terms) (*List, error) {
	return s.edit(ctx, ref, from, "price.change", func(l *List) error {
		l.Terms = t
		return s.check(&l.Terms)
	})
}

// Move publishes a draft or a paused list (Live), or pauses one that is live.
func (s *Service) Move(ctx context.Context, ref string, to State) (*List, error) {
	return s.edit(ctx, ref, 0, "price."+string(to), func(l *List) error {
		if to == Paused && l.State == Draft {
			return ErrState.With("state", stateWords[Draft])
		}
		l.State = to
		return nil
	})
}

// Remove deletes a list that is not live, with all that it says.
func (s *Service) Remove(ctx context.Context, ref string) error {
	l, err := s.Find(ref)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := readList(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		if was.State == Live {
			return ErrLive
		}
		if err := remove(ctx, tx, was); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "price.remove", was.Code, audited(was), nil)
	})
}

func remove(ctx context.Context, tx *db.Tx, l *List) error {
	n, err := tx.Exec(ctx, removeListSQL, l.ID, l.Version)
	if err == nil && n == 0 {
		err = ErrEdited
	}
	if err == nil {
		_, err = tx.Exec(ctx, removeItemsSQL, l.ID)
	}
	return err
}

// items are what a list says, the newest first, before a place.
func (s *Service) items(ctx context.Context, l *List, before int64, q string, most int) (out []place, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out, err = readPage(ctx, tx, l.ID, before, q, most)
		return err
	})
	return out, err
}

// Put writes items of a list: what it says of these products, brands and categories from now on.
func (s *Service) Put(ctx context.Context, ref string, list []Item) (*List, error) {
	if len(list) > MaxEdit {
		return nil, ErrItems.With("most", MaxEdit, "wide", maxWide)
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return nil, at(err, fmt.Sprintf("body.items[%d]", i))
		}
	}
	return s.editItems(ctx, ref, "price.put", func(ctx context.Context, tx *db.Tx, l *List) (was, is []Item, err error) {
		had := map[itemKey]Item{}
		if err := eachItem(ctx, tx, itemsOfSQL, func(_ int64, i Item) { had[keyOf(i)] = i }, l.ID); err != nil {
			return nil, nil, err
		}
		for _, i := range list {
			old, known := had[keyOf(i)]
			if known && old == i {
				continue
			}
			if known {
				was = append(was, old)
			}
			is, had[keyOf(i)] = append(is, i), i
		}
		if err := bounded(had); err != nil {
			return nil, nil, err
		}
		return was, is, writeItems(ctx, tx, l.ID, is)
	})
}

type itemKey struct {
	kind int64
	ref  string
}

func keyOf(i Item) itemKey {
	kind, ref := i.key()
	return itemKey{kind, ref}
}

// bounded refuses a list that says too much.
func bounded(all map[itemKey]Item) error {
	wide := 0
	for k := range all {
		if k.kind != ofSKU {
			wide++
		}
	}
	if len(all) > MaxItems || wide > maxWide {
		return ErrItems.With("most", MaxItems, "wide", maxWide)
	}
	return nil
}

func writeItems(ctx context.Context, tx *db.Tx, list int64, items []Item) error {
	var last int64
	if err := tx.QueryRow(ctx, lastItemSQL, list).Scan(&last); err != nil {
		return err
	}
	for _, i := range items {
		last++
		kind, ref := i.key()
		if _, err := tx.Exec(ctx, putItemSQL, list, last, kind, ref, i.Price, i.Percent); err != nil {
			return err
		}
	}
	return nil
}

// Drop takes items off a list. What is not on it is none.
func (s *Service) Drop(ctx context.Context, ref string, keys []Item) (*List, error) {
	return s.editItems(ctx, ref, "price.drop", func(ctx context.Context, tx *db.Tx, l *List) (was, is []Item, err error) {
		for _, i := range keys {
			kind, ref := i.key()
			n, err := tx.Exec(ctx, removeItemSQL, l.ID, kind, ref)
			if err != nil {
				return nil, nil, err
			}
			if n > 0 {
				was = append(was, i)
			}
		}
		return was, nil, nil
	})
}

// editItems changes what a list says of products, and keeps what changed in the trail.
func (s *Service) editItems(ctx context.Context, ref, action string, fn func(context.Context, *db.Tx, *List) (was, is []Item, err error)) (*List, error) {
	l, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readList(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		was, is, err := fn(ctx, tx, now)
		if err != nil || len(was)+len(is) == 0 {
			return err
		}
		return s.o.Audit.Record(ctx, tx, action, now.Code, was, is)
	})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", action, l.Code, err)
	}
	return s.Find(l.Code)
}

// condition compiles a condition. What no longer compiles, as an attribute is gone, holds for nobody.
func condition(words *cond.Env, text string) *cond.Cond {
	if text == "" {
		return nil
	}
	c, err := words.Compile(text, cond.OfMember)
	if err != nil {
		var no error
		if c, no = words.Compile("false", cond.OfMember); no != nil {
			panic(errors.Join(err, no))
		}
	}
	return c
}
