package price

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

// pollEvery is how soon a node knows of a change that another made.
const pollEvery = time.Second

// snapshot is all lists, and what the live ones say, by what they say it of. It never changes.
type snapshot struct {
	version int64
	program int64 // version of the programme's settings that it was made from
	words   *cond.Env
	by      map[string]*List // by code
	skus    map[string][]entry
	brands  map[string][]entry
	wide    []entry // of categories
}

// live is a list that is published, compiled.
type live struct {
	*List
	from, until int64
	stores      map[int64]bool // nil for all
	audience    *cond.Cond     // nil for everybody
}

// entry is what a live list says of something.
type entry struct {
	in       *live
	category string
	price    int64
	percent  int64
}

// Run keeps the snapshot fresh until ctx ends.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the price lists cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in the lists, in the settings, and in the vocabulary of
// conditions.
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
		return fmt.Errorf("read the price lists: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

func readSnapshot(ctx context.Context, tx *db.Tx, words *cond.Env, programme *program.Snapshot) (*snapshot, error) {
	n := &snapshot{program: programme.Version, words: words, by: map[string]*List{}, skus: map[string][]entry{}, brands: map[string][]entry{}}
	lists, err := readLists(ctx, tx)
	if err != nil {
		return nil, err
	}
	open := map[int64]*live{}
	for _, l := range lists {
		n.by[l.Code] = l
		if l.State != Live {
			continue
		}
		v := &live{List: l, audience: condition(words, l.Terms.Audience)}
		v.from, v.until = l.Terms.span(programme.Zone)
		if len(l.Terms.Stores) > 0 {
			v.stores = map[int64]bool{}
		}
		for _, ref := range l.Terms.Stores {
			if st, err := programme.FindStore(ref); err == nil {
				v.stores[st.ID] = true
			}
		}
		open[l.ID] = v
	}
	if len(open) == 0 {
		return n, nil
	}
	return n, eachItem(ctx, tx, liveItemsSQL, func(list int64, i Item) {
		e := entry{in: open[list], price: i.Price, percent: i.Percent}
		switch kind, ref := i.key(); kind {
		case ofSKU:
			n.skus[ref] = append(n.skus[ref], e)
		case ofBrand:
			n.brands[ref] = append(n.brands[ref], e)
		default:
			e.category = ref
			n.wide = append(n.wide, e)
		}
	})
}
