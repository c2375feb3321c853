package plan

import (
	"encoding/json"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// The rows that commands read and write.
var (
	memberTable = ledger.DefineTable("plan_member", 2, "shard int, member_id int, n int, plan_id int, started int, anchor int, until_day int, paid int, "+
		"grace int, ended int, why text, cancelled int, auto int, reminded int, lapsed int, period_n int, next_day int, via int")
	periodTable = ledger.DefineTable("plan_period", 3, "shard int, member_id int, seq int, n int, k int, plan_id int, plan_version int, from_day int, until_day int, "+
		"amount int, currency text, method text, reference text, reason text, charge_id int, paid_ms int, paid_day int, refunded int, refund_ms int, refund_day int, "+
		"refund_method text, refund_reference text, refund_reason text, gifts text")
	endedTable = ledger.DefineTable("plan_ended", 3, "shard int, member_id int, n int, plan_id int, started int, anchor int, paid int, ended int, why text")
)

// Row names the membership of a member, for the needs of a command that asks Of about it.
func Row(member int64) ledger.RowKey {
	return ledger.RowKey{Table: memberTable, Key: []any{int64(id.Shard(member)), member}}
}

// load reads the membership of a member whose Row was named.
func load(s *ledger.State, member int64) Membership {
	v := s.Row(memberTable, int64(id.Shard(member)), member)
	if v == nil {
		return Membership{Member: member}
	}
	return membershipOf(v)
}

func membershipOf(v []any) Membership {
	n := func(i int) int64 { return v[i].(int64) }
	day := func(i int) program.Day { return program.Day(n(i)) }
	return Membership{
		Member: n(1), N: n(2), Plan: n(3), Started: day(4), Anchor: day(5), Until: day(6), Paid: n(7), Grace: n(8), Ended: day(9), Why: Why(v[10].(string)),
		Cancelled: n(11) == 1, Auto: n(12) == 1, Reminded: day(13), Lapsed: day(14), Periods: n(15), via: n(17),
	}
}

func (m *Membership) put(s *ledger.State, next program.Day) {
	s.Put(memberTable, int64(id.Shard(m.Member)), m.Member, m.N, m.Plan, int64(m.Started), int64(m.Anchor), int64(m.Until), m.Paid, m.Grace, int64(m.Ended), string(m.Why),
		flag(m.Cancelled), flag(m.Auto), int64(m.Reminded), int64(m.Lapsed), m.Periods, int64(next), m.via)
}

func flag(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// Period is one that was paid for.
type Period struct {
	Member          int64
	Seq             int64 // of the member's periods, over all memberships, from 1
	N, K            int64 // the how-manieth of the how-manieth membership
	Plan, Version   int64
	From, Until     program.Day
	Amount          int64
	Currency        string
	Method          string // how it was paid: "cash", "wechat"
	Reference       string // number of the payment at whoever took it
	Reason          string // why it was not the price
	Charge          int64  // of a provider; 0 where it was recorded
	PaidMS          int64
	PaidDay         program.Day
	Refunded        int64
	RefundMS        int64
	RefundDay       program.Day
	RefundMethod    string
	RefundReference string
	RefundReason    string
	Gifts           []Given
}

// Given is a gift that came with a period.
type Given struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	Lot      int64  `json:"lot"`
	Took     int64  `json:"took,omitempty"` // what a refund took back
}

// PublicID is what the outside calls the payment of the period.
func (p *Period) PublicID() string { return id.Encode(periodID, p.Member, p.Seq) }

func periodKey(member, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: periodTable, Key: []any{int64(id.Shard(member)), member, seq}}
}

func periodOf(v []any) Period {
	n := func(i int) int64 { return v[i].(int64) }
	t := func(i int) string { return v[i].(string) }
	p := Period{
		Member: n(1), Seq: n(2), N: n(3), K: n(4), Plan: n(5), Version: n(6), From: program.Day(n(7)), Until: program.Day(n(8)), Amount: n(9), Currency: t(10),
		Method: t(11), Reference: t(12), Reason: t(13), Charge: n(14), PaidMS: n(15), PaidDay: program.Day(n(16)), Refunded: n(17), RefundMS: n(18), RefundDay: program.Day(n(19)),
		RefundMethod: t(20), RefundReference: t(21), RefundReason: t(22),
	}
	if err := json.Unmarshal([]byte(t(23)), &p.Gifts); err != nil {
		panic("plan: gifts of a period cannot be read: " + err.Error()) // this package wrote them
	}
	return p
}

func (p *Period) put(s *ledger.State) {
	gifts, err := json.Marshal(p.Gifts)
	if err != nil {
		panic(err) // plain structs
	}
	if p.Gifts == nil {
		gifts = []byte("[]")
	}
	s.Put(periodTable, int64(id.Shard(p.Member)), p.Member, p.Seq, p.N, p.K, p.Plan, p.Version, int64(p.From), int64(p.Until), p.Amount, p.Currency,
		p.Method, p.Reference, p.Reason, p.Charge, p.PaidMS, int64(p.PaidDay), p.Refunded, p.RefundMS, int64(p.RefundDay), p.RefundMethod, p.RefundReference, p.RefundReason, string(gifts))
}
