package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// HoldView is a hold as the outside sees it.
type HoldView struct {
	ID        string           `json:"id" doc:"The hold."`
	Member    string           `json:"member_id" doc:"Whose points are set aside."`
	Currency  string           `json:"currency" doc:"Code of the point currency."`
	Amount    int64            `json:"amount" doc:"How much was set aside."`
	State     string           `json:"state" enum:"open,captured,released,expired" doc:"Every state but open is final."`
	Captured  int64            `json:"captured" doc:"How much of it was used; the rest went back."`
	Purpose   string           `json:"purpose,omitempty" doc:"What it is for."`
	MadeAt    string           `json:"made_at" format:"date-time" doc:"When it was made."`
	ExpiresAt string           `json:"expires_at" format:"date-time" doc:"The first instant at which it can no longer be captured."`
	EndedAt   string           `json:"ended_at,omitempty" format:"date-time" doc:"When it was captured, released or expired."`
	Lots      []Pin            `json:"lots" doc:"What it pinned: these lots neither expire nor are used otherwise while it is open."`
	Balances  map[string]int64 `json:"balances,omitempty" doc:"What the member can use now, by currency code; after a change only."`

	made bool
}

// Pin is a part of a lot that a hold has set aside.
type Pin struct {
	LotID  string `json:"lot_id" doc:"The lot."`
	Amount int64  `json:"amount" doc:"How much of it."`
}

// Status is 201 for a hold that was made now, and 200 for one that was ended.
func (h *HoldView) Status() int {
	if h.made {
		return 201
	}
	return 200
}

// Whose is the member for whom the till wrote the purpose.
func (h *HoldView) Whose() int64 { return ownerOf(h.Member) }

func viewHold(c *Config, member int64, h *Hold) *HoldView {
	v := &HoldView{
		ID: HoldID(member, h.Seq), Member: memberID(member), Amount: h.Amount, State: h.State.String(), Captured: h.Captured,
		Purpose: h.Purpose, MadeAt: stamp(h.MadeMS), ExpiresAt: stamp(h.ExpiresMS), EndedAt: stamp(h.EndedMS), Lots: []Pin{},
	}
	if cur := c.Currencies[h.Currency]; cur != nil {
		v.Currency = cur.Code
	}
	for _, t := range h.Lots {
		v.Lots = append(v.Lots, Pin{LotID(member, t.Lot), t.Amount})
	}
	return v
}

// holdCommand sets points aside for so long from now.
type holdCommand struct {
	member   int64
	currency string
	amount   int64
	ttlMS    int64
	purpose  string
}

func (c holdCommand) Needs() Needs {
	return Needs{Members: []int64{c.member}, Heads: []Head{{Member: c.member, Currency: c.currency}}}
}

func (c holdCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.member)
	if err != nil {
		return nil, err
	}
	cur, err := s.Config.Currency(c.currency)
	if err != nil {
		return nil, err
	}
	h, err := s.Hold(a, cur, c.amount, s.NowMS+c.ttlMS, c.purpose, Posting{})
	if err != nil {
		return nil, err
	}
	s.tellAs(a, "hold.made", movedBody{Currency: cur.Code, Amount: c.amount, Hold: HoldID(a.ID, h.Seq)})
	v := viewHold(s.Config, a.ID, h)
	v.Balances, v.made = s.Balances(a), true
	return v, nil
}

// endHoldCommand captures a hold or releases it. A hold stays with the member that it was
// made for: who has one open cannot be merged away.
type endHoldCommand struct {
	member, seq int64
	capture     bool
	amount      int64 // to capture; 0 = all of it
}

func (c endHoldCommand) Needs() Needs {
	return Needs{Members: []int64{c.member}, Holds: []LotKey{{c.member, c.seq}}}
}

func (c endHoldCommand) Decide(s *State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	h, err := s.FindHold(a, c.seq)
	if err != nil {
		return nil, err
	}
	cur := s.Config.Currencies[h.Currency]
	body := movedBody{Currency: cur.Code, Amount: h.Amount, Hold: HoldID(a.ID, h.Seq)}
	if c.capture {
		if c.amount != 0 {
			body.Amount = c.amount
		}
		if _, err := s.Capture(a, cur, h, body.Amount, Posting{}); err != nil {
			return nil, err
		}
		s.tellAs(a, "hold.captured", body)
	} else {
		if err := s.Release(a, h); err != nil {
			return nil, err
		}
		s.tellAs(a, "hold.released", body)
	}
	v := viewHold(s.Config, a.ID, h)
	v.Balances = s.Balances(a)
	return v, nil
}

// holdKey reads the public id of a hold.
func holdKey(text string) (member, seq int64, err error) {
	member, seq, err = id.Decode(holdPrefix, text)
	if err != nil {
		return 0, 0, ErrNoHold.At("path.id").Because(err)
	}
	return member, seq, nil
}

var findHoldSQL = db.Define("ledger.findHold", `
	SELECT `+holdTable.names()+`
	FROM hold
	WHERE shard = $1 AND member_id = $2 AND seq = $3`)

// FindHold reads a hold. One whose time is up is expired, be that written down or not.
func (s *Service) FindHold(ctx context.Context, member, seq int64) (*HoldView, error) {
	var h *Hold
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		targets := holdTable.targets()
		err := tx.QueryRow(ctx, findHoldSQL, id.Shard(member), member, seq).Scan(targets...)
		if err != nil {
			return err
		}
		h, err = holdOf(holdTable.values(targets))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoHold
	}
	if err != nil {
		return nil, fmt.Errorf("find hold %d of member %d: %w", seq, member, err)
	}
	if h.State == HoldOpen && h.ExpiresMS <= s.clock.Now().UnixMilli() {
		h.State, h.EndedMS = HoldExpired, h.ExpiresMS
	}
	return viewHold(s.Config(), member, h), nil
}
