package offer

import (
	"context"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// CheckInEvent is the type of event by which other systems tell of a check-in.
const CheckInEvent = "check_in"

// checkInRule is the name under which its points stand in entries.
const checkInRule = "check-in"

// Ladder is what the daily check-in gives: for the first day, the second in a row, and so on.
// Its JSON is on disk.
type Ladder struct {
	Active   bool    `json:"active" yaml:"active" doc:"Whether members can check in."`
	Currency string  `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"Code of a currency of points or growth value."`
	Steps    []int64 `json:"steps,omitempty" yaml:"steps,omitempty" maxItems:"366" doc:"What each day in a row gives, the first first; 0 gives nothing."`
	Cyclic   bool    `json:"cyclic,omitempty" yaml:"cyclic,omitempty" doc:"After the last step begins the first; otherwise the last goes on."`
}

var (
	// ErrLadder refuses a ladder that is none.
	ErrLadder = errs.New(errs.Invalid, "offer.ladder", "A ladder has a currency of points or growth value, and 1 to 366 steps of 0 to 1,000,000 each.", "签到阶梯须指定积分或成长值币种，并有 1 至 366 级，每级 0 至 1,000,000。")
	// ErrNoCheckIn refuses a check-in where there is none.
	ErrNoCheckIn = errs.New(errs.Conflict, "offer.no_check_in", "This programme has no daily check-in.", "本计划未开启每日签到。")
)

// step is what the n-th day in a row gives.
func (l *Ladder) step(n int64) int64 {
	count := int64(len(l.Steps))
	switch {
	case count == 0 || n < 1:
		return 0
	case l.Cyclic:
		return l.Steps[(n-1)%count]
	}
	return l.Steps[min(n, count)-1]
}

// Ladder is the ladder as it is now.
func (s *Service) Ladder() Ladder { return s.now.Load().ladder }

// SetLadder changes the ladder. Who has begun goes on from the step they are on.
func (s *Service) SetLadder(ctx context.Context, l Ladder) (Ladder, error) {
	if err := s.checkLadder(&l); err != nil {
		return l, err
	}
	was := s.Ladder()
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, checkInSQL, string(pack(l))); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "check_in.change", "", was, l)
	})
	if err != nil {
		return l, fmt.Errorf("change the check-in: %w", err)
	}
	return s.Ladder(), nil
}

func (s *Service) checkLadder(l *Ladder) error {
	if !l.Active && l.Currency == "" && len(l.Steps) == 0 {
		return nil
	}
	cur := s.o.Ledger.Config().ByCode[l.Currency]
	if cur == nil || cur.Kind == ledger.Stored || len(l.Steps) == 0 || len(l.Steps) > 366 {
		return ErrLadder.At("body")
	}
	for _, n := range l.Steps {
		if n < 0 || n > 1_000_000 {
			return ErrLadder.At("body.steps")
		}
	}
	return nil
}

var checkInTable = ledger.DefineTable("member_check_in", 2, "shard int, member_id int, day int, run int, total int")

func checkInRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: checkInTable, Key: []any{shardOf(member), member}}
}

// checkIn is the command that checks a member in for a day of the programme.
type checkIn struct {
	member int64
	atMS   int64
	day    program.Day
	ladder Ladder
	tell   bool // of the event; where one was told already, that is it
}

// Needs names the member and where they stand.
func (c *checkIn) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{checkInRow(c.member)}}
}

// CheckedIn is what a check-in came to.
type CheckedIn struct {
	Member   int64            `json:"-"`
	Day      program.Day      `json:"-"`
	Run      int64            `json:"run"`
	Amount   int64            `json:"amount"`
	Balances map[string]int64 `json:"balances"`
	Repeated bool             `json:"repeated"`
}

// Decide checks in once a day. The row is the member's, so of any number at once one does.
func (c *checkIn) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	var last, run, total int64
	if v := s.Row(checkInTable, shardOf(a.ID), a.ID); v != nil {
		last, run, total = v[2].(int64), v[3].(int64), v[4].(int64)
	}
	out := &CheckedIn{Member: a.ID, Day: c.day}
	switch day := int64(c.day); {
	case total > 0 && day <= last: // told late, or again: days that have passed are settled
		out.Run, out.Repeated, out.Balances = run, true, s.Balances(a)
		return out, nil
	case total > 0 && day == last+1:
		run++
	default:
		run = 1
	}
	out.Run = run
	if out.Amount, err = c.give(s, a, run); err != nil {
		return nil, err
	}
	s.Put(checkInTable, shardOf(a.ID), a.ID, int64(c.day), run, total+1)
	body := map[string]any{"day": c.day.String(), "run": run, "amount": out.Amount}
	if c.tell {
		s.Event(a, "event."+CheckInEvent, c.atMS, string(pack(map[string]any{"key": "portal/" + c.day.String(), "properties": body})))
	} else {
		s.Event(a, "offer.checked_in", c.atMS, string(pack(body)))
	}
	out.Balances = s.Balances(a)
	return out, nil
}

// give grants the step of the ladder. Who may not earn checks in all the same.
func (c *checkIn) give(s *ledger.State, a *ledger.Account, run int64) (int64, error) {
	amount := c.ladder.step(run)
	cur, err := s.Config.Currency(c.ladder.Currency)
	if amount == 0 || err != nil || !a.MayEarn {
		return 0, nil
	}
	got, err := s.Grant(a, ledger.Grant{
		Posting: ledger.Posting{AtMS: c.atMS, Rule: checkInRule}, Kind: ledger.Earn, Currency: cur, Amount: amount,
	})
	if err != nil {
		if e := errs.As(err); e != nil {
			return 0, nil // a full wallet, say: it is no reason to break the row of days
		}
		return 0, err
	}
	return amount - got.Cut, nil
}

// CheckIn checks a member in at an instant. told says that an event has told of it already.
func (s *Service) CheckIn(ctx context.Context, member, atMS int64, told bool) (*CheckedIn, error) {
	ladder := s.Ladder()
	if !ladder.Active {
		return nil, ErrNoCheckIn
	}
	day := s.o.Program.Snapshot().Day(timeOf(atMS))
	v, err := s.do(ctx, member, func(m int64) ledger.Command {
		return &checkIn{member: m, atMS: atMS, day: day, ladder: ladder, tell: !told}
	})
	if err != nil {
		return nil, err
	}
	return v.(*CheckedIn), nil
}

var checkedInSQL = db.Define("offer.checkedIn", `
	SELECT day, run, total
	FROM member_check_in
	WHERE shard = $1 AND member_id = $2`)

// CheckInState is where a member stands.
type CheckInState struct {
	Today bool  // they have checked in today
	Run   int64 // days in a row, today's or up to yesterday
	Total int64
	Next  int64 // what the next check-in gives
}

// CheckInOf says where a member stands today.
func (s *Service) CheckInOf(ctx context.Context, member int64) (out CheckInState, err error) {
	today := int64(s.o.Program.Snapshot().Day(s.o.Clock.Now()))
	var day int64
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := tx.QueryRow(ctx, checkedInSQL, shardOf(member), member).Scan(&day, &out.Run, &out.Total)
		if errors.Is(err, errNoRows) {
			return nil
		}
		return err
	})
	if out.Today = out.Total > 0 && day >= today; !out.Today && day != today-1 {
		out.Run = 0
	}
	l := s.Ladder()
	out.Next = l.step(out.Run + 1)
	return out, err
}

// Told checks a member in of whom an event of CheckInEvent tells. It is what the intake of
// events calls; of other types it does nothing.
func (s *Service) Told(ctx context.Context, kind string, member, atMS int64) error {
	if kind != CheckInEvent || !s.Ladder().Active {
		return nil
	}
	_, err := s.CheckIn(ctx, member, atMS, true)
	return err
}
