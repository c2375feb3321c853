package demo

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/member"
)

// shop is the demo while it is made.
type shop struct {
	app     *app.App
	clock   *clock.Manual
	options Options
	random  *rand.Rand
	tills   *tills
	day0    time.Time
	stores  []*place
	people  []*person
	here    int // how many of people have joined
	receipt map[string]int
	back    []comeback
	coupons bool // have begun
	made    Summary
}

// visit is one purchase that is about to be made.
type visit struct {
	at   time.Time
	who  *person // nil for somebody who shows no card
	at2  *place
	hold string // with which points pay a part
	sum  int64  // fen, once the basket is filled
	doc  string
	paid string // kind of payment
}

// live0 is when the past ends: what is before it comes in as history.
func (s *shop) live0() time.Time { return s.options.Now.AddDate(0, 0, -7) }

// live goes through the days.
func (s *shop) live(ctx context.Context) error {
	s.clock.Set(s.day0)
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.addLadder(ctx); err != nil {
		return err
	}
	if err := s.stock(ctx); err != nil {
		return err
	}
	if err := s.addRules(ctx); err != nil {
		return err
	}
	s.invent()
	s.made.From, s.made.Until = s.day0, s.options.Now
	if err := s.join(ctx); err != nil {
		return err
	}
	for n := 0; ; n++ {
		day := s.day0.AddDate(0, 0, n)
		if s.day0.AddDate(0, 0, n+1).After(s.options.Now) {
			break // today is not over: the shop would write what has not happened yet
		}
		if err := s.spendDay(ctx, day, n); err != nil {
			return fmt.Errorf("%s: %w", day.Format(time.DateOnly), err)
		}
		s.options.Progress(n+1, historyDays+1)
	}
	s.clock.Set(s.options.Now)
	if err := s.finish(ctx); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	if err := s.invite(ctx); err != nil {
		return fmt.Errorf("open the portal: %w", err)
	}
	if err := s.lookAtTiers(ctx); err != nil {
		return fmt.Errorf("look at the tiers: %w", err)
	}
	return s.app.Events.Drain(ctx)
}

func (s *shop) spendDay(ctx context.Context, day time.Time, n int) error {
	s.receipt = map[string]int{}
	if err := s.morning(ctx, day, n); err != nil {
		return err
	}
	visits := s.plan(day)
	for _, hour := range closings {
		end := day.Add(time.Duration(hour) * time.Hour)
		if end.After(s.options.Now) {
			return nil // the day is not over
		}
		s.clock.Set(end)
		if err := s.join(ctx); err != nil {
			return err
		}
		k, _ := slices.BinarySearchFunc(visits, end, func(v *visit, end time.Time) int { return v.at.Compare(end) })
		if err := s.sell(ctx, visits[:k]); err != nil {
			return err
		}
		if err := s.takeBack(ctx, end); err != nil {
			return err
		}
		visits = visits[k:]
	}
	return nil
}

// plan draws who comes on a day, by time.
func (s *shop) plan(day time.Time) (visits []*visit) {
	crowd := busy(day)
	for _, p := range s.people[:s.here] {
		if p.comes(s.random, day, crowd) {
			visits = append(visits, &visit{at: moment(s.random, day, p.rhythm), who: p, at2: s.where(p)})
		}
	}
	// One visit in eight is of somebody who shows no card.
	for strangers := (len(visits)*14 + s.random.IntN(100)) / 100; strangers > 0; strangers-- {
		visits = append(visits, &visit{at: moment(s.random, day, 0), at2: s.where(nil)})
	}
	tomorrow := day.AddDate(0, 0, 1)
	for _, p := range s.people[s.here:] { // those who join today buy something at once
		if !p.enrol.JoinedAt.Before(tomorrow) {
			break
		}
		if p.habit != never {
			visits = append(visits, &visit{at: p.enrol.JoinedAt.Add(time.Minute), who: p, at2: p.home})
		}
	}
	slices.SortStableFunc(visits, func(a, b *visit) int { return a.at.Compare(b.at) })
	return visits
}

// where is the store of a visit: mostly the one where a member joined.
func (s *shop) where(p *person) *place {
	if p != nil && s.random.IntN(100) < 85 {
		return p.home
	}
	return s.stores[pick(s.random, len(s.stores), func(i int) int { return s.stores[i].share })]
}

// join enrols everyone whose time has come.
func (s *shop) join(ctx context.Context) error {
	from, now := s.here, s.clock.Now()
	for s.here < len(s.people) && !s.people[s.here].enrol.JoinedAt.After(now) {
		s.here++
	}
	fresh := s.people[from:s.here]
	list := make([]member.Enrolment, len(fresh))
	for i, p := range fresh {
		list[i] = p.enrol
	}
	if len(list) == 0 {
		return nil
	}
	made, err := s.app.Members.CreateMany(ctx, list)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	for i, m := range made {
		if m.Err != nil {
			return fmt.Errorf("enrol member %d: %w", fresh[i].n, m.Err)
		}
		fresh[i].id = m.ID
	}
	s.made.Members += len(made)
	return nil
}

// anyone picks a member with points, among those who still come; nil where there is none.
func (s *shop) anyone(atLeast int64, except *person) *person {
	var list []*person
	for _, p := range s.people[:s.here] {
		if p != except && !p.gone && p.points >= atLeast {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b *person) int { return cmp.Compare(a.n, b.n) })
	return list[s.random.IntN(len(list))]
}
