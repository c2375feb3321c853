package reward

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// pollEvery is how soon a node knows of a change that another made.
const pollEvery = time.Second

// snapshot is the catalogue, compiled: what commands and lists go by. It never changes after it
// is made.
type snapshot struct {
	version int64
	program int64 // version of the programme's settings that it was made from
	words   *cond.Env
	rewards map[int64]*Reward
	by      map[string]*Reward // by code
	terms   map[int64]map[int64]*version
}

// version is one version of a reward, compiled.
type version struct {
	reward   *Reward // as it stands
	n        int64
	terms    *Terms
	audience *cond.Cond // who may have it; nil for everybody
	prices   []price
	seen     [2]int64 // when it is visible, both inclusive
	open     [2]int64 // when it can be ordered
	stores   map[int64]bool
}

// price is an Option, compiled.
type price struct {
	*Option
	who  *cond.Cond // nil for everybody
	open [2]int64
}

func within(span [2]int64, ms int64) bool { return ms >= span[0] && ms <= span[1] }

// latest is the version of a reward that is ordered now.
func (n *snapshot) latest(r *Reward) *version { return n.terms[r.ID][r.Version] }

// at reports whether the reward can be picked up at a store.
func (v *version) at(store int64) bool { return v.stores == nil || v.stores[store] }

// Run keeps the catalogue fresh until ctx ends.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the rewards cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in the catalogue, in the settings, and in the vocabulary
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
		var number int64
		err := tx.QueryRow(ctx, configSQL).Scan(&number)
		old := s.now.Load()
		if err != nil || old != nil && old.version == number && old.program == programme.Version && old.words == words {
			return err
		}
		fresh, err = readSnapshot(ctx, tx, words, programme)
		if err == nil {
			fresh.version = number
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the rewards: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

func readSnapshot(ctx context.Context, tx *db.Tx, words *cond.Env, programme *program.Snapshot) (*snapshot, error) {
	n := &snapshot{program: programme.Version, words: words, rewards: map[int64]*Reward{}, by: map[string]*Reward{}, terms: map[int64]map[int64]*version{}}
	list, err := readRewards(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		n.rewards[r.ID], n.by[r.Code], n.terms[r.ID] = r, r, map[int64]*version{}
	}
	err = db.ReadRows(func(rows *db.Rows) error {
		reward, v, err := scanVersion(rows)
		if r := n.rewards[reward]; err == nil && r != nil {
			n.terms[reward][v.Number] = n.compile(r, v.Number, &v.Terms, programme)
		}
		return err
	})(tx.Query(ctx, versionsSQL))
	return n, err
}

// compile makes a version. What no longer compiles, as an attribute is gone, holds for nobody.
func (n *snapshot) compile(r *Reward, number int64, t *Terms, programme *program.Snapshot) *version {
	v := &version{reward: r, n: number, terms: t}
	v.seen[0], v.seen[1] = span(t.VisibleFrom, t.VisibleUntil, programme.Zone)
	v.open[0], v.open[1] = span(t.From, t.Until, programme.Zone)
	if r.Version == number { // older ones are looked at by the orders that go by them, which have their price
		v.audience = n.condition(t.Audience)
	}
	for i := range t.Prices {
		p := price{Option: &t.Prices[i]}
		p.open[0], p.open[1] = span(p.From, p.Until, programme.Zone)
		if r.Version == number {
			p.who = n.condition(p.Condition)
		}
		v.prices = append(v.prices, p)
	}
	for _, ref := range t.Stores {
		if v.stores == nil {
			v.stores = map[int64]bool{}
		}
		if st, err := programme.FindStore(ref); err == nil {
			v.stores[st.ID] = true
		}
	}
	return v
}

func (n *snapshot) condition(text string) *cond.Cond {
	if text == "" {
		return nil
	}
	c, err := n.words.Compile(text, cond.OfMember)
	if err != nil {
		c, err = n.words.Compile("false", cond.OfMember)
	}
	if err != nil {
		panic("reward: false does not compile: " + err.Error())
	}
	return c
}

// day, week and month number the periods of the programme's calendar that an instant lies in.
func periods(s *ledger.State, ms int64) (day, week, month int64) {
	at := timeOf(ms).In(s.Config.Zone)
	day = int64(program.DayOf(timeOf(ms), s.Config.Zone))
	return day, (day + 3) / 7, int64(at.Year())*12 + int64(at.Month()) - 1
}
