package rule

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// maxEvents bounds the events of one type that a condition counts: the latest ones.
const maxEvents = 1_000

var saleCountSQL = db.Define("rule.saleCount", `
	SELECT sale_n
	FROM account
	WHERE shard = $1 AND member_id = $2`)

// look looks up what a batch cannot know: what was bought of categories, and events. The batch
// then sees to it that no sale came meanwhile. Events count once the log has them, which is
// within seconds.
func (s *Service) look(ctx context.Context, p *salePart) error {
	if len(p.sought) == 0 || p.owner == 0 {
		return nil
	}
	p.found = cond.Found{}
	return s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := tx.QueryRow(ctx, saleCountSQL, id.Shard(int64(p.owner)), int64(p.owner)).Scan(&p.saleN)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return s.lookUp(ctx, tx, p.owner, p.facts.Now.Time(), p.sought, p.found)
	})
}

// lookUp answers needs for windows that end with the day of an instant; what is not
// earlier than the instant is not seen.
func (s *Service) lookUp(ctx context.Context, tx *db.Tx, owner member.ID, now time.Time, needs []cond.Need, found cond.Found) error {
	day, zone := program.DayOf(now, now.Location()), now.Location()
	from := func(days int64) int64 {
		if days == 0 {
			return 0
		}
		return program.Day(max(0, int64(day)-days+1)).Start(zone).UnixMilli()
	}
	type sum struct{ milli, worth int64 }
	sums, earliest, sales := map[cond.Need]sum{}, int64(never), false
	for _, n := range needs {
		switch n.Fact {
		case cond.FactEvents:
			count, err := countEvents(ctx, tx, owner, n.Text, from(n.Days), now.UnixMilli())
			if err != nil {
				return err
			}
			found[n] = cond.WholeValue(count)
		case cond.FactBought, cond.FactSpentOn:
			sums[n], sales = sum{}, true
			earliest = min(earliest, from(n.Days))
		}
	}
	if !sales {
		return nil
	}
	err := sale.Bought(ctx, tx, owner, earliest, now.UnixMilli(), func(d *sale.Document) {
		for n, x := range sums {
			if d.AtMS < from(n.Days) {
				continue
			}
			for i := range d.Body.Lines {
				if l := &d.Body.Lines[i]; l.Category != "" && s.under(l.Category, n.Text) {
					milli, worth := d.Kept(l)
					x.milli, x.worth = x.milli+milli, x.worth+worth
				}
			}
			sums[n] = x
		}
	})
	for n, x := range sums {
		if found[n] = cond.WholeValue(x.worth); n.Fact == cond.FactBought {
			found[n] = cond.NumberValue(x.milli, 1000)
		}
	}
	return err
}

func countEvents(ctx context.Context, tx *db.Tx, owner member.ID, kind string, from, now int64) (n int64, err error) {
	list, err := event.ListMemberKind(ctx, tx, owner.Shard(), int64(owner), "event."+kind, 0, maxEvents)
	for _, e := range list {
		if e.AtMS >= from && e.AtMS <= now && e.Kind == "event."+kind {
			n++
		}
	}
	return n, err
}

// fresh refuses what was looked up before another sale came.
func (p *salePart) fresh(a *ledger.Account) error {
	if len(p.sought) > 0 && p.owner != 0 && a.SaleN != p.saleN+p.mine {
		return sale.ErrStale
	}
	return nil
}

// tagged is the event of a tag that a rule gives.
const tagged = "rule.tagged"
