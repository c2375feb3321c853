package sale

import (
	"context"
	"fmt"
	"math"

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
	args := []any{from, to, c[0], c[1], c[2], c[3], in.Limit}
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
	if len(docs) == in.Limit {
		last := docs[len(docs)-1]
		next = api.EncodeCursor(last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq)
	}
	return s.seen(ctx, docs), next, nil
}

// ofMember pages through the sales of a member: those recorded under them, latest first,
// then those that were assigned to them.
func (s *Service) ofMember(ctx context.Context, in *listIn, from, to int64) ([]*Document, string, error) {
	ref, err := member.ParseRef(in.Member)
	if err != nil {
		return nil, "", at(err, "query.member")
	}
	who, err := s.members.Find(ctx, ref)
	if err != nil {
		return nil, "", at(err, "query.member")
	}
	c, err := api.DecodeCursor(in.Cursor, 5)
	if err != nil {
		return nil, "", err
	}
	if c == nil {
		c = []int64{0, math.MaxInt64, 0, 0, 0}
	}
	var docs []*Document
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		if c[0] == 0 {
			docs, err = list(ctx, tx, ofMemberSQL, id.Shard(int64(who)), int64(who), c[1], from, to, in.Limit)
			if err != nil || len(docs) == in.Limit {
				return err
			}
			c = []int64{1, math.MaxInt64, math.MaxInt16, math.MaxInt64, math.MaxInt64}
		}
		more, err := list(ctx, tx, assignedToSQL, int64(who), from, to, c[1], c[2], c[3], c[4], in.Limit-len(docs))
		docs = append(docs, more...)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list sales of member %d: %w", who, err)
	}
	next := ""
	if len(docs) == in.Limit {
		last := docs[len(docs)-1]
		if last.Member == int64(who) {
			next = api.EncodeCursor(0, last.Seq, 0, 0, 0)
		} else {
			next = api.EncodeCursor(1, last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq)
		}
	}
	return s.seen(ctx, docs), next, nil
}
