package ledger

import (
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Posting is why something moves: what every entry keeps of it.
type Posting struct {
	AtMS     int64 // when it takes effect; 0 = now
	Cause    Cause
	Source   string
	Document string
	Reason   string
	Rule     string
	Store    int64
}

func (p Posting) entry(k EntryKind) Entry {
	return Entry{Kind: k, AtMS: p.AtMS, Cause: p.Cause, Source: p.Source, Document: p.Document, Reason: p.Reason, Rule: p.Rule, Store: p.Store}
}

// Grant is a wish to give a member points.
type Grant struct {
	Posting
	Kind     EntryKind // Earn, TopUp, Adjust, Opening …
	Currency *Currency
	Bucket   Bucket
	Amount   int64
	Issuer   int64 // merchant who owes the points; 0 = the programme's
	// ActiveMS and ExpiresMS replace what the currency's policy says, where not 0.
	ActiveMS  int64
	ExpiresMS int64
	// Unlimited grants are not cut to the member's limits: corrections, merges, top-ups.
	Unlimited    bool
	EarnedMS     int64 // 0 = AtMS
	OriginMember int64
	OriginSeq    int64
}

// Granted is what became of a Grant. Lot is nil where nothing was left to give.
type Granted struct {
	Lot *Lot
	Cut int64 // what a limit took off
}

// Grant gives a member points as one new lot: pending or active, by the policy of the
// currency. A grant in the past may have ended already: then it is granted and expired.
// A debt is repaid first.
func (s *State) Grant(a *Account, g Grant) (Granted, error) {
	if err := checkAmount(g.Amount); err != nil {
		return Granted{}, err
	}
	own := g.ExpiresMS != 0
	s.times(&g)
	if g.ExpiresMS <= g.ActiveMS {
		return Granted{}, ErrDates
	}
	w := s.wallet(a, g.Currency.ID)
	amount := g.Amount
	if !g.Unlimited {
		amount = min(amount, s.room(g.Currency, w, "earn", g.AtMS))
	}
	if amount == 0 {
		return Granted{Cut: g.Amount}, nil
	}
	if add(w.Net(), amount) > MaxPoints {
		return Granted{}, ErrFull
	}
	lot := s.newLot(a, w, g, amount, own)
	if !g.Unlimited {
		s.count(g.Currency, w, "earn", g.AtMS, amount)
	}
	if g.Kind == Earn || g.Kind == Opening {
		s.earned(a, g.Currency, g.EarnedMS, amount)
	}
	s.slide(g.Currency, w)
	s.repay(a, w, s.NowMS)
	s.lapse(a, w, lot)
	s.refresh(a, w)
	return Granted{Lot: lot, Cut: g.Amount - amount}, nil
}

// times fills in what the currency's policy says about a grant's instants.
func (s *State) times(g *Grant) {
	if g.AtMS == 0 {
		g.AtMS = s.NowMS
	}
	if g.EarnedMS == 0 {
		g.EarnedMS = g.AtMS
	}
	if g.ActiveMS == 0 {
		g.ActiveMS = activeAt(g.EarnedMS, g.Currency.Policy.PendingDays, s.Config.Zone)
	}
	if g.ExpiresMS == 0 {
		g.ExpiresMS = g.Currency.Policy.Expiry.End(g.ActiveMS, s.Config.Zone)
	}
	if g.Issuer == 0 {
		g.Issuer = s.Config.Issuer
	}
}

func (s *State) newLot(a *Account, w *Wallet, g Grant, amount int64, own bool) *Lot {
	e := g.entry(g.Kind)
	lot := &Lot{
		Currency: w.Currency, Bucket: g.Bucket, State: LotPending, Issuer: g.Issuer, Store: g.Store,
		Month: monthOf(g.EarnedMS, s.Config.Zone), EarnedMS: g.EarnedMS, ActiveMS: g.ActiveMS, ExpiresMS: g.ExpiresMS,
		Granted: amount, Left: amount, OriginMember: g.OriginMember, OriginSeq: g.OriginSeq, dirty: true, epoch: s.epoch,
	}
	if lot.ActiveMS <= s.NowMS {
		lot.State, e.Active = LotActive, amount
	} else {
		e.Pending = amount
	}
	lot.Seq = a.EntryN + 1
	w.join(lot, own)
	e.Touches = []Touch{{lot.Seq, amount}}
	s.enter(a, w, e)
	a.lots = append(a.lots, lot)
	if g.Kind == Earn || g.Kind == Opening || g.Kind == TopUp {
		w.Earned = add(w.Earned, amount)
	}
	return lot
}

// lapse ends a lot that was over before it was posted.
func (s *State) lapse(a *Account, w *Wallet, l *Lot) {
	if l.State == LotPending || l.ExpiresMS > s.NowMS || l.free() == 0 {
		return
	}
	n := l.free()
	s.editLot(l)
	l.Left, l.Expired = l.Left-n, l.Expired+n
	s.enter(a, w, Entry{Kind: Expire, Active: -n, AtMS: l.ExpiresMS, Touches: []Touch{{l.Seq, -n}}})
}

// slide starts the clock of a sliding wallet anew.
func (s *State) slide(c *Currency, w *Wallet) {
	w.SlideMS = c.Policy.Expiry.Slide(s.NowMS, s.Config.Zone)
}

// Spend uses up points and says which lots it took: all of the amount or, with a refusal,
// nothing.
func (s *State) Spend(a *Account, c *Currency, amount int64, p Posting) ([]Touch, error) {
	w, err := s.usable(a, c, amount, "spend", p.AtMS)
	if err != nil {
		return nil, err
	}
	from, err := s.payers(a, c, w, amount)
	if err != nil {
		return nil, err
	}
	touches := take(s, from, amount, func(l *Lot, n int64) { l.Left, l.Spent = l.Left-n, l.Spent+n })
	e := p.entry(Spend)
	e.Active, e.Touches = -amount, touches
	s.enter(a, w, e)
	w.Spent = add(w.Spent, amount)
	s.count(c, w, "spend", p.AtMS, amount)
	s.slide(c, w)
	s.refresh(a, w)
	return touches, nil
}

// usable checks that so much of a currency can leave the wallet for an action.
func (s *State) usable(a *Account, c *Currency, amount int64, action string, atMS int64) (*Wallet, error) {
	switch {
	case c.Kind == Growth:
		return nil, ErrNotSpendable.With("currency", c.Code)
	case !a.MaySpend:
		return nil, ErrMayNotSpend
	}
	if err := checkAmount(amount); err != nil {
		return nil, err
	}
	w := s.wallet(a, c.ID)
	if w.Active < amount {
		return nil, ErrInsufficient.With("available", c.Format(w.Active), "amount", c.Format(amount))
	}
	if err := s.checkRoom(c, w, action, atMS, amount); err != nil {
		return nil, err
	}
	return w, nil
}

// Adjust corrects a balance by staff: up as a new lot, down out of usable lots only.
func (s *State) Adjust(a *Account, c *Currency, amount int64, p Posting) (*Lot, []Touch, error) {
	if amount >= 0 {
		g, err := s.Grant(a, Grant{Posting: p, Kind: Adjust, Currency: c, Amount: amount, Unlimited: true})
		return g.Lot, nil, err
	}
	if amount < -MaxPoints {
		return nil, nil, ErrAmount
	}
	w := s.wallet(a, c.ID)
	if w.Active < -amount {
		return nil, nil, ErrInsufficient.With("available", c.Format(w.Active), "amount", c.Format(-amount))
	}
	lots, err := s.spendable(a, w, -amount)
	if err != nil {
		return nil, nil, err
	}
	touches := take(s, whole(lots), -amount, func(l *Lot, n int64) { l.Left, l.Clawed = l.Left-n, l.Clawed+n })
	e := p.entry(Adjust)
	e.Active, e.Touches = amount, touches
	s.enter(a, w, e)
	s.refresh(a, w)
	return nil, touches, nil
}

// Clawed is what became of a claw-back.
type Clawed struct {
	Pending int64 // taken before it could be used
	Active  int64 // taken out of usable points
	Debt    int64 // owed from now on
	Waived  int64 // not taken: expired meanwhile, or beyond what the policy allows
}

// Total is what the member has less by it.
func (c Clawed) Total() int64 { return c.Pending + c.Active + c.Debt }

// Take is one lot of a sale and how much of it a return takes back.
type Take struct {
	Member int64 // at home with whom the lot was earned: owner, or one merged into them
	Lot    int64
	Amount int64
	Gone   int64 // of the amount, how much ended unused and is not taken again
	AtMS   int64 // when it was earned
}

// Clawback takes back what a sale earned in one currency: out of the very lots where they
// still have it, pending or usable; then out of other usable points; then as a debt. The
// policy of the currency may stop it earlier.
func (s *State) Clawback(a *Account, c *Currency, takes []Take, p Posting) (Clawed, error) {
	w := s.wallet(a, c.ID)
	var out Clawed
	var touches []Touch
	var rest int64
	unmet := make([]int64, len(takes))
	for i, t := range takes {
		took, err := s.clawLots(a, c, t, &out)
		if err != nil {
			return out, err
		}
		touches = append(touches, took...)
		unmet[i] = t.Amount - t.Gone
		for _, l := range took {
			unmet[i] += l.Amount
		}
		rest += unmet[i]
		out.Waived += t.Gone
	}
	if c.Policy.Clawback != ClawPending {
		n := min(rest, w.Active-out.Active)
		lots, err := s.spendable(a, w, n)
		if err != nil {
			return out, err
		}
		touches = append(touches, take(s, whole(lots), n, func(l *Lot, n int64) { l.Left, l.Clawed = l.Left-n, l.Clawed+n })...)
		out.Active += n
		rest -= n
	}
	if c.Policy.Clawback == ClawDebt || c.Policy.Clawback == "" {
		out.Debt, rest = rest, 0
	}
	out.Waived += rest
	if out.Total() > 0 {
		e := p.entry(Claw)
		e.Pending, e.Active, e.Debt, e.Touches = -out.Pending, -out.Active, out.Debt, touches
		s.enter(a, w, e)
		for i, t := range slices.Backward(takes) { // what is waived is of the last ones
			waived := min(rest, unmet[i])
			rest -= waived
			s.unearn(a, c, t, t.Amount-t.Gone-waived)
		}
		s.refresh(a, w)
	}
	return out, nil
}

// clawLots takes back what the lots of one take still have, and says how much of which.
func (s *State) clawLots(a *Account, c *Currency, t Take, out *Clawed) (touches []Touch, err error) {
	need := t.Amount - t.Gone
	lots, err := s.lotsOf(a, t)
	for _, l := range lots {
		n := min(need, l.free())
		if n == 0 || l.State == LotActive && c.Policy.Clawback == ClawPending {
			continue
		}
		s.editLot(l)
		l.Left, l.Clawed = l.Left-n, l.Clawed+n
		touches = append(touches, Touch{l.Seq, -n})
		need -= n
		if l.State == LotPending {
			out.Pending += n
		} else {
			out.Active += n
		}
	}
	return touches, err
}

// unearn takes points that a return took back off the life's earnings, and off the day on
// which they were earned.
func (s *State) unearn(a *Account, c *Currency, t Take, n int64) {
	s.Along(a, t.Member, func(x *Account) {
		w := s.wallet(x, c.ID)
		w.Earned = add(w.Earned, -n)
		s.earned(x, c, t.AtMS, -n)
	})
}

// lotsOf finds the lots that hold what a sale earned: the lot itself, or after a merge
// those that came from it.
func (s *State) lotsOf(a *Account, t Take) ([]*Lot, error) {
	if t.Member != a.ID {
		return s.Heirs(a, LotKey{t.Member, t.Lot})
	}
	if l := s.lot(a, t.Lot); l != nil {
		return []*Lot{l}, nil
	}
	return nil, nil
}

// GiveBack restores spent points after a return, into the lots they came from and so with
// their first expiry. What has ended meanwhile lapses, or lives on as a lot of grace if
// the currency grants one. Touches name lots of a; amounts are positive.
func (s *State) GiveBack(a *Account, c *Currency, touches []Touch, p Posting) []Touch {
	w := s.wallet(a, c.ID)
	var back []Touch
	var sum, late int64
	for _, t := range touches {
		l := s.lot(a, t.Lot)
		if l == nil || l.Spent < t.Amount {
			panic(fmt.Sprintf("ledger: giving back %d to lot %d, which did not spend it", t.Amount, t.Lot))
		}
		s.editLot(l)
		l.Left, l.Spent = l.Left+t.Amount, l.Spent-t.Amount
		s.openLot(a, l)
		back = append(back, t)
		sum = add(sum, t.Amount)
		if l.ExpiresMS <= s.NowMS {
			late += t.Amount
		}
	}
	if sum == 0 {
		return nil
	}
	e := p.entry(GiveBack)
	e.Active, e.Touches = sum, back
	s.enter(a, w, e)
	s.uncount(a, w, sum)
	for _, t := range back {
		s.lapse(a, w, s.lot(a, t.Lot))
	}
	if w.idle(s.NowMS) {
		s.wake(a, c, w)
	}
	s.repay(a, w, s.NowMS)
	s.refresh(a, w)
	if days := c.Policy.Restore.GraceDays; late > 0 && days > 0 {
		y, m, d := s.local(s.NowMS)
		p.Reason = "grace"
		_, err := s.Grant(a, Grant{
			Posting: p, Kind: Adjust, Currency: c, Amount: late, Unlimited: true, ActiveMS: s.NowMS,
			ExpiresMS: startOfDay(y, m, d+days+1, s.Config.Zone).UnixMilli(),
		})
		if err != nil {
			panic(err) // the amount was the member's own
		}
	}
	return back
}

// wake starts the clock of a wallet that had run out when points come back to it. That of
// a member who was merged goes by the survivor's as long as that runs: to them the points
// go on, and what they have ends no later because something came back.
func (s *State) wake(a *Account, c *Currency, w *Wallet) {
	if all := s.Survivors(a); len(all) > 0 {
		w.SlideMS = s.wallet(all[len(all)-1], w.Currency).SlideMS
	}
	if w.idle(s.NowMS) {
		s.slide(c, w)
	}
}

// uncount takes points that came back off the life's spending, also of the survivors whose
// counters include those of a member who was merged.
func (s *State) uncount(a *Account, w *Wallet, n int64) {
	w.Spent = add(w.Spent, -n)
	for _, next := range s.Survivors(a) {
		nw := s.wallet(next, w.Currency)
		nw.Spent = add(nw.Spent, -n)
	}
}

// Survivors are those whom a member was merged into, one after the other: of those that
// are loaded, which commands that follow the merges have seen to.
func (s *State) Survivors(a *Account) (out []*Account) {
	for next := s.accounts[a.MergedInto]; next != nil && next != a; next = s.accounts[next.MergedInto] {
		out = append(out, next)
	}
	return out
}

// spendingOrder sorts the lots of stored value by bucket. Under "proportional" the lots
// are cut in two runs whose sizes are in the ratio of the buckets: see shareLots.
func spendingOrder(c *Currency, lots []*Lot, amount int64) []share {
	if c.Kind != Stored {
		return whole(lots)
	}
	var main, bonus []*Lot
	for _, l := range lots {
		if l.Bucket == Bonus {
			bonus = append(bonus, l)
		} else {
			main = append(main, l)
		}
	}
	switch c.Policy.SpendOrder {
	case BonusFirst:
		return whole(append(bonus, main...))
	case Proportional:
		parts := money.Split(amount, []int64{freeOf(main), freeOf(bonus)})
		return append(shareLots(main, parts[0]), shareLots(bonus, parts[1])...)
	}
	return whole(append(main, bonus...))
}

func freeOf(lots []*Lot) int64 {
	var sum int64
	for _, l := range lots {
		sum += l.free()
	}
	return sum
}

// share is a lot and the most that may be taken from it.
type share struct {
	lot  *Lot
	most int64
}

func whole(lots []*Lot) []share {
	out := make([]share, len(lots))
	for i, l := range lots {
		out[i] = share{l, l.free()}
	}
	return out
}

// shareLots takes amount from the front of lots.
func shareLots(lots []*Lot, amount int64) []share {
	var out []share
	for _, l := range lots {
		n := min(amount, l.free())
		out = append(out, share{l, n})
		amount -= n
	}
	return out
}

// take takes amount from lots in their order and returns what it took, negative. There
// must be enough.
func take(s *State, from []share, amount int64, use func(*Lot, int64)) []Touch {
	if amount == 0 {
		return nil
	}
	var out []Touch
	for _, sh := range from {
		n := min(amount, sh.most)
		if n == 0 {
			continue
		}
		s.editLot(sh.lot)
		use(sh.lot, n)
		out = append(out, Touch{sh.lot.Seq, -n})
		if amount -= n; amount == 0 {
			break
		}
	}
	if amount != 0 {
		panic(fmt.Sprintf("ledger: the wallet counts %d more than its lots hold", amount))
	}
	return out
}

func checkAmount(n int64) error {
	if n < 1 || n > MaxPoints {
		return ErrAmount
	}
	return nil
}
