package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// The steps of a member's life that give coupons, in the words that rules have for them.
const (
	OnJoined   = "joined"
	OnBirthday = "birthday"
	OnTier     = "tier_reached"
)

// GrantOn is a step of a member's life that gives a voucher.
type GrantOn struct {
	On         string `json:"on" yaml:"on" enum:"joined,birthday,tier_reached" doc:"joined: once for each member. birthday: once a year. tier_reached: once a year for each tier that the member rises to."`
	Tier       string `json:"tier,omitempty" yaml:"tier,omitempty" maxLength:"40" doc:"Of tier_reached: only this tier; any where absent."`
	DaysBefore int64  `json:"days_before,omitempty" yaml:"days_before,omitempty" minimum:"0" maximum:"60" doc:"Of birthday: so many days ahead."`
}

// ErrGrantOn refuses steps of life that cannot be.
var ErrGrantOn = errs.New(errs.Invalid, "coupon.grant_on", "A coupon is given on joined, birthday or tier_reached, each said once. Only tier_reached names a tier; only birthday comes up to 60 days ahead.", "自动发放的时机为 joined、birthday 或 tier_reached，不可重复；仅 tier_reached 可指定等级，仅 birthday 可提前最多 60 天。")

func checkGrantOn(list []GrantOn) error {
	seen := map[GrantOn]bool{}
	for i, g := range list {
		known := g.On == OnJoined || g.On == OnBirthday || g.On == OnTier
		if !known || seen[g] || g.Tier != "" && g.On != OnTier || g.DaysBefore != 0 && g.On != OnBirthday || g.DaysBefore < 0 || g.DaysBefore > 60 {
			return ErrGrantOn.At("body.grant_on[" + strconv.Itoa(i) + "]")
		}
		seen[g] = true
	}
	return nil
}

const (
	grantKind = "coupon.grant"
	dailyKind = "coupon.daily"
)

// daysBack is how many days the daily run looks back, for a server that stood still: what was
// given is not given twice.
const daysBack = 2

// oldNews is how long after it happened a step of life still gives: what is brought along from
// the past does not.
const oldNews = 7 * 24 * time.Hour

// occasion is a step of one member's life that coupons may be given for.
type occasion struct {
	On     string    `json:"on"`
	Member member.ID `json:"member"`
	Period string    `json:"period"` // with the step, the coupon and the member unique for ever
	Tier   string    `json:"tier,omitempty"`
	Days   int64     `json:"days,omitempty"` // ahead of a birthday
}

// gives reports whether a coupon is given for an occasion.
func (t *Terms) gives(o occasion) bool {
	for _, g := range t.GrantOn {
		if g.On == o.On && (g.Tier == "" || g.Tier == o.Tier) && g.DaysBefore == o.Days {
			return true
		}
	}
	return false
}

func (s *Service) registerSteps() {
	s.o.Jobs.Register(grantKind, func(ctx context.Context, run *job.Run) error {
		var o occasion
		if err := run.Args(&o); err != nil {
			return err
		}
		return s.grantFor(ctx, o)
	})
	s.o.Jobs.Register(dailyKind, func(ctx context.Context, run *job.Run) error {
		return s.RunDaily(ctx, func(done int64) { run.Progress(done, 0, "") })
	}, job.Within(6*time.Hour))
	s.o.Jobs.Every(job.Daily(6, 15, s.zone), job.New{Kind: dailyKind})
	s.o.Events.Subscribe("coupon.grant", s.onSteps)
}

// onSteps makes jobs of the steps of life that coupons wait for. One job stands for one step:
// told twice, its natural key gives once.
func (s *Service) onSteps(ctx context.Context, tx *db.Tx, events []event.Event) error {
	n := s.now.Load()
	for _, e := range events {
		if e.Kind != "member.joined" && e.Kind != "tier.changed" {
			continue
		}
		o, ok, err := s.occasionOf(&e)
		if err != nil {
			return err
		}
		if !ok || len(n.grantedOn(o)) == 0 {
			continue
		}
		if _, err := job.Enqueue(ctx, tx, job.New{Kind: grantKind, Args: o, Now: s.o.Clock.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// occasionOf reads an event; of what lies far back nobody is given anything, nor of a tier that
// was lost.
func (s *Service) occasionOf(e *event.Event) (o occasion, ok bool, err error) {
	var b struct {
		History bool   `json:"history"` // of a member who was brought along
		Quiet   bool   `json:"quiet"`   // of a change that nobody is to hear of
		Scheme  string `json:"scheme"`
		Kind    string `json:"kind"`
		To      string `json:"to"`
	}
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return o, false, fmt.Errorf("read event %d: %w", e.Position, err)
	}
	o = occasion{On: OnJoined, Member: member.ID(e.Member), Period: "ever"}
	if e.Kind == "tier.changed" {
		if b.Kind != "upgraded" {
			return o, false, nil
		}
		year := program.DayOf(e.At(), s.zone()).String()[:4]
		o.On, o.Tier, o.Period = OnTier, b.To, b.Scheme+":"+b.To+"/"+year
	}
	return o, e.Member > 0 && !b.History && !b.Quiet && s.o.Clock.Now().Sub(e.At()) <= oldNews, nil
}

// grantedOn lists the live coupons that an occasion gives, the oldest first.
func (n *snapshot) grantedOn(o occasion) (list []*version) {
	for _, v := range n.onSteps {
		if v.terms.gives(o) {
			list = append(list, v)
		}
	}
	return list
}

// grantFor gives a member what an occasion gives. Where a coupon is not issued now, is not for
// the member, or has nothing left, the others are given all the same.
func (s *Service) grantFor(ctx context.Context, o occasion) error {
	for _, v := range s.now.Load().grantedOn(o) {
		holds, err := s.eligible(ctx, []int64{int64(o.Member)}, []*cond.Cond{v.audience})
		if err != nil {
			return err
		}
		if !holds[int64(o.Member)] {
			continue
		}
		if err := s.grantOne(ctx, v.coupon, o); err != nil {
			return fmt.Errorf("give coupon %s to member %d: %w", v.coupon.Code, o.Member, err)
		}
	}
	return nil
}

// origins are where a voucher says that it comes from.
var origins = map[string]string{OnJoined: "join", OnBirthday: "birthday", OnTier: "tier"}

func (s *Service) grantOne(ctx context.Context, c *Coupon, o occasion) error {
	owner := int64(o.Member)
	for range maxMerges {
		g, err := s.PrepareGrant(c.PublicID(), Origin{Kind: origins[o.On], Ref: o.Tier}, 0)
		if errs.As(err) != nil {
			return nil // paused, or over
		}
		if err != nil {
			return err
		}
		a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: &stepGrant{owner: owner, doc: o.doc(c), grant: g}, Actor: "system:coupon", Bulk: true})
		var moved *ledger.Moved
		switch {
		case errors.As(a.Err, &moved):
			owner = moved.To
		case errors.Is(a.Err, ErrDrawn): // another code
		case errors.Is(a.Err, ledger.ErrCorrupt), errors.Is(a.Err, ledger.ErrMember):
			s.o.Log.Error("a coupon cannot be given to a member", "coupon", c.Code, "member", o.Member, "error", a.Err)
			return nil
		case errs.KindOf(a.Err) == errs.Conflict, errs.KindOf(a.Err) == errs.Forbidden:
			return nil // had often enough, all gone, or blocked
		default:
			return a.Err
		}
	}
	return ErrDrawn
}

// doc is the natural key. It names whom the occasion is of, also where somebody else goes on
// for them.
func (o occasion) doc(c *Coupon) ledger.Document {
	return ledger.Document{Kind: ledger.DocEvent, Source: "coupon:" + o.On, Document: c.PublicID() + "/" + strconv.FormatInt(int64(o.Member), 10) + "/" + o.Period}
}

// stepGrant is the command that gives one voucher for an occasion, once.
type stepGrant struct {
	owner int64
	doc   ledger.Document
	grant *Grant
}

// Needs are the grant's, and the natural key.
func (c *stepGrant) Needs() ledger.Needs {
	n := c.grant.Needs(c.owner)
	n.Rows = append(n.Rows, c.doc.Need())
	return n
}

// Decide gives it, unless it was given.
func (c *stepGrant) Decide(st *ledger.State) (any, error) {
	if _, seen := st.FindDoc(c.doc); seen {
		return nil, nil
	}
	a, err := st.Account(c.owner)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	v, err := c.grant.Decide(st, a)
	if err != nil {
		return nil, err
	}
	st.PutDoc(c.doc, ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: a.EventN})
	return v, nil
}

// RunDaily gives what birthdays give. It may be run at any time and again: each member is given
// each coupon once a year.
func (s *Service) RunDaily(ctx context.Context, progress func(done int64)) error {
	ahead := map[int64]bool{}
	for _, v := range s.now.Load().onSteps {
		for _, g := range v.terms.GrantOn {
			if g.On == OnBirthday {
				ahead[g.DaysBefore] = true
			}
		}
	}
	today, done := program.DayOf(s.o.Clock.Now(), s.zone()), int64(0)
	for day := today - daysBack; day <= today; day++ {
		for days := range ahead {
			born := day + program.Day(days)
			for _, md := range birthdays(born) {
				n, err := s.grantBorn(ctx, md, occasion{On: OnBirthday, Period: born.String()[:4], Days: days})
				if err != nil {
					return err
				}
				done += n
				progress(done)
			}
		}
	}
	return nil
}

// grantBorn goes over who was born on a day of the year, along an index.
func (s *Service) grantBorn(ctx context.Context, md int, o occasion) (done int64, err error) {
	after := member.ID(0)
	for {
		page, err := s.o.Members.BornOn(ctx, md, after)
		if err != nil {
			return done, err
		}
		for _, m := range page {
			o.Member = m.ID
			if err := s.grantFor(ctx, o); err != nil {
				return done, err
			}
			done++
		}
		if len(page) < member.DatedPage {
			return done, nil
		}
		after = page[len(page)-1].ID
	}
}

// birthdays are the days of birth, as month times 100 and day, that are kept on a date: the
// 29 February on the 28th in other years.
func birthdays(day program.Day) []int {
	t := day.Start(time.UTC)
	md := int(t.Month())*100 + t.Day()
	if leap := t.Year()%4 == 0 && (t.Year()%100 != 0 || t.Year()%400 == 0); md == 228 && !leap {
		return []int{228, 229}
	}
	return []int{md}
}
