package tier

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// What an evaluation outside of a batch reads of members: their days and their standing. It
// locks nothing, and what it finds is decided anew where it matters.
var (
	peopleSQL = db.DefineBulk("tier.people", db.QuerySizes, 2, `
		SELECT a.shard, a.member_id, a.activity, COALESCE(t.tier, ''), COALESCE(t.body, '')
		FROM account AS a
		LEFT JOIN tier_member AS t ON t.shard = a.shard AND t.member_id = a.member_id
		WHERE (a.shard, a.member_id) IN (VALUES`, pairRow, `)`)
	// crowdSQL goes along the accounts. Stand-ins of stores have numbers below 0.
	crowdSQL = db.Define("tier.crowd", `
		SELECT a.shard, a.member_id, a.activity, COALESCE(t.tier, ''), COALESCE(t.body, '')
		FROM account AS a
		LEFT JOIN tier_member AS t ON t.shard = a.shard AND t.member_id = a.member_id
		WHERE (a.shard, a.member_id) > ($1, $2) AND a.merged_into = 0 AND a.member_id > 0
		ORDER BY a.shard, a.member_id
		LIMIT $3`)
	// everybodySQL goes along the records, those too to whom nothing has happened yet.
	everybodySQL = db.Define("tier.everybody", `
		SELECT m.shard, m.id, a.activity, COALESCE(t.tier, ''), COALESCE(t.body, '')
		FROM member AS m
		LEFT JOIN account AS a ON a.shard = m.shard AND a.member_id = m.id
		LEFT JOIN tier_member AS t ON t.shard = m.shard AND t.member_id = m.id
		WHERE (m.shard, m.id) > ($1, $2) AND m.merged_into = 0 AND m.erased_ms = 0
		ORDER BY m.shard, m.id
		LIMIT $3`)
	balancesSQL = db.DefineBulk("tier.balances", db.QuerySizes, 2, `
		SELECT member_id, currency_id, active
		FROM wallet
		WHERE (shard, member_id) IN (VALUES`, pairRow, `)`)
)

// place is how far a walk along members has come.
type place struct{ shard, member int64 }

// theStart is before the first member.
var theStart = place{-1, 0}

// person is one member as an evaluation outside of a batch sees them.
type person struct {
	id     int64
	packed []byte // the book, until it is opened
	code   string // under which lists show them
	body   string // of the row
	row    standings
	sums   *bookSums
	joined Day
}

// peopleRows makes persons of rows.
type peopleRows struct {
	list []*person
	last place
}

func (p *peopleRows) read(rows *db.Rows) error {
	one := &person{}
	var at place
	if err := rows.Scan(&at.shard, &at.member, &one.packed, &one.code, &one.body); err != nil {
		return err
	}
	one.id, p.last = at.member, at
	p.list = append(p.list, one)
	return nil
}

// open unpacks what was read of a member.
func (p *person) open(nowMS int64, zone *time.Location) (err error) {
	book, err := activity.Unpack(p.packed)
	if err != nil {
		return fmt.Errorf("the activity of member %d: %w", p.id, err)
	}
	if p.row, err = unpack(p.body); err != nil {
		return fmt.Errorf("member %d: %w", p.id, err)
	}
	p.sums = &bookSums{book: book, nowMS: nowMS, zone: zone}
	p.joined = p.row.Joined
	return nil
}

// people reads some members.
func (s *Service) people(ctx context.Context, snap *Snapshot, ids []int64) ([]*person, error) {
	var rows peopleRows
	args := make([]any, 0, 2*len(ids))
	for _, m := range ids {
		args = append(args, rowID(m), m)
	}
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows = peopleRows{}
		return peopleSQL.Query(ctx, tx, args, rows.read)
	})
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for _, p := range rows.list {
		seen[p.id] = true
	}
	for _, m := range ids {
		if !seen[m] { // nothing has happened to them yet
			rows.list = append(rows.list, &person{id: m})
		}
	}
	return rows.list, s.fill(ctx, snap.profile, snap.asksPoints(), rows.list)
}

// asksPoints reports whether a condition asks for balances.
func (n *Snapshot) asksPoints() bool {
	for _, l := range n.Ladders {
		if l.points {
			return true
		}
	}
	return false
}

// fill opens what was read of members, and adds what else is asked of them.
func (s *Service) fill(ctx context.Context, profile, points bool, list []*person) error {
	nowMS, zone := s.o.Clock.Now().UnixMilli(), s.o.Program.Snapshot().Zone
	ids := make([]member.ID, len(list))
	for i, p := range list {
		if err := p.open(nowMS, zone); err != nil {
			return err
		}
		ids[i] = member.ID(p.id)
	}
	var balances map[int64]map[string]int64
	if points {
		var err error
		if balances, err = s.balances(ctx, list); err != nil {
			return err
		}
	}
	config := s.o.Ledger.Config()
	for _, p := range list {
		p.sums.find = p.finder(config, balances[p.id])
	}
	if !profile {
		return nil
	}
	known, err := s.o.Members.Profiles(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range list {
		if who := known[member.ID(p.id)]; who != nil {
			p.sums.profile, p.joined = who, Day(who.JoinedDay)
		}
	}
	return nil
}

// finder answers facts outside of a batch.
func (p *person) finder(config *ledger.Config, balances map[string]int64) func(activity.Day, []cond.Need, cond.Found) {
	return func(day activity.Day, needs []cond.Need, found cond.Found) {
		for _, n := range needs {
			var v int64
			switch n.Fact {
			case cond.FactPoints:
				v = balances[n.Text]
			case cond.FactEarned:
				if c := config.ByCode[n.Text]; c != nil {
					v = p.sums.book.Earned(c.ID, day, n.Days)
				}
			case cond.FactSpend:
				v = p.sums.book.Spend(day, n.Days)
			case cond.FactVisits:
				v = p.sums.book.Visits(day, n.Days)
			}
			found[n] = cond.WholeValue(v)
		}
	}
}

// balances reads what members can use, as it was last written down.
func (s *Service) balances(ctx context.Context, list []*person) (map[int64]map[string]int64, error) {
	config := s.o.Ledger.Config()
	out := map[int64]map[string]int64{}
	args := make([]any, 0, 2*len(list))
	for _, p := range list {
		args = append(args, rowID(p.id), p.id)
	}
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return balancesSQL.Query(ctx, tx, args, func(rows *db.Rows) error {
			var m, currency, n int64
			if err := rows.Scan(&m, &currency, &n); err != nil {
				return err
			}
			if out[m] == nil {
				out[m] = map[string]int64{}
			}
			if c := config.Currencies[currency]; c != nil {
				out[m][c.Code] = n
			}
			return nil
		})
	})
	return out, err
}

// walk reads a page of members after a place, with what a scheme asks of them.
func (s *Service) walk(ctx context.Context, stmt *db.Stmt, after place, n int) (list []*person, last place, err error) {
	var rows peopleRows
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows = peopleRows{last: after}
		return db.ReadRows(rows.read)(tx.Query(ctx, stmt, after.shard, after.member, n))
	})
	return rows.list, rows.last, err
}
