package rule

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// The jobs.
const (
	dailyKind = "rule.daily"
	fireKind  = "rule.fire"
	tagKind   = "rule.tag"
	testKind  = "rule.back_test"
)

// daysBack is how many days the daily run looks back, for a server that stood still: what was
// given already is not given twice.
const daysBack = 2

// firedAt is the time of day as of which dates fire.
const firedAt = 9 * time.Hour

// oldNews is how long after it happened a step of life still fires: what is brought along from
// the past does not.
const oldNews = 7 * 24 * time.Hour

// Register adds what runs in the background. Call it while the program is built.
func (s *Service) Register(q *job.Queue, d *event.Dispatcher) {
	s.jobs = q
	q.Register(dailyKind, s.daily, job.Within(6*time.Hour))
	q.Register(fireKind, func(ctx context.Context, run *job.Run) error {
		var f Firing
		if err := run.Args(&f); err != nil {
			return err
		}
		_, err := s.Fire(ctx, f)
		return err
	})
	q.Register(tagKind, s.giveTag)
	q.Register(testKind, s.runTest, job.Within(2*time.Hour))
	q.Every(job.Daily(6, 0, func() *time.Location { return s.program.Snapshot().Zone }), job.New{Kind: dailyKind})
	d.Subscribe("rule", s.onEvents)
}

// daily is RunDaily as a job.
func (s *Service) daily(ctx context.Context, run *job.Run) error {
	var done int64
	return s.runDaily(ctx, func(day program.Day) { done++; run.Progress(done, 0, day.String()) })
}

// RunDaily fires birthdays, anniversaries and schedules. It may be run at any time and again:
// each member is given each thing once.
func (s *Service) RunDaily(ctx context.Context) error { return s.runDaily(ctx, func(program.Day) {}) }

func (s *Service) runDaily(ctx context.Context, did func(program.Day)) error {
	zone := s.program.Snapshot().Zone
	today := program.DayOf(s.clock.Now(), zone)
	for day := today - daysBack; day <= today; day++ {
		at := day.Start(zone).Add(firedAt)
		if now := s.clock.Now(); at.After(now) {
			at = now
		}
		if err := s.fireDay(ctx, day, at, func() { did(day) }); err != nil {
			return err
		}
	}
	return nil
}

// fireDay fires what a day brings, member by member along an index.
func (s *Service) fireDay(ctx context.Context, day program.Day, at time.Time, did func()) error {
	set := s.Snapshot().At(at.UnixMilli())
	each := func(q func(after member.ID) ([]member.Dated, error), fire func(member.Dated) Firing) error {
		after := member.ID(0)
		for {
			page, err := q(after)
			if err != nil {
				return err
			}
			for _, m := range page {
				if _, err := s.Fire(ctx, fire(m)); err != nil {
					return err
				}
				did()
			}
			if len(page) < member.DatedPage {
				return nil
			}
			after = page[len(page)-1].ID
		}
	}
	ahead := map[int64]bool{}
	for _, c := range set.on(OnBirthday) {
		ahead[c.def.Trigger.DaysBefore] = true
	}
	for days := range ahead {
		born := day + program.Day(days)
		year := born.String()[:4]
		for _, md := range birthdays(born) {
			err := each(func(after member.ID) ([]member.Dated, error) { return s.members.BornOn(ctx, md, after) }, func(m member.Dated) Firing {
				return Firing{Trigger: OnBirthday, Member: m.ID, AtMS: at.UnixMilli(), Period: year, Days: days}
			})
			if err != nil {
				return err
			}
		}
	}
	if len(set.on(OnAnniversary)) > 0 {
		if err := s.anniversaries(ctx, day, at, each); err != nil {
			return err
		}
	}
	for _, c := range set.on(OnSchedule) {
		if weekday := (int(day) + 3) % 7; c.weekdays != 0 && c.weekdays&(1<<weekday) == 0 {
			continue
		}
		return each(func(after member.ID) ([]member.Dated, error) { return s.members.After(ctx, after) }, func(m member.Dated) Firing {
			return Firing{Trigger: OnSchedule, Member: m.ID, AtMS: at.UnixMilli(), Period: day.String()}
		})
	}
	return nil
}

// maxYears is how long ago somebody may have joined.
const maxYears = 60

func (s *Service) anniversaries(ctx context.Context, day program.Day, at time.Time, each func(func(member.ID) ([]member.Dated, error), func(member.Dated) Firing) error) error {
	zone := s.program.Snapshot().Zone
	date := day.Start(zone)
	for years := int64(1); years <= maxYears; years++ {
		from := time.Date(date.Year()-int(years), date.Month(), date.Day(), 0, 0, 0, 0, zone)
		if from.Month() != date.Month() {
			continue // 29 February of a year that has none
		}
		to := from.AddDate(0, 0, 1)
		if date.Month() == time.February && date.Day() == 28 && !leapYear(date.Year()) {
			to = time.Date(from.Year(), time.March, 1, 0, 0, 0, 0, zone) // who joined on the 29th
		}
		err := each(func(after member.ID) ([]member.Dated, error) {
			return s.members.JoinedBetween(ctx, from.UnixMilli(), to.UnixMilli(), after)
		}, func(m member.Dated) Firing {
			return Firing{Trigger: OnAnniversary, Member: m.ID, AtMS: at.UnixMilli(), Period: strconv.Itoa(date.Year()), Years: years}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func leapYear(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// birthdays are the days of birth, as month times 100 and day, that are kept on a date: the
// 29 February on the 28th in other years.
func birthdays(day program.Day) []int {
	t := day.Start(time.UTC)
	md := int(t.Month())*100 + t.Day()
	if md == 228 && !leapYear(t.Year()) {
		return []int{228, 229}
	}
	return []int{md}
}

// told is what is read of events.
type told struct {
	Quiet  bool   `json:"quiet"`
	Scheme string `json:"scheme"` // of a change of tier, as the next two
	Kind   string `json:"kind"`
	To     string `json:"to"`
	Rule   string `json:"rule"`
	Tag    string `json:"tag"`

	Earned []takenOff `json:"earned"`
	Taken  []takenOff `json:"taken"`
}

type takenOff struct {
	Rule   string `json:"rule"`
	Amount int64  `json:"amount"`
}

var ruleField = []byte(`"rule":"`)

// onEvents sums what rules have given, and makes jobs of what they have to do: tags, and what
// steps of life set off.
func (s *Service) onEvents(ctx context.Context, tx *db.Tx, events []event.Event) error {
	snap := s.Snapshot()
	sums := map[givenKey]givenView{}
	for _, e := range events {
		fires := e.Kind == "member.joined" || e.Kind == "tier.changed"
		if !fires && !bytes.Contains(e.Body, ruleField) {
			continue
		}
		var b told
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("event %d: %w", e.Position, err)
		}
		if fires {
			if err := s.onStep(ctx, tx, &e, &b); err != nil {
				return err
			}
			continue
		}
		if e.Kind == tagged {
			args := tagArgs{member.ID(e.Member), b.Tag}
			if _, err := job.Enqueue(ctx, tx, job.New{Kind: tagKind, Args: args, Now: s.clock.Now()}); err != nil {
				return err
			}
			b.Earned = []takenOff{{Rule: b.Rule}}
		}
		day := int64(program.DayOf(e.At(), snap.loc))
		for _, x := range b.Earned {
			snap.sum(sums, x, day, 1)
		}
		for _, x := range b.Taken {
			snap.sum(sums, x, day, -1)
		}
	}
	for k, g := range sums {
		if _, err := tx.Exec(ctx, addGivenSQL, k.rule, k.day, g.Points, g.Times); err != nil {
			return fmt.Errorf("sum what rule %d has given: %w", k.rule, err)
		}
	}
	return nil
}

type givenKey struct{ rule, day int64 }

var addGivenSQL = db.Define("rule.addGiven", `
	INSERT INTO rule_given (rule_id, day, points, times)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (rule_id, day) DO UPDATE
	SET points = rule_given.points + excluded.points, times = rule_given.times + excluded.times`)

// sum adds what one rule gave. The settings' own rule is none of ours.
func (s *Snapshot) sum(sums map[givenKey]givenView, x takenOff, day, sign int64) {
	code, _, _ := strings.Cut(x.Rule, "@")
	r, err := s.book.find(code)
	if err != nil {
		return
	}
	k := givenKey{r.ID, day}
	g := sums[k]
	if g.Points += sign * x.Amount; sign > 0 {
		g.Times++
	}
	sums[k] = g
}

// onStep makes a job of a step of a member's life, if rules wait for it.
func (s *Service) onStep(ctx context.Context, tx *db.Tx, e *event.Event, b *told) error {
	f := Firing{Trigger: OnJoined, Member: member.ID(e.Member), AtMS: e.AtMS, Period: "ever"}
	if e.Kind == "tier.changed" {
		year := program.DayOf(e.At(), s.Snapshot().loc).String()[:4] // left and reached again, a tier gives no more that year
		f.Trigger, f.Tier, f.Period = OnTier, b.To, b.Scheme+":"+b.To+"/"+year
		if b.Kind != "upgraded" {
			return nil
		}
	}
	if b.Quiet || s.clock.Now().Sub(e.At()) > oldNews || len(s.Snapshot().At(e.AtMS).on(f.Trigger)) == 0 {
		return nil
	}
	_, err := job.Enqueue(ctx, tx, job.New{Kind: fireKind, Args: f, Now: s.clock.Now()})
	return err
}

type tagArgs struct {
	Member member.ID `json:"member"`
	Tag    string    `json:"tag"`
}

// giveTag puts a tag on a member; one that is there stays.
func (s *Service) giveTag(ctx context.Context, run *job.Run) error {
	var a tagArgs
	if err := run.Args(&a); err != nil {
		return err
	}
	ref, err := member.ParseRef(a.Member.String())
	if err == nil {
		_, err = s.members.AddTags(ctx, ref, []string{a.Tag})
	}
	return err
}
