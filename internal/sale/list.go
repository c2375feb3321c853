package sale

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// List returns one page of sales and returns under the filters of a request.
func (s *Service) List(ctx context.Context, in *listIn) ([]*Document, string, error) {
	if err := checkFilters(in); err != nil {
		return nil, "", err
	}
	if in.Document != "" {
		d, err := s.byDocument(ctx, in.Source, in.Document)
		if err != nil {
			return nil, "", err
		}
		return s.seen(ctx, d), "", nil
	}
	from, to, err := s.span(in.From, in.To)
	if err != nil {
		return nil, "", err
	}
	if in.Member != "" {
		return s.ofMember(ctx, in, from, to)
	}
	return s.byTime(ctx, in, from, to)
}

func checkFilters(in *listIn) error {
	n := 0
	for _, set := range []bool{in.Member != "", in.Unassigned, in.State != "", in.Document != ""} {
		if set {
			n++
		}
	}
	if n > 1 || (in.Source == "") != (in.Document == "") {
		return ErrFilter
	}
	return nil
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
func (s *Service) byTime(ctx context.Context, in *listIn, from, to int64) ([]*Document, string, error) {
	c, err := api.DecodeCursor(in.Cursor, 4)
	if err != nil {
		return nil, "", err
	}
	if c == nil {
		c = []int64{math.MaxInt64, math.MaxInt16, math.MaxInt64, math.MaxInt64}
	}
	args := []any{from, to, c[0], c[1], c[2], c[3], in.Limit + 1}
	stmt := byTimeSQL
	switch in.State {
	case "waiting":
		stmt, args = openSQL, append([]any{Waiting}, args...)
	case "parked":
		stmt, args = openSQL, append([]any{Parked}, args...)
	default:
		if in.Unassigned {
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
	if len(docs) > in.Limit {
		docs = docs[:in.Limit]
		last := docs[len(docs)-1]
		next = api.EncodeCursor(last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq)
	}
	return s.seen(ctx, docs), next, nil
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
func (s *Service) ofMember(ctx context.Context, in *listIn, from, to int64) ([]*Document, string, error) {
	ref, err := member.ParseRef(in.Member)
	if err != nil {
		return nil, "", at(err, "query.member")
	}
	runs, err := s.runs(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	c, err := api.DecodeCursor(in.Cursor, 6)
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
			more, err := r.read(ctx, tx, c, from, to, in.Limit+1-len(docs))
			if err != nil {
				return err
			}
			c = nil // the other runs are read from their beginning
			docs = append(docs, more...)
			for range more {
				of = append(of, r)
			}
			if len(docs) > in.Limit {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list sales of a member: %w", err)
	}
	next := ""
	if len(docs) > in.Limit {
		docs = docs[:in.Limit]
		last, r := docs[in.Limit-1], of[in.Limit-1]
		next = api.EncodeCursor(r.record, r.assigned, last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq)
	}
	return s.seen(ctx, docs), next, nil
}

// OfMember is a page of a member's sales and returns, what was recorded last first.
func (s *Service) OfMember(ctx context.Context, m member.ID, p api.Page) ([]*Document, string, error) {
	return s.ofMember(ctx, &listIn{Page: p, Member: m.String()}, math.MinInt64, math.MaxInt64)
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
