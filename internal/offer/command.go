package offer

import (
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// version is what a command has to know of an offer: one version of it.
type version struct {
	offer    *Offer // as it stands
	n        int64
	at       int // its place among all versions of the snapshot
	terms    *Terms
	counts   filter     // which purchases count
	sale     *cond.Cond // of them, those for which this holds; nil for all
	audience *cond.Cond // who may have it; nil for everybody
	badge    int64      // that it gives; 0 for none
	from     int64      // when it can be had, both inclusive
	until    int64
}

// window is in which time purchases count for one who receives it at an instant, both ends
// inclusive.
func (v *version) window(atMS int64, snap *program.Snapshot) (from, until int64) {
	t := v.terms
	from, until = max(v.from, atMS), v.until
	if t.Delivery == Open { // what was bought before they looked counts too
		first, last := cycleSpan(t.Repeat.Every, atMS, snap)
		until = min(last, until)
		if t.Hours == 0 && t.Repeat.Every != EveryCompletion {
			from = max(first, v.from)
		}
	}
	if t.Hours > 0 {
		until = min(until, atMS+t.Hours*hourMS)
	}
	return from, until
}

// receive is the command that gives a member an instance of an offer.
type receive struct {
	member int64
	of     *version
	atMS   int64
	quiet  bool
	doc    ledger.Document // the natural key; empty for none
	viewed bool            // at once: a member who opens it, or takes part
	accept bool
	snap   *program.Snapshot
}

// The sources under which the natural keys of this package stand among events: none is a type
// that an event can have.
const (
	sendingSource = "offer/send"
	prizeSource   = "offer/prize"
	grantSource   = "offer/grant"
)

// received is the answer to a command about one instance.
type received struct {
	Instance *Instance
	Repeated bool
}

func (c *receive) keyed() bool { return c.doc.Source != "" }

// Needs names the member, what is followed of them, and the natural key.
func (c *receive) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{BookRow(c.member)}}
	if c.keyed() {
		n.Fresh = append(n.Fresh, c.doc.Need())
	}
	return n
}

// Decide adds an instance to the member's Book.
func (c *receive) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	if c.keyed() {
		if was, seen := s.FindDoc(c.doc); seen {
			return c.again(s, was)
		}
	}
	b := bookOf(s, a.ID)
	cycle := int64(0)
	if c.of.terms.Delivery == Open {
		var i *Instance
		if i, cycle, err = b.current(c.of, c.atMS, c.snap); err != nil {
			return nil, err
		}
		if i != nil { // they have it: to open it or to take part once more changes what is there
			if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{instanceRow(i.Member, i.Seq)}}); err != nil {
				return nil, err
			}
			return c.touch(s, a, b, i, false)
		}
	}
	i, err := b.receive(s, a, c.of, c.atMS, cycle, c.quiet, c.snap)
	if err != nil {
		return nil, err
	}
	if c.keyed() {
		s.PutDoc(c.doc, ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: i.Seq})
	}
	return c.touch(s, a, b, i, true)
}

func (c *receive) touch(s *ledger.State, a *ledger.Account, b *Book, i *Instance, isNew bool) (any, error) {
	n := note{member: a.ID, offer: c.of.offer, atMS: c.atMS, viewed: c.viewed, accept: c.accept}
	return n.touch(s, a, b, i, isNew)
}

// again answers a receipt that was recorded before.
func (c *receive) again(s *ledger.State, was ledger.Doc) (any, error) {
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{instanceRow(was.Member, was.Seq)}}); err != nil {
		return nil, err
	}
	return &received{Instance: loadRow(s, was.Member, was.Seq), Repeated: true}, nil
}

// current finds the instance of an open offer that a member has at an instant. Where there is
// none and may be one, it says of which cycle that would be; else it refuses.
func (b *Book) current(v *version, atMS int64, snap *program.Snapshot) (*Instance, int64, error) {
	r := v.terms.Repeat
	cycle := cycleOf(r.Every, atMS, snap)
	t := b.Tally[v.offer.ID]
	for _, i := range b.of(v.offer.ID) {
		if i.Step == StepCancelled {
			continue
		}
		switch r.Every {
		case EveryCompletion:
			if i.Step == StepOpen && atMS <= i.Until {
				return i, i.Cycle, nil
			}
		case EveryDay, EveryWeek, EveryMonth:
			if i.Cycle == cycle {
				return i, cycle, nil
			}
		default:
			return i, 0, nil
		}
	}
	most := r.Times
	switch {
	case r.Every == Once || r.Every == "":
		most = 1
	case r.Every == EveryCompletion:
		cycle = t.Received
	case t.Received > 0 && cycle <= t.Cycle: // it had one that is no longer followed
		return nil, 0, ErrOften
	}
	if most > 0 && t.Received >= most {
		return nil, 0, ErrOften
	}
	return nil, cycle, nil
}

// cycleOf numbers the cycles of an offer that repeats by the calendar.
func cycleOf(every RepeatEvery, atMS int64, snap *program.Snapshot) int64 {
	at := timeOf(atMS).In(snap.Zone)
	switch every {
	case EveryDay:
		return int64(snap.Day(at))
	case EveryWeek:
		return (int64(snap.Day(at)) + 3) / 7
	case EveryMonth:
		return int64(at.Year())*12 + int64(at.Month()) - 1
	}
	return 0
}

// cycleSpan is the first and last instant of the cycle that an instant lies in.
func cycleSpan(every RepeatEvery, atMS int64, snap *program.Snapshot) (from, until int64) {
	at := timeOf(atMS).In(snap.Zone)
	day := snap.Day(at)
	first, next := day, day+1
	switch every {
	case EveryDay:
	case EveryWeek:
		first -= (day + 3) % 7
		next = first + 7
	case EveryMonth:
		first -= program.Day(at.Day() - 1)
		next = first + program.Day(daysIn(at.Year(), int(at.Month())))
	default:
		return minMS, never
	}
	return first.Start(snap.Zone).UnixMilli(), next.Start(snap.Zone).UnixMilli() - 1
}

// receive makes a new instance, and tells of it. The caller writes row and Book.
func (b *Book) receive(s *ledger.State, a *ledger.Account, v *version, atMS, cycle int64, quiet bool, snap *program.Snapshot) (*Instance, error) {
	open := 0
	for _, i := range b.Open {
		if i.Step == StepOpen {
			open++
		}
	}
	if open >= maxOpen {
		return nil, ErrFull.With("most", maxOpen)
	}
	from, until := v.window(atMS, snap)
	b.Next++
	i := &Instance{
		Member: a.ID, Seq: b.Next, Offer: v.offer.ID, Version: v.n, Step: StepOpen, Cycle: cycle,
		Received: atMS, From: from, Until: until, Keep: keepUntil(until, s.NowMS), Waits: v.terms.OptIn, Quiet: quiet,
	}
	b.Open = append(b.Open, i)
	b.note(v.offer.ID, func(t *Tally) { t.Received, t.Cycle = t.Received+1, max(t.Cycle, cycle) })
	tell(s, a, "offer.received", i, v.offer, atMS, nil)
	return i, nil
}

const hourMS = int64(60 * 60 * 1000)

// keepUntil is until when an instance is followed that was recorded now.
func keepUntil(untilMS, nowMS int64) int64 {
	if untilMS >= never-int64(lateFor.Milliseconds()) {
		return never
	}
	return max(untilMS, nowMS) + lateFor.Milliseconds()
}

// note is the command that notes that a member has seen an instance, says yes to it, or that
// it is taken from them.
type note struct {
	member, home, seq int64 // whose it is now; where the instance was born
	offer             *Offer
	atMS              int64
	viewed, accept    bool
	cancel            bool
}

// Needs names the member, what is followed of them, and the row.
func (c *note) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{BookRow(c.member), instanceRow(c.home, c.seq)}}
}

// Decide changes the instance.
func (c *note) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	b := bookOf(s, a.ID)
	i := b.find(c.home, c.seq)
	if i == nil {
		if i = loadRow(s, c.home, c.seq); i == nil {
			return nil, ErrNoInstance
		}
		if c.viewed && i.Viewed != 0 {
			return &received{Instance: i, Repeated: true}, nil
		}
		return nil, ErrOver
	}
	if !c.cancel {
		return c.touch(s, a, b, i, false)
	}
	switch i.Step {
	case StepCancelled:
		return &received{Instance: i, Repeated: true}, nil
	case StepOpen:
	default:
		return nil, ErrOver
	}
	i.Step = StepCancelled
	b.drop(i)
	i.putRow(s)
	b.put(s, a.ID)
	tell(s, a, "offer.cancelled", i, c.offer, s.NowMS, nil)
	return &received{Instance: i}, nil
}

// touch notes that an instance was viewed or accepted, each once, and writes what changed.
func (c *note) touch(s *ledger.State, a *ledger.Account, b *Book, i *Instance, isNew bool) (any, error) {
	atMS, changed := max(c.atMS, i.Received), isNew
	if c.accept && i.Waits {
		if atMS > i.Until || i.Step != StepOpen {
			return nil, ErrOver
		}
		i.Waits, i.Accepted, i.From, changed = false, atMS, max(i.From, atMS), true
		tell(s, a, "offer.accepted", i, c.offer, atMS, nil)
	}
	if (c.viewed || c.accept) && i.Viewed == 0 {
		i.Viewed, changed = atMS, true
		tell(s, a, "offer.viewed", i, c.offer, atMS, nil)
	}
	if changed {
		i.putRow(s)
		b.put(s, a.ID)
	}
	return &received{Instance: i, Repeated: !changed}, nil
}

// tell adds the event of an instance.
func tell(s *ledger.State, a *ledger.Account, kind string, i *Instance, of *Offer, atMS int64, more map[string]any) {
	body := map[string]any{"offer": of.PublicID(), "code": of.Code, "instance": i.ID(), "version": i.Version}
	if i.Quiet {
		body["quiet"] = true
	}
	for k, v := range more {
		if v != "" {
			body[k] = v
		}
	}
	s.Event(a, kind, atMS, string(pack(body)))
}
