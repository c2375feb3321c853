package tier

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// verifyPage is how many members one snapshot of a verification takes.
const verifyPage = 500

var (
	verifyRowsSQL = db.Define("tier.verifyRows", `
		SELECT shard, member_id, tier, next_day, body
		FROM tier_member
		WHERE (shard, member_id) > ($1, $2)
		ORDER BY shard, member_id
		LIMIT $3`)
	verifyHistorySQL = db.Define("tier.verifyHistory", `
		SELECT shard, member_id, seq, scheme_id, from_tier, to_tier
		FROM tier_history
		WHERE (shard, member_id) > ($1, $2) AND (shard, member_id) <= ($3, $4)
		ORDER BY shard, member_id, seq`)
	verifyStrayHistorySQL = db.Define("tier.verifyStrayHistory", `
		SELECT h.member_id
		FROM tier_history h
		WHERE h.seq = 1 AND NOT EXISTS (SELECT 1 FROM tier_member m WHERE m.shard = h.shard AND m.member_id = h.member_id)
		ORDER BY h.shard, h.member_id
		LIMIT 100`)
)

// Check is what verify looks at: the history of every member has no gaps, each row goes on from
// where the one before ended, and the last one says where the member stands; the columns by
// which members are listed and looked at again say what the standing says.
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "tiers", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		v := &verification{main: s.Snapshot().main, found: found}
		shard, m := int64(-1), int64(0)
		for n := verifyPage; n == verifyPage; {
			err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				n, shard, m, err = v.page(ctx, tx, shard, m)
				return err
			})
			if err != nil {
				return err
			}
		}
		return d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return db.ReadRows(func(rows *db.Rows) error {
				var m int64
				err := rows.Scan(&m)
				v.wrong(m, "there is a history, and no standing", "有等级历史，但没有等级记录")
				return err
			})(tx.Query(ctx, verifyStrayHistorySQL))
		})
	}}
}

// verification goes through the standings once.
type verification struct {
	main  *Ladder
	found func(ledger.Finding)
}

func (v *verification) wrong(member int64, en, zh string) {
	v.found(ledger.Finding{Invariant: "T1", Where: "member " + id.Encode("mem_", member, 0), EN: en, ZH: zh})
}

// page reads some members with their history and judges each.
func (v *verification) page(ctx context.Context, tx *db.Tx, shard, m int64) (n int, lastShard, last int64, err error) {
	rows := map[int64]standings{}
	lastShard, last = shard, m
	err = db.ReadRows(func(r *db.Rows) error {
		var code, body string
		var next int64
		if err := r.Scan(&lastShard, &last, &code, &next, &body); err != nil {
			return err
		}
		n++
		row, err := unpack(body)
		if err != nil {
			v.wrong(last, "the standing cannot be read", "等级记录无法读取")
			return nil
		}
		rows[last] = row
		v.columns(last, row, code, next)
		return nil
	})(tx.Query(ctx, verifyRowsSQL, shard, m, verifyPage))
	if err != nil || n == 0 {
		return n, lastShard, last, err
	}
	tales := map[int64]*tale{}
	err = db.ReadRows(func(r *db.Rows) error {
		var shard, m, seq, scheme int64
		var from, to string
		if err := r.Scan(&shard, &m, &seq, &scheme, &from, &to); err != nil {
			return err
		}
		if tales[m] == nil {
			tales[m] = &tale{at: map[int64]string{}}
		}
		if why := tales[m].add(seq, scheme, from, to); why != "" {
			v.wrong(m, why, "等级历史不连续："+why)
		}
		return nil
	})(tx.Query(ctx, verifyHistorySQL, shard, m, lastShard, last))
	for m, row := range rows {
		v.ends(m, row, tales[m])
	}
	return n, lastShard, last, err
}

// columns compares a row's columns with what it holds.
func (v *verification) columns(m int64, row standings, code string, next int64) {
	if want := int64(row.next()); next != want {
		v.wrong(m, fmt.Sprintf("is to be looked at on day %d, and the standing says %d", next, want), fmt.Sprintf("下次评估日为 %d，记录为 %d", want, next))
	}
	if v.main == nil || row.Out {
		return
	}
	if st := row.of(v.main.ID); v.main.rank(st.Tier) > 0 && st.Tier != code {
		v.wrong(m, fmt.Sprintf("is listed under %q and stands in %q", code, st.Tier), fmt.Sprintf("列表等级为 %q，实际为 %q", code, st.Tier))
	}
}

// ends compares where a member stands with where the history ends.
func (v *verification) ends(m int64, row standings, t *tale) {
	if t == nil {
		t = &tale{}
	}
	if t.n != row.N {
		v.wrong(m, fmt.Sprintf("has %d rows of history, and the standing says %d", t.n, row.N), fmt.Sprintf("等级历史有 %d 行，记录为 %d", t.n, row.N))
	}
	for _, st := range row.List {
		if t.at[st.Scheme] != st.Tier {
			v.wrong(m, fmt.Sprintf("stands in %q, and the history ends in %q", st.Tier, t.at[st.Scheme]), fmt.Sprintf("当前等级 %q 与历史 %q 不符", st.Tier, t.at[st.Scheme]))
		}
	}
}

// tale is how far the history of a member has been read.
type tale struct {
	n  int64
	at map[int64]string // tier by scheme
}

// add takes the next row, and says what is wrong with it, "" for nothing.
func (t *tale) add(seq, scheme int64, from, to string) (why string) {
	if seq != t.n+1 {
		why = fmt.Sprintf("row %d of the history follows %d", seq, t.n)
	} else if t.at[scheme] != from {
		why = fmt.Sprintf("row %d of the history begins in %q, where %q was", seq, from, t.at[scheme])
	}
	t.n, t.at[scheme] = seq, to
	return why
}
