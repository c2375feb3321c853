package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/event"
)

// State is what a batch has loaded, and what it has decided so far. Decisions read and
// change it; nothing of it reaches the database before the batch writes it, and what a
// refused command changed is undone.
//
// It is used by one goroutine.
type State struct {
	Config *Config
	NowMS  int64 // the batch's own time: one for all its commands

	accounts map[int64]*Account
	rows     map[rowID]*row
	lots     map[lotID]*Lot  // closed lots that were asked for by number
	holds    map[lotID]*Hold // holds that were asked for by number
	heirs    map[Origin]bool // whose lots were asked for
	changed  []*row          // rows to write, in the order in which they were first changed
	entries  []*Entry
	events   []event.Event
	told     int // how many of entries stand in an event

	actor string // of the command that is being decided
	epoch uint64 // number of the command that is being decided
	undo  []func()
}

type lotID struct{ member, seq int64 }

// newState makes an empty state for a batch that begins at nowMS.
func newState(c *Config, nowMS int64) *State {
	return &State{
		Config: c, NowMS: nowMS,
		accounts: map[int64]*Account{}, rows: map[rowID]*row{}, lots: map[lotID]*Lot{}, holds: map[lotID]*Hold{}, heirs: map[Origin]bool{},
	}
}

// begin opens the next command. What it changes can be taken back until the next begin.
func (s *State) begin(actor string) mark {
	s.epoch++
	s.actor = actor
	s.undo = s.undo[:0]
	s.told = len(s.entries)
	return mark{len(s.entries), len(s.events), len(s.changed)}
}

type mark struct{ entries, events, changed int }

// rollback takes back all that was changed since the mark.
func (s *State) rollback(m mark) {
	for _, u := range slices.Backward(s.undo) {
		u()
	}
	s.undo = s.undo[:0]
	s.entries, s.events, s.changed = s.entries[:m.entries], s.events[:m.events], s.changed[:m.changed]
	s.epoch++ // so that the next change saves anew
}

// Account returns the account of a member, settled up to now, or ErrMember. Commands must
// have named the member in their Needs. A member who was merged is returned as they are:
// commands that care look at MergedInto.
func (s *State) Account(member int64) (*Account, error) {
	a := s.accounts[member]
	if a == nil {
		return nil, ErrMember
	}
	if a.corrupt != "" {
		return nil, ErrCorrupt.Because(errors.New(a.corrupt))
	}
	s.settle(a)
	return a, nil
}

// edit marks a as changed by this command and remembers how it was.
func (s *State) edit(a *Account) {
	if a.epoch == s.epoch {
		return
	}
	was := *a
	was.wallets, was.lots, was.holds = slices.Clone(a.wallets), slices.Clone(a.lots), slices.Clone(a.holds)
	s.undo = append(s.undo, func() { *a = was })
	a.epoch, a.dirty = s.epoch, true
}

// wallet returns what a has of a currency, empty where that is the first of it. The
// caller may change it.
func (s *State) wallet(a *Account, currency int64) *Wallet {
	for _, w := range a.wallets {
		if w.Currency == currency {
			s.editWallet(w)
			return w
		}
	}
	s.edit(a)
	w := &Wallet{Currency: currency, NextMS: Never, SlideMS: Never, head: head{lineIn: true, straysIn: true}, isNew: true, dirty: true, epoch: s.epoch}
	a.wallets = append(a.wallets, w)
	return w
}

func (s *State) editWallet(w *Wallet) {
	if w.epoch == s.epoch {
		return
	}
	was := *w
	s.undo = append(s.undo, func() { *w = was })
	w.epoch, w.dirty = s.epoch, true
}

func (s *State) editLot(l *Lot) {
	if l.epoch == s.epoch {
		return
	}
	was := *l
	s.undo = append(s.undo, func() { *l = was })
	l.epoch, l.dirty = s.epoch, true
}

func (s *State) editHold(h *Hold) {
	if h.epoch == s.epoch {
		return
	}
	was := *h
	s.undo = append(s.undo, func() { *h = was })
	h.epoch, h.dirty = s.epoch, true
}

// lot returns a lot of a by number, open or closed. It must have been loaded: open ones
// come with Needs.Lots or Needs.Heads, closed ones are named in Needs.LotSeqs.
func (s *State) lot(a *Account, seq int64) *Lot {
	for _, l := range a.lots {
		if l.Seq == seq {
			return l
		}
	}
	return s.lots[lotID{a.ID, seq}]
}

// lotsIn reports whether all open lots and holds of a are loaded.
func (a *Account) lotsIn() bool {
	return a.holdsIn && !slices.ContainsFunc(a.wallets, func(w *Wallet) bool { return !w.whole() })
}

// needLots panics unless all open lots and holds of a are loaded: without them what
// follows would miscount the wallet and its hints.
func (a *Account) needLots(what string) {
	if !a.lotsIn() {
		panic("ledger: " + what + " without the member's lots")
	}
}

// openLot puts a lot that has something left again among the open ones: as a stray, since
// the line may have passed it.
func (s *State) openLot(a *Account, l *Lot) {
	s.edit(a)
	if a.addLot(l) {
		s.editLot(l)
		l.Stray = true
	}
}

// addLot puts a lot among the open ones, unless it is there.
func (a *Account) addLot(l *Lot) bool {
	i, found := slices.BinarySearchFunc(a.lots, l.Seq, func(x *Lot, seq int64) int { return cmp.Compare(x.Seq, seq) })
	if !found {
		a.lots = slices.Insert(a.lots, i, l)
	}
	return !found
}

// enter writes an entry: numbers it, applies it to the wallet and checks what comes out.
func (s *State) enter(a *Account, w *Wallet, e Entry) *Entry {
	s.edit(a)
	a.EntryN++
	e.Member, e.Seq, e.Currency, e.PostedMS = a.ID, a.EntryN, w.Currency, s.NowMS
	if e.AtMS == 0 {
		e.AtMS = s.NowMS
	}
	if e.Actor == "" {
		e.Actor = s.actor
	}
	w.Pending, w.Active = add(w.Pending, e.Pending), add(w.Active, e.Active)
	w.Held, w.Debt = add(w.Held, e.Held), add(w.Debt, e.Debt)
	e.After = w.Active
	e.check()
	if w.Pending < 0 || w.Active < 0 || w.Held < 0 || w.Debt < 0 {
		panic(fmt.Sprintf("ledger: %s would leave a negative balance: %+v", e.Kind, *w))
	}
	s.entries = append(s.entries, &e)
	return &e
}

// Event adds a domain event of a to what the command writes. Its body is a JSON object;
// it gets the member's event number in front, so that readers can see a gap, and at its end
// the movements that the command has made since its last event.
func (s *State) Event(a *Account, kind string, atMS int64, body string) {
	s.edit(a)
	a.EventN++
	if len(body) < 2 || body[0] != '{' || !utf8.ValidString(body) || strings.IndexByte(body, 0) >= 0 {
		panic("ledger: the body of event " + kind + " is no JSON object")
	}
	b := make([]byte, 0, len(body)+96)
	b = strconv.AppendInt(append(b, `{"n":`...), a.EventN, 10)
	if body != "{}" {
		b = append(b, ',')
	}
	b = appendMoves(append(b, body[1:len(body)-1]...), a.ID, atMS, s.entries[s.told:])
	s.told = len(s.entries)
	s.events = append(s.events, event.Event{Kind: kind, Shard: a.Shard, Member: a.ID, AtMS: atMS, Body: append(b, '}')})
}

// Actor is who sent the command that is being decided, as entries name them.
func (s *State) Actor() string { return s.actor }

// NextSale gives out the next number for a sale or return of a.
func (s *State) NextSale(a *Account) int64 {
	s.edit(a)
	a.SaleN++
	return a.SaleN
}

// eventBody says which currency and how much.
func eventBody(s *State, w *Wallet, amount int64) string {
	code := ""
	if c := s.Config.Currencies[w.Currency]; c != nil {
		code = c.Code
	}
	return fmt.Sprintf(`{"currency":%q,"amount":%d}`, code, amount)
}

// Require returns Again where the state lacks any of n, so that a command can find out
// step by step what it needs.
func (s *State) Require(n Needs) error {
	if w := s.missing(n); !w.nothing() {
		return &Again{n}
	}
	return nil
}

// Balances is what a can use now, by the code of the currency.
func (s *State) Balances(a *Account) map[string]int64 {
	out := make(map[string]int64, len(a.wallets))
	for _, w := range a.wallets {
		if c := s.Config.Currencies[w.Currency]; c != nil {
			out[c.Code] = w.Active
		}
	}
	return out
}

// Debts is what a owes, by the code of the currency. Who owes nothing has none.
func (s *State) Debts(a *Account) map[string]int64 {
	out := map[string]int64{}
	for _, w := range a.wallets {
		if c := s.Config.Currencies[w.Currency]; c != nil && w.Debt > 0 {
			out[c.Code] = w.Debt
		}
	}
	return out
}

// Lot returns a lot that has been loaded, or nil.
func (s *State) Lot(a *Account, seq int64) *Lot { return s.lot(a, seq) }

// ActiveAfter is when points become usable that are earned at an instant and wait for so
// many days.
func (s *State) ActiveAfter(atMS int64, days int) int64 { return activeAt(atMS, days, s.Config.Zone) }
