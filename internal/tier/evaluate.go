package tier

import (
	"github.com/patron-loyalty/patron/internal/kit/cond"
)

// Ladder is a scheme that is ready to be worked with.
type Ladder struct {
	Scheme
	ID      int64
	Version int64

	currency int64 // number of Scheme.Currency
	qualify  []*cond.Cond
	keep     []*cond.Cond
	daily    bool // a condition is asked: time alone may change it
	points   bool // and one of usable points
}

// Sum is what a member did in some days.
type Sum struct{ Growth, Spend, Visits int64 }

// Sums answers what counts for one member.
type Sums interface {
	// Between is what was earned of a currency, paid and bought on days [from, to).
	Between(currency int64, from, to Day) Sum
	// Holds reports whether a condition holds at the end of a day.
	Holds(c *cond.Cond, on Day) (bool, error)
}

// Input is all that an evaluation looks at.
type Input struct {
	Sums    Sums
	Joined  Day
	Now     Day // the day of the evaluation
	On      Day // of the purchase that brings it about, 0 for none: it may have reached a tier in a time that is over
	Current Standing
	Return  bool // it follows a return
	Quiet   bool // of the past: nothing is told and no bonus is given
	NoBonus bool // the member may not earn: none is given, and none counts as given
}

// Change is one step of a standing.
type Change struct {
	Kind     Kind
	From, To string // codes, "" for none
	Day      Day    // from which on it holds
	Until    Day    // end of the term, 0 for none
	Evidence *Evidence
}

// Award is a welcome bonus that is due.
type Award struct {
	Bonus
	Tier  string
	Cycle int64
}

// Outcome is what an evaluation found.
type Outcome struct {
	Standing Standing
	Changes  []Change // in their order
	Awards   []Award
	Near     bool  // the next tier came near, for the first time in the cycle
	Drop     bool  // the tier will not be kept as it looks, for the first time in the term
	Failed   error // a condition that could not be worked out: it counted as not met
}

// evaluation is one run of Evaluate.
type evaluation struct {
	l   *Ladder
	in  *Input
	out Outcome
}

// Evaluate says where a member stands. It reads nothing but what it is given, so that the same
// input gives the same outcome in a batch, in the daily run and in a what-if.
//
// First comes what time has done: a lock that is over, terms that have ended one after the other,
// each judged as of its last day. Then tiers that were reached, as of today and as of the day of
// the purchase. Then, where the scheme says so, what a return takes back.
func Evaluate(l *Ladder, in Input) Outcome {
	e := &evaluation{l: l, in: &in, out: Outcome{Standing: in.Current}}
	if !e.locked() {
		e.adopt()
		e.terms()
		e.upgrade()
		e.returned()
		e.tell()
	}
	e.out.Standing.Next = e.next()
	return e.out
}

// lapsed is where a member stands by what time alone has done until a day: terms that have ended
// are judged as of their last day, and nothing is reached.
func lapsed(l *Ladder, in Input) Standing {
	e := &evaluation{l: l, in: &in, out: Outcome{Standing: in.Current}}
	if !e.locked() {
		e.adopt()
		e.terms()
	}
	return *e.st()
}

func (e *evaluation) st() *Standing { return &e.out.Standing }

// locked reports whether a lock holds, and ends one that is over.
func (e *evaluation) locked() bool {
	s := e.st()
	if !s.Locked {
		return false
	}
	if s.LockUntil == 0 || e.in.Now < s.LockUntil {
		return true
	}
	s.Until = s.LockUntil // the term of what was locked is over with the lock
	s.Locked, s.LockUntil = false, 0
	return false
}

// rankOf is the rank of a standing's tier in this ladder. A tier that is gone from it counts as
// the one under the place that it had.
func (l *Ladder) rankOf(s Standing) int {
	if r := l.rank(s.Tier); r > 0 || s.Tier == "" {
		return r
	}
	return min(max(0, s.Rank-1), len(l.Tiers))
}

// rank is the place of a tier, 0 where the ladder has none of that code.
func (l *Ladder) rank(code string) int {
	for i := range l.Tiers {
		if l.Tiers[i].Code == code && code != "" {
			return i + 1
		}
	}
	return 0
}

func (l *Ladder) code(rank int) string {
	if rank == 0 {
		return ""
	}
	return l.Tiers[rank-1].Code
}

// adopt brings a standing into the ladder as it is now.
func (e *evaluation) adopt() {
	s := e.st()
	rank := e.l.rankOf(*s)
	if code := e.l.code(rank); code != s.Tier {
		kind := Downgraded
		if rank == 0 {
			kind = Left
		}
		e.change(kind, rank, e.in.Now, nil)
	}
	s.Rank = rank
	switch end := e.end(rank, e.in.Now); {
	case s.Hand || rank == 0:
	case end == 0:
		s.Until = 0
	case s.Until == 0: // the scheme had no terms when it was reached: the first begins now
		s.From, s.Until = e.in.Now, end
	}
}

// end is the first day after the term of a tier that is reached on a day, 0 where it does not
// end: so for a tier that asks nothing of those who keep it.
func (e *evaluation) end(rank int, on Day) Day {
	if rank == 0 || e.l.Downgrade == Never {
		return 0
	}
	if c, _ := e.l.criteria(rank, true); c.empty() {
		return 0
	}
	return e.l.Term.end(on, e.in.Joined)
}

// terms goes from the end of one term to the next until the one that runs.
func (e *evaluation) terms() {
	s := e.st()
	for range maxEvaluations {
		rank := e.l.rankOf(*s)
		switch {
		case rank == 0:
			return
		case s.Until == 0 && e.l.Term.Kind == NoTerm && e.l.Downgrade != Never && !s.Hand:
			if e.keeps(rank, e.in.Now, e.in.Now) || e.qualifies(rank, e.in.Now, e.in.Now) {
				return
			}
			e.drop(rank, e.in.Now, e.in.Now, e.in.Now)
			continue
		case s.Until == 0 || e.in.Now < s.Until:
			return
		}
		end, last := s.Until, s.Until-1
		over := end + Day(e.l.GraceDays)
		through := min(e.in.Now, max(over-1, last))
		if e.l.GraceDays == 0 {
			through = last
		}
		// Who would reach the tier again on the day on which it goes does not lose it: as it stood
		// before that day, so that it makes no difference how late somebody looks.
		on, by := e.in.Now, e.in.Now
		if on >= over {
			on, by = over, over-1
		}
		switch {
		case e.l.Downgrade == Never && !s.Hand || e.keeps(rank, last, through) || e.qualifies(rank, on, by):
			e.kept(rank, end, last, through)
		case e.in.Now < over:
			return
		default:
			e.drop(rank, over, last, through)
		}
	}
}

// kept begins the next term of the same tier.
func (e *evaluation) kept(rank int, end, last, through Day) {
	s := e.st()
	proof := e.evidence(rank, true, last, through)
	s.From, s.Proof, s.Kept, s.Hand = end, last, true, false
	if s.Until = 0; e.end(rank, end) != 0 {
		s.Until = e.l.Term.renewed(end, s.Since, e.in.Joined)
	}
	e.out.Changes = append(e.out.Changes, Change{Kind: Kept, From: s.Tier, To: s.Tier, Day: end, Until: s.Until, Evidence: proof})
}

// drop goes down from a rank on a day, for want of what should have been there on the days that
// end with through, as seen from last.
func (e *evaluation) drop(rank int, day, last, through Day) {
	proof := e.evidence(rank, true, last, through)
	if e.l.Downgrade == OneStep {
		e.fall(rank, rank-1, day, proof)
		return
	}
	to := 0
	for r := rank - 1; r > 0; r-- {
		if e.keeps(r, last, through) || e.qualifies(r, last, through) || e.qualifies(r, day, day-1) {
			to = r
			break
		}
	}
	e.fall(rank, to, day, proof)
}

// fall goes down to a rank, but not under a floor.
func (e *evaluation) fall(rank, to int, day Day, proof *Evidence) {
	s := e.st()
	if s.FloorUntil != 0 && day >= s.FloorUntil {
		s.Floor, s.FloorUntil = "", 0
	}
	floor := min(e.l.rank(s.Floor), rank-1)
	hand := to < floor
	if to = max(to, floor); hand {
		e.move(Downgraded, to, day, s.FloorUntil, proof)
		s.Hand = true
		return
	}
	kind := Downgraded
	if to == 0 {
		kind = Left
	}
	e.change(kind, to, day, proof)
}

// change moves to a rank on a day, for a term by the scheme.
func (e *evaluation) change(kind Kind, rank int, day Day, proof *Evidence) {
	e.move(kind, rank, day, e.end(rank, day), proof)
}

func (e *evaluation) move(kind Kind, rank int, day, until Day, proof *Evidence) {
	s := e.st()
	from := s.Tier
	s.Tier, s.Rank, s.Since, s.From, s.Proof, s.Until = e.l.code(rank), rank, day, day, day, until
	s.Kept, s.Hand = false, false
	if rank == 0 {
		s.Since, s.From, s.Proof = 0, 0, 0
	}
	e.out.Changes = append(e.out.Changes, Change{Kind: kind, From: from, To: s.Tier, Day: day, Until: until, Evidence: proof})
}

// upgrade goes up to the highest tier for which the member qualifies, today or on the day of the
// purchase. What was reached in a time whose term is over by now does not lift any more.
func (e *evaluation) upgrade() {
	e.upgradeAs(e.in.Now)
	if e.in.On != 0 && e.in.On < e.in.Now {
		e.upgradeAs(e.in.On)
	}
}

func (e *evaluation) upgradeAs(on Day) {
	s := e.st()
	rank := e.l.rankOf(*s)
	for r := len(e.l.Tiers); r > rank; r-- {
		if !e.qualifies(r, on, on) {
			continue
		}
		if end := e.l.Term.end(on, e.in.Joined); end != 0 && end <= e.in.Now || e.l.Term.Kind == NoTerm && on < e.in.Now {
			continue
		}
		e.change(Upgraded, r, on, e.evidence(r, false, on, on))
		e.award(r, on)
		return
	}
}

// award notes the welcome bonus of a tier that was reached.
func (e *evaluation) award(rank int, on Day) {
	t, s := &e.l.Tiers[rank-1], e.st()
	if t.Welcome == nil || e.in.Quiet || e.in.NoBonus {
		return
	}
	cycle := e.l.Window.cycle(on, e.in.Joined)
	if s.paid(t.Code, cycle) {
		return
	}
	s.pay(t.Code, cycle)
	e.out.Awards = append(e.out.Awards, Award{*t.Welcome, t.Code, cycle})
}

// returned takes back at once what a return leaves no ground for, where the scheme says so.
func (e *evaluation) returned() {
	s := e.st()
	rank := e.l.rankOf(*s)
	if !e.in.Return || !e.l.OnReturn || rank == 0 || s.Hand || e.l.Downgrade == Never || e.l.Term.Kind == NoTerm {
		return
	}
	stands := func(r int) bool {
		if e.qualifies(r, e.in.Now, e.in.Now) {
			return true
		}
		if s.Kept && r == rank && e.l.window(true).Kind == InTerm {
			return true // the term in which it was earned is over, and is not looked into again
		}
		if s.Kept {
			return e.keeps(r, s.Proof, s.Proof)
		}
		return e.qualifies(r, s.Proof, s.Proof)
	}
	if stands(rank) {
		return
	}
	to := rank - 1
	for to > 0 && !stands(to) {
		to--
	}
	e.fall(rank, to, e.in.Now, e.evidence(rank, s.Kept, s.Proof, s.Proof))
}

// tell notes what a member should hear of, once in a cycle and once in a term.
func (e *evaluation) tell() {
	s := e.st()
	rank := e.l.rankOf(*s)
	if e.l.NearPercent > 0 && rank < len(e.l.Tiers) {
		cycle := e.l.Window.cycle(e.in.Now, e.in.Joined)
		mark := Paid{e.l.code(rank + 1), cycle}
		if s.Near == nil || *s.Near != mark {
			if p := e.evidence(rank+1, false, e.in.Now, e.in.Now).percent(); p >= e.l.NearPercent {
				s.Near = &mark
				e.out.Near = !e.in.Quiet
			}
		}
	}
	if e.l.WarnDays > 0 && rank > 0 && s.Until != 0 && s.Warned != s.Until && e.in.Now >= s.Until-Day(e.l.WarnDays) && e.l.Downgrade != Never {
		if !e.keeps(rank, s.Until-1, min(e.in.Now, s.Until-1)) && !e.qualifies(rank, e.in.Now, e.in.Now) {
			s.Warned = s.Until
			e.out.Drop = !e.in.Quiet
		}
	}
}

// next is the first day after now on which time alone may change something.
func (e *evaluation) next() Day {
	s, now, next := e.st(), e.in.Now, lastDay
	at := func(d Day) {
		if d > now {
			next = min(next, d)
		}
	}
	if s.Locked {
		at(s.LockUntil)
	} else {
		rank := e.l.rankOf(*s)
		if e.l.daily {
			at(now + 1)
		}
		if s.Until != 0 && rank > 0 {
			if e.l.WarnDays > 0 && s.Warned != s.Until {
				at(s.Until - Day(e.l.WarnDays))
			}
			at(s.Until)
			at(s.Until + Day(e.l.GraceDays))
		}
		if s.Until == 0 && rank > 0 && e.l.Term.Kind == NoTerm && e.l.Downgrade != Never {
			at(e.lapse(rank))
		}
	}
	if next == lastDay {
		return 0
	}
	return next
}

// lapse is the first day on which a tier without a term would no longer be kept if nothing more
// were bought. What a window holds only becomes less then, so that half steps find it.
func (e *evaluation) lapse(rank int) Day {
	holds := func(on Day) bool {
		return e.keeps(rank, on, on) || e.qualifies(rank, on, on)
	}
	low, high := e.in.Now, e.in.Now+Day(maxMonths+1)*31
	if !holds(low) || holds(high) {
		return 0
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; holds(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}
