package sale

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// List returns one page of sales and returns under a filter, and the cursor of the next.
func (s *Service) List(ctx context.Context, f Filter, p api.Page) ([]*Document, string, error) {
	if err := f.check(); err != nil {
		return nil, "", err
	}
	m, err := s.matcher(f)
	if err != nil {
		return nil, "", err
	}
	if f.Document != "" {
		d, err := s.byDocument(ctx, f.Source, f.Document)
		if err != nil {
			return nil, "", err
		}
		return m.only(s.seen(ctx, d)), "", nil
	}
	from, to, err := s.span(f.From, f.To)
	if err != nil {
		return nil, "", err
	}
	var docs []*Document
	var next string
	switch {
	case f.Member != "":
		docs, next, err = s.ofMember(ctx, f.Member, p, from, to)
	case m.any() && !f.Unassigned && (f.State == "" || f.State == "returned"):
		docs, next, err = s.sought(ctx, m, p, from, to)
	default:
		docs, next, err = s.byTime(ctx, f, p, from, to)
	}
	return m.only(s.seen(ctx, docs)), next, err
}

func (f Filter) check() error {
	n := 0
	for _, set := range []bool{f.Member != "", f.Unassigned, f.State != "", f.Document != ""} {
		if set {
			n++
		}
	}
	if n > 1 || (f.Source == "") != (f.Document == "") {
		return ErrFilter
	}
	return nil
}

// matcher holds what no index serves: these are looked at sale by sale.
type matcher struct {
	kind                 Kind // 0 for both
	store                int64
	till, staff, channel string
	returned             bool
}

func (s *Service) matcher(f Filter) (matcher, error) {
	m := matcher{till: f.Till, staff: f.Staff, channel: f.Channel, returned: f.State == "returned"}
	if f.Store != "" {
		st, err := s.program.Snapshot().FindStore(f.Store)
		if err != nil {
			return m, at(err, "query.store")
		}
		m.store = st.ID
	}
	switch {
	case f.Kind == "return":
		m.kind = Return
	case f.Kind == "sale", m.returned:
		m.kind = Purchase
	}
	return m, nil
}

func (m matcher) any() bool { return m != matcher{} }

// fits looks at everything but the lines.
func (m matcher) fits(d *Document) bool {
	return (m.kind == 0 || m.kind == d.Kind) && (m.store == 0 || m.store == d.Store) && (m.till == "" || m.till == d.Till) &&
		(m.staff == "" || m.staff == d.Staff) && (m.channel == "" || m.channel == d.Channel)
}

// only keeps what fits.
func (m matcher) only(docs []*Document) []*Document {
	if !m.any() {
		return docs
	}
	return slices.DeleteFunc(docs, func(d *Document) bool { return !m.fits(d) || m.returned && !d.hasReturns() })
}

// hasReturns reports whether anything of a sale came back.
func (d *Document) hasReturns() bool {
	return d.Kind == Purchase && slices.ContainsFunc(d.Body.Lines, func(l Line) bool { return l.BackMilli > 0 || l.BackAmount > 0 })
}

// What a page of sought sales may cost: so many rows are looked at in one snapshot, in so
// many snapshots. A page that is not full by then ends, with a cursor to go on.
const (
	soughtRows  = 2_000
	soughtLooks = 5
)

// sought pages through sales by time, looking at each. A look reads narrow rows along the
// index by time; only those that fit are read whole.
func (s *Service) sought(ctx context.Context, m matcher, p api.Page, from, to int64) (page []*Document, next string, err error) {
	c, err := firstByTime(p.Cursor)
	if err != nil {
		return nil, "", err
	}
	for range soughtLooks {
		var seen []*Document
		var found []*Document
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			seen, found = nil, nil
			rows, err := tx.Query(ctx, narrowSQL, from, to, c[0], c[1], c[2], c[3], soughtRows)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				d := &Document{}
				if err := rows.Scan(&d.AtMS, &d.Member, &d.Seq, &d.Kind, &d.Store, &d.Till, &d.Staff, &d.Channel); err != nil {
					return err
				}
				seen = append(seen, d)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			var keys []*Document
			for i, k := range seen {
				if m.fits(k) {
					keys = append(keys, k)
				}
				if full := len(keys) == wholeAtOnce; !full && i < len(seen)-1 || len(keys) == 0 {
					continue
				}
				docs, err := whole(ctx, tx, keys)
				if err != nil {
					return err
				}
				found, keys = append(found, m.only(docs)...), keys[:0]
				if len(page)+len(found) > p.Limit {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return nil, "", fmt.Errorf("look for sales: %w", err)
		}
		if page = append(page, found...); len(page) > p.Limit {
			page = page[:p.Limit]
			return page, page[p.Limit-1].place(), nil
		}
		if len(seen) < soughtRows {
			return page, "", nil
		}
		last := seen[len(seen)-1]
		c = []int64{last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq}
	}
	return page, api.EncodeCursor(c...), nil
}

// wholeAtOnce is how many documents one statement reads whole.
const wholeAtOnce = 200

// whole reads documents by their keys, newest first.
func whole(ctx context.Context, tx *db.Tx, keys []*Document) ([]*Document, error) {
	marks := make([]string, len(keys))
	args := make([]any, 0, 3*len(keys))
	for i, k := range keys {
		marks[i] = fmt.Sprintf("(CAST($%d AS SMALLINT), CAST($%d AS BIGINT), CAST($%d AS BIGINT))", 3*i+1, 3*i+2, 3*i+3)
		args = append(args, id.Shard(k.Member), k.Member, k.Seq)
	}
	rows, err := tx.QueryText(ctx, `
		SELECT `+columns+`
		FROM sale
		WHERE (shard, member_id, seq) IN (VALUES `+strings.Join(marks, ", ")+`)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC`, args...)
	return scanAll(rows, err)
}

// place is the cursor after a document in a list by time.
func (d *Document) place() string {
	return api.EncodeCursor(d.AtMS, int64(id.Shard(d.Member)), d.Member, d.Seq)
}

// firstByTime is where a list by time goes on.
func firstByTime(cursor string) ([]int64, error) {
	c, err := api.DecodeCursor(cursor, 4)
	if c == nil && err == nil {
		c = []int64{math.MaxInt64, math.MaxInt16, math.MaxInt64, math.MaxInt64}
	}
	return c, err
}

// span reads from and to as Unix milliseconds.
func (s *Service) span(from, to string) (lo, hi int64, err error) {
	lo, hi = math.MinInt64, math.MaxInt64
	snap := s.program.Snapshot()
	if from != "" {
		t, err := snap.ParseTime(from)
		if err != nil {
			return 0, 0, at(err, "query.from")
		}
		lo = t.UnixMilli()
	}
	if to != "" {
		t, err := snap.ParseTime(to)
		if err != nil {
			return 0, 0, at(err, "query.to")
		}
		hi = t.UnixMilli()
	}
	return lo, hi, nil
}

// seen leaves out what the caller may not see.
func (s *Service) seen(ctx context.Context, docs []*Document) []*Document {
	snap, c := s.program.Snapshot(), api.CallerOf(ctx)
	out := docs[:0]
	for _, d := range docs {
		if snap.SeesStore(c, d.Store) {
			out = append(out, d)
		}
	}
	return out
}

// byDocument finds the sale and the return of a number: they are two name spaces.
func (s *Service) byDocument(ctx context.Context, source, document string) (out []*Document, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, kind := range []ledger.DocKind{ledger.DocSale, ledger.DocReturn} {
			k := ledger.Document{Kind: kind, Source: source, Document: document}.Need()
			var key ledger.LotKey
			err := tx.QueryRow(ctx, findDocSQL, k.Key...).Scan(&key.Member, &key.Seq)
			if isNone(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("find document: %w", err)
			}
			d, err := scan(tx.QueryRow(ctx, getSQL, id.Shard(key.Member), key.Member, key.Seq))
			if err != nil {
				return fmt.Errorf("read sale %d/%d: %w", key.Member, key.Seq, err)
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

// byTime pages through all, or those that want attention, by the time at which they were
// made.
func (s *Service) byTime(ctx context.Context, f Filter, p api.Page, from, to int64) ([]*Document, string, error) {
	c, err := firstByTime(p.Cursor)
	if err != nil {
		return nil, "", err
	}
	args := []any{from, to, c[0], c[1], c[2], c[3], p.Limit + 1}
	stmt := byTimeSQL
	switch f.State {
	case "waiting":
		stmt, args = openSQL, append([]any{Waiting}, args...)
	case "parked":
		stmt, args = openSQL, append([]any{Parked}, args...)
	default:
		if f.Unassigned {
			stmt = unassignedSQL
		}
	}
	var docs []*Document
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		docs, err = list(ctx, tx, stmt, args...)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list sales: %w", err)
	}
	next := ""
	if len(docs) > p.Limit {
		docs = docs[:p.Limit]
		next = docs[len(docs)-1].place()
	}
	return docs, next, nil
}

// run is one part of a member's list: what was born under one of their records, latest
// first, or what was assigned to it later.
type run struct {
	record   int64 // the member, or one who was merged into them
	assigned int64 // 1 for what was assigned
}

// runs are the parts of a member's list in their order, which stays the same while records
// are merged into the member: the member's own record, then the others by number.
func (s *Service) runs(ctx context.Context, ref member.Ref) ([]run, error) {
	records, err := s.members.Records(ctx, ref)
	if err != nil {
		return nil, at(err, "query.member")
	}
	slices.Sort(records[1:])
	var out []run
	for _, record := range records {
		out = append(out, run{int64(record), 0}, run{int64(record), 1})
	}
	return out, nil
}

// ofMember pages through the sales of a member, run after run. A cursor names the run and
// the place in it.
func (s *Service) ofMember(ctx context.Context, name string, p api.Page, from, to int64) ([]*Document, string, error) {
	ref, err := member.ParseRef(name)
	if err != nil {
		return nil, "", at(err, "query.member")
	}
	runs, err := s.runs(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	c, err := api.DecodeCursor(p.Cursor, 6)
	if err != nil {
		return nil, "", err
	}
	if runs, err = after(runs, c); err != nil {
		return nil, "", err
	}
	var docs []*Document
	var of []run // of each
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, r := range runs {
			more, err := r.read(ctx, tx, c, from, to, p.Limit+1-len(docs))
			if err != nil {
				return err
			}
			c = nil // the other runs are read from their beginning
			docs = append(docs, more...)
			for range more {
				of = append(of, r)
			}
			if len(docs) > p.Limit {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list sales of a member: %w", err)
	}
	next := ""
	if len(docs) > p.Limit {
		docs = docs[:p.Limit]
		last, r := docs[p.Limit-1], of[p.Limit-1]
		next = api.EncodeCursor(r.record, r.assigned, last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq)
	}
	return docs, next, nil
}

// OfMember is a page of a member's sales and returns, what was recorded last first.
func (s *Service) OfMember(ctx context.Context, m member.ID, p api.Page) ([]*Document, string, error) {
	return s.ofMember(ctx, m.String(), p, math.MinInt64, math.MaxInt64)
}

// maxReturns bounds the returns of one sale that are listed: a sale has few lines, and each
// comes back once or in parts.
const maxReturns = 100

// ReturnsOf lists the returns of a sale in the order of their keys.
func (s *Service) ReturnsOf(ctx context.Context, d *Document) (docs []*Document, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		docs, err = list(ctx, tx, returnsOfSQL, d.Member, d.Seq, maxReturns)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list returns of sale %d/%d: %w", d.Member, d.Seq, err)
	}
	return docs, nil
}

// ParseID reads the public id of a sale or return, or gives ErrNotFound.
func ParseID(text string) (ledger.LotKey, error) { return saleKey(text) }

// after leaves out the runs before the one that a cursor names. One that is gone, as the
// record was taken out of the member meanwhile, is no run of this list any more.
func after(runs []run, c []int64) ([]run, error) {
	if c == nil {
		return runs, nil
	}
	i := slices.Index(runs, run{c[0], c[1]})
	if i < 0 {
		return nil, api.ErrCursor.At("query.cursor")
	}
	return runs[i:], nil
}

// read reads up to n documents of a run, after the place of a cursor if there is one.
func (r run) read(ctx context.Context, tx *db.Tx, c []int64, from, to int64, n int) ([]*Document, error) {
	if c == nil {
		c = []int64{0, 0, math.MaxInt64, math.MaxInt16, math.MaxInt64, math.MaxInt64}
	}
	if r.assigned == 1 {
		return list(ctx, tx, assignedToSQL, r.record, from, to, c[2], c[3], c[4], c[5], n)
	}
	return list(ctx, tx, ofMemberSQL, id.Shard(r.record), r.record, c[5], from, to, n)
}
