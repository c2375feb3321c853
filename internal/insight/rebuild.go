package insight

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// mendMost is how many rows one background transaction mends: a few milliseconds.
const mendMost = 100

// Check compares the sums with the books (S1), and the counts of active members with their
// days (S2).
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "sums by day", Run: func(ctx context.Context, _ *db.DB, found func(ledger.Finding)) error {
		_, err := s.compare(ctx, found, false, nil)
		return err
	}}
}

// Rebuild brings the sums in line with the books while everything goes on, and returns how
// many rows it mended. It only ever adds what is missing, or takes off what is too much; so
// it may be stopped anywhere, and run again.
func (s *Service) Rebuild(ctx context.Context, progress func(done, total int64)) (mended int, err error) {
	s.rebuilding.Lock()
	defer s.rebuilding.Unlock()
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { // from here on, events count in this zone
		_, err := tx.Exec(ctx, setZoneSQL, s.o.Program.Snapshot().Zone.String())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rebuild the sums: %w", err)
	}
	if mended, err = s.compare(ctx, nil, true, progress); err != nil {
		return mended, fmt.Errorf("rebuild the sums: %w", err)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, builtSQL, s.o.Clock.Now().UnixMilli())
		return err
	})
	return mended, err
}

var builtSQL = db.Define("insight.built", `
	UPDATE rollup
	SET built_ms = $1
	WHERE one = 1`)

// compare goes through the books once, and tells what differs, or mends it.
func (s *Service) compare(ctx context.Context, found func(ledger.Finding), mend bool, progress func(done, total int64)) (n int, err error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if found == nil {
		found = func(ledger.Finding) {}
	}
	b, err := s.open(ctx)
	if err != nil || b == nil {
		return 0, err
	}
	for shard := range int16(id.Shards) {
		p, err := b.read(ctx, shard)
		if err != nil {
			return n, err
		}
		wrong := p.wrong()
		n += len(wrong)
		for _, k := range wrong {
			found(ledger.Finding{Invariant: "S1", Where: "active days of " + memberID(k.member),
				EN: fmt.Sprintf("the days of month %d differ from the sales", k.month%12+1), ZH: fmt.Sprintf("%d 月的活跃日期与销售不符", k.month%12+1)})
		}
		if mend {
			for part := range slices.Chunk(wrong, mendMost) {
				if err := b.mendDays(ctx, p, part); err != nil {
					return n, err
				}
			}
		}
		progress(int64(shard)+1, 2*id.Shards)
	}
	lacking, err := b.finish(ctx)
	if err != nil {
		return n, err
	}
	wrong := cells(lacking)
	n += len(wrong)
	for _, c := range wrong {
		s := shapes[c.table]
		for i, name := range s.sums {
			if off := lacking[c][i]; off != 0 {
				found(ledger.Finding{Invariant: "S1", Where: fmt.Sprintf("%s, store %d, %s%s", s.name, c.store, c.day, unitOf(c)),
					EN: fmt.Sprintf("%s lacks %d of what the books say", name, off), ZH: fmt.Sprintf("%s 与账目相差 %d", name, off)})
			}
		}
	}
	if mend {
		for part := range slices.Chunk(wrong, mendMost) {
			sums := make(map[cell]*row, len(part))
			for _, c := range part {
				sums[c] = lacking[c]
			}
			err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error { return addSums(ctx, tx, sums) })
			if err != nil {
				return n, err
			}
		}
	}
	more, err := s.compareCounts(ctx, found, mend, progress)
	return n + more, err
}

func unitOf(c cell) string {
	switch c.table {
	case daySale:
		return ", " + c.unit
	case dayPoint:
		return fmt.Sprintf(", currency %d", c.point)
	}
	return ""
}

func memberID(m int64) string { return id.Encode("mem_", m, 0) }

// wrong lists the months whose stored days, with those that wait, are not the days due.
func (p *page) wrong() (list []monthKey) {
	keys := map[monthKey]struct{}{}
	for _, m := range []map[monthKey]monthDays{p.stored, p.due} {
		for k := range m {
			keys[k] = struct{}{}
		}
	}
	for k := range keys {
		have := maps.Clone(p.stored[k])
		if have == nil {
			have = monthDays{}
		}
		for store, days := range p.pending[k] {
			have[store] |= days
		}
		if !maps.Equal(have, p.due[k]) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, monthKey.compare)
	return list
}

// lockLogSQL keeps the dispatcher out, so that no day of a member comes between the look and
// the write. On SQLite the transaction is the only writer.
var lockLogSQL = db.Define("insight.lockLog", `
	SELECT position
	FROM event_dispatcher
	WHERE one = 1`).
	OnPostgres(`
	SELECT position
	FROM event_dispatcher
	WHERE one = 1
	FOR UPDATE`)

// mendDays writes the days of members as the books of a page had them, and moves the counts
// by as much. Days that came since stay: a visit is never taken off a member of whom
// something has happened after the page.
func (b *books) mendDays(ctx context.Context, p *page, keys []monthKey) error {
	return b.s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		var position int64
		if err := tx.QueryRow(ctx, lockLogSQL).Scan(&position); err != nil {
			return err
		}
		known, err := readActive(ctx, tx, keys)
		if err != nil {
			return err
		}
		counts := newCounts(b.snap)
		var rows [][]any
		for _, k := range keys {
			quiet, err := quietSince(ctx, tx, k.member, p.position)
			if err != nil {
				return err
			}
			after := maps.Clone(p.due[k])
			if after == nil {
				after = monthDays{}
			}
			for store, days := range known[k] {
				if !quiet {
					after[store] |= days
				}
				if after[store] == 0 {
					delete(after, store)
					if _, err := tx.Exec(ctx, dropActiveSQL, id.Shard(k.member), k.member, k.month, store); err != nil {
						return err
					}
				}
			}
			for _, store := range slices.Sorted(maps.Keys(after)) {
				rows = append(rows, []any{id.Shard(k.member), k.member, k.month, store, after[store]})
			}
			counts.add(k.month, known[k], -1)
			counts.add(k.month, after, 1)
		}
		if err := putActive(ctx, tx, rows); err != nil {
			return err
		}
		return activeShape.write(ctx, tx, counts.rows())
	})
}

// quietSince reports whether nothing of a member was handed on after a position.
func quietSince(ctx context.Context, tx *db.Tx, m, position int64) (bool, error) {
	list, err := event.ListMember(ctx, tx, id.Shard(m), m, 0, 1)
	return err == nil && (len(list) == 0 || list[0].Position <= position), err
}

var allCountsSQL = db.Define("insight.allCounts", `
	SELECT scope, scope_id, day, members, first_members
	FROM day_active`)

func (s *Service) readCounts(ctx context.Context) (out map[countKey][2]int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out = map[countKey][2]int64{}
		return each(ctx, tx, allCountsSQL, func(scan func(...any) error) error {
			var k countKey
			var n [2]int64
			err := scan(&k.scope.kind, &k.scope.id, &k.day, &n[0], &n[1])
			out[k] = n
			return err
		})
	})
	return out, err
}

// compareCounts counts the active members anew from their days. Counts that move meanwhile
// are of no one instant: they are passed over, which is today's on a running server.
func (s *Service) compareCounts(ctx context.Context, found func(ledger.Finding), mend bool, progress func(done, total int64)) (n int, err error) {
	before, err := s.readCounts(ctx)
	if err != nil {
		return 0, err
	}
	due := newCounts(s.o.Program.Snapshot())
	for shard := range int16(id.Shards) {
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return countShard(ctx, tx, due, shard)
		})
		if err != nil {
			return 0, err
		}
		progress(id.Shards+int64(shard)+1, 2*id.Shards)
	}
	after, err := s.readCounts(ctx)
	if err != nil {
		return 0, err
	}
	off := newCounts(due.snap)
	for _, m := range []map[countKey][2]int64{after, nil} {
		keys := slices.Collect(maps.Keys(m))
		if m == nil {
			keys = slices.Collect(maps.Keys(due.n))
		}
		for _, k := range keys {
			want := [2]int64{}
			if w := due.n[k]; w != nil {
				want = *w
			}
			if have := after[k]; have == before[k] && have != want {
				off.n[k] = &[2]int64{want[0] - have[0], want[1] - have[1]}
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(off.n), compareCounts) {
		d := off.n[k]
		found(ledger.Finding{Invariant: "S2", Where: fmt.Sprintf("day_active, %s, %s", scopeName(k.scope), k.day),
			EN: fmt.Sprintf("lacks %d active members, %d of them for the first time in the month", d[0], d[1]), ZH: fmt.Sprintf("活跃会员相差 %d，其中当月首次相差 %d", d[0], d[1])})
	}
	if mend {
		for part := range slices.Chunk(off.rows(), mendMost) {
			err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error { return activeShape.write(ctx, tx, part) })
			if err != nil {
				return 0, err
			}
		}
	}
	return len(off.n), nil
}

// countShard counts the days of the members of a shard: rows of a member in a month follow
// one another.
func countShard(ctx context.Context, tx *db.Tx, due *counts, shard int16) error {
	var now monthKey
	days := monthDays{}
	err := each(ctx, tx, countDaysSQL, func(scan func(...any) error) error {
		var k monthKey
		var store, d int64
		if err := scan(&k.member, &k.month, &store, &d); err != nil {
			return err
		}
		if k != now {
			due.add(now.month, days, 1)
			now, days = k, monthDays{}
		}
		days[store] = d
		return nil
	}, shard)
	due.add(now.month, days, 1)
	return err
}

var countDaysSQL = db.Define("insight.countDays", `
	SELECT member_id, month, store_id, days
	FROM active_month
	WHERE shard = $1
	ORDER BY shard, member_id, month, store_id`)

func scopeName(s scope) string {
	switch s.kind {
	case ofStore:
		return "store " + program.StoreID(s.id)
	case ofMerchant:
		return "merchant " + program.MerchantID(s.id)
	}
	return "programme"
}
